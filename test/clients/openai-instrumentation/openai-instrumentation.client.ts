import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("OpenTelemetry's auto-instrumentations, around a program that does not know of them", async () => {
  const { client, passed } = await runClient({
    program: "openai-instrumentation",
    page: "openai-instrumentation",
    // Its detectors would ask clouds where the program runs.
    variables: { OTEL_METRICS_EXPORTER: "none", OTEL_NODE_RESOURCE_DETECTORS: "none" },
  });
  expectSentTwice(passed, ["/v1/traces", "/v1/logs"]);
  const { sessions, calls, agents, tools, logs } = await readBack(client);
  const call = { agent: "default", model: "gpt-5", asked: "How warm is it in Paris?" };
  expect(calls).toEqual([
    { ...call, tokens: [101, 21], answered: null },
    { ...call, tokens: [102, 22], answered: "It is 21 degrees in Paris." },
    {
      ...call,
      model: "gpt-broken",
      answered: '{"degrees":21}',
      error: "400 There is no such model.",
    },
  ]);
  expect([sessions.length, agents, tools, logs.length]).toEqual([
    3,
    ["default", "default", "default"],
    [],
    9,
  ]);
});
