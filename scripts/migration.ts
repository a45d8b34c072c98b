// `npm run db:migration`: writes the migration that makes a database what supabase/schemas/ says.
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseOptions, runCommand, UsageError } from "./command-line.ts";
import { type Request, type Written, writeMigration } from "./schema/migration.ts";
import { startEmptyDatabase } from "./stack/database.ts";

const USAGE = `Usage: npm run db:migration -- NAME [--data]

Writes the migration that makes the database what supabase/schemas/ says into supabase/migrations/.
  NAME    in lower case, such as add_color_to_steps
  --data  for one that changes only what is stored: it begins empty`;

const path = (fromHere: string) => fileURLToPath(new URL(fromHere, import.meta.url));
const places = {
  schemas: path("../supabase/schemas"),
  migrations: path("../supabase/migrations"),
  versionModule: path("../functions/monkai-api/store/schema-version.ts"),
};

await runCommand(USAGE, async (args) => {
  const request = understood(args);
  return report(await onServer((serverUrl) => writeMigration(places, serverUrl, request)));
});

function understood(args: string[]): Request {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: { data: { type: "boolean" } },
  });
  const [name = ""] = positionals;
  if (positionals.length > 1 || !/^[a-z0-9]+(_[a-z0-9]+)*$/.test(name)) {
    throw new UsageError(
      "Call it with one name in lower case, such as: npm run db:migration -- add_color_to_steps",
    );
  }
  return { name, forData: values.data };
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
