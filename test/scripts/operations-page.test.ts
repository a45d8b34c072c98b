import { readFileSync } from "node:fs";
import postgres from "postgres";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { DevRun } from "../support/dev-run.ts";
import { Page } from "../support/page.ts";

const page = new Page("docs/operations.md");
const [create = "", createReader = "", list = "", revoke = ""] = page.command("token -- revoke").split("\n");
let run: DevRun;

beforeAll(async () => {
  run = await DevRun.start();
});
afterAll(() => run.stop());

const newToken = async () => (await run.shell(create)).split("\n").at(-1) ?? "";

it("the token commands do what they say", async () => {
  const tracerToken = await newToken();
  expect(tracerToken).toMatch(/^tk_/);
  expect(await run.shell(createReader)).toContain("tk_");
  expect(await run.shell(list)).toMatch(/acme +dashboard +active +never +all +read/);
  await run.shell(revoke.replace("ID-OR-TOKEN", tracerToken));
  expect(await run.shell(list)).toMatch(/acme +production +revoked/);
});

it("the limits of a tenant or a token, and registered namespaces only, are set as it says", async () => {
  const tracerToken = await newToken();
  const { running } = JSON.parse(readFileSync(`${run.dataDir}/stack.json`, "utf8"));
  const sql = postgres(running.databaseUrl, { max: 1, onnotice: () => {} });
  await sql.unsafe(
    `${page.blocks("sql")[0]}; select delete_expired(); select fold_all(); select forget_due()`,
  );
  await sql.end();

  const headers = { Authorization: `Bearer ${tracerToken}`, "Content-Type": "application/json" };
  const listed = await fetch(`${run.address}/v1/namespaces`, { headers });
  expect([listed.status, listed.headers.get("x-ratelimit-limit")]).toEqual([200, "600"]);
  const body = JSON.stringify({ namespace: "new", session_id: "s" });
  const traced = await fetch(`${run.address}/v1/traces/llm`, { method: "POST", headers, body });
  expect([traced.status, traced.headers.get("x-ratelimit-limit")]).toEqual([403, "6000"]);
});

it("a folder that was copied while nothing ran has all of it", async () => {
  const tracerToken = await run.shell("npm run --silent token -- create --tenant kept");
  const headers = { Authorization: `Bearer ${tracerToken}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ session_id: "kept" });
  const traced = await fetch(`${run.address}/v1/traces/llm`, { method: "POST", headers, body });
  expect(traced.status).toBe(200);
  await run.end();

  const [copy = "", start = ""] = page.commands.slice(-2);
  await run.shell(copy.replace(".data", run.dataDir).replace("backup", `${run.dataDir}-copy`));
  expect(start).toBe("DATA_DIR=backup npm run dev");
  const again = await DevRun.start(`${run.dataDir}-copy`);
  onTestFinished(() => again.stop());
  const kept = await fetch(`${again.address}/v1/sessions/kept`, { headers });
  expect([kept.status, (await kept.json()).session_id]).toEqual([200, "kept"]);
});
