/** The number of the newest migration, which the database must have. Written by `npm run db:migration`. */
export const SCHEMA_VERSION = 20261122074350;
