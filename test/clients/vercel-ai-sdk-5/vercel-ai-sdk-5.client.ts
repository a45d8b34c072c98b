import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("Vercel AI SDK 5, streamed", async () => {
  const { client, passed } = await runClient({ program: "vercel-ai-sdk-5", page: "vercel-ai-sdk-5" });
  expectSentTwice(passed, ["/v1/traces"]);
  const call = { agent: "default", model: "gpt-5", asked: "How warm is it in Paris?" };
  expect(await readBack(client)).toEqual({
    sessions: ["session-1"],
    users: ["user-1"],
    agents: ["default"],
    steps: 4,
    calls: [
      { ...call, tokens: [101, 21], answered: null },
      { ...call, tokens: [102, 22], answered: "It is 21 degrees in Paris." },
    ],
    tools: [
      {
        agent: "default",
        name: "get_weather",
        arguments: { city: "Paris" },
        result: { city: "Paris", degrees: 21 },
      },
    ],
    handoffs: [],
    logs: [],
  });
});
