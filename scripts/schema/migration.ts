import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { explain } from "../stack/explain.ts";
import { migrate } from "../stack/migrate.ts";
import { type NewDatabase, newDatabase } from "../stack/new-database.ts";
import { type Catalog, differences, readCatalog } from "./catalog.ts";
import { type Change, changesBetween } from "./changes.ts";
import { migrationText } from "./migration-text.ts";
import { createWhatIsNew } from "./new-objects.ts";
import { applySource, readSource, type SourceFile } from "./source.ts";
import { statementsOf } from "./statements.ts";
import { newestMigration, VERSION_PATH, versionAfter, versionInSql, versionInTypeScript } from "./version.ts";

/** Where a project has its source and its migrations. */
export interface Places {
  schemas: string;
  migrations: string;
  /** The module with `SCHEMA_VERSION`. */
  versionModule: string;
}

export interface Request {
  /** In lower case, words joined by `_`. */
  name: string;
  /** Whether to make a migration even where the schema stays as it is. */
  forData?: boolean;
  now?: Date;
}

/** What was written. */
export interface Written {
  file: string;
  /** The migration's steps that take stored data away. */
  losses: string[];
  /** What the migrations do not make like the source, with this one included: to be written by hand. */
  missing: string[];
}

/**
 * Writes the migration that makes a database like the source, and the schema's new version. Resolves to undefined, and
 * writes nothing, when the migrations say what the source says. `serverUrl`: where databases can be made to find that out.
 */
export async function writeMigration(
  places: Places,
  serverUrl: string,
  request: Request,
): Promise<Written | undefined> {
  const databases: NewDatabase[] = [];
  const empty = async () => {
    const database = await newDatabase(serverUrl);
    databases.push(database);
    return database.url;
  };
  try {
    return await write(places, empty, request);
  } finally {
    for (const { drop } of databases) await drop();
  }
}

async function write(
  { schemas, migrations, versionModule }: Places,
  empty: () => Promise<string>,
  { name, forData = false, now = new Date() }: Request,
): Promise<Written | undefined> {
  const newest = await newestMigration(migrations);
  const version = versionAfter(newest, now);
  const versionFile = { path: VERSION_PATH, text: versionInSql(version) };
  const declared = await empty();
  const source = await applySource(declared, withFile(await readSource(schemas), versionFile));
  const wanted = await readCatalog(declared);

  const migrated = await empty();
  await migrate(migrated, migrations);
  if (!forData && isSameButForVersion(await readCatalog(migrated), wanted)) return undefined;

  const changes = newest ? await changesTo(migrated, declared, source) : undefined;
  const file = join(migrations, `${version}_${name}.sql`);
  await writeFile(file, migrationText(source, changes, forData));
  await writeFile(join(schemas, VERSION_PATH), versionFile.text);
  await writeFile(versionModule, versionInTypeScript(version));

  const losses = (changes ?? []).filter(({ losesData }) => losesData).map(({ sql }) => sql);
  return { file, losses, missing: await missingFrom(migrations, wanted, await empty()) };
}

function withFile(files: SourceFile[], file: SourceFile): SourceFile[] {
  const others = files.filter(({ path }) => path !== file.path);
  return [...others, file].sort((one, other) => (one.path < other.path ? -1 : 1));
}

function isSameButForVersion(actual: Catalog, wanted: Catalog): boolean {
  const lines = differences(actual, wanted);
  return lines.every((line) => line.startsWith("function public.schema_version() is"));
}

async function changesTo(migrated: string, declared: string, source: SourceFile[]): Promise<Change[]> {
  const statements = source.flatMap(statementsOf);
  const created = await createWhatIsNew(migrated, statements);
  const changes = await changesBetween(migrated, declared, statements);
  return [...created.map(({ text }) => ({ sql: text, losesData: false })), ...changes];
}

async function missingFrom(migrations: string, wanted: Catalog, databaseUrl: string): Promise<string[]> {
  try {
    await migrate(databaseUrl, migrations);
    return differences(await readCatalog(databaseUrl), wanted);
  } catch (error) {
    return [explain(error)];
  }
}
