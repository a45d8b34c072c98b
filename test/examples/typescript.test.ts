import { readFileSync } from "node:fs";
import { beforeAll, expect, inject, it } from "vitest";
import { Command, ROOT } from "../support/dev.ts";
import { newToken } from "../support/tenant.ts";

const base = `${inject("workerdUrl")}/v1`;
const folder = `${ROOT}/examples/typescript`;

async function npm(script: string, env: Record<string, string> = {}) {
  const command = new Command("npm", ["run", "--silent", "--prefix", folder, script], env);
  const { code, stdout, stderr } = await command.ended;
  expect([script, code, code === 0 ? "" : stdout + stderr]).toEqual([script, 0, ""]);
  return stdout;
}

beforeAll(() => npm("generate", { OPENAPI: `${base}/openapi.json` }));

it("the client that openapi-typescript makes from the document type-checks", async () => {
  const types = readFileSync(`${folder}/trace-api.d.ts`, "utf8");
  expect(types).toContain('"/traces/llm"');
  await npm("check");
});

it("and it traces, and reads back what it traced", async () => {
  const { token } = await newToken();
  const said = await npm("start", { MONKAI_URL: base, MONKAI_TRACER_TOKEN: token });
  expect(said).toContain("8 tokens in, 10 out");
  expect(said).toContain("1 in this session; the last one by typescript-example, model gpt-4");
  expect(said).toContain("the tree's root has 1 steps and 0 children");
});
