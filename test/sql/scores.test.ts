import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { callAll, newCaller, otherToken, waitUntilBlocked } from "../support/database.ts";

const sql = postgres(inject("databaseUrl"), { onnotice: () => {} });
afterAll(() => sql.end());

const SAID = { content: { text_value: "said", comment: "said" } };
const STEP = { index: 0, kind: "llm", namespace: "n", session_id: "s", trace_id: "t", content: {} };

/** A tenant with a step of the trace `t` in the session `s`, and a score of each of the three. */
async function newTenant() {
  const caller = await newCaller();
  const [answer] = await callAll(sql, "record_steps", [{ ...caller, items: [STEP] }]);
  const step_id = `${answer.data.ids}00000`;
  const items = [{ trace_id: "t" }, { session_id: "s" }, { step_id }].map((about, index) => ({
    index,
    name: "n",
    ...about,
    ...SAID,
  }));
  await callAll(sql, "record_scores", [{ ...caller, items }]);
  return { caller, id: answer.tenant_id as string };
}

const scoresOf = (tenantId: string) => sql`
  select coalesce(trace_id, session_id, 'step') as about, number_value, text_value, comment
  from public.scores where tenant_id = ${tenantId} order by created_at, id`;

describe("scores in the database", () => {
  it("who takes content away waits for the scores that are being stored, and empties them too", async () => {
    const { caller, id } = await newTenant();
    const token_hash = await otherToken(sql, caller);
    let purge: ReturnType<typeof callAll> | undefined;
    await sql.begin(async (writer) => {
      const late = { index: 0, trace_id: "t", name: "late", ...SAID };
      await writer`select public.record_scores(${sql.json({ ...caller, token_hash, items: [late] })})`;
      purge = callAll(sql, "purge_trace_content", [{ ...caller, bucket: "query", trace_id: "t" }]);
      await waitUntilBlocked(sql, "purge_trace_content");
    });
    expect((await purge)?.[0].error).toBeUndefined();
    const taken = { number_value: null, text_value: null, comment: null };
    expect([...(await scoresOf(id))]).toEqual([
      { about: "t", ...taken },
      { about: "s", number_value: null, text_value: "said", comment: "said" },
      { about: "step", ...taken },
      { about: "t", ...taken },
    ]);
  });

  it("a remembered answer holds nothing that was said", async () => {
    const { caller, id } = await newTenant();
    const items = [{ index: 0, trace_id: "t", name: "n", ...SAID }];
    const payload = { ...caller, items, idempotency: { key: "k", hash: "h" } };
    const [first] = await callAll(sql, "record_scores", [payload]);
    const [second] = await callAll(sql, "record_scores", [{ ...payload, request_id: "again" }]);
    expect([second.data, second.replay]).toEqual([first.data, { request_id: "test" }]);
    const [known] = await sql`select response from public.monkai_idempotency_keys where tenant_id = ${id}`;
    expect(known?.response).toEqual(first.data);
    expect(JSON.stringify(known)).not.toContain("said");
    expect(await scoresOf(id)).toHaveLength(4);
  });

  it("a request beyond the limit stores nothing, and counts", async () => {
    const { caller, id } = await newTenant();
    const items = [{ index: 0, trace_id: "t", name: "n", namespace: "new", value: 1, content: {} }];
    const [answer] = await callAll(sql, "record_scores", [{ ...caller, limit: 1, items }]);
    expect([answer.error.code, answer.rate_limit.remaining]).toEqual(["rate_limit_exceeded", 0]);
    expect(await scoresOf(id)).toHaveLength(3);
    expect(await sql`select from public.namespaces where tenant_id = ${id} and name = 'new'`).toHaveLength(0);
  });

  it.each([
    ["sessions", "id = 's'"],
    ["namespaces", "name = 'n'"],
  ])("those of a session or namespace go with it: %s", async (table, condition) => {
    const [gone, stays] = [await newTenant(), await newTenant()];
    const other = { index: 0, trace_id: "other", name: "n", namespace: "m", value: 2, content: {} };
    await callAll(sql, "record_scores", [{ ...gone.caller, items: [other] }]);
    await sql`delete from public.${sql(table)} where tenant_id = ${gone.id} and ${sql.unsafe(condition)}`;
    expect((await scoresOf(gone.id)).map(({ about }) => about)).toEqual(["other"]);
    expect(await scoresOf(stays.id)).toHaveLength(3);
  });

  it.each([
    ["two targets", { trace_id: "t", session_id: "s" }, "score_is_about_one_thing"],
    ["no target", {}, "score_is_about_one_thing"],
    ["a number beyond all", { trace_id: "t", number_value: "NaN" }, "score_number_is_finite"],
    ["two values", { trace_id: "t", number_value: 1, boolean_value: true }, "score_has_at_most_one_value"],
  ])("a row with %s is refused", async (_, columns, constraint_name) => {
    const { id } = await newTenant();
    const [namespace] = await sql`select id from public.namespaces where tenant_id = ${id}`;
    const row = {
      id: crypto.randomUUID(),
      tenant_id: id,
      namespace_id: namespace?.id,
      name: "n",
      created_at: new Date(),
      ...columns,
    };
    await expect(sql`insert into public.scores ${sql(row)}`).rejects.toMatchObject({ constraint_name });
  });
});
