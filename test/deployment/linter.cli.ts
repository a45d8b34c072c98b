import { join } from "node:path";
import { expect, it } from "vitest";
import { migrate } from "../../scripts/stack/migrate.ts";
import { ROOT } from "../support/dev.ts";
import { withDatabase } from "../support/empty-database.ts";
import { runTool } from "../support/tools.ts";

const FOLDER = join(ROOT, "supabase/migrations");

it("Supabase's own linter has no warning, and as to security only that no policy opens the tables", async () => {
  await withDatabase(async (url, sql) => {
    await migrate(url, FOLDER);
    const advisors = "npm run --silent supabase -- db advisors --type all --level info --output-format json";
    const { results } = JSON.parse(
      await runTool(`${advisors} --db-url='${url}?sslmode=disable' 2>/dev/null`),
    ) as Advice;
    expect(results.filter(({ level }) => level !== "INFO")).toEqual([]);
    const security = results.filter(({ categories }) => categories.includes("SECURITY"));
    expect(new Set(security.map(({ name }) => name))).toEqual(new Set(["rls_enabled_no_policy"]));
    const tables = await sql`select from pg_tables where schemaname = 'public'`;
    expect(security).toHaveLength(tables.length);
  });
});

/** What the CLI's advisors find: the lints of Splinter, Supabase's linter, in the version that the CLI was built with. */
interface Advice {
  results: { name: string; level: string; categories: string[] }[];
}
