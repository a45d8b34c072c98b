import { readFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { fromManyTokens, otherToken } from "../support/database.ts";
import { ROOT } from "../support/dev.ts";
import { DAY, sendAgo, setRules } from "./trees/aged.ts";
import { randomHistory, randomOf, split } from "./trees/history.ts";
import { violations } from "./trees/invariants.ts";
import { ask, type Caller, listTraces, newTenant, send } from "./trees/sender.ts";
import type { Step } from "./trees/steps.ts";

const sql = postgres(inject("databaseUrl"), { max: 10, onnotice: () => {} });
afterAll(() => sql.end());

const plain: Step = { key: "1", kind: "llm", namespace: "n", session: "s", agent: "a", handoffs: [] };

type Rule = { content_days: number | null; days: number | null };
const putRetention = (caller: Caller, rule: Partial<Rule>, namespaces: Record<string, Rule> = {}) =>
  ask(sql, caller, "put_retention", { rules: { content_days: null, days: null, ...rule, namespaces } });
const getRetention = async (caller: Caller) => (await ask(sql, caller, "get_retention", {})).data;

/** Calls the schedule until this tenant has been seen to. */
async function forgetDue(caller: Caller): Promise<void> {
  const seen = (await getRetention(caller)).last_run_at;
  for (let calls = 0; calls < 2000; calls += 1) {
    await sql`select public.forget_due()`;
    if ((await getRetention(caller)).last_run_at !== seen) return;
  }
  throw new Error("There is always something left to forget.");
}

/** As if so many days had gone by since this was last seen to. */
const daysLater = ({ tenantId }: Caller, days: number) =>
  sql`update public.retention_runs set enforced_on = enforced_on - ${days}::integer where tenant_id = ${tenantId}`;

const keysOf = async ({ tenantId }: Caller) =>
  (await sql`select resource_id from public.steps where tenant_id = ${tenantId} order by 1`).map(
    ({ resource_id }) => resource_id,
  );

const saidOf = async ({ tenantId }: Caller) =>
  (
    await sql`
    select resource_id from public.steps where tenant_id = ${tenantId} and (content is not null or error is not null) order by 1`
  ).map(({ resource_id }) => resource_id);

const totals = ({ tenantId }: Caller) => sql`
  select begins, sum(steps)::int as steps, sum(errors)::int as errors from public.usage
  where tenant_id = ${tenantId} and grain = 'hour' group by 1 order by 1`;

describe("what is kept for some days", { timeout: 60_000 }, () => {
  it("is there until they are over, and then forgotten by the schedule: content first, then all but the figures", async () => {
    const caller = await newTenant(sql);
    const ages = {
      young: 1 * DAY,
      "nearly 2": 2 * DAY - 60,
      "over 2": 2.1 * DAY,
      "nearly 5": 5 * DAY - 60,
      "over 5": 5.1 * DAY,
    };
    for (const [key, age] of Object.entries(ages)) {
      await sendAgo(sql, caller, [{ ...plain, key, session: key }], age);
      await sendAgo(
        sql,
        caller,
        [{ ...plain, key: `elsewhere ${key}`, namespace: "m", session: `m ${key}` }],
        age,
      );
    }
    await listTraces(sql, caller);
    const before = await totals(caller);
    await setRules(sql, caller, { content_days: 2, days: 5 }, { m: {} });
    expect(await getRetention(caller)).toMatchObject({ version: 1, catching_up: true, last_run_at: null });
    await forgetDue(caller);
    const here = (keys: string[]) => keys.filter((key) => !key.startsWith("elsewhere"));
    expect(here(await keysOf(caller))).toEqual(["nearly 2", "nearly 5", "over 2", "young"]);
    expect(here(await saidOf(caller))).toEqual(["nearly 2", "young"]);
    expect((await keysOf(caller)).length - here(await keysOf(caller)).length).toBe(5);
    expect((await saidOf(caller)).length - here(await saidOf(caller)).length).toBe(5);
    expect(await totals(caller)).toEqual(before);
    expect(await violations(sql, caller.tenantId)).toEqual({});
    expect(await getRetention(caller)).toMatchObject({ catching_up: false, last_run_at: expect.any(String) });
    const sessions =
      await sql`select id from public.sessions where tenant_id = ${caller.tenantId} and id = 'over 5'`;
    expect(sessions).toEqual([]);
  });

  it("is never shown after that, though the schedule stands still", async () => {
    const caller = await newTenant(sql);
    await putRetention(caller, { content_days: 1, days: 3 });
    expect((await getRetention(caller)).catching_up).toBe(false);
    await sendAgo(sql, caller, [{ ...plain, key: "old", session: "old" }], 10 * DAY);
    await sendAgo(sql, caller, [{ ...plain, key: "said", session: "said" }], 2.9 * DAY);
    await send(sql, caller, [{ ...plain, key: "new" }]);
    await sql`
      insert into public.sessions (tenant_id, id, namespace_id, was_created, created_at, last_activity_at)
      select ${caller.tenantId}, 'idle', internal.namespace_id(${caller.tenantId}, 'n'), true, now() - interval '9 days', now() - interval '9 days'`;
    await sql`
      select internal.list_session_without_steps(${caller.tenantId}, 'idle', internal.namespace_id(${caller.tenantId}, 'n'))`;
    const sessions = async () =>
      (await ask(sql, caller, "list_sessions", { query: { limit: 10 } })).data.rows
        .map((row: { session_id: string }) => row.session_id)
        .sort();
    expect(await sessions()).toEqual(["idle", "old", "s", "said"]);
    await daysLater(caller, 1);
    expect(await sessions()).toEqual(["s", "said"]);
    expect(await keysOf(caller)).toEqual(["new", "old", "said"]);
    await forgetDue(caller);
    expect([await sessions(), await keysOf(caller)]).toEqual([
      ["s", "said"],
      ["new", "said"],
    ]);
    expect(await saidOf(caller)).toEqual(["new"]);
    const idle =
      await sql`select id from public.sessions where tenant_id = ${caller.tenantId} and id = 'idle'`;
    expect(idle).toEqual([]);
    expect(await violations(sql, caller.tenantId)).toEqual({});
  });

  it("goes at once with the PUT that makes it due, where that takes less than a second", async () => {
    const caller = await newTenant(sql);
    await sendAgo(sql, caller, [{ ...plain, key: "old", session: "old" }], 10 * DAY);
    await sendAgo(sql, caller, [{ ...plain, key: "new" }], 2.5 * DAY);
    const { data } = await putRetention(caller, { content_days: 1, days: 3 });
    expect(data).toMatchObject({ version: 1, catching_up: false });
    expect([await keysOf(caller), await saidOf(caller)]).toEqual([["new"], []]);
    const { data: page } = await ask(sql, caller, "list_sessions", { query: { limit: 10 } });
    expect([page.rows.length, page.count]).toEqual([1, 1]);
  });

  it("scores go by when they arrived, and with their steps", async () => {
    const caller = await newTenant(sql);
    await sendAgo(sql, caller, [{ ...plain, key: "old" }], 9 * DAY);
    await sendAgo(sql, caller, [{ ...plain, key: "new", session: "t" }], 0);
    await sql`
      insert into public.scores (id, tenant_id, namespace_id, name, session_id, step_id, comment, sealed, created_at)
      select internal.first_kept(now(), score.days), ${caller.tenantId}, internal.namespace_id(${caller.tenantId}, 'n'), score.name,
             case when score.name <> 'of the step' then 't' end,
             case when score.name = 'of the step' then (
               select id from public.steps where tenant_id = ${caller.tenantId} and resource_id = 'old') end, 'said', 'said', now()
      from (values ('old', 9), ('said', 3), ('new', 0), ('of the step', 1)) as score (name, days)`;
    await setRules(sql, caller, { content_days: 2, days: 5 });
    await forgetDue(caller);
    const scores =
      await sql`select name, comment, sealed from public.scores where tenant_id = ${caller.tenantId} order by name`;
    expect(scores).toEqual([
      { name: "new", comment: "said", sealed: "said" },
      { name: "said", comment: null, sealed: null },
    ]);
  });

  it("the spans of one trace go together: what counts as a call stays what it was", async () => {
    const caller = await newTenant(sql);
    const span = { namespace: "n", otelTraceId: "o", handoffs: [], session: "s" };
    // The inner call arrives first, and only by the outer one is that known to be none.
    const spans: Step[] = [
      { ...span, key: "inner", kind: "llm", spanId: "inner", parentSpanId: "outer", tokens: 7, time: 2 },
      { ...span, key: "outer", kind: "llm", spanId: "outer", tokens: 7, time: 1 },
    ];
    const [inner, outer] = spans as [Step, Step];
    await sendAgo(sql, caller, [inner], 2 * DAY + 3601);
    await sendAgo(sql, caller, [outer], 2 * DAY + 3595);
    await listTraces(sql, caller);
    const used = () => sql`
      select sum(calls)::int as calls, sum(input_tokens)::int as tokens from public.usage
      where tenant_id = ${caller.tenantId} and grain = 'day'`;
    expect(await used()).toEqual([{ calls: 1, tokens: 7 }]);
    await setRules(sql, caller, { days: 2 });
    await sql`select internal.forget_due_piece(${caller.tenantId}, now() - interval '1 hour', 1)`;
    expect(await keysOf(caller)).toEqual([]);
    expect(await used()).toEqual([{ calls: 1, tokens: 7 }]);
  });

  it("with writers, readers and the schedule at work nothing that is due is shown, nothing else goes, and figures agree", async () => {
    const caller = await newTenant(sql);
    const callers = await fromManyTokens(sql, caller, 6);
    const random = randomOf(11);
    const old = split(random, randomHistory(random, 150, false)).map((request) =>
      request.map((step) => ({
        ...step,
        key: `old ${step.key}`,
        ...(step.spanId && { otelTraceId: `old ${step.otelTraceId}` }),
      })),
    );
    for (const request of old) await sendAgo(sql, caller, request, (3 + random.below(40)) * DAY);
    const queue = split(random, randomHistory(random, 200, false));
    const young = queue.flat().map(({ key }) => key);
    await listTraces(sql, caller);
    await setRules(sql, caller, { days: 1 });
    let caughtUp = false;
    const due = new Set<string>(old.flat().map(({ key }) => key));
    const shownLate: string[] = [];
    const read = async (one: Caller) => {
      const dueNow = new Set(due);
      const namespace = random.pick(["m", "n"]);
      const query = { list: random.pick(["records", "logs"]), namespace, limit: 1000, offset: 0 };
      const { data } = await ask(sql, one, "query_steps", { query });
      expect(data.rows.length).toBeLessThanOrEqual(data.count);
      const shown: string[] = data.rows.map((row: { resource_id: string }) => row.resource_id);
      shownLate.push(...shown.filter((key) => dueNow.has(key)));
    };
    const schedule = async () => {
      while (queue.length > 0 || !caughtUp) {
        await sql`select public.forget_due()`;
        caughtUp ||= !(await getRetention(caller)).catching_up;
      }
    };
    await Promise.all([
      schedule(),
      ...callers.map(async (one) => {
        for (let request = queue.shift(); request; request = queue.shift()) {
          await send(sql, one, request);
          await read(one);
          if (caughtUp && random.chance(0.1)) {
            const late = { ...plain, key: `old ${crypto.randomUUID()}` };
            await sendAgo(sql, one, [late], 3 * DAY);
            await daysLater(caller, 1);
            due.add(late.key);
            await read(one);
          }
        }
      }),
    ]);
    await listTraces(sql, caller);
    expect(shownLate).toEqual([]);
    expect((await keysOf(caller)).filter((key) => !key.startsWith("old"))).toEqual(young.sort());
    expect(await violations(sql, caller.tenantId)).toEqual({});
    const usage = () => sql`select * from public.usage where tenant_id = ${caller.tenantId} order by key`;
    const before = await usage();
    await sql`select public.rebuild(${sql.json({ tenant: caller.tenant })})`;
    expect(await usage()).toEqual(before);
  });

  it("the command of the schedule goes on, with pauses, until nothing is left", async () => {
    const schedule = await readFile(join(ROOT, "supabase/schemas/90_upkeep/schedule.sql"), "utf8");
    const [, command = ""] = /'agent-trace-forget', '10 seconds', '(.+)'\);/.exec(schedule) ?? [];
    const caller = await newTenant(sql);
    const steps = Array.from({ length: 1_200 }, (_, place) => ({ ...plain, key: `${place}` }));
    await sendAgo(sql, caller, steps, 3 * DAY);
    await setRules(sql, caller, { days: 1 });
    // Other tests forget at the same time: then a call of it finds itself not needed.
    for (let calls = 0; calls < 20 && (await keysOf(caller)).length > 0; calls += 1) {
      await sql.unsafe(command.replaceAll("''", "'"));
    }
    expect(await keysOf(caller)).toEqual([]);
  });

  it("what a bound token is told, and may not change", async () => {
    const caller = await newTenant(sql);
    const bound = { ...caller, token_hash: await otherToken(sql, caller, ["n"]) };
    const own = { content_days: 1, days: 2 };
    await putRetention(caller, {}, { m: own, n: own });
    const { namespaces } = await getRetention(bound);
    expect(namespaces).toMatchObject([{ namespace: "n", ...own }]);
    expect((await putRetention(bound, {})).error).toMatchObject({ code: "forbidden" });
  });

  it("every function that answers a request with what was stored knows what of it is kept", async () => {
    const functions = await sql<{ name: string; source: string }[]>`
      select pg_proc.oid::regproc::text as name, prosrc as source from pg_proc
      where pronamespace in ('public'::regnamespace, 'internal'::regnamespace)`;
    const knowing = new Set(["internal.kept"]);
    for (let size = 0; size < knowing.size; ) {
      size = knowing.size;
      const calls = new RegExp(`(${[...knowing].join("|").replaceAll(".", "[.]")})[(]`);
      for (const { name, source } of functions) if (calls.test(source)) knowing.add(name);
    }
    const others = functions.filter(
      ({ name, source }) => /^(?!internal)/.test(name) && /admi(t|ssion)/.test(source),
    );
    expect(
      others
        .map(({ name }) => name)
        .filter((name) => !knowing.has(name))
        .sort(),
    ).toEqual([
      "admit",
      "create_session",
      ...["get_anonymization_rules", "get_model_prices", "get_retention", "get_token"],
      "list_namespaces",
      ...["put_anonymization_rules", "put_model_prices"],
      ...["record_scores", "record_steps", "register_namespace", "upload_steps"],
    ]);
  });
});
