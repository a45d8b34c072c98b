import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("OpenInference around a LangGraph agent, and a call that fails outside of it", async () => {
  const { client, passed } = await runClient({ program: "openinference", page: "openinference" });
  expectSentTwice(passed, ["/v1/traces"]);
  const call = { agent: "default", model: "gpt-5", asked: "How warm is it in Paris?" };
  expect(await readBack(client)).toEqual({
    sessions: [expect.stringMatching(/^[0-9a-f]{32}$/), "session-1"],
    users: [],
    agents: ["default", "default"],
    steps: 15,
    calls: [
      { ...call, tokens: [101, 21], answered: "" },
      { ...call, tokens: [102, 22], answered: "It is 21 degrees in Paris." },
      expect.objectContaining({
        agent: "default",
        asked: "Are you there?",
        error: "400 There is no such model.",
      }),
    ],
    tools: [
      {
        agent: "default",
        name: "get_weather",
        arguments: "Paris",
        result: {
          output: expect.objectContaining({
            kwargs: expect.objectContaining({ content: '{"city":"Paris","degrees":21}' }),
          }),
        },
      },
    ],
    handoffs: [],
    logs: [],
  });
});
