import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack, treeOf } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

const JSON_FORM = { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
const PACKED = { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" };
const ONE_EACH = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "1" };

it.each<[string, string, string, Record<string, string>]>([
  ["two variables and nothing else", "application/x-protobuf", "", {}],
  ["JSON", "application/json", "", JSON_FORM],
  [
    "protobuf with gzip, a request for each span",
    "application/x-protobuf",
    "gzip",
    { ...PACKED, ...ONE_EACH },
  ],
  ["JSON with gzip", "application/json", "gzip", { ...JSON_FORM, ...PACKED }],
])("OpenTelemetry JS 3: %s", async (_, form, encoding, variables) => {
  const { client, passed, stdout } = await runClient({
    program: "opentelemetry-js",
    page: "opentelemetry-js",
    variables,
  });
  expectSentTwice(passed, ["/v1/traces", "/v1/logs"]);
  expect(new Set(passed.map((request) => `${request.form} ${request.encoding}`))).toEqual(
    new Set([`${form} ${encoding}`]),
  );
  expect(await treeOf(client, stdout.trim())).toMatchObject({ id: stdout.trim(), agent: "Planner" });
  expect(await readBack(client)).toEqual({
    sessions: ["session-1"],
    users: ["user-1"],
    agents: ["Planner", "Planner/Researcher"],
    steps: 7,
    calls: [
      { agent: "Planner", model: "gpt-5", tokens: [101, 21], asked: "How warm is it?", answered: "Where?" },
      {
        agent: "Researcher",
        model: "gpt-5",
        tokens: [102, 22],
        asked: "And in Paris?",
        answered: "It is 21 degrees in Paris.",
      },
    ],
    tools: [
      {
        agent: "Researcher",
        name: "get_weather",
        arguments: { city: "Atlantis" },
        error: "There is no Atlantis.",
      },
      { agent: "Researcher", name: "get_weather", arguments: { city: "Paris" }, result: { degrees: 21 } },
    ],
    handoffs: [],
    logs: ["warn There is no Atlantis."],
  });
});
