import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { randomOf } from "./trees/history.ts";
import { ask, type Caller, newTenant, send } from "./trees/sender.ts";
import { START, type Step } from "./trees/steps.ts";

const sql = postgres(inject("databaseUrl"), { max: 4, onnotice: () => {} });
afterAll(() => sql.end());

const HOUR = 3_600_000;
const ZONES = [
  "UTC",
  "America/Recife",
  "America/New_York",
  "America/St_Johns",
  "Europe/London",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Apia",
];
const TIMES_OF_USAGE = process.env.LONG_TESTS ? 1000 : 60;

const plain: Step = { key: "1", kind: "llm", namespace: "n", session: "s", agent: "a", handoffs: [] };

async function read(caller: Caller, name: string, query: postgres.JSONValue) {
  const { data, error } = await ask(sql, caller, name, { query });
  expect(error).toBeUndefined();
  return data;
}

const usageBy = (caller: Caller, by: string[], more = {}) =>
  read(caller, "get_usage", { by, time_zone: "UTC", ...more });

describe("histograms of latencies", () => {
  it("a bucket has what it is told by, and that is off by less than 5 %", async () => {
    const [found] = await sql`
      with latency as (
        select n from generate_series(1, 20000) as n
        union all
        select 20000 + (random() * 9980000)::bigint from generate_series(1, 20000)
      ), told as (
        select n, internal.latency_of_bucket(internal.latency_bucket(n)) as told from latency
      )
      select count(*) filter (where abs(told - n) / n >= 0.05)::int as wrong, max(abs(told - n) / n)::float as most from told`;
    expect([found?.wrong, found?.most > 0.04]).toEqual([0, true]);
    const [known] = await sql`
      select internal.latency_of_bucket(internal.latency_bucket(0)) as zero, internal.latency_bucket(null) as none`;
    expect(known).toEqual({ zero: "0", none: null });
  });

  it("what is added up and taken away again leaves what was there", async () => {
    const [added] = await sql`
      select internal.added_latencies('{"3": 1, "4": 2}', '{"4": 1, "9": 1}') as both,
             internal.added_latencies('{"3": 1, "4": 3, "9": 1}', '{"4": -1, "9": -1}') as back`;
    expect(added).toEqual({ both: { 3: 1, 4: 3, 9: 1 }, back: { 3: 1, 4: 2 } });
  });
});

describe("usage of a time", { timeout: 60_000 }, () => {
  it("is what counting the steps one by one gives: any zone, any time, by day, by hour and by neither, with users or without", async () => {
    const caller = await newTenant(sql);
    const random = randomOf(7000);
    // Some at whole hours, to the end of summer time and past today.
    const begin = Date.now() - 60 * 24 * HOUR;
    const moment = () => begin + random.below(75 * 24 * HOUR);
    const moments = Array.from({ length: 400 }, () => {
      const at = moment();
      return random.chance(0.3) ? at - (at % HOUR) : at;
    });
    await send(
      sql,
      caller,
      moments.map((at, place) => ({
        ...plain,
        key: `${place}`,
        user: `u${place % 3}`,
        time: (at - START) / 1000,
        told: "end",
      })),
    );
    for (let round = 0; round < TIMES_OF_USAGE; round += 1) {
      const [first = 0, second = 0] = [random.pick(moments), moment()].sort();
      const start_date = new Date(first).toISOString();
      const until = random.pick([second, first + random.below(HOUR), first]);
      const end_date = random.chance(0.2) ? undefined : new Date(until).toISOString();
      const unit = random.pick(["day", "hour", undefined]);
      const withUser = random.chance(0.3);
      const time_zone = random.pick(ZONES);
      const by = [...(unit ? [unit] : ["agent"]), ...(withUser ? ["user"] : [])];
      const { rows, totals } = await usageBy(caller, by, {
        time_zone,
        start_date,
        ...(end_date ? { end_date } : {}),
      });
      const label = unit ?? "none";
      const counted = await sql`
        select case ${label} when 'day' then to_char(occurred_at at time zone ${time_zone}, 'YYYY-MM-DD')
                 when 'hour' then internal.timestamp_text(date_trunc('hour', occurred_at, ${time_zone})) else 'a' end as at,
               case when ${withUser} then user_id end as who, count(*)::int as calls
        from public.steps
        where tenant_id = ${caller.tenantId} and occurred_at >= ${start_date}
          and (${end_date ?? null}::timestamptz is null or occurred_at <= ${end_date ?? null}::timestamptz)
        group by 1, 2 order by 1, 2`;
      const told = rows.map((row: Record<string, unknown>) => ({
        at: row.day ?? row.hour ?? row.agent,
        who: row.user ?? null,
        calls: row.calls,
      }));
      const asked = { by, time_zone, start_date, end_date };
      expect({ asked, told }).toEqual({ asked, told: [...counted] });
      expect(totals.calls).toBe(counted.reduce((sum, { calls }) => sum + calls, 0));
    }
  });

  it("goes back with the steps that are deleted, and so do sessions and facets", async () => {
    const caller = await newTenant(sql);
    const begin = Math.floor((Date.now() - START) / 1000) - 3 * 86_400;
    const kept: Step[] = [
      { ...plain, key: "1", tokens: 5, time: begin + 10, user: "u" },
      { ...plain, key: "2", kind: "tool", name: "t", time: begin + 20 },
    ];
    const gone: Step[] = [
      { ...plain, key: "03", tokens: 7, time: begin + 5, user: "v" },
      { ...plain, key: "13", kind: "tool", name: "other", time: begin + 30 },
      { ...plain, key: "5", agent: "b", time: begin + 90_000 },
      { ...plain, key: "6", namespace: "m", time: begin + 1 },
      { ...plain, key: "7", session: "gone", time: begin + 1 },
    ];
    const everything = async () => [
      await usageBy(caller, ["day", "namespace", "agent", "model", "tool", "user"]),
      (await read(caller, "list_sessions", { limit: 10 })).rows,
      await read(caller, "get_session", { session_id: "s" }),
      await read(caller, "get_facets", {}),
    ];
    await send(sql, caller, kept);
    const before = await everything();
    expect(before[3]).toMatchObject({ tools: [{ value: "t", count: 1 }], users: [{ value: "u", count: 1 }] });
    await send(sql, caller, gone);
    const [, sessions] = await everything();
    expect(sessions).toHaveLength(3);
    await sql`
      delete from public.steps where tenant_id = ${caller.tenantId} and resource_id = any (${gone.map(({ key }) => key)})`;
    expect(await everything()).toEqual(before);
    const [left] = await sql`
      select (select count(*)::int from public.usage where tenant_id = ${caller.tenantId} and steps = 0) as empty,
             (select sum(count)::int from public.counts where tenant_id = ${caller.tenantId} and list = 'sessions') as sessions`;
    expect(left).toEqual({ empty: 0, sessions: 1 });
  });

  it("of a session that a client created there is still the session, after its steps are deleted", async () => {
    const caller = await newTenant(sql);
    const { data } = await ask(sql, caller, "create_session", { session: { namespace: "n", user_id: "u" } });
    const list = async () => (await read(caller, "list_sessions", { limit: 10 })).rows;
    const empty = await list();
    await send(sql, caller, [{ ...plain, session: data.session_id }]);
    expect(await list()).toMatchObject([{ session_id: data.session_id, step_count: 1 }]);
    await sql`delete from public.steps where tenant_id = ${caller.tenantId}`;
    expect(await list()).toEqual(empty);
    await sql`delete from public.sessions where tenant_id = ${caller.tenantId}`;
    expect(await list()).toEqual([]);
  });

  it("10,000 rows are answered, and one more is refused, saying what to do", async () => {
    const caller = await newTenant(sql);
    await send(sql, caller, [plain]);
    await usageBy(caller, ["agent"]);
    const addAgents = (from: number, to: number) => sql`
      insert into public.usage
      select tenant_id, grain, session_id, namespace_id, begins, 'agent ' || number, model, tool, user_id, steps, calls, tool_calls,
             errors, input_tokens, cached_input_tokens, uncached_input_tokens, output_tokens, reasoning_tokens, billed_steps,
             untold_steps, latencies
      from public.usage cross join generate_series(${from}::int, ${to}::int) as number
      where tenant_id = ${caller.tenantId} and grain = 'day in detail' and agent = 'a'`;
    await addAgents(2, 10_000);
    expect((await usageBy(caller, ["agent"])).rows).toHaveLength(10_000);
    await addAgents(10_001, 10_001);
    const query = { by: ["agent"], time_zone: "UTC" };
    expect((await ask(sql, caller, "get_usage", { query })).error).toEqual({
      code: "invalid_payload",
      message: "by: these are more than 10,000 rows. Ask for a shorter time, or by less.",
    });
    expect((await usageBy(caller, ["day"], { agent: "agent 7" })).totals.calls).toBe(1);
  });
});
