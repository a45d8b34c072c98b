import type postgres from "postgres";
import { expect } from "vitest";
import { callAll, newCaller } from "../../support/database.ts";
import { itemsOf, type Request } from "./steps.ts";

export type Caller = Awaited<ReturnType<typeof newCaller>> & { tenant: string; tenantId: string };

/** A tenant of its own, with the namespaces `m` and `n`. */
export async function newTenant(sql: postgres.Sql): Promise<Caller> {
  const caller = { ...(await newCaller()), limit: 1_000_000 };
  const [tenant] = await sql`
    select tenants.id, tenants.name from public.tenants join public.tracer_tokens on tenants.id = tenant_id
    where token_hash = ${caller.token_hash}`;
  await sql`select internal.register_namespaces(${tenant?.id}, '{m, n}')`;
  return { ...caller, tenant: tenant?.name, tenantId: tenant?.id };
}

/** Sends a request. With a key, the same again is a retry; messages and spans that come again are known without one. */
export async function send(sql: postgres.Sql, caller: Caller, request: Request, key?: string): Promise<void> {
  const { name, items } = itemsOf(request);
  const idempotency = key === undefined ? {} : { idempotency: { key, hash: "h" } };
  const [answer] = await callAll(sql, name, [{ ...caller, items, ...idempotency } as postgres.JSONValue]);
  expect(answer.error).toBeUndefined();
  expect(answer.data.refused ?? []).toEqual([]);
}

export async function ask(
  sql: postgres.Sql,
  caller: Caller,
  name: string,
  more: Record<string, postgres.JSONValue>,
) {
  const [answer] = await callAll(sql, name, [{ ...caller, bucket: "query", ...more }]);
  return answer;
}

export const listTraces = async (sql: postgres.Sql, caller: Caller): Promise<number> =>
  (await ask(sql, caller, "list_traces", { query: { limit: 10, offset: 0 } })).data.total;
