import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { callAll, newAsker } from "../support/database.ts";

const CONNECTIONS = 30;
const sql = postgres(inject("databaseUrl"), { max: CONNECTIONS, onnotice: () => {} });
afterAll(() => sql.end());

/** Opens all connections first, so that the calls really meet. */
async function race(name: string, payload: (index: number) => postgres.JSONValue) {
  await Promise.all(Array.from({ length: CONNECTIONS }, () => sql`select pg_sleep(0.05)`));
  return callAll(
    sql,
    name,
    Array.from({ length: CONNECTIONS }, (_, index) => payload(index)),
  );
}

describe("thirty connections at once", () => {
  it("get_or_create_session gives one user one session", async () => {
    const asker = await newAsker();
    const answers = await race("get_or_create_session", () => ({
      ...asker,
      session: { namespace: "n", user_id: "u" },
    }));
    expect(new Set(answers.map(({ data }) => data.session_id)).size).toBe(1);
    expect(answers.filter(({ data }) => !data.reused)).toHaveLength(1);
  });

  it("create_session gives thirty sessions, numbered within the second", async () => {
    const asker = await newAsker();
    const answers = await race("create_session", () => ({
      ...asker,
      session: { namespace: "n", user_id: "u" },
    }));
    expect(new Set(answers.map(({ data }) => data.session_id)).size).toBe(CONNECTIONS);
    for (const { data } of answers) expect(data.session_id).toMatch(/^n-u-\d{14}(-\d+)?$/);
  });

  it("traces of one unknown session create it once, and all are stored", async () => {
    const asker = await newAsker();
    const answers = await race("record_traces", (index) => ({
      ...asker,
      items: [
        {
          index: 0,
          type: "llm",
          session_id: "offline",
          namespace: "n",
          model: `m${index}`,
          content: {},
          result: {},
        },
      ],
    }));
    expect(answers.map(({ data }) => data.results[0].status)).toEqual(answers.map(() => "ok"));
    const [stored] = await sql`
      select (select count(*)::int from public.records where tenant_id = ${answers[0].tenant_id}) as records,
             (select count(*)::int from public.sessions where tenant_id = ${answers[0].tenant_id}) as sessions,
             (select count(*)::int from public.namespaces where tenant_id = ${answers[0].tenant_id}) as namespaces`;
    expect(stored).toEqual({ records: CONNECTIONS, sessions: 1, namespaces: 1 });
  });

  it("batches over the same sessions and namespaces in opposite orders do not deadlock", async () => {
    const asker = await newAsker();
    const items = Array.from({ length: 40 }, (_, index) => ({
      type: "log",
      session_id: `s${index}`,
      namespace: `n${index}`,
      level: "info",
      content: { message: "m" },
      result: {},
    }));
    const numbered = (list: typeof items) => list.map((item, index) => ({ index, ...item }));
    const answers = await race("record_traces", (index) => ({
      ...asker,
      items: numbered(index % 2 ? items : items.toReversed()),
    }));
    expect(answers.every(({ data }) => data.results.length === 40)).toBe(true);
    const [stored] = await sql`
      select count(*)::int as logs, count(distinct session_id)::int as sessions
      from public.logs where tenant_id = ${answers[0].tenant_id}`;
    expect(stored).toEqual({ logs: 40 * CONNECTIONS, sessions: 40 });
  });

  it("namespaces are registered in the order of their names, so that two requests never wait in a circle", async () => {
    const asker = await newAsker();
    const [{ tenant_id }] = await callAll(sql, "admit", [asker]);
    const register = (connection: postgres.ISql, names: string[]) =>
      connection`select public.register_namespaces(${tenant_id}, ${names})`;

    let second: Promise<unknown> | undefined;
    await sql.begin(async (first) => {
      await register(first, ["a"]);
      second = register(sql, ["b", "a"]).execute();
      second.catch(() => {});
      await waitUntilBlocked();
      await register(first, ["b"]);
    });
    await second;
    const names = await sql`select name from public.namespaces where tenant_id = ${tenant_id} order by name`;
    expect(names.map(({ name }) => name)).toEqual(["a", "b"]);
  });
});

async function waitUntilBlocked(): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const [waiting] = await sql`
      select from pg_stat_activity where wait_event_type = 'Lock' and query like '%register_namespaces%'`;
    if (waiting) return;
    await sql`select pg_sleep(0.02)`;
  }
  throw new Error("The second registration did not wait for the first.");
}
