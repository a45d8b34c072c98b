import { describe, expect, it } from "vitest";
import { traceOf } from "../support/otlp-steps.ts";
import { type Api, type Client, limitTenant, newClient } from "../support/tenant.ts";
import { expectOk, readAll } from "../support/week/read-back.ts";

// biome-ignore lint/suspicious/noExplicitAny: read as any client would
type Read = any;

const TOKENS = { input_tokens: 1, output_tokens: 0 };
const NAMESPACES = ["one", "two"];
const WRITERS = 5;
const ROUNDS = 12;

/** Model calls with one token each, and in how many of them a request of each kind brings. */
const WRITES: { calls: number; send: (client: Client, number: number) => Promise<{ status: number }> }[] = [
  { calls: 1, send: (client, number) => client.post("/v1/traces/llm", call(number)) },
  {
    calls: 7,
    send: (client, number) =>
      client.post("/v1/traces/batch", {
        traces: Array.from({ length: 7 }, (_, index) => ({ type: "llm", ...call(number + index) })),
      }),
  },
  { calls: 1, send: (client, number) => client.post("/v1/traces", spanOf(number)) },
];

function call(number: number) {
  const [namespace, agent] = [NAMESPACES[number % 2], `agent-${number % 3}`];
  const session_id = `${namespace}-${number % 4}`;
  return { namespace, session_id, agent, model: "gpt-4o-mini", output: { usage: TOKENS } };
}

/** A span of one of three traces, below one that never comes, and of a session that no other span tells. */
function spanOf(number: number): object {
  return traceOf(
    {
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": 1n,
      "session.id": `spans-${number % 2}`,
    },
    {
      traceId: `${number % 3}`.padStart(32, "a"),
      spanId: number.toString(16).padStart(16, "b"),
      startTimeUnixNano: String(BigInt(Date.now()) * 1_000_000n),
      endTimeUnixNano: String(BigInt(Date.now()) * 1_000_000n),
    },
    { "service.name": "one" },
  );
}

/** How many calls are in what is read, by each of the ways to ask for them. */
const READS: Record<string, (client: Client) => Promise<number>> = {
  "the totals of usage": async (client) => (await expectOk(client.get("/v1/usage"))).totals.calls,
  "usage by hour of India, step by step": async (client) => {
    const path = "/v1/usage?by=hour,user&time_zone=Asia/Kolkata";
    return sumOf((await expectOk(client.get(path))).rows, "calls");
  },
  "usage without a time, by agent": async (client) => {
    return sumOf((await expectOk(client.get("/v1/usage?by=agent"))).rows, "input_tokens");
  },
  "the list of sessions": async (client) => {
    return sumOf((await expectOk(client.get("/v1/sessions"))).sessions, "input_tokens");
  },
  "the steps of sessions": async (client) => {
    return sumOf((await expectOk(client.get("/v1/sessions"))).sessions, "step_count");
  },
  facets: async (client) => sumOf((await expectOk(client.get("/v1/facets"))).agents, "count"),
  exports: async (client) => {
    const lists = NAMESPACES.map((namespace) => client.post("/v1/records/export", { namespace }));
    return sumOf(
      (await Promise.all(lists)).map(({ body }) => ({ count: body.records.length })),
      "count",
    );
  },
};

function sumOf(items: Read[], name: string): number {
  return items.reduce((sum, item) => sum + item[name], 0);
}

/** What was acknowledged is in the next read, whatever else is being written. */
export function exactReads(api: Api): void {
  describe("reads while others write", () => {
    it("have all that was acknowledged before, and nothing that was not sent", async () => {
      const client = await newClient(api);
      await limitTenant(client.tenant, { view: 100_000, query: 100_000, traces: 100_000, otlp: 100_000 });
      let [sent, acknowledged, writing] = [0, 0, WRITERS];

      const write = async (writer: number) => {
        for (let round = 0; round < ROUNDS; round += 1) {
          for (const [kind, { calls, send }] of WRITES.entries()) {
            sent += calls;
            const { status } = await send(client, ((writer * ROUNDS + round) * WRITES.length + kind) * 7);
            expect(status).toBe(200);
            acknowledged += calls;
          }
        }
        writing -= 1;
      };
      let looks = 0;
      const look = async () => {
        while (writing > 0) {
          for (const [name, read] of Object.entries(READS)) {
            const least = acknowledged;
            const found = await read(client);
            const most = sent;
            expect({ name, found, isLess: found < least, isMore: found > most }).toEqual({
              ...{ name, found, isLess: false, isMore: false },
            });
            looks += 1;
          }
        }
      };
      await Promise.all([look(), look(), ...Array.from({ length: WRITERS }, (_, writer) => write(writer))]);

      expect(looks).toBeGreaterThan(20);
      for (const [name, read] of Object.entries(READS)) {
        expect([name, await read(client)]).toEqual([name, sent]);
      }
      const sessions = await readAll(client, "/v1/sessions?limit=3", "sessions");
      expect(sumOf(sessions, "step_count")).toBe(sent);
    });
  });
}
