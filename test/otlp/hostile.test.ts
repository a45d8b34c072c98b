import { describe, expect, inject, it } from "vitest";
import { keyValues, traceOf } from "../support/otlp-steps.ts";
import { type Api, type Client, newClient } from "../support/tenant.ts";

const api: Api = (path, init) => fetch(`${inject("workerdUrl")}${path}`, init);
const PARENT = "f".repeat(16);

const spanId = (number: number) => number.toString(16).padStart(16, "0");

function spans(traceId: string, all: object[]): object {
  const made = all.map((span) => ({
    traceId,
    name: "a span",
    startTimeUnixNano: "1795273220149000000",
    endTimeUnixNano: "1795273220249000000",
    ...span,
  }));
  return { resourceSpans: [{ scopeSpans: [{ spans: made }] }] };
}

async function treeOf(client: Client, traceId: string) {
  const { status, body } = await client.get(`/v1/traces/${traceId}/tree`);
  expect(status).toBe(200);
  return body;
}

function nested(depth: number): object {
  let value: object = { stringValue: "deep" };
  for (let level = 0; level < depth; level += 1) value = { arrayValue: { values: [value] } };
  return { key: "nested", value };
}

/** Bodies with one span, and what becomes of it. */
const STRANGE: Record<string, [body: unknown, status: number, rejected?: string]> = {
  "a million attributes": [
    traceOf({}, { attributes: Array.from({ length: 1_000_000 }, (_, key) => ({ key: `${key % 10}` })) }),
    413,
  ],
  "a hundred thousand attributes": [
    traceOf(
      {},
      {
        attributes: Array.from({ length: 100_000 }, (_, key) => ({
          key: `${key}`,
          value: { boolValue: true },
        })),
      },
    ),
    200,
  ],
  "values nested a thousand levels deep": [traceOf({}, { attributes: [nested(1_000)] }), 200],
  "an id that is a number": [traceOf({}, { spanId: 7 }), 200, "1"],
  "an id of zeros": [traceOf({}, { traceId: "0".repeat(32) }), 200, "1"],
  "no name": [traceOf({}, { name: "" }), 200, "1"],
  "an object that has no text in the place of a time": [
    traceOf({}, { endTimeUnixNano: { toString: "" } }),
    200,
  ],
  "a start in 1969": [traceOf({}, { startTimeUnixNano: "-1000000000" }), 200, "1"],
  "a start in 2500": [
    traceOf({}, { startTimeUnixNano: "16725225600000000000", endTimeUnixNano: "16725225601000000000" }),
    200,
  ],
  "halves of surrogate pairs, and the character U+0000": [
    traceOf({ half: "\ud800", "n\u0000": "\u0000" }, { name: "\udc00" }),
    200,
  ],
  "a list in the place of an object": [{ resourceSpans: [[]] }, 400],
  "a text in the place of a list": [{ resourceSpans: "all" }, 400],
};

describe("hostile spans", { timeout: 60_000 }, () => {
  it.each(Object.entries(STRANGE))("%s", async (_, [body, status, rejected]) => {
    const client = await newClient(api);
    const answer = await client.post("/v1/traces", body);
    expect([answer.status, answer.body.partialSuccess?.rejectedSpans]).toEqual([status, rejected]);
    const { body: listed } = await client.get("/v1/traces");
    expect(listed.total).toBe(status === 200 && rejected === undefined ? 1 : 0);
  });

  it("10,000 spans under one parent, which comes last, are in one tree", async () => {
    const client = await newClient(api);
    const traceId = "a".repeat(32);
    for (let first = 1; first <= 10_000; first += 2_500) {
      const children = Array.from({ length: 2_500 }, (_, place) => ({
        spanId: spanId(first + place),
        parentSpanId: PARENT,
      }));
      expect((await client.post("/v1/traces", spans(traceId, children))).status).toBe(200);
    }
    const agent = keyValues({ "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Parent" });
    expect(
      (await client.post("/v1/traces", spans(traceId, [{ spanId: PARENT, attributes: agent }]))).status,
    ).toBe(200);
    expect(await treeOf(client, traceId)).toMatchObject({
      id: traceId,
      agent: "Parent",
      step_count: 10_001,
      children: [],
    });
  });

  it("agents whose parents go in a circle are in one tree, whoever comes first", async () => {
    const client = await newClient(api);
    const circle = [1, 2, 3].map((number) => ({
      spanId: spanId(number),
      parentSpanId: spanId((number % 3) + 1),
      attributes: keyValues({
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": `agent ${number}`,
      }),
    }));
    const trees = [];
    for (const [traceId, sent] of [
      ["b".repeat(32), circle],
      ["c".repeat(32), circle.toReversed()],
    ] as const) {
      for (const span of sent) {
        expect((await client.post("/v1/traces", spans(traceId, [span]))).status).toBe(200);
        trees.push(await treeOf(client, traceId));
      }
    }
    const [whole, reversed] = [trees[2], trees[5]].map((tree) =>
      JSON.stringify(tree).match(/"agent":"[^"]*"/g),
    );
    expect(whole).toHaveLength(4);
    expect(reversed).toEqual(whole);
  });
});
