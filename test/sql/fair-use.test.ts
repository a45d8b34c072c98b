import postgres from "postgres";
import { afterAll, beforeEach, describe, expect, inject, it } from "vitest";
import { callAll, fromManyTokens, newCaller, otherToken, waitUntilBlocked } from "../support/database.ts";
import { withinOneMinute } from "../support/tenant.ts";

const CONNECTIONS = 30;
const sql = postgres(inject("databaseUrl"), { max: CONNECTIONS, onnotice: () => {} });
afterAll(() => sql.end());

const item = {
  index: 0,
  kind: "llm",
  session_id: "s",
  namespace: "n",
  content: {},
};

/** A request that records one step under an idempotency key. */
async function keyedStep(more: object = {}) {
  const caller = await newCaller();
  return { ...caller, items: [item], single: true, idempotency: { key: "k", hash: "h" }, ...more };
}

async function stepsOf(tenantId: string): Promise<number> {
  const [row] = await sql`select count(*)::int as steps from public.steps where tenant_id = ${tenantId}`;
  return row?.steps;
}

describe("idempotency keys in the database", () => {
  it("thirty connections with one key do the work once, and get the same data", async () => {
    const payloads = await fromManyTokens(sql, await keyedStep(), CONNECTIONS);
    await Promise.all(Array.from({ length: CONNECTIONS }, () => sql`select pg_sleep(0.05)`));
    const answers = await callAll(sql, "record_steps", payloads);
    expect(answers.filter(({ replay }) => replay === undefined)).toHaveLength(1);
    expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(1);
    expect(await stepsOf(answers[0].tenant_id)).toBe(1);
  });

  it("the twins wait for the first, each by itself, and replay when it commits", async () => {
    const payload = await keyedStep();
    // The namespace is there already: not what is waited for here.
    await callAll(sql, "record_steps", [{ ...payload, idempotency: { key: "earlier", hash: "h" } }]);
    const twins = [payload, payload, ...(await fromManyTokens(sql, payload, 2))];
    let waiting: ReturnType<typeof callAll> | undefined;
    await sql.begin(async (first) => {
      const [other] = await fromManyTokens(sql, payload, 1);
      await first`select public.record_steps(${sql.json(other as typeof payload)})`;
      waiting = callAll(sql, "record_steps", twins);
      await waitUntilBlocked(sql, "record_steps", twins.length);
      // Another request of a token whose twins wait is not held up.
      const [unrelated] = await callAll(sql, "record_steps", [
        { ...payload, idempotency: { key: "another", hash: "h" }, items: [{ ...item, session_id: "t" }] },
      ]);
      expect(unrelated.data.refused).toEqual([]);
    });
    for (const { replay } of (await waiting) ?? []) expect(replay).toEqual({ request_id: "test" });
  });

  it("the record of the key and the inserts commit together or not at all: a twin of a failed first does the work", async () => {
    const payload = await keyedStep();
    let twin: ReturnType<typeof callAll> | undefined;
    const first = sql.begin(async (transaction) => {
      await transaction`select public.record_steps(${sql.json(payload)})`;
      twin = callAll(sql, "record_steps", await fromManyTokens(sql, payload, 1));
      await waitUntilBlocked(sql, "record_steps");
      throw new Error("the connection breaks");
    });
    await expect(first).rejects.toThrow("the connection breaks");
    const [answer] = (await twin) ?? [];
    expect(answer.replay).toBeUndefined();
    expect(answer.data.refused).toEqual([]);
    expect(await stepsOf(answer.tenant_id)).toBe(1);
  });

  it("a twin waits within a bounded time only, and never does the work beside the first", {
    timeout: 30_000,
  }, async () => {
    const payload = await keyedStep();
    // Another token of the tenant, so that the twins meet at the key and not at the counter.
    const other = await otherToken(sql, payload);
    await sql.begin(async (first) => {
      const [row] = await first`select public.record_steps(${sql.json(payload)}) as answer`;
      const [twin] = await callAll(sql, "record_steps", [{ ...payload, token_hash: other }]);
      expect(twin.error).toMatchObject({
        code: "internal_error",
        status: 503,
        message: expect.stringContaining("still running"),
      });
      expect(await stepsOf(row?.answer.tenant_id)).toBe(0);
    });
  });

  it("are kept for 24 hours; after that the same key is fresh", async () => {
    const payload = await keyedStep();
    const [first] = await callAll(sql, "record_steps", [payload]);
    const [kept] = await sql`
      select extract(epoch from expires_at - now())::int as seconds
      from public.monkai_idempotency_keys where tenant_id = ${first.tenant_id}`;
    expect(kept?.seconds).toBeGreaterThan(86_400 - 60);
    expect(kept?.seconds).toBeLessThanOrEqual(86_400);

    await sql`update public.monkai_idempotency_keys set expires_at = now() where tenant_id = ${first.tenant_id}`;
    const [fresh] = await callAll(sql, "record_steps", [
      { ...payload, idempotency: { key: "k", hash: "another" } },
    ]);
    expect([fresh.error, fresh.replay]).toEqual([undefined, undefined]);
    const [replay] = await callAll(sql, "record_steps", [
      { ...payload, idempotency: { key: "k", hash: "another" } },
    ]);
    expect(replay.replay).toEqual({ request_id: "test" });
    expect(await stepsOf(first.tenant_id)).toBe(2);
  });

  it("a request whose claim failed open does not overwrite what another one remembered", async () => {
    const payload = await keyedStep();
    const [first] = await callAll(sql, "record_steps", [payload]);
    const other = { ...payload, idempotency: { key: "k", hash: "another" } };
    const answer = { tenant_id: first.tenant_id, data: { ids: "wrong" } };
    await sql`select internal.settle_idempotency_key(${sql.json(answer)}, ${sql.json(other)})`;
    await sql`select internal.settle_idempotency_key(${sql.json({ ...answer, claimed: true })}, ${sql.json(other)})`;
    const [replay] = await callAll(sql, "record_steps", [payload]);
    expect(replay.data).toEqual(first.data);
  });
});

describe("taking content away in the database", () => {
  it("waits for the steps that are being stored, and takes what they say too", async () => {
    const payload = {
      ...(await keyedStep()),
      idempotency: undefined,
      items: [{ ...item, trace_id: "t", content: { input: "said" }, error: { message: "said" } }],
    };
    const [first] = await callAll(sql, "record_steps", [payload]);
    // Another token, so that they do not meet at the counter.
    const other = await otherToken(sql, payload);
    let purge: ReturnType<typeof callAll> | undefined;
    await sql.begin(async (step) => {
      await step`select public.record_steps(${sql.json(JSON.parse(JSON.stringify(payload)))})`;
      purge = callAll(sql, "purge_trace_content", [{ ...payload, token_hash: other, trace_id: "t" }]);
      await waitUntilBlocked(sql, "purge_trace_content");
    });
    const [purged] = (await purge) ?? [];
    expect([purged.error, purged.data.step_count]).toEqual([undefined, 2]);
    const left = await sql`select content, error from public.steps where tenant_id = ${first.tenant_id}`;
    expect([...left]).toEqual(Array(2).fill({ content: null, error: null }));
  });
});

describe("rate limits in the database", () => {
  it.each([{ traces: "600" }, { traces: 1.5 }, { traces: -1 }, { traces: null }, { traces: 2 ** 31 }, []])(
    "an override must be whole numbers from 0 up: not %j",
    async (limits) => {
      const [{ tenant_id }] = await callAll(sql, "admit", [await newCaller()]);
      for (const table of ["tenants", "tracer_tokens"]) {
        const set = sql`
        update public.${sql(table)} set rate_limits = ${sql.json(limits)}
        where ${table === "tenants" ? sql`id = ${tenant_id}` : sql`tenant_id = ${tenant_id}`}`;
        await expect(set).rejects.toMatchObject({
          constraint_name: expect.stringMatching(/rate_limits_are_whole_numbers/),
        });
      }
    },
  );

  it("a new window restores the full quota", async () => {
    const caller = { ...(await newCaller()), limit: 1 };
    const [first] = await callAll(sql, "admit", [caller]);
    const [second] = await callAll(sql, "admit", [caller]);
    expect([first.rate_limit.remaining, second.error.code]).toEqual([0, "rate_limit_exceeded"]);
    await sql`
      update public.monkai_rate_limits set minute = minute - interval '1 minute' where token_id = ${first.token_id}`;
    const [third] = await callAll(sql, "admit", [caller]);
    expect([third.error, third.rate_limit.remaining]).toEqual([undefined, 0]);
  });

  it("counters live in monkai_rate_limits with per-(token_id, bucket, minute) PK", async () => {
    const [key] = await sql`
      select array_agg(attname::text order by place) as columns
      from pg_constraint, unnest(conkey) with ordinality as part (number, place)
      join pg_attribute on attnum = number and attrelid = 'public.monkai_rate_limits'::regclass
      where conrelid = 'public.monkai_rate_limits'::regclass and contype = 'p'`;
    expect(key?.columns).toEqual(["token_id", "bucket", "minute"]);
  });

  it("monkai_increment_rate_limit is SECURITY DEFINER, and thirty connections count thirty", async () => {
    const [counter] = await sql`select prosecdef from pg_proc where proname = 'monkai_increment_rate_limit'`;
    expect(counter?.prosecdef).toBe(true);
    const caller = await newCaller();
    const answers = await callAll(
      sql,
      "admit",
      Array.from({ length: CONNECTIONS }, () => caller),
    );
    const remaining = answers.map(({ rate_limit }) => rate_limit.remaining);
    expect(new Set(remaining).size).toBe(CONNECTIONS);
  });
});

describe("what brings content is counted last", { timeout: 40_000 }, () => {
  beforeEach(() => withinOneMinute(10_000));

  it.each([
    ["record_steps", { single: true }],
    ["upload_steps", {}],
  ])(
    "%s: of thirty at once within a limit of ten, ten are stored, and all are counted",
    async (name, more) => {
      const caller = { ...(await newCaller()), limit: 10, ...more };
      const kind = name === "record_steps" ? "llm" : "log";
      const payloads = Array.from({ length: CONNECTIONS }, (_, index) => ({
        ...caller,
        items: [{ ...item, kind, level: "info", session_id: `s${index}` }],
      }));
      await Promise.all(payloads.map(() => sql`select pg_sleep(0.05)`));
      const answers = await callAll(sql, name, payloads);
      const codes = answers.map(({ error }) => error?.code ?? "stored").sort();
      expect(codes).toEqual([...Array(20).fill("rate_limit_exceeded"), ...Array(10).fill("stored")]);
      const [{ tenant_id, token_id }] = answers;
      const [stored] = await sql`
      select (select count(*)::int from public.steps where tenant_id = ${tenant_id}) as items,
             (select count(*)::int from public.sessions where tenant_id = ${tenant_id}) as sessions,
             (select count from public.monkai_rate_limits where token_id = ${token_id}) as counted`;
      expect(stored).toEqual({ items: 10, sessions: 10, counted: CONNECTIONS });
    },
  );

  it("beyond the limit it is refused with its limit, also while the count cannot be had", async () => {
    const payload = await keyedStep({ idempotency: undefined, limit: 1 });
    const [{ tenant_id, token_id }] = await callAll(sql, "record_steps", [payload]);
    const answer = await sql.begin(async (holder) => {
      await holder`select from public.monkai_rate_limits where token_id = ${token_id} for update`;
      return (await callAll(sql, "record_steps", [payload]))[0];
    });
    expect(answer.error.code).toBe("rate_limit_exceeded");
    expect(answer.rate_limit).toMatchObject({ bucket: "traces", limit: 1, remaining: 0 });
    expect(answer.rate_limit.reset).toBeGreaterThan(0);
    expect(await stepsOf(tenant_id)).toBe(1);
  });

  it.each([
    ["record_steps", "llm"],
    ["upload_steps", "log"],
  ])("%s: the last request within the limit is stored, and the one after it is not", async (name, kind) => {
    const payload = { ...(await newCaller()), limit: 2, items: [{ ...item, kind, level: "info" }] };
    const outcomes = [];
    for (let number = 0; number < 3; number += 1) {
      const [{ error, rate_limit }] = await callAll(sql, name, [payload]);
      outcomes.push([error?.code, rate_limit.remaining]);
    }
    expect(outcomes).toEqual([
      [undefined, 1],
      [undefined, 0],
      ["rate_limit_exceeded", 0],
    ]);
  });

  it.each([
    ["record_steps", "llm"],
    ["upload_steps", "log"],
  ])(
    "%s: who is beyond the limit is refused at once, and does not wait for a session that is being opened",
    async (name, kind) => {
      const payload = { ...(await newCaller()), limit: 1, items: [{ ...item, kind, level: "info" }] };
      await callAll(sql, name, [payload]);
      payload.items[0] = { ...payload.items[0], session_id: "new" } as (typeof payload.items)[0];
      const token_hash = await otherToken(sql, payload);
      await sql.begin(async (opener) => {
        await opener`select ${sql(`public.${name}`)}(${sql.json({ ...payload, token_hash })})`;
        await sql.begin(async (late) => {
          await late`set local lock_timeout = '2s'`;
          const [row] = await late`select ${sql(`public.${name}`)}(${sql.json(payload)}) as answer`;
          expect(row?.answer.error.code).toBe("rate_limit_exceeded");
        });
      });
    },
  );

  it("an upload that waits for its session to be opened does not hold up the others of its token", async () => {
    const log = { ...item, kind: "log", level: "info" };
    const payload = { ...(await newCaller()), items: [{ ...log, session_id: "new" }] };
    await callAll(sql, "upload_steps", [{ ...payload, items: [log] }]);
    const token_hash = await otherToken(sql, payload);
    let waiting: ReturnType<typeof callAll> | undefined;
    await sql.begin(async (opener) => {
      await opener`select public.upload_steps(${sql.json({ ...payload, token_hash })})`;
      waiting = callAll(sql, "upload_steps", [payload]);
      await waitUntilBlocked(sql, "upload_steps");
      await sql.begin(async (other) => {
        await other`set local lock_timeout = '2s'`;
        const elsewhere = { ...payload, items: [{ ...log, session_id: "t" }] };
        const [row] = await other`select public.upload_steps(${sql.json(elsewhere)}) as answer`;
        const { data, rate_limit } = row?.answer ?? {};
        expect([data?.inserted_count, rate_limit?.remaining]).toEqual([1, 598]);
      });
    });
    expect((await waiting)?.[0].data.inserted_count).toBe(1);
  });

  it("a request that waits for its session to be opened does not hold up the others of its token", async () => {
    const known = await keyedStep({ idempotency: undefined });
    await callAll(sql, "record_steps", [known]);
    const payload = { ...known, items: [{ ...item, session_id: "new" }] };
    const token_hash = await otherToken(sql, payload);
    let waiting: ReturnType<typeof callAll> | undefined;
    await sql.begin(async (opener) => {
      await opener`select public.record_steps(${sql.json(JSON.parse(JSON.stringify({ ...payload, token_hash })))})`;
      waiting = callAll(sql, "record_steps", [payload]);
      await waitUntilBlocked(sql, "record_steps");
      const [other] = await callAll(sql, "record_steps", [
        { ...payload, items: [{ ...item, session_id: "t" }] },
      ]);
      expect([other.error, other.rate_limit.remaining]).toEqual([undefined, 598]);
    });
    expect((await waiting)?.[0].rate_limit.remaining).toBe(597);
  });
});

describe("cleaning up", () => {
  it("expired keys and old windows are deleted, and nothing else: the tables stay small under a steady load", async () => {
    const payload = await keyedStep();
    const [{ tenant_id, token_id }] = await callAll(sql, "admit", [payload]);
    const sizes: number[][] = [];
    for (let hour = 0; hour < 5; hour += 1) {
      await callAll(
        sql,
        "record_steps",
        Array.from({ length: 20 }, (_, index) => ({
          ...payload,
          idempotency: { key: `${hour}-${index}`, hash: "h" },
        })),
      );
      await sql`select public.delete_expired()`;
      const [size] = await sql`
        select (select count(*)::int from public.monkai_idempotency_keys where tenant_id = ${tenant_id}) as keys,
               (select count(*)::int from public.monkai_rate_limits where token_id = ${token_id}) as counts`;
      sizes.push([size?.keys, size?.counts]);
      // A day goes by.
      await sql`
        update public.monkai_idempotency_keys set expires_at = expires_at - interval '24 hours'
        where tenant_id = ${tenant_id}`;
      await sql`
        update public.monkai_rate_limits set minute = minute - interval '1 day' where token_id = ${token_id}`;
    }
    for (const [keys, counts] of sizes) {
      expect(keys).toBe(20);
      expect(counts).toBeLessThanOrEqual(2);
    }
  });
});
