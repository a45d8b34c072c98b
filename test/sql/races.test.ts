import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { callAll, fromManyTokens, newCaller, otherToken, waitUntilBlocked } from "../support/database.ts";

const CONNECTIONS = 30;
const sql = postgres(inject("databaseUrl"), { max: CONNECTIONS, onnotice: () => {} });
afterAll(() => sql.end());

type Caller = Awaited<ReturnType<typeof newCaller>>;

/** Opens all connections first, each with a token of its own, so that the calls really meet. */
async function race(
  name: string,
  caller: Caller,
  work: (index: number) => Record<string, postgres.JSONValue>,
) {
  const callers = await fromManyTokens(sql, caller, CONNECTIONS);
  await Promise.all(Array.from({ length: CONNECTIONS }, () => sql`select pg_sleep(0.05)`));
  return callAll(
    sql,
    name,
    callers.map((racer, index) => ({ ...racer, ...work(index) })),
  );
}

describe("thirty connections at once", () => {
  it("get_or_create_session gives one user one session", async () => {
    const caller = await newCaller();
    const answers = await race("get_or_create_session", caller, () => ({
      session: { namespace: "n", user_id: "u" },
    }));
    expect(new Set(answers.map(({ data }) => data.session_id)).size).toBe(1);
    expect(answers.filter(({ data }) => !data.reused)).toHaveLength(1);
  });

  it("create_session gives thirty sessions, numbered within the second", async () => {
    const caller = await newCaller();
    const answers = await race("create_session", caller, () => ({
      session: { namespace: "n", user_id: "u" },
    }));
    expect(new Set(answers.map(({ data }) => data.session_id)).size).toBe(CONNECTIONS);
    for (const { data } of answers) expect(data.session_id).toMatch(/^n-u-\d{14}(-\d+)?$/);
  });

  it("steps of one unknown session create it once, and all are stored", async () => {
    const caller = await newCaller();
    const answers = await race("record_steps", caller, (index) => ({
      items: [
        {
          index: 0,
          kind: "llm",
          session_id: "offline",
          namespace: "n",
          model: `m${index}`,
          content: {},
        },
      ],
    }));
    expect(answers.map(({ data }) => data.refused)).toEqual(answers.map(() => []));
    const [stored] = await sql`
      select (select count(*)::int from public.steps where tenant_id = ${answers[0].tenant_id}) as steps,
             (select count(*)::int from public.sessions where tenant_id = ${answers[0].tenant_id}) as sessions,
             (select count(*)::int from public.namespaces where tenant_id = ${answers[0].tenant_id}) as namespaces`;
    expect(stored).toEqual({ steps: CONNECTIONS, sessions: 1, namespaces: 1 });
  });

  it("a step that names no namespace goes where the session is that another request is just opening", async () => {
    const caller = await newCaller();
    const item = { index: 0, kind: "llm", session_id: "new", content: {} };
    let second: ReturnType<typeof callAll> | undefined;
    await sql.begin(async (first) => {
      await first`select public.record_steps(${first.json({ ...caller, items: [{ ...item, namespace: "x" }] })})`;
      // Another token of the tenant, so that the two meet at the session and not at the counter of requests.
      second = callAll(sql, "record_steps", [
        { ...caller, token_hash: await otherToken(sql, caller), items: [item] },
      ]);
      await waitUntilBlocked(sql, "record_steps");
    });
    const [answer] = (await second) ?? [];
    const namespaces = await sql`
      select distinct namespaces.name from public.steps join public.namespaces on namespaces.id = namespace_id
      where steps.tenant_id = ${answer.tenant_id}`;
    expect(namespaces.map(({ name }) => name)).toEqual(["x"]);
  });

  it("a bound token gets no step into a session that another token is just opening elsewhere", async () => {
    const caller = await newCaller();
    const item = { index: 0, kind: "llm", session_id: "new", content: {} };
    let second: ReturnType<typeof callAll> | undefined;
    await sql.begin(async (first) => {
      await first`select public.record_steps(${first.json({ ...caller, items: [{ ...item, namespace: "theirs" }] })})`;
      const token_hash = await otherToken(sql, caller, ["mine"]);
      second = callAll(sql, "record_steps", [
        { ...caller, token_hash, items: [{ ...item, namespace: "mine" }] },
      ]);
      await waitUntilBlocked(sql, "record_steps");
    });
    const [answer] = (await second) ?? [];
    expect(answer.data.refused).toMatchObject([{ index: 0, code: "forbidden" }]);
    const [stored] =
      await sql`select count(*)::int as steps from public.steps where tenant_id = ${answer.tenant_id}`;
    expect(stored).toEqual({ steps: 1 });
  });

  it("a bound token may use a session that is just being opened in a namespace that it may use", async () => {
    const caller = await newCaller();
    const item = { index: 0, kind: "llm", session_id: "new", content: {} };
    let second: ReturnType<typeof callAll> | undefined;
    await sql.begin(async (first) => {
      await first`select public.record_steps(${first.json({ ...caller, items: [{ ...item, namespace: "mine" }] })})`;
      const token_hash = await otherToken(sql, caller, ["mine", "also-mine"]);
      second = callAll(sql, "record_steps", [
        { ...caller, token_hash, items: [{ ...item, namespace: "also-mine" }] },
      ]);
      await waitUntilBlocked(sql, "record_steps");
    });
    const [answer] = (await second) ?? [];
    expect(answer.data.refused).toEqual([]);
  });

  it("batches over the same sessions and namespaces in opposite orders do not deadlock", async () => {
    const caller = await newCaller();
    const items = Array.from({ length: 40 }, (_, index) => ({
      kind: "log",
      session_id: `s${index}`,
      namespace: `n${index}`,
      level: "info",
      content: { message: "m" },
    }));
    const numbered = (list: typeof items) => list.map((item, index) => ({ index, ...item }));
    const answers = await race("record_steps", caller, (index) => ({
      items: numbered(index % 2 ? items : items.toReversed()),
    }));
    expect(answers.every(({ data }) => data.refused.length === 0)).toBe(true);
    const [stored] = await sql`
      select count(*)::int as logs, count(distinct session_id)::int as sessions
      from public.steps where tenant_id = ${answers[0].tenant_id}`;
    expect(stored).toEqual({ logs: 40 * CONNECTIONS, sessions: 40 });
  });

  it("namespaces are registered in the order of their names, so that two requests never wait in a circle", async () => {
    const caller = await newCaller();
    const [{ tenant_id }] = await callAll(sql, "admit", [caller]);
    const register = (connection: postgres.ISql, names: string[]) =>
      connection`select internal.register_namespaces(${tenant_id}, ${names})`;

    let second: Promise<unknown> | undefined;
    await sql.begin(async (first) => {
      await register(first, ["a"]);
      second = register(sql, ["b", "a"]).execute();
      second.catch(() => {});
      await waitUntilBlocked(sql, "register_namespaces");
      await register(first, ["b"]);
    });
    await second;
    const names = await sql`select name from public.namespaces where tenant_id = ${tenant_id} order by name`;
    expect(names.map(({ name }) => name)).toEqual(["a", "b"]);
  });
});
