import fc from "fast-check";
import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { appInProcess } from "../support/app.ts";
import { limitTenant, newClient } from "../support/tenant.ts";
import { ask, type Caller, newTenant, send } from "./trees/sender.ts";

const sql = postgres(inject("databaseUrl"), { onnotice: () => {} });
afterAll(() => sql.end());

interface Page {
  steps: { id: string; [member: string]: unknown }[];
  next: object | null;
  searched_until: string | null;
}

async function search(caller: Caller, query: object): Promise<Page> {
  const asked = { limit: 200, ...query } as unknown as postgres.JSONValue;
  const { data, error } = await ask(sql, caller, "search_steps", { query: asked });
  expect(error).toBeUndefined();
  return data;
}

/** All pages, as long as there is a next one. */
async function searchOn(caller: Caller, query: object): Promise<Page[]> {
  const pages = [await search(caller, query)];
  for (let next = pages[0]?.next; next; next = pages.at(-1)?.next)
    pages.push(await search(caller, { ...query, after: next }));
  return pages;
}

const idsOf = (pages: Page[]) => pages.flatMap(({ steps }) => steps.map(({ id }) => id));

/** Log entries of this tenant, each a second older than the one before it, spread over so many namespaces. */
async function fillLogs(
  caller: Caller,
  rows: { count: number; namespaces: number; bytes: number },
): Promise<string[]> {
  await sql`
    insert into public.namespaces (tenant_id, name)
    select ${caller.tenantId}, 'n' || number from generate_series(0, ${rows.namespaces - 1}::integer) as number`;
  const stored = await sql`
    insert into public.steps (
      id, tenant_id, namespace_id, session_id, kind, level, agent_is_named, occurred_at, content)
    select gen_random_uuid(), ${caller.tenantId}::uuid, namespaces.id, 's' || place % 3, 'log', 'info', false,
           now() - place * interval '1 second',
           jsonb_build_object('message', place || ' ' || repeat('x', ${rows.bytes}::integer))
    from generate_series(1, ${rows.count}::integer) as place
    join public.namespaces on namespaces.tenant_id = ${caller.tenantId}
      and namespaces.name = 'n' || (hashint4(place) & ${rows.namespaces - 1}::integer)
    returning id, occurred_at`;
  return stored.sort((one, other) => other.occurred_at - one.occurred_at).map(({ id }) => id);
}

describe("a search looks at so much and no more", { timeout: 60_000 }, () => {
  it("10,000 steps: it says until when it has searched, and goes on from there", async () => {
    const caller = await newTenant(sql);
    const ids = await fillLogs(caller, { count: 10_050, namespaces: 1, bytes: 1 });
    const [first, second, ...others] = await searchOn(caller, { text: "10040 " });
    expect(others).toEqual([]);
    expect([first?.steps, second?.steps.map(({ id }) => id)]).toEqual([[], [ids[10_039]]]);
    const [last] = await sql`select occurred_at from public.steps where id = ${ids[9_999] as string}`;
    expect(new Date(first?.searched_until as string)).toEqual(last?.occurred_at);
    expect([second?.next, second?.searched_until]).toEqual([null, null]);
    expect((await search(caller, { model: "none" })).searched_until).toBe(first?.searched_until);
  });

  it("16 MiB of content", async () => {
    const caller = await newTenant(sql);
    const ids = await fillLogs(caller, { count: 20, namespaces: 1, bytes: 1024 * 1024 });
    const pages = await searchOn(caller, { text: "20 x" });
    expect(pages.map(({ steps }) => steps.map(({ id }) => id))).toEqual([[], [ids[19]]]);
    expect(idsOf([await search(caller, { end_date: new Date().toISOString() })])).toHaveLength(20);
  });

  it("any number of short texts, in its time", async () => {
    const caller = await newTenant(sql);
    const ids = await fillLogs(caller, { count: 4, namespaces: 1, bytes: 1 });
    await sql`
      insert into public.steps (id, tenant_id, namespace_id, kind, level, agent_is_named, occurred_at, content)
      select gen_random_uuid(), tenant_id, id, 'log', 'info', false, now(),
             jsonb_build_object('needle', array(select 'a' from generate_series(1, 200000)))
      from public.namespaces cross join generate_series(1, 4)
      where tenant_id = ${caller.tenantId} and name = 'n0'`;
    const [page, ...others] = await searchOn(caller, { text: "needle" });
    expect([page?.steps, others]).toEqual([[], []]);
    expect(idsOf([await search(caller, { text: " x" })])).toEqual(ids);
  });
});

it("a step that is not folded yet is for the next read", async () => {
  const caller = await newTenant(sql);
  await send(sql, caller, [
    { key: "1", kind: "llm", namespace: "n", session: "s", agent: "a", handoffs: [] },
  ]);
  const foundUnfolded = async () => {
    const [row] = await sql`
      select found.ids from public.namespaces
      cross join lateral internal.found_steps(tenant_id, array[id], '{"limit": 9}', '-infinity', null) as found
      where tenant_id = ${caller.tenantId} and name = 'n'`;
    return row?.ids;
  };
  expect(await foundUnfolded()).toEqual([]);
  const ids = idsOf([await search(caller, {})]);
  expect(ids).toHaveLength(1);
  expect(await foundUnfolded()).toEqual(ids);
});

it.each([1, 2, 16, 64])(
  "of %i namespaces the pages have each step once, newest first",
  async (namespaces) => {
    const caller = await newTenant(sql);
    const ids = await fillLogs(caller, { count: 700, namespaces, bytes: 1 });
    expect(idsOf(await searchOn(caller, { limit: 90 }))).toEqual(ids);
    expect(idsOf(await searchOn(caller, { limit: 150, text: "X", kind: "log" }))).toEqual(ids);
    expect(idsOf(await searchOn(caller, { limit: 50, session_id: "s1" }))).toHaveLength(234);
  },
);

it("the sessions that say a text are those of the namespaces and the time", async () => {
  const caller = await newTenant(sql);
  await fillLogs(caller, { count: 700, namespaces: 2, bytes: 1 });
  const known =
    await sql`select id from public.namespaces where tenant_id = ${caller.tenantId} order by name`;
  const sessionsThatSay = async (
    said: string,
    namespaces: number[],
    begins: string | null,
    ends: string | null,
  ) => {
    const [row] = await sql`
      select internal.sessions_that_say(${caller.tenantId}, ${namespaces}::bigint[], ${said}, ${begins}, ${ends}) as ids`;
    return row?.ids.sort();
  };
  const both = known.map(({ id }) => id);
  expect(await sessionsThatSay("X", both, null, null)).toEqual(["s0", "s1", "s2"]);
  expect(await sessionsThatSay("700 x", both, null, null)).toEqual(["s1"]);
  const found = await Promise.all(both.map((id) => sessionsThatSay("700 x", [id], null, null)));
  expect(found.flat()).toEqual(["s1"]);
  const recently = new Date(Date.now() - 60_000).toISOString();
  expect(await sessionsThatSay("700 x", both, recently, null)).toEqual([]);
  expect(await sessionsThatSay("700 x", both, null, recently)).toEqual(["s1"]);
  expect(await sessionsThatSay("never", both, null, null)).toEqual([]);
  // Many namespaces are looked through in slices of time, back to the first moment that there is.
  const many = [...both, ...Array.from({ length: 20 }, (_, place) => -1 - place)];
  expect(await sessionsThatSay("X", many, "0001-01-01T00:00:00Z", null)).toEqual(["s0", "s1", "s2"]);
});

/** Few characters, so that many a text has another one in it; each with a trap: case, escapes, surrogates, patterns. */
const CHARACTERS = [...'aAbıIİiΣςσяЯßẞ中م😀\u{10400}\u{10428}é"\\\n\u001bn%_ '];
const said = fc.string({ unit: fc.constantFrom(...CHARACTERS), maxLength: 12 });
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    said,
    fc.constantFrom(null, true, 12),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      said.filter((name) => name !== ""),
      tie("value"),
      { maxKeys: 3 },
    ),
  ),
}));

function textsIn(content: unknown): string[] {
  if (typeof content === "string") return [content];
  return typeof content === "object" && content !== null ? Object.values(content).flatMap(textsIn) : [];
}

/** Unicode's simple lower case: a character becomes one. That of `İ` alone has two in JavaScript. */
const lower = (text: string) => [...text].map((character) => [...character.toLowerCase()][0]).join("");
const inOneLine = (text: string) => text.replace(/\s+/g, " ");

describe("what a search by text finds", { timeout: 600_000 }, () => {
  it("is each step of which a text has it, and no other; the excerpt shows it", async () => {
    const client = await newClient(appInProcess(inject("restUrl"), inject("serviceKey")).api);
    await limitTenant(client.tenant, { view: 1e6, traces_batch: 1e6 });
    let finds = 0;
    const results = fc.array(value, { minLength: 1, maxLength: 8 });
    const short = fc.string({ unit: fc.constantFrom(...CHARACTERS), minLength: 1, maxLength: 2 });
    const property = fc.asyncProperty(results, short, fc.nat(), async (results, short, place) => {
      const texts = results.flatMap(textsIn);
      const part = [...(texts[place % texts.length] ?? "")].slice(place % 3, 4 + (place % 5)).join("");
      const text = part || short;
      const session_id = crypto.randomUUID();
      const traces = results.map((result) => ({
        type: "tool",
        session_id,
        tool_name: "T",
        agent: "T",
        result,
      }));
      const stored = await client.post("/v1/traces/batch", { traces });
      expect(stored.body).toMatchObject({ success: true });
      const { body } = await client.post("/v1/steps/query", { query: { session_id, text, limit: 200 } });
      const wanted = stored.body.results.filter((_: unknown, index: number) =>
        textsIn(results[index]).some((each) => lower(each).includes(lower(text))),
      );
      const ids = (rows: { id: string }[]) => rows.map(({ id }) => id).sort();
      expect(ids(body.steps)).toEqual(ids(wanted.map(({ result }: { result: { id: string } }) => result)));
      for (const { match } of body.steps)
        expect([match.field, lower(match.excerpt.slice(...match.at))]).toEqual([
          "result",
          lower(inOneLine(text)),
        ]);
      finds += body.steps.length;
    });
    await fc.assert(property, { numRuns: process.env.LONG_TESTS ? 5_000 : 150 });
    expect(finds).toBeGreaterThan(50);
  });
});
