// `npm run db:migration`: writes the migration that makes a database what supabase/schemas/ says.
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Request, type Written, writeMigration } from "./schema/migration.ts";
import { startEmptyDatabase } from "./stack/database.ts";
import { explain } from "./stack/explain.ts";

const usage =
  "Call it with a name in lower case, such as: npm run db:migration -- add_color_to_steps " +
  "(add --data for one that changes only what is stored).";

const path = (fromHere: string) => fileURLToPath(new URL(fromHere, import.meta.url));
const places = {
  schemas: path("../supabase/schemas"),
  migrations: path("../supabase/migrations"),
  versionModule: path("../functions/monkai-api/store/schema-version.ts"),
};

process.exitCode = await main(process.argv.slice(2));

async function main(given: string[]): Promise<number> {
  const request = understood(given);
  if (!request) {
    console.error(usage);
    return 2;
  }
  try {
    return report(await onServer((serverUrl) => writeMigration(places, serverUrl, request)));
  } catch (error) {
    console.error(explain(error));
    return 1;
  }
}

function understood(given: string[]): Request | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: given,
      allowPositionals: true,
      options: { data: { type: "boolean" } },
    });
    const [name = ""] = positionals;
    if (positionals.length > 1 || !/^[a-z0-9]+(_[a-z0-9]+)*$/.test(name)) return undefined;
    return { name, forData: values.data };
  } catch {
    return undefined;
  }
}

async function onServer<Result>(use: (serverUrl: string) => Promise<Result>): Promise<Result> {
  const database = await startEmptyDatabase({ ephemeral: true });
  try {
    return await use(database.postgresUrl);
  } finally {
    await database.stop();
  }
}

function report(written: Written | undefined): number {
  if (!written) {
    console.log("The migrations make what supabase/schemas/ says: there is nothing to write.");
    return 0;
  }
  const file = relative(process.cwd(), written.file);
  console.log(`Wrote ${file}, and its number as the schema's version. Read it before you commit it.`);
  for (const loss of written.losses) console.log(`It takes stored data away: ${loss}`);
  if (written.missing.length === 0) return 0;

  console.error(`Write this by hand into ${file}, which does not make what supabase/schemas/ says:`);
  for (const line of written.missing) console.error(`- ${line}`);
  return 1;
}
