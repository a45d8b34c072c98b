import { expect, inject, it } from "vitest";
import { Page, sendCurl } from "../support/page.ts";
import { newClient } from "../support/tenant.ts";

const api = (path: string, init?: RequestInit) => fetch(`${inject("workerdUrl")}${path}`, init);
const page = new Page("docs/api.md");

it("docs/api.md: its curl lines send a step, read it back, and anonymize the next one", async () => {
  const { token } = await newClient(api);
  const send = (line: string) => sendCurl(line, token, inject("workerdUrl"));
  const curl = async (line: string) => (await send(line)).json();
  expect(page.commands).toHaveLength(4);
  await curl(page.command("/traces/llm"));
  const { records, count } = await curl(page.command("/record_query"));
  expect(count).toBe(1);
  expect(records[0].msg).toMatchObject([{ content: "Hello!" }, { content: "Hi, how can I help?" }]);
  const csv = await (await send(page.command("/records/export"))).text();
  expect(csv).toMatch(/^namespace,agent,.*\r\nmy-agent,.*Hi, how can I help\?/);

  expect(await curl(page.command("/anonymization-rules"))).toMatchObject({ version: 1 });
  await curl(page.command("/traces/llm").replace("Hello!", "I am a@b.co, MK-12"));
  const after = await curl(page.command("/record_query"));
  expect(after.records[0].msg[0].content).toBe("I am [EMAIL], [CUSTOMER]");
});
