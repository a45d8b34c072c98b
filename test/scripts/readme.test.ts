import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "../support/dev.ts";
import { DevRun } from "../support/dev-run.ts";
import { Page, sendCurl } from "../support/page.ts";

const readme = new Page("README.md");
let run: DevRun;

beforeAll(async () => {
  run = await DevRun.start();
});
afterAll(() => run.stop());

it("can be read at once: 120 lines at most, with the first command among the first ten", () => {
  expect(readme.text.trimEnd().split("\n").length).toBeLessThanOrEqual(120);
  expect(readme.commands[0]).toBe("npm install && npm run dev");
  expect(readme.text.slice(0, readme.text.indexOf("npm install")).split("\n").length).toBeLessThan(10);
});

it("the first trace with curl is sent, and read back", async () => {
  const [, command = ""] =
    /^export MONKAI_TRACER_TOKEN=\$\((.*)\)$/.exec(readme.command("export MONKAI")) ?? [];
  const tracerToken = await run.shell(command);
  const curl = async (line: string) => (await sendCurl(line, tracerToken, run.address)).json();
  expect(await curl(readme.command("/traces/llm"))).toEqual({
    success: true,
    trace_type: "llm_call",
    tokens: { input: 8, output: 10 },
    id: expect.any(String),
  });
  expect(await curl(readme.command("/sessions/my-first-session"))).toMatchObject({
    session_id: "my-first-session",
    step_count: 1,
    models: ["gpt-4"],
  });
});

it("its pages answer at the addresses that it gives", async () => {
  const addresses = [...readme.text.matchAll(/<http:\/\/127\.0\.0\.1:8787(\S+)>/g)].map(([, path]) => path);
  expect(addresses).toEqual(["/v1/view", "/v1/docs"]);
  for (const path of addresses) {
    const page = await fetch(`${run.address}${path}`);
    expect([path, page.status, page.headers.get("content-type")]).toEqual([
      path,
      200,
      "text/html; charset=UTF-8",
    ]);
  }
});

it("the curl line that npm run dev prints works when pasted", async () => {
  const line = run.running.stdout.split("\n").find((text) => text.startsWith("curl ")) ?? "";
  const answer = await (await sendCurl(line, "", run.address)).json();
  expect(answer).toMatchObject({ namespace: "my-agent", reused: false });
});

it("the first trace with Python is its example, which the tests run", () => {
  const path = readme.command("python3").split(" ")[1] ?? "";
  expect(readFileSync(`${ROOT}/${path}`, "utf8")).toContain(`\n\n${readme.blocks("python")[0]}\n`);
  expect(readFileSync(`${ROOT}/test/examples/python.test.ts`, "utf8")).toContain(path);
});

it("every command in it is run by a test or is the test command", () => {
  expect(readme.commands).toHaveLength(7);
  const tests = readme.command("npm test");
  expect(tests).toBe("npm install && npm test");
  expect(readFileSync(`${ROOT}/.ci/run`, "utf8")).toContain(tests);
  const page = new Page("docs/clients/opentelemetry-js.md");
  expect(page.text).toContain(`${readme.command("OTEL_EXPORTER")}\nnode program.mjs`);
});
