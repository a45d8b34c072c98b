import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { COMMANDS } from "../../scripts/deploy-supabase.ts";
import { readCatalog } from "../../scripts/schema/catalog.ts";
import { migrate } from "../../scripts/stack/migrate.ts";
import { startDeno } from "../support/deno.ts";
import { ROOT } from "../support/dev.ts";
import { withDatabase } from "../support/empty-database.ts";
import { startManagementApi, type Upload } from "../support/management-api.ts";
import { runTool } from "../support/tools.ts";

const [push, deploy] = COMMANDS;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "agent-trace-supabase-"));
});

afterAll(() => rm(home, { recursive: true, force: true }));

// As the guide has it for CI: with the answers in the environment.
const run = (line: string) => runTool(line, { SUPABASE_HOME: home, SUPABASE_YES: "1" });

it("the database part of npm run deploy:supabase makes the schema that the tests run on, once", async () => {
  await withDatabase(async (url, sql) => {
    await run(`${push} --db-url '${url}?sslmode=disable' --include-seed`);
    const history = () =>
      sql`select version || '_' || name || '.sql' as file from supabase_migrations.schema_migrations order by 1`;
    const files = (await readdir(`${ROOT}/supabase/migrations`)).sort().map((file) => ({ file }));
    expect(await history()).toEqual(files);
    const pushed = await readCatalog(url);
    await withDatabase(async (migrated) => {
      await migrate(migrated, `${ROOT}/supabase/migrations`);
      expect(pushed).toEqual(await readCatalog(migrated));
    });

    expect(await run(`${push} --db-url '${url}?sslmode=disable' --include-seed`)).toContain("up to date");
    await migrate(url, `${ROOT}/supabase/migrations`);
    expect(await history()).toEqual(files);
  });
});

it("what the function part of npm run deploy:supabase uploads is all that Deno needs to answer", async () => {
  const api = await startManagementApi();
  const profile = join(home, "profile.yaml");
  await writeFile(
    profile,
    `name: test\napi_url: ${api.url}\ndashboard_url: ${api.url}\nproject_host: supabase.test\n`,
  );
  await run(`${deploy} --project-ref=abcdefghijklmnopqrst --profile ${profile}`);
  api.stop();

  const [{ metadata, files }] = api.uploads as [Upload];
  expect(metadata.verify_jwt).toBe(false);
  const folder = join(home, "uploaded");
  for (const file of files) {
    await mkdir(dirname(join(folder, file.name)), { recursive: true });
    await writeFile(join(folder, file.name), await file.bytes());
  }
  await symlink(`${ROOT}/node_modules`, join(folder, "node_modules"));
  const deno = await startDeno(
    { supabaseUrl: inject("restUrl"), serviceKey: inject("serviceKey"), adopt: () => {} },
    { folder, entry: metadata.entrypoint_path, importMap: metadata.import_map_path },
  );
  try {
    for (const path of [
      "health",
      "docs/docs.js",
      "docs/swagger-ui-bundle.js",
      "docs/swagger-ui.css",
      "view",
    ]) {
      const response = await fetch(`${deno.url}/monkai-api/v1/${path}`);
      expect([path, response.status]).toEqual([path, 200]);
    }
  } finally {
    await deno.stop();
  }
});
