import { readFileSync } from "node:fs";
import postgres from "postgres";
import { expect, inject, it, onTestFinished } from "vitest";
import { Command } from "../support/dev.ts";
import { DevRun } from "../support/dev-run.ts";
import { Page } from "../support/page.ts";

const page = new Page("docs/encryption.md");
const [make = ""] = page.commands;
// One of them stands in a list.
const rewrap = /^ +(npm run keys -- rewrap)$/m.exec(page.text)?.[1] ?? "";

it("docs/encryption.md: a key is made, content is encrypted, keys are rotated, wrapped anew and forgotten", async () => {
  const { stdout } = await new Command("sh", ["-c", make], {}).ended;
  const old = stdout.trim();
  expect(old).toMatch(/^\d{4}-\d\d-\d\d=[\w+/]{43}=$/);
  const run = await DevRun.start(undefined, { CONTENT_KEYS: old });
  onTestFinished(() => run.stop());
  const token = await run.shell("npm run --silent token -- create --tenant acme");
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const send = (path: string, body: object) =>
    fetch(`${run.address}/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const sent = { session_id: "s", namespace: "shop", input: { prompt: "a secret" } };
  expect((await send("traces/llm", sent)).status).toBe(200);
  const read = async () => await (await send("record_query", { namespace: "shop", query: {} })).json();
  expect((await read()).records).toMatchObject([{ input: sent.input }]);

  const { running } = JSON.parse(readFileSync(`${run.dataDir}/stack.json`, "utf8"));
  const sql = postgres(running.databaseUrl, { max: 1, onnotice: () => {} });
  onTestFinished(() => sql.end());
  expect(await sql`select from public.steps where steps::text like '%secret%'`).toEqual([]);

  const list = page.command("keys -- list");
  expect(await run.shell(list)).toMatch(new RegExp(`acme +1 +writes +${old.slice(0, 10)} `));
  for (const line of page.command("keys -- rotate").split("\n")) await run.shell(line, { CONTENT_KEYS: old });
  expect((await run.shell(list)).match(/acme +\d+ +(reads|writes)/g)).toHaveLength(3);
  expect((await send("traces/llm", sent)).status).toBe(200);
  expect((await read()).records).toHaveLength(2);

  const added = await run.shell("npm run --silent keys -- new --id added");
  await run.shell(rewrap, { CONTENT_KEYS: `${added},${old}` });
  expect((await run.shell(list)).match(/acme +\d+ +(reads|writes) +added /g)).toHaveLength(3);
  await run.shell(page.command("keys -- forget"));
  expect((await run.shell(list)).match(/acme +\d+ +forgotten +- /g)).toHaveLength(4);
  expect((await read()).error.code).toBe("encryption_error");
});

const here = { SUPABASE_URL: inject("restUrl"), SUPABASE_SERVICE_ROLE_KEY: inject("serviceKey") };

it.each([
  ["keys -- rotat", 2, /Unknown command: rotat\n\nUsage:/, {}],
  ["keys -- forget", 2, /--tenant is missing or empty/, {}],
  ["keys -- rotate", 1, /^Set CONTENT_KEYS to what the API has\.$/, here],
  ["keys -- rewrap", 1, /^CONTENT_KEYS: key 1: write it as ID=BASE64/, { ...here, CONTENT_KEYS: "abc" }],
  ["keys -- forget --tenant nobody", 1, /^nobody has no data key\.$/, here],
  ["keys -- new --id=a,b", 1, /An id is up to 32 letters/, {}],
  ["keys -- --help", 0, /^$/, {}],
])("npm run %s: exit code %i", async (line, code, message, env) => {
  const ended = await new Command("sh", ["-c", `npm run --silent ${line}`], env).ended;
  expect([ended.code, ended.stderr.trim()]).toEqual([code, expect.stringMatching(message)]);
  if (code === 0) expect(ended.stdout).toMatch(/^Usage:\n/);
});
