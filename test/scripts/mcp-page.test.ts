import { readFileSync } from "node:fs";
import { expect, inject, it } from "vitest";
import { TOOLS } from "../../functions/monkai-api/mcp/tools.ts";
import { parseCurl } from "../support/curl.ts";
import { ROOT } from "../support/dev.ts";
import { newClient } from "../support/tenant.ts";

const page = readFileSync(`${ROOT}/docs/clients/mcp.md`, "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, block]) =>
    `${block}`.trim(),
  );

it("docs/clients/mcp.md: its curl lines find the tool that failed most, and what the last failure said", async () => {
  const api = (path: string, init?: RequestInit) => fetch(`${inject("workerdUrl")}${path}`, init);
  const client = await newClient(api);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  for (const [tool_name, hour] of [
    ["search", "08"],
    ["refund", "09"],
    ["refund", "10"],
  ]) {
    const error = { message: `no answer at ${hour}` };
    const step = {
      session_id: "s",
      tool_name,
      status: "error",
      error,
      timestamp: `${yesterday}T${hour}:00:00Z`,
    };
    expect((await client.post("/v1/traces/tool", step)).status).toBe(200);
  }
  const lines = blocks("sh").filter((block) => block.startsWith("curl "));
  const answers = [];
  for (const line of lines) {
    const { url, init } = parseCurl(line, { MONKAI_TRACER_TOKEN: client.token });
    const response = await fetch(url.replace("http://127.0.0.1:8787", inject("workerdUrl")), init);
    answers.push((await response.json()).result.content[0].text);
  }
  expect(answers).toEqual([
    expect.stringMatching(/\ntool=refund errors=2 .*\ntool=search errors=1 /),
    expect.stringContaining('error="no answer at 10"'),
  ]);
});

it("docs/clients/mcp.md: what is to be configured is one address and one header, and the tools are those that there are", () => {
  const { url, headers } = JSON.parse(blocks("json")[0] ?? "").mcpServers.traces;
  expect(headers).toEqual({ Authorization: "Bearer tk_..." });
  expect(page).toContain(
    `--transport http traces ${url} --header "Authorization: Bearer $MONKAI_TRACER_TOKEN"`,
  );
  expect(page).toContain(`\`url = "${url}"\``);
  const named = /^- The tools: (.*)\.$/m.exec(page)?.[1];
  expect(named).toBe(TOOLS.map(({ name }) => `\`${name}\``).join(", "));
});
