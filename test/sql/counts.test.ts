import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { startDatabase } from "../../scripts/stack/database.ts";
import { callAll, fromManyTokens, newCaller } from "../support/database.ts";
import { violations } from "./trees/invariants.ts";

const WRITERS = 6;
const sql = postgres(inject("databaseUrl"), { max: WRITERS + 6, onnotice: () => {} });
afterAll(() => sql.end());

interface Query {
  [member: string]: string | boolean | number;
}

const below = (end: number) => Math.floor(Math.random() * end);
const pick = <Item>(items: Item[]) => items[below(items.length)] as Item;
const AGENTS = ["a", "b", "c"];
const LEVELS = ["info", "warn", "error"];
const NAMESPACES = ["n", "m"];

/** A moment of six hours, often the first or the last one of an hour: the borders of what is counted by hour. */
function moment(): string {
  const hour = Date.UTC(2026, 0, 1, below(6));
  return new Date(hour + pick([0, 0, -1, below(60) * 60_000])).toISOString();
}

/** Queries with each combination of these filters. */
function combinations(filters: { [member: string]: () => string | boolean }): Query[] {
  const members = Object.entries(filters);
  return Array.from({ length: 2 ** members.length }, (_, bits) => ({
    limit: 1,
    ...Object.fromEntries(
      members.filter((_, place) => bits & (1 << place)).map(([member, value]) => [member, value()]),
    ),
  }));
}

const dates = { start_date: moment, end_date: moment };
const session = () => `s${below(100)}`;

const agent = () => pick([...AGENTS, "unknown"]);

const queriesOf = {
  records: () => combinations({ ...dates, agent, session_id: session }),
  logs: () =>
    combinations({ ...dates, level: () => pick(LEVELS), resource_id: () => pick(["r", "q"]), agent }),
  traces: () =>
    combinations({
      ...dates,
      project_id: () => pick(NAMESPACES),
      agent: () => pick(AGENTS),
      session_id: session,
      root_only: () => true,
    }),
};

type Caller = Awaited<ReturnType<typeof newCaller>>;

/** The counts that are not those of a plain count(*) of what is folded, in the same moment: in one statement. */
async function wrongCounts(tenantId: string): Promise<postgres.Row[]> {
  const stored = (list: "records" | "logs") => sql`
    with folded as materialized (
      select * from public.steps
      where tenant_id = ${tenantId} and list = ${list} and id <> all (internal.unfolded_steps(${tenantId}))
    )
    select query, namespaces.name,
           (internal.find_steps(namespaces.tenant_id, namespaces.id,
             query || ${sql.json({ list, counted: true })})).total::int,
           (select count(*)::int from folded
            where folded.namespace_id = namespaces.id
              and to_jsonb(folded) @> query - array['limit', 'start_date', 'end_date']
              and folded.occurred_at >= coalesce((query ->> 'start_date')::timestamptz, '-infinity')
              and folded.occurred_at <= coalesce((query ->> 'end_date')::timestamptz, 'infinity')) as expected
    from public.namespaces cross join jsonb_array_elements(${sql.json(queriesOf[list]())}) as query
    where namespaces.tenant_id = ${tenantId}`;
  const traces = sql`
    select query, internal.count_traces(${tenantId}, array(
             select namespaces.id from public.namespaces
             where tenant_id = ${tenantId} and name = coalesce(query ->> 'project_id', name)), query)::int as total,
           (select count(*)::int
            from public.traces join public.namespaces on namespaces.id = traces.namespace_id
            where traces.tenant_id = ${tenantId}
              and namespaces.name = coalesce(query ->> 'project_id', namespaces.name)
              and traces.agent = coalesce(query ->> 'agent', traces.agent)
              and (not query ? 'session_id' or traces.session_id = query ->> 'session_id')
              and (not query ? 'root_only' or traces.parent_trace_id is null)
              and traces.created_at >= coalesce((query ->> 'start_date')::timestamptz, '-infinity')
              and traces.created_at <= coalesce((query ->> 'end_date')::timestamptz, 'infinity')) as expected
    from jsonb_array_elements(${sql.json(queriesOf.traces())}) as query`;
  const counts = (await Promise.all([stored("records"), stored("logs"), traces])).flat();
  return counts.filter(({ total, expected }) => total !== expected);
}

/** A request of one to four steps: known sessions and new ones, trees that clients name, late and early. */
function randomItems(): postgres.JSONValue[] {
  const treesKnown = below(8) === 0;
  return Array.from({ length: 1 + below(4) }, (_, index) => ({
    index,
    kind: pick(["llm", "log", "log"]),
    namespace: pick(NAMESPACES),
    session_id: session(),
    agent: pick(AGENTS),
    level: pick(LEVELS),
    resource_id: pick(["r", "q", null]),
    occurred_at: moment(),
    ...(treesKnown ? { trace_id: `t${below(30)}`, parent_trace_id: pick([null, `t${below(30)}`]) } : {}),
    content: {},
  }));
}

/** What is deleted or emptied behind the API's back. */
function upheaval(transaction: postgres.TransactionSql, tenantId: string) {
  return pick([
    () => transaction`delete from public.sessions where tenant_id = ${tenantId} and id = ${session()}`,
    () => transaction`delete from public.namespaces where tenant_id = ${tenantId} and name = 'm'`,
    () => transaction`delete from public.steps where tenant_id = ${tenantId} and occurred_at < ${moment()}`,
    () => transaction`update public.steps set content = null where tenant_id = ${tenantId}`,
  ])();
}

describe("counts", () => {
  it("are those of count(*) at every moment, whatever commits late, is rolled back, deleted or folded meanwhile", {
    timeout: 60_000,
  }, async () => {
    const caller = { ...(await newCaller()), limit: 1_000_000 };
    const callers = await fromManyTokens(sql, caller, WRITERS);
    const [tenant] =
      await sql`select tenant_id from public.tracer_tokens where token_hash = ${caller.token_hash}`;
    const tenantId: string = tenant?.tenant_id;
    const done = { commits: 0, rollbacks: 0, folds: 0 };
    let writing = true;

    const write = async (writer: Caller) => {
      for (let time = 0; time < 25; time += 1) {
        const written = sql.begin(async (transaction) => {
          await transaction`set local lock_timeout = '150ms'`;
          for (let left = 1 + below(2); left > 0; left -= 1) {
            const payload = { ...writer, items: randomItems() };
            await transaction`select public.record_steps(${transaction.json(payload)})`;
          }
          if (below(8) === 0) await upheaval(transaction, tenantId);
          await sleep(below(40));
          if (below(5) === 0) throw new Error("rolled back");
        });
        // Some of them wait for too long, or find a namespace gone: that rolls them back too.
        await written.then(
          () => (done.commits += 1),
          () => (done.rollbacks += 1),
        );
      }
    };
    const fold = async () => {
      while (writing) {
        await sql`select internal.fold(${tenantId}, ${1 + below(20)})`;
        done.folds += 1;
        await sleep(below(20));
      }
    };
    const check = async () => {
      while (writing) expect(await wrongCounts(tenantId)).toEqual([]);
    };
    const others = Promise.all([fold(), fold(), check()]);
    await Promise.all(callers.map(write)).finally(() => {
      writing = false;
    });
    await others;
    expect(Math.min(done.commits, done.rollbacks, done.folds)).toBeGreaterThan(20);

    await sql`select internal.fold(${tenantId})`;
    expect(await wrongCounts(tenantId)).toEqual([]);
    expect(await violations(sql, tenantId)).toEqual({});
    await sql`delete from public.tenants where id = ${tenantId}`;
    const left = await sql`
      select list, count from public.counts where tenant_id = ${tenantId}
      union all select 'changes', steps from public.changes where tenant_id = ${tenantId}`;
    expect(left).toEqual([]);
  });

  it("stay right since a step is never changed: that is refused, but for taking away what was said", async () => {
    const items = [
      {
        index: 0,
        kind: "llm",
        namespace: "n",
        session_id: "s",
        content: {},
        error: { message: "said" },
      },
    ];
    const [{ tenant_id }] = await callAll(sql, "record_steps", [{ ...(await newCaller()), items }]);
    for (const change of [
      sql`agent = 'z'`,
      sql`occurred_at = now()`,
      sql`session_id = null`,
      sql`level = 'debug'`,
    ])
      await expect(sql`update public.steps set ${change} where tenant_id = ${tenant_id}`).rejects.toThrow(
        "A step is never changed",
      );
    await sql`update public.steps set content = null, error = null where tenant_id = ${tenant_id}`;
    const [step] = await sql`select content, error from public.steps where tenant_id = ${tenant_id}`;
    expect(step).toEqual({ content: null, error: null });
  });

  it("read next to nothing of what they count, however much there is", { timeout: 60_000 }, async () => {
    const database = await startDatabase({ ephemeral: true });
    const admin = postgres(database.adminUrl, { max: 1, onnotice: () => {} });
    try {
      const { tenantId, namespaceId, token_hash } = await fill(admin, 20_000);
      const find = (list: string, query: Query) => async () => {
        const counted = { list, limit: 10, counted: true, ...query };
        const [row] = await admin`
          select (internal.find_steps(${tenantId}, ${namespaceId}, ${admin.json(counted)})).total::int`;
        return row?.total;
      };
      const list = (query: Query) => async () => {
        const payload = {
          token_hash,
          request_id: "test",
          bucket: "query",
          limit: 100,
          query: { limit: 10, ...query },
        };
        const [row] = await admin`select public.list_traces(${admin.json(payload)}) as answer`;
        return row?.answer.data.total;
      };
      const range = { start_date: "2026-01-10T10:30:00Z", end_date: "2026-03-01T20:29:59.999999Z" };
      const within = 5 * (50 * 24 + 10);
      const questions: [string, () => Promise<number>, number][] = [
        ["records", find("records", {}), 20_000],
        ["records of an agent", find("records", { agent: "a3" }), 2_000],
        ["records of a time", find("records", range), 2 * within],
        ["records of an agent and a time", find("records", { ...range, agent: "a3" }), within / 5],
        ["logs", find("logs", {}), 20_000],
        ["logs of a level", find("logs", { level: "error" }), 2_000],
        ["logs of a time", find("logs", range), 2 * within],
        ["traces", list({}), 20_000],
        ["traces of an agent", list({ project_id: "n", agent: "a3" }), 2_000],
        ["root traces of a time", list({ ...range, root_only: true }), within],
      ];
      for (const [name, ask, expected] of questions) {
        await admin`begin`;
        const before = await rowsRead(admin);
        const total = await ask();
        const read = (await rowsRead(admin)) - before;
        await admin`commit`;
        expect({ name, total, little: read < 2_000 || read }).toEqual({
          name,
          total: expected,
          little: true,
        });
      }
    } finally {
      await admin.end();
      await database.stop();
    }
  });
});

/** Ten records, log entries and traces an hour, with triggers off, as a restore may do it; then all are derived anew. */
async function fill(admin: postgres.Sql, count: number) {
  const token_hash = "0".repeat(64);
  const [tenant] = await admin<[{ id: string }]>`insert into public.tenants (name) values ('t') returning id`;
  await admin`insert into public.tracer_tokens (tenant_id, token_hash) values (${tenant.id}, ${token_hash})`;
  const [namespace] = await admin<[{ id: string }]>`
    insert into public.namespaces (tenant_id, name) values (${tenant.id}, 'n') returning id`;
  const common = admin`gen_random_uuid(), ${tenant.id}::uuid, ${namespace.id}::bigint`;
  const moment = admin`timestamptz '2026-01-01Z' + place * interval '6 minutes'`;
  const places = admin`from generate_series(0, ${count - 1}::integer) as place`;
  await admin`set session_replication_role = replica`;
  await admin`
    insert into public.steps (
      id, tenant_id, namespace_id, kind, agent, agent_is_named, occurred_at, trace_id, parent_trace_id)
    select ${common}, 'message', 'a' || place % 10, true, ${moment}, 't' || place,
           case place % 2 when 1 then 't' || place - 1 end
    ${places}`;
  await admin`
    insert into public.steps (id, tenant_id, namespace_id, kind, level, agent_is_named, occurred_at)
    select ${common}, 'log', case place % 10 when 0 then 'error' else 'info' end, false, ${moment} ${places}`;
  await admin`set session_replication_role = origin`;
  await admin`select public.rebuild('{"tenant": "t"}')`;
  await admin`vacuum (analyze)`;
  return { tenantId: tenant.id, namespaceId: namespace.id, token_hash };
}

/** Rows and index entries that this transaction has read, and some before it. */
async function rowsRead(admin: postgres.Sql): Promise<number> {
  const [row] = await admin`
    select sum(pg_stat_get_xact_tuples_returned(pg_class.oid))::int as read
    from pg_class left join pg_index on pg_index.indexrelid = pg_class.oid
    where coalesce(pg_index.indrelid, pg_class.oid) in (
      'public.steps'::regclass, 'public.placements'::regclass, 'public.traces'::regclass, 'public.counts'::regclass,
      'public.changes'::regclass)`;
  return row?.read;
}
