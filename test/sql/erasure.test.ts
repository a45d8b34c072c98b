import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { fromManyTokens, otherToken, waitUntilBlocked } from "../support/database.ts";
import { type Random, randomHistory, randomOf, split } from "./trees/history.ts";
import { violations } from "./trees/invariants.ts";
import { ask, type Caller, listTraces, newTenant, send } from "./trees/sender.ts";
import type { Step } from "./trees/steps.ts";

const sql = postgres(inject("databaseUrl"), { max: 8, onnotice: () => {} });
afterAll(() => sql.end());

const plain: Step = { key: "1", kind: "llm", namespace: "n", session: "s", agent: "a", handoffs: [] };
const seeds = (first: number, count: number) =>
  Array.from({ length: process.env.LONG_TESTS ? 10 * count : count }, (_, index) => first + index);

const eraseSession = (caller: Caller, session_id: string) =>
  ask(sql, caller, "erase_session", { session_id });
const eraseUser = (caller: Caller, user_id: string) => ask(sql, caller, "erase_user", { user_id });

/** How many steps the figures know, by hour. */
async function stepsByHour({ tenantId }: Caller) {
  return sql`
    select namespace_id, begins, sum(steps)::int as steps, sum(errors)::int as errors from public.usage
    where tenant_id = ${tenantId} and grain = 'hour' group by 1, 2 order by 1, 2`;
}

async function stepsOf({ tenantId }: Caller): Promise<number> {
  const [row] = await sql`select count(*)::int as steps from public.steps where tenant_id = ${tenantId}`;
  return row?.steps;
}

/** Sessions with users of their own, as clients create them. */
async function createSessions(caller: Caller) {
  await sql`
    insert into public.sessions (tenant_id, id, namespace_id, user_id, was_created)
    select ${caller.tenantId}, session.id, internal.namespace_id(${caller.tenantId}, 'n'), session.user_id, true
    from (values ('0', 'u'), ('1', null)) as session (id, user_id)`;
}

async function eraseSomething(random: Random, caller: Caller) {
  const answer = random.chance(0.5)
    ? await eraseSession(caller, random.pick(["0", "1", "2", "o0"]))
    : await eraseUser(caller, random.pick(["u", "v"]));
  expect([answer.error, answer.data.complete, answer.data.remaining_steps]).toEqual([undefined, true, 0]);
  return answer.data.erased.steps;
}

describe("what is erased", { timeout: 60_000 }, () => {
  it.each(seeds(1, 6))(
    "seed %i: leaves every figure, and what is there is what would be derived of it",
    async (seed) => {
      const random = randomOf(seed);
      const caller = await newTenant(sql);
      await createSessions(caller);
      for (let round = 0; round < 3; round += 1) {
        const history = randomHistory(random, 20 + random.below(30), random.chance(0.7));
        for (const request of split(random, history)) await send(sql, caller, request);
        await listTraces(sql, caller);
        const [before, steps] = [await stepsByHour(caller), await stepsOf(caller)];
        const erased = await eraseSomething(random, caller);
        expect(await stepsOf(caller)).toBe(steps - erased);
        expect(await stepsByHour(caller)).toEqual(before);
        expect(await violations(sql, caller.tenantId)).toEqual({});
      }
      const usage = () => sql`select * from public.usage where tenant_id = ${caller.tenantId} order by key`;
      const before = await usage();
      await sql`select public.rebuild(${sql.json({ tenant: caller.tenant })})`;
      expect(await usage()).toEqual(before);
      expect(await violations(sql, caller.tenantId)).toEqual({});
      for (const session of ["0", "1", "2", "o0", "o1"]) await eraseSession(caller, session);
      const [left] = await sql`
      select count(*)::int as steps from public.steps
      where tenant_id = ${caller.tenantId} and (tree_kind = 'otel' or session_id is not null)`;
      expect(left?.steps).toBe(0);
    },
  );

  it("is in the usage of every time still, once: also where that cuts its hour in two", async () => {
    const caller = await newTenant(sql);
    const time = 18 * 3600 + 40 * 60; // in India, the day has begun in this hour
    const tool: Step = { ...plain, key: "2", kind: "tool", name: "t" };
    await send(
      sql,
      caller,
      [plain, tool, { ...plain, key: "3" }].map((step) => ({ ...step, time, told: "both", user: "u" })),
    );
    const usage = async (more: object) => {
      const query = { by: [], time_zone: "UTC", start_date: "2026-01-01", end_date: "2026-01-03", ...more };
      const { data } = await ask(sql, caller, "get_usage", { query: query as never });
      const { calls, tool_calls, errors, latency_ms } = data.totals;
      return { calls, tool_calls, errors, latency_ms };
    };
    const halves = [
      { start_date: "2026-01-01T00:00:00Z", end_date: "2026-01-01T18:29:59.999999Z" },
      { start_date: "2026-01-01T18:30:00Z", end_date: "2026-01-02T00:00:00Z" },
    ];
    const asked = [
      {},
      { by: ["user", "agent"] },
      { time_zone: "Asia/Kolkata", by: ["day", "tool"] },
      { tool: "t" },
    ];
    const before = [];
    for (const more of asked) before.push(await usage(more));
    expect(before[0]).toMatchObject({
      calls: 2,
      tool_calls: 1,
      errors: 1,
      latency_ms: { p50: expect.any(Number) },
    });
    await eraseSession(caller, "s");
    const after = [];
    for (const more of asked) after.push(await usage(more));
    expect(after).toEqual(before);
    const [first, second] = [await usage(halves[0] as object), await usage(halves[1] as object)];
    expect([first.calls + second.calls, first.tool_calls + second.tool_calls]).toEqual([2, 1]);
  });

  it("of several users' session the steps of one go, and the others' stay; of one user's, all goes", async () => {
    const caller = await newTenant(sql);
    await send(sql, caller, [
      { ...plain, user: "u" },
      { ...plain, key: "2", user: "v" },
      { ...plain, key: "3", kind: "tool", name: "t" },
      { ...plain, key: "4", session: "own", user: "u" },
      { ...plain, key: "5", session: "own", kind: "tool", name: "t" },
    ]);
    const { session: _, ...loose } = plain;
    await send(sql, caller, [{ ...loose, key: "6", user: "u" }]);
    const { data } = await eraseUser(caller, "u");
    expect(data).toEqual({
      erased: { steps: 4, sessions: 1, scores: 0 },
      complete: true,
      remaining_steps: 0,
    });
    const left =
      await sql`select resource_id from public.steps where tenant_id = ${caller.tenantId} order by 1`;
    expect(left.map(({ resource_id }) => resource_id)).toEqual(["2", "3"]);
    expect(await violations(sql, caller.tenantId)).toEqual({});
  });

  it("goes piece by piece where it is much, and can be gone on with: what is left is still found", async () => {
    const caller = await newTenant(sql);
    const { tenantId } = caller;
    for (let request = 0; request < 4; request += 1)
      await send(
        sql,
        caller,
        Array.from({ length: 100 }, (_, step): Step => {
          const key = `${request} ${step}`;
          if (step % 4 > 0) return { ...plain, key, ...(step % 4 === 1 && { user: "u" }) };
          const parentSpanId = step > 0 ? `s${request} 0` : undefined;
          const span = { spanId: `s${key}`, otelTraceId: `o${request}`, parentSpanId, session: undefined };
          return { ...plain, ...span, key, ...(step === 0 && { session: "s", user: "u" }) } as Step;
        }),
      );
    await listTraces(sql, caller);
    const before = await stepsByHour(caller);
    let rest = 400;
    for (let pieces = 0; rest > 0; pieces += 1) {
      expect(pieces).toBeLessThan(20);
      await sql.begin(async (eraser) => {
        const found = await eraser`
          select internal.sessions_of_user(${tenantId}, array(select id from public.namespaces where tenant_id = ${tenantId}), 'u') as ids`;
        expect(found[0]?.ids).toEqual(["s"]);
        await eraser`
          select internal.forget_steps(${tenantId}, internal.piece_of_session(
            ${tenantId}, array(select id from public.namespaces where tenant_id = ${tenantId}), 's', null, 60))`;
      });
      const left = await stepsOf(caller);
      expect(left).toBeLessThan(rest);
      rest = left;
      expect(await violations(sql, tenantId)).toEqual({});
    }
    expect(await stepsByHour(caller)).toEqual(before);
  });

  it.each([
    ["session", { session_id: "0" }, { steps: 9, sessions: 1 }],
    ["user", { user_id: "u" }, { steps: 20, sessions: 2 }],
  ])(
    "a %s that is more than fits into a request is complete after some of them",
    async (subject, asked, erased) => {
      const caller = await newTenant(sql);
      await createSessions(caller);
      const steps = (session: string) =>
        Array.from({ length: 9 }, (_, key): Step => ({ ...plain, key: `${key}`, session, user: "u" }));
      const { session: _, ...loose } = plain;
      const others: Step[] = [
        { ...loose, user: "u" },
        { ...loose, key: "2", user: "u" },
        { ...loose, key: "3", user: "v" },
      ];
      await send(sql, caller, [...steps("0"), ...steps("2"), ...others]);
      const sum = { steps: 0, sessions: 0 };
      let requests = 0;
      await sql
        .begin(async (slow) => {
          await slow`
          create or replace function internal.end_of_erasing() returns timestamptz
          language plpgsql volatile set search_path = '' as $$ begin return clock_timestamp(); end $$`;
          await slow`
          create or replace function internal.size_of_pieces() returns integer
          language plpgsql immutable set search_path = '' as $$ begin return 3; end $$`;
          for (let complete = false; !complete; requests += 1) {
            const { data } = await ask(
              slow as unknown as postgres.Sql,
              caller,
              `erase_${subject}`,
              asked as never,
            );
            const left = erased.steps - sum.steps - data.erased.steps;
            expect([data.complete, data.remaining_steps]).toEqual([left === 0, left]);
            sum.steps += data.erased.steps;
            sum.sessions += data.erased.sessions;
            complete = data.complete;
          }
          throw new Error("Nobody else is to have these functions.");
        })
        .catch(({ message }) => expect(message).toMatch(/^Nobody else/));
      expect(sum).toEqual(erased);
      expect(requests).toBeGreaterThan(2);
    },
  );

  it("what a request stores that was sent before goes too, and what is sent after is kept as new", async () => {
    const caller = await newTenant(sql);
    const other = { ...caller, token_hash: await otherToken(sql, caller) };
    const later = { ...caller, token_hash: await otherToken(sql, caller) };
    let erasing: Promise<{ data: unknown }> | undefined;
    let sending: Promise<void> | undefined;
    await sql.begin(async (storing) => {
      await send(storing as unknown as postgres.Sql, caller, [plain], "key");
      erasing = eraseSession(other, "s");
      await waitUntilBlocked(sql, "erase_session");
      sending = send(sql, later, [{ ...plain, key: "2" }], "another key");
      await waitUntilBlocked(sql, "record_steps");
    });
    expect((await erasing)?.data).toEqual({
      erased: { steps: 1, sessions: 1, scores: 0 },
      complete: true,
      remaining_steps: 0,
    });
    await sending;
    const { data } = await ask(sql, caller, "get_session", { query: { session_id: "s" } });
    expect(data.step_count).toBe(1);
    const keys =
      await sql`select key from public.monkai_idempotency_keys where tenant_id = ${caller.tenantId}`;
    expect(keys).toEqual([{ key: "another key" }]);
    expect(await violations(sql, caller.tenantId)).toEqual({});
  });

  it("by many at once, with writers and readers at work: nothing is lost and nothing is counted twice", async () => {
    const caller = await newTenant(sql);
    const callers = await fromManyTokens(sql, caller, 6);
    const random = randomOf(7);
    const queue = split(random, randomHistory(random, 200, true));
    const sent = queue.flat().length;
    await Promise.all(
      callers.map(async (one) => {
        for (let request = queue.shift(); request; request = queue.shift()) {
          await send(sql, one, request);
          if (random.chance(0.3)) await eraseSomething(random, one);
          else if (random.chance(0.5)) await listTraces(sql, one);
        }
      }),
    );
    await listTraces(sql, caller);
    expect(await violations(sql, caller.tenantId)).toEqual({});
    const [untraced] = await sql`
      select count(*)::int as steps from public.steps where tenant_id = ${caller.tenantId} and tree_key is null`;
    const counted = (await stepsByHour(caller)).reduce((sum, { steps }) => sum + steps, 0);
    expect(counted + untraced?.steps).toBe(sent);
  });
});
