import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("OpenTelemetry JS 2: the same two variables", async () => {
  const { client, passed } = await runClient({ program: "opentelemetry-js-2", page: "opentelemetry-js" });
  expectSentTwice(passed, ["/v1/traces", "/v1/logs"]);
  expect(await readBack(client)).toEqual({
    sessions: [expect.stringMatching(/^[0-9a-f]{32}$/)],
    users: [],
    agents: ["Solo"],
    steps: 3,
    calls: [{ agent: "Solo", model: "gpt-5", tokens: [101, 21] }],
    tools: [],
    handoffs: [],
    logs: ['info {"answered":true}'],
  });
});
