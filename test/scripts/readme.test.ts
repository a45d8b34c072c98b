import { chmod } from "node:fs/promises";
import { readFileSync } from "node:fs";
import postgres from "postgres";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { withTables } from "../../scripts/readme-tables.ts";
import { parseCurl } from "../support/curl.ts";
import { Command, dev, ROOT, temporaryDataDir } from "../support/dev.ts";

const readme = readFileSync(`${ROOT}/README.md`, "utf8");
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => (block as string).trim());

let dataDir: Awaited<ReturnType<typeof temporaryDataDir>>;
let running: Command;
let port: number;

beforeAll(async () => {
  dataDir = await temporaryDataDir();
  await chmod(dataDir.path, 0o711);
  port = await freePort();
  running = dev({ PORT: String(port), DATA_DIR: dataDir.path, MONKAI_TRACER_TOKEN: "" });
  await running.says(/Ctrl-C/);
});

afterAll(async () => {
  running.signalGroup("SIGINT");
  await running.ended;
  await dataDir.release();
});

/** Runs a command of the README in a shell, on this test's stack. */
async function shell(line: string) {
  const { code, stdout, stderr } = await new Command("sh", ["-c", line], { DATA_DIR: dataDir.path }).ended;
  expect([line, code, code === 0 ? "" : stderr]).toEqual([line, 0, ""]);
  return stdout.trim();
}

/** Sends a curl line as it stands in a text, and answers with the JSON that comes back. */
async function curl(line: string, tracerToken: string) {
  const { url, init } = parseCurl(line, { MONKAI_TRACER_TOKEN: tracerToken });
  const response = await fetch(url.replace("127.0.0.1:8787", `127.0.0.1:${port}`), init);
  expect([line, response.status]).toEqual([line, 200]);
  return response.json();
}

it("its first screen: two commands, then what was sent is read back", async () => {
  expect(blocks[0]).toBe("npm install && npm run dev");
  expect(readme.indexOf(blocks[0] as string)).toBeLessThan(700);
  const [, command] = /^export MONKAI_TRACER_TOKEN=\$\((.*)\)$/.exec(blocks[1] as string) ?? [];
  const tracerToken = await shell(command as string);
  expect(await curl(blocks[2] as string, tracerToken)).toEqual({
    success: true,
    trace_type: "llm_call",
    tokens: { input: 8, output: 10 },
  });
  const { records, count } = await curl(blocks[3] as string, tracerToken);
  expect(count).toBe(1);
  expect(records[0].msg).toMatchObject([{ content: "Hello!" }, { content: "Hi, how can I help?" }]);
});

it("the curl line that npm run dev prints works when pasted", async () => {
  const line = running.stdout.split("\n").find((text) => text.startsWith("curl "));
  expect(await curl(line as string, "")).toMatchObject({ namespace: "my-agent", reused: false });
});

it("the token commands do what they say", async () => {
  const [create, list, revoke] = (blocks[4] as string).split("\n") as [string, string, string];
  const tracerToken = (await shell(create)).split("\n").at(-1) as string;
  expect(tracerToken).toMatch(/^tk_/);
  expect(await shell(list)).toContain("acme");
  await shell(revoke.replace("TOKEN-OR-ID", tracerToken));
  expect(await shell(list)).toMatch(/acme +production +revoked/);
});

it("the limits of a tenant or a token are set as it says", async () => {
  const [, statements] = /```sql\n([\s\S]*?)```/.exec(readme) ?? [];
  const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
  await sql.unsafe(`set search_path = public; ${statements}; select delete_expired()`);
  await sql.end();
});

it("every command in it is run by a test or is the test command", () => {
  expect(blocks).toHaveLength(6);
  expect(blocks[5]).toBe("npm install && npm test");
  expect(readFileSync(`${ROOT}/.ci/run`, "utf8")).toContain(blocks[5]);
});

it("its tables are those that npm run readme makes", () => {
  expect(withTables(readme)).toBe(readme);
});
