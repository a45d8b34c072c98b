import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { callAll, newCaller, otherToken, waitUntilBlocked } from "../support/database.ts";

const sql = postgres(inject("databaseUrl"), { onnotice: () => {} });
afterAll(() => sql.end());

const RULES = { toggles: { email: true }, custom: [] };
const log = { index: 0, kind: "log", namespace: "n", level: "info", content: { message: "a@b.co" } };

describe("the database has the last word on anonymization", () => {
  it.each(["upload_steps", "record_steps"])(
    "%s stores nothing that was not redacted by the current rules, tells them, and does not count",
    async (name) => {
      const caller = {
        ...(await newCaller()),
        items: [{ ...log }],
        idempotency: { key: "k", hash: "h" },
      };
      await callAll(sql, "put_anonymization_rules", [{ ...caller, rules: RULES }]);
      for (const anonymization_version of [undefined, 0, 2]) {
        const [refused] = await callAll(sql, name, [{ ...caller, anonymization_version }]);
        expect(refused.anonymization).toEqual({ version: 1, rules: RULES });
        expect(refused).not.toHaveProperty("data");
        expect(refused).not.toHaveProperty("rate_limit");
      }
      const [stored] = await callAll(sql, name, [{ ...caller, anonymization_version: 1 }]);
      expect(stored.data).toBeDefined();
      expect(stored.rate_limit.remaining).toBe(598);
      expect(await sql`select from public.steps where tenant_id = ${stored.tenant_id}`).toHaveLength(1);
    },
  );

  it("new rules wait for who still stores by the old ones, and who comes later has to redact by them", async () => {
    const caller = { ...(await newCaller()), items: [{ ...log }] };
    const token_hash = await otherToken(sql, caller);
    const put = await sql.begin(async (first) => {
      const [row] = await first`select public.record_steps(${sql.json(caller)}) as answer`;
      expect(row?.answer.data.refused).toEqual([]);
      const put = callAll(sql, "put_anonymization_rules", [{ ...caller, token_hash, rules: RULES }]);
      await waitUntilBlocked(sql, "put_anonymization_rules");
      return { answers: put };
    });
    expect((await put.answers)[0].data).toEqual({ version: 1, rules: RULES });
    const [late] = await callAll(sql, "record_steps", [caller]);
    expect(late.anonymization).toEqual({ version: 1, rules: RULES });
  });

  it("of two that put rules for the same version at once, the second waits and is told of the first", async () => {
    const caller = { ...(await newCaller()), rules: RULES, expected_version: 0 };
    const first = await sql.reserve();
    try {
      await first`begin`;
      await first`select public.put_anonymization_rules(${sql.json(caller)})`;
      // With another token: this one's count of requests is still held.
      const token_hash = await otherToken(sql, caller);
      const second = callAll(sql, "put_anonymization_rules", [{ ...caller, token_hash }]);
      await waitUntilBlocked(sql, "put_anonymization_rules");
      await first`commit`;
      expect((await second)[0].error).toMatchObject({ code: "bad_request", status: 409, version: 1 });
    } finally {
      first.release();
    }
  });
});
