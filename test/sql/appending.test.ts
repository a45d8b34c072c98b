import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { fromManyTokens, otherToken } from "../support/database.ts";
import { ask, type Caller, newTenant, send } from "./trees/sender.ts";
import { itemsOf, type Request, type Step } from "./trees/steps.ts";

const sql = postgres(inject("databaseUrl"), { max: 6, onnotice: () => {} });
afterAll(() => sql.end());

const known: Step = { key: "known", kind: "llm", namespace: "n", session: "s", agent: "a", handoffs: [] };
const handoff: Step = { ...known, key: "handoff", kind: "handoff", handoffs: [{ from: "a", to: "b" }] };

/** Two tokens of a tenant with a known session: they do not meet at the count of one token's requests. */
async function twoSenders(): Promise<[Caller, Caller]> {
  const caller = await newTenant(sql);
  await send(sql, caller, [known]);
  return [caller, { ...caller, token_hash: await otherToken(sql, caller) }];
}

/** Sends a request in a transaction that stays open. */
async function sendIn(transaction: postgres.ISql, caller: Caller, request: Request): Promise<void> {
  const { name, items } = itemsOf(request);
  const payload = sql.json({ ...caller, items } as postgres.JSONValue);
  const [row] = await transaction`select ${sql(`public.${name}`)}(${payload}) as answer`;
  expect(row?.answer).toHaveProperty("data");
}

/** Sends a request and commits it; fails where it would wait for anybody. */
function sendWithoutWaiting(caller: Caller, request: Request): Promise<void> {
  return sql.begin(async (transaction) => {
    await transaction`set local lock_timeout = '1s'`;
    await sendIn(transaction, caller, request);
  }) as Promise<void>;
}

const REQUESTS: [string, Step][] = [
  ["a recorded step", { ...known, key: "1" }],
  ["a handoff", { ...handoff, key: "2" }],
  ["an uploaded message", { ...known, key: "3", kind: "message", handoffs: [{ from: "a", to: "c" }] }],
  ["a step in another namespace", { ...known, key: "4", namespace: "m" }],
  ["a step of a named trace", { ...known, key: "5", traceId: "t", parentId: "p" }],
  ["a span", { ...known, key: "6", kind: "agent", otelTraceId: "o", spanId: "s1" }],
];

describe("writing steps waits for nobody (W1)", () => {
  it.each(REQUESTS)(
    "while a transaction holds all kinds of steps of a session uncommitted, %s of that session commits",
    async (_, step) => {
      const [holder, writer] = await twoSenders();
      await sql.begin(async (transaction) => {
        for (const [, held] of REQUESTS) {
          const spanId = held.spanId && { spanId: "held" };
          await sendIn(transaction, holder, [{ ...held, ...spanId, key: `${held.key} held` }]);
        }
        await sendWithoutWaiting(writer, [step]);
        const committed =
          await sql`select resource_id from public.steps where tenant_id = ${holder.tenantId}`;
        expect(committed.map(({ resource_id }) => resource_id).sort()).toEqual([step.key, "known"].sort());
      });
    },
  );

  it("while a reader's transaction has folded and is not over, steps commit", async () => {
    const [reader, writer] = await twoSenders();
    await sql.begin(async (transaction) => {
      const payload = sql.json({ ...reader, bucket: "query", query: { limit: 10, offset: 0 } });
      const [row] = await transaction`select public.list_traces(${payload}) as answer`;
      expect(row?.answer.data.total).toBe(1);
      for (const [, step] of REQUESTS) await sendWithoutWaiting(writer, [step]);
    });
  });

  it("while a step is uncommitted, a reader does not wait; what commits is in the next read", async () => {
    const [holder, reader] = await twoSenders();
    const readSteps = () =>
      sql.begin(async (transaction) => {
        await transaction`set local lock_timeout = '1s'`;
        const query = { list: "records", namespace: "n", limit: 10, offset: 0 };
        const payload = sql.json({ ...reader, bucket: "query", query });
        const [row] = await transaction`select public.query_steps(${payload}) as answer`;
        return row?.answer.data.count;
      });
    await sql.begin(async (transaction) => {
      await sendIn(transaction, holder, [handoff]);
      expect(await readSteps()).toBe(1);
    });
    expect(await readSteps()).toBe(2);
  });

  it("a request that is rolled back leaves nothing to fold", async () => {
    const [holder, reader] = await twoSenders();
    const rolledBack = sql.begin(async (transaction) => {
      await sendIn(transaction, holder, [handoff]);
      throw new Error("rolled back");
    });
    await expect(rolledBack).rejects.toThrow("rolled back");
    const { data } = await ask(sql, reader, "list_traces", { query: { limit: 10, offset: 0 } });
    expect([data.total, data.traces[0].step_count]).toEqual([1, 1]);
  });

  it("a hundred spans in opposite orders, from two connections, do not deadlock, and are stored once", async () => {
    const caller = await newTenant(sql);
    const senders = await fromManyTokens(sql, caller, 2);
    for (let round = 0; round < 10; round += 1) {
      const spans: Step[] = Array.from({ length: 100 }, (_, number) => ({
        key: `${number}`,
        kind: "span",
        namespace: "n",
        handoffs: [],
        otelTraceId: `o${round}`,
        spanId: `${number}`,
        parentSpanId: `${number - 1}`,
      }));
      await Promise.all(
        senders.map((sender, index) => send(sql, sender, index ? spans : spans.toReversed())),
      );
    }
    const [stored] = await sql`
      select count(*)::int as steps, (select sum(steps)::int from public.changes where tenant_id = ${caller.tenantId}) as noted
      from public.steps where tenant_id = ${caller.tenantId}`;
    expect(stored).toEqual({ steps: 1000, noted: 1000 });
  });
});
