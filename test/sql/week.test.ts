import postgres from "postgres";
import { afterAll, expect, inject, it } from "vitest";
import { newClient } from "../support/tenant.ts";
import { sendWeek } from "../support/week/send.ts";

const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

it("a rebuild adds up a week of traffic to the same usage and the same sessions", async () => {
  const client = await newClient((path, init) => fetch(`${inject("workerdUrl")}${path}`, init));
  await sendWeek(client);
  await client.get("/v1/usage");
  const [tenant] = await sql`select id from public.tenants where name = ${client.tenant}`;
  const addedUp = async () => {
    const usage = await sql`select to_jsonb(usage) as row from public.usage where tenant_id = ${tenant?.id}`;
    const sessions = await sql`
      select to_jsonb(summary) as row from public.session_summaries as summary where tenant_id = ${tenant?.id}`;
    const counts = await sql`
      select to_jsonb(counts) as row from public.counts where tenant_id = ${tenant?.id}`;
    return [usage, sessions, counts].map((rows) => rows.map(({ row }) => JSON.stringify(row)).sort());
  };

  const before = await addedUp();
  expect(before.map(({ length }) => length > 10)).toEqual([true, true, true]);
  await sql`select public.rebuild(${sql.json({ tenant: client.tenant })})`;
  expect(await addedUp()).toEqual(before);
});
