import postgres from "postgres";
import { afterAll, expect, inject, it } from "vitest";
import { Page, sendCurl } from "../support/page.ts";
import { Client, newToken } from "../support/tenant.ts";

const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

it("docs/whose-data.md: its commands put and read the retention, and erase a session and a user", async () => {
  const page = new Page("docs/whose-data.md");
  const { token, tenant } = await newToken();
  const client = new Client((path, init) => fetch(`${inject("workerdUrl")}${path}`, init), token);
  const step = { namespace: "n", input: { prompt: "Hi" } };
  await client.post("/v1/traces/llm", { ...step, session_id: "session-of-ana" });
  await client.post("/v1/traces/llm", { ...step, session_id: "another", external_user_id: "ana" });
  const answers = [];
  for (const command of page.commands)
    answers.push(await (await sendCurl(command, token, inject("workerdUrl"))).json());

  const erased = { erased: { steps: 1, sessions: 1, scores: 0 }, complete: true, remaining_steps: 0 };
  const kept = { version: 1, content_days: 30, days: 365, catching_up: false };
  expect(answers).toMatchObject([kept, kept, erased, erased]);
  expect(answers[0].namespaces).toMatchObject([{ namespace: "audit", content_days: 90, days: 3650 }]);

  const [select = ""] = page.blocks("sql");
  const rows = await sql.unsafe(
    select.replace(
      "from erasures",
      "from (select * from erasures where tenant_id = (select id from tenants where name = $1)) as erasures",
    ),
    [tenant],
  );
  expect(rows.map(({ subject, token, is_complete }) => [subject, token, is_complete])).toEqual([
    ["user", "test", true],
    ["session", "test", true],
  ]);
});
