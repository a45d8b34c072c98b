import { expect, it } from "vitest";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("The MonkAI Python SDK: a session, records with a handoff, log entries, and reading back", async () => {
  const { client, stdout } = await runClient({ program: "monkai-python", page: "monkai-python" });
  const session = expect.stringMatching(/^weather-user-1-\d{14}$/);
  expect(await readBack(client)).toMatchObject({
    sessions: expect.arrayContaining([session]),
    users: ["user-1"],
    agents: ["concierge", "concierge/forecaster"],
    // The SDK sends again what it got no answer for: the record is known again, the log entry is not.
    steps: 2,
    logs: ["warn Forecast given", "warn Forecast given"],
  });
  const { body } = await client.post("/v1/record_query", { namespace: "weather", query: {} });
  expect(body.records).toMatchObject([
    { agent: "forecaster", msg: [{ role: "assistant", content: "It is 21 degrees in Paris." }] },
    {
      agent: "concierge",
      model: "gpt-5",
      input_tokens: 8,
      output_tokens: 10,
      session_id: session,
      transfers: [{ from: "concierge", to: "forecaster", reason: "the weather" }],
      msg: [{ role: "user", content: "How warm is it in Paris? Write to [EMAIL]." }, { role: "assistant" }],
    },
  ]);
  const [counts, header, row] = stdout.split("\n");
  expect(counts).toBe("2 records, 2 log entries");
  expect(header).toMatch(/^namespace,agent,session_id,msg,/);
  expect(row).toMatch(/^weather,forecaster,weather-user-1-\d{14},.*It is 21 degrees in Paris/);
});
