import { existsSync, readFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withTables } from "../../scripts/readme-tables.ts";
import { freePort } from "../../scripts/stack/ports.ts";
import { parseCurl } from "../support/curl.ts";
import { Command, dev, ROOT, temporaryDataDir } from "../support/dev.ts";

const readme = readFileSync(`${ROOT}/README.md`, "utf8");
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => (block as string).trim());

/** The one block of commands that says this. */
function block(text: string): string {
  const [found = "", ...more] = blocks.filter((commands) => commands.includes(text));
  expect([text, found !== "", more]).toEqual([text, true, []]);
  return found;
}

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

/** Sends a curl line as it stands in a text. */
async function send(line: string, tracerToken: string): Promise<Response> {
  const { url, init } = parseCurl(line, { MONKAI_TRACER_TOKEN: tracerToken });
  const response = await fetch(url.replace("127.0.0.1:8787", `127.0.0.1:${port}`), init);
  expect([line, response.status]).toEqual([line, 200]);
  return response;
}

const curl = async (line: string, tracerToken: string) => (await send(line, tracerToken)).json();

it("its first screen: two commands, then what was sent is read back", async () => {
  expect(blocks[0]).toBe("npm install && npm run dev");
  expect(readme.indexOf(blocks[0] as string)).toBeLessThan(700);
  const [, command] = /^export MONKAI_TRACER_TOKEN=\$\((.*)\)$/.exec(block("export MONKAI")) ?? [];
  const tracerToken = await shell(command as string);
  expect(await curl(block("/traces/llm"), tracerToken)).toEqual({
    success: true,
    trace_type: "llm_call",
    tokens: { input: 8, output: 10 },
    id: expect.any(String),
  });
  const { records, count } = await curl(block("/record_query"), tracerToken);
  expect(count).toBe(1);
  expect(records[0].msg).toMatchObject([{ content: "Hello!" }, { content: "Hi, how can I help?" }]);
  const csv = await (await send(block("/records/export"), tracerToken)).text();
  expect(csv).toMatch(/^namespace,agent,.*\r\nmy-agent,.*Hi, how can I help\?/);

  const [, page = ""] = /<(http:\S+\/docs)>/.exec(readme) ?? [];
  const docs = await fetch(page.replace("127.0.0.1:8787", `127.0.0.1:${port}`));
  expect([docs.status, await docs.text()]).toEqual([200, expect.stringContaining("swagger-ui")]);
});

it("the anonymization rules are put, and do what it says", async () => {
  const create = "npm run --silent token -- create --tenant anonymous";
  const tracerToken = await shell(create);
  expect(await curl(block("/anonymization-rules"), tracerToken)).toMatchObject({ version: 1 });
  const trace = block("/traces/llm").replace("Hello!", "I am a@b.co, MK-12");
  await curl(trace, tracerToken);
  const { records } = await curl(block("/record_query"), tracerToken);
  expect(records[0].msg[0].content).toBe("I am [EMAIL], [CUSTOMER]");
});

it("the curl line that npm run dev prints works when pasted", async () => {
  const line = running.stdout.split("\n").find((text) => text.startsWith("curl "));
  expect(await curl(line as string, "")).toMatchObject({ namespace: "my-agent", reused: false });
});

it("the token commands do what they say", async () => {
  const commands = block("token -- revoke").split("\n") as [string, string, string, string];
  const [create, createReader, list, revoke] = commands;
  const tracerToken = (await shell(create)).split("\n").at(-1) as string;
  expect(tracerToken).toMatch(/^tk_/);
  expect(await shell(createReader)).toContain("tk_");
  expect(await shell(list)).toMatch(/acme +dashboard +active +never +all +read/);
  await shell(revoke.replace("ID-OR-TOKEN", tracerToken));
  expect(await shell(list)).toMatch(/acme +production +revoked/);
});

it("the limits of a tenant or a token, and registered namespaces only, are set as it says", async () => {
  const tracerToken = (await shell(block("token -- revoke").split("\n")[0] as string))
    .split("\n")
    .at(-1) as string;
  const { running: stack } = JSON.parse(readFileSync(`${dataDir.path}/stack.json`, "utf8"));
  const [, statements] = /```sql\n([\s\S]*?)```/.exec(readme) ?? [];
  const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
  await sql.unsafe(`${statements}; select delete_expired()`);
  await sql.end();

  const base = `http://127.0.0.1:${port}/v1`;
  const headers = { Authorization: `Bearer ${tracerToken}`, "Content-Type": "application/json" };
  const listed = await fetch(`${base}/namespaces`, { headers });
  expect([listed.status, listed.headers.get("x-ratelimit-limit")]).toEqual([200, "600"]);
  const trace = JSON.stringify({ namespace: "new", session_id: "s" });
  const traced = await fetch(`${base}/traces/llm`, { method: "POST", headers, body: trace });
  expect([traced.status, traced.headers.get("x-ratelimit-limit")]).toEqual([403, "6000"]);
});

it("the files that its tour of the code leads through are there", () => {
  const tour = readme.slice(readme.indexOf("## A tour of the code"));
  const named = [...tour.matchAll(/`((?:[\w.-]+\/)*[\w.-]+\.(?:ts|sql))`/g)].map(
    ([, path]) => path as string,
  );
  expect(named.length).toBeGreaterThan(8);
  const folders = ["", "functions/monkai-api/", "supabase/schemas/50_steps/", "supabase/schemas/60_traces/"];
  const missing = named.filter((path) => !folders.some((folder) => existsSync(`${ROOT}/${folder}${path}`)));
  expect(missing).toEqual([]);
});

it("every command in it is run by a test or is the test command", () => {
  expect(blocks).toHaveLength(10);
  const tests = block("npm test");
  expect(tests).toBe("npm install && npm test");
  expect(readFileSync(`${ROOT}/.ci/run`, "utf8")).toContain(tests);
  const page = readFileSync(`${ROOT}/docs/clients/opentelemetry-js.md`, "utf8");
  expect(page).toContain(`${block("OTEL_EXPORTER")}\nnode program.mjs`);
  const python = block("python3");
  expect(readFileSync(`${ROOT}/test/examples/python.test.ts`, "utf8")).toContain(python.split(" ")[1]);
});

it("its tables are those that npm run readme makes", () => {
  expect(withTables(readme)).toBe(readme);
});
