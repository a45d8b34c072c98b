-- The number of the newest migration, for GET /health/ready. Written by `npm run db:migration`.
create or replace function public.schema_version() returns bigint
language sql immutable set search_path = ''
return 20261122074350;
