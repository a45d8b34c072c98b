import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { callAll, fromManyTokens, newCaller } from "../support/database.ts";
import { drawnDatabase, drawnModel, drawnWithIds } from "./trees/drawing.ts";
import { cheapHistory, type Random, randomHistory, randomOf, split } from "./trees/history.ts";
import { violations } from "./trees/invariants.ts";
import { type Happened, tracesOf } from "./trees/model.ts";
import { itemsOf, type Request, type Step } from "./trees/steps.ts";

const CONNECTIONS = 6;
const sql = postgres(inject("databaseUrl"), { max: 2 * CONNECTIONS, onnotice: () => {} });
afterAll(() => sql.end());

type Caller = Awaited<ReturnType<typeof newCaller>> & { tenant: string; tenantId: string };

/** A tenant of its own, with the namespaces `m` and `n`. */
async function newTenant(): Promise<Caller> {
  const caller = { ...(await newCaller()), limit: 1_000_000 };
  const [tenant] = await sql`
    select tenants.id, tenants.name from public.tenants join public.tracer_tokens on tenants.id = tenant_id
    where token_hash = ${caller.token_hash}`;
  await sql`select internal.register_namespaces(${tenant?.id}, '{m, n}')`;
  return { ...caller, tenant: tenant?.name, tenantId: tenant?.id };
}

/** Sends a request. With a key, the same again is a retry; messages and spans that come again are known without one. */
async function send(caller: Caller, request: Request, key?: string): Promise<void> {
  const { name, items } = itemsOf(request);
  const idempotency = key === undefined ? {} : { idempotency: { key, hash: "h" } };
  const [answer] = await callAll(sql, name, [{ ...caller, items, ...idempotency } as postgres.JSONValue]);
  expect(answer.error).toBeUndefined();
  for (const { status } of answer.data.results ?? []) expect(status).toBe("ok");
}

async function ask(caller: Caller, name: string, more: Record<string, postgres.JSONValue>) {
  const [answer] = await callAll(sql, name, [{ ...caller, bucket: "query", ...more }]);
  return answer;
}

const listTraces = async (caller: Caller): Promise<number> =>
  (await ask(caller, "list_traces", { query: { limit: 10, offset: 0 } })).data.total;

/** The history as it was stored: each step once, a step without a time at the moment when it arrived. */
async function storedHistory({ tenantId }: Caller, history: Step[]): Promise<Happened[]> {
  const rows = await sql`
    select resource_id, (extract(epoch from coalesce(started_at, occurred_at)) * 1000000)::bigint as happened
    from public.steps where tenant_id = ${tenantId}`;
  const happened = new Map(rows.map((row) => [row.resource_id, Number(row.happened)]));
  expect([rows.length, happened.size]).toEqual([history.length, history.length]);
  return history.map((step) => ({ ...step, happened: happened.get(step.key) as number }));
}

/** The trees are those of the model, and a rebuild makes the same, in whatever time zone. */
async function expectTreesOfModel(caller: Caller, history: Step[]): Promise<void> {
  const { tenant, tenantId } = caller;
  await listTraces(caller);
  const expected = drawnModel(tracesOf(await storedHistory(caller, history)));
  expect(await drawnDatabase(sql, tenantId)).toEqual(expected);
  expect(await violations(sql, tenantId)).toEqual({});
  const folded = await drawnWithIds(sql, tenantId);
  await sql.begin(async (elsewhere) => {
    await elsewhere`set local time zone 'Asia/Tokyo'`;
    await elsewhere`select public.rebuild(${sql.json({ tenant })})`;
  });
  expect(await drawnDatabase(sql, tenantId)).toEqual(expected);
  expect(await drawnWithIds(sql, tenantId)).toEqual(folded);
  expect(await violations(sql, tenantId)).toEqual({});
}

/** What anyone may do meanwhile without changing any tree: read, fold a part, take content away, look for wrong counts. */
async function interfere(random: Random, caller: Caller): Promise<void> {
  const { tenantId } = caller;
  const done = random.below(10);
  if (done < 4) await listTraces(caller);
  else if (done < 6) await sql`select internal.fold(${tenantId}, ${1 + random.below(3)})`;
  else if (done < 7)
    await ask(caller, "purge_trace_content", { trace_id: random.pick(["t0", "t1", "o0", "o1"]) });
  else expect(await violations(sql, tenantId)).toEqual({});
}

/** Sends the requests over several connections at once, some of them twice, and does other things in between. */
async function sendInParallel(random: Random, callers: Caller[], requests: Request[]): Promise<void> {
  const queue = requests.map((request, number) => ({ request, key: `${crypto.randomUUID()} ${number}` }));
  const retried = queue.filter(() => random.chance(0.3));
  const waiting = [...queue, ...random.shuffled(retried)];
  await Promise.all(
    callers.map(async (caller) => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { request, key } = next;
        await send(caller, request, request.every(({ spanId }) => spanId) ? undefined : key);
        if (random.chance(0.4)) await interfere(random, caller);
      }
    }),
  );
}

/** Deletes all steps by plain `delete`, so that the next order begins with nothing. */
async function deleteSteps(caller: Caller): Promise<void> {
  const { tenantId } = caller;
  await sql`delete from public.steps where tenant_id = ${tenantId}`;
  await sql`delete from public.record_fingerprints where tenant_id = ${tenantId}`;
  expect(await listTraces(caller)).toBe(0);
  expect(await drawnDatabase(sql, tenantId)).toEqual([]);
}

const seeds = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

describe("the same trees in every order of arrival", () => {
  it.each(seeds(1, 30))("seed %i: shuffled, split anew, repeated, over parallel connections", async (seed) => {
    const random = randomOf(seed);
    const caller = await newTenant();
    const callers = (await fromManyTokens(sql, caller, CONNECTIONS)) as Caller[];
    const history = randomHistory(random, 20 + random.below(40), true);
    const inOneGo = split(random, history, 100);
    for (const request of inOneGo) await send(caller, request);
    await expectTreesOfModel(caller, history);
    const trees = await drawnWithIds(sql, caller.tenantId);

    for (let order = 1; order <= 2; order += 1) {
      await deleteSteps(caller);
      await sendInParallel(random, callers, split(random, random.shuffled(history)));
      await expectTreesOfModel(caller, history);
      expect(await drawnWithIds(sql, caller.tenantId)).toEqual(trees);
    }
  });
});
