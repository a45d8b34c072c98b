import { expect, inject, it } from "vitest";
import { sendRecorded } from "../scenarios/otlp-recordings.ts";
import { requestsOf } from "../support/otlp-recordings.ts";
import { type Api, newClient } from "../support/tenant.ts";

const api: Api = (path, init) => fetch(`${inject("workerdUrl")}${path}`, init);
const isLogs = ({ path }: { path: string }) => path.endsWith("/logs");

it.each([
  ["before", (one: boolean, other: boolean) => Number(other) - Number(one)],
  ["after", (one: boolean, other: boolean) => Number(one) - Number(other)],
])("log records that come %s the span of a model call are its input and output", async (_, order) => {
  const client = await newClient(api);
  const requests = requestsOf("instr-openai").filter(({ path }) => !path.endsWith("/metrics"));
  for (const request of requests.sort((one, other) => order(isLogs(one), isLogs(other)))) {
    await sendRecorded(api, client, request);
  }
  const query = { limit: 100 };
  const { body } = await client.post("/v1/record_query", { namespace: "ns-instr-openai", query });
  const said = body.records.map(({ msg }: { msg: { role: string; content: unknown }[] }) =>
    msg.map(({ role, content }) => [role, content]),
  );
  expect(said).toContainEqual([["user", "FAIL429"]]);
  expect(said).toContainEqual([
    ["system", "Be brief."],
    ["user", "How warm? quokka"],
    ["assistant", null],
    ["tool", "21"],
    ["assistant", "final answer 2"],
  ]);
});
