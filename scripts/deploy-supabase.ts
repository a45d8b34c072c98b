// `npm run deploy:supabase`: the database, then the function that needs it.
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { refuseArguments, runCommand } from "./command-line.ts";
import { buildPages } from "./pages-build.ts";

const USAGE = `Usage: npm run deploy:supabase

Deploys to the Supabase project that \`npm run supabase -- link PROJECT\` has named: builds the pages, applies the migrations
that the database lacks, and uploads the function. It asks before it changes anything (SUPABASE_YES=1 answers), and ends
with the first part that fails.`;

/** One after the other. */
export const COMMANDS = [
  "npm run --silent supabase -- db push",
  "npm run --silent supabase -- functions deploy monkai-api --use-api",
];

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await runCommand(USAGE, (args) => {
    refuseArguments(args);
    buildPages();
    for (const command of COMMANDS) {
      const { status } = spawnSync("sh", ["-c", command], { stdio: "inherit" });
      if (status !== 0) return 1;
    }
    return 0;
  });
}
