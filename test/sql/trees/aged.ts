import type postgres from "postgres";
import { type Caller, send } from "./sender.ts";
import type { Request } from "./steps.ts";

export const DAY = 24 * 3600;

/** Sends steps that have arrived so many seconds ago. */
export async function sendAgo(
  sql: postgres.Sql,
  caller: Caller,
  request: Request,
  age: number,
): Promise<void> {
  const seconds = Math.round(age);
  await sql.begin(async (then) => {
    await send(then as unknown as postgres.Sql, caller, request);
    const ago = (id: postgres.PendingQuery<postgres.Row[]>) => then`
      overlay(overlay(${id}::text placing substr(moment.digits, 1, 8) from 1) placing substr(moment.digits, 9, 4) from 10)::uuid`;
    const digitsOf = (id: postgres.PendingQuery<postgres.Row[]>) => then`
      lateral (select lpad(to_hex((extract(epoch from internal.arrival_of(${id})) * 1000)::bigint - ${seconds * 1000}::bigint), 12, '0')
        as digits) as moment`;
    await then`set local session_replication_role = replica`; // steps are never changed, but here
    await then`
      update public.steps set id = aged.id, occurred_at = steps.occurred_at - ${seconds} * interval '1 second'
      from (
        select steps.id as old, ${ago(then`steps.id`)} as id
        from public.changes join public.steps on steps.id between changes.first_step_id and changes.last_step_id
        cross join ${digitsOf(then`steps.id`)}
        where changes.tenant_id = ${caller.tenantId} and changes.arrived_at = now()
      ) as aged
      where steps.id = aged.old`;
    await then`
      update public.sessions set
        created_at = created_at - ${seconds} * interval '1 second',
        last_activity_at = last_activity_at - ${seconds} * interval '1 second'
      where tenant_id = ${caller.tenantId} and created_at = now()`;
    await then`
      update public.changes set first_step_id = aged.first, last_step_id = aged.last, arrived_at = now() - ${seconds} * interval '1 second'
      from (
        select changes.first_step_id as old, ${ago(then`changes.first_step_id`)} as first, ${ago(then`changes.last_step_id`)} as last
        from public.changes cross join ${digitsOf(then`changes.first_step_id`)}
        where changes.tenant_id = ${caller.tenantId} and changes.arrived_at = now()
      ) as aged
      where changes.tenant_id = ${caller.tenantId} and changes.first_step_id = aged.old`;
  });
}

/** Gives a tenant these rules, and deletes nothing: as after a PUT that makes more due than it can delete at once. */
export async function setRules(
  sql: postgres.Sql,
  { tenantId }: Caller,
  rule: { content_days?: number; days?: number },
  namespaces: Record<string, { content_days?: number; days?: number }> = {},
): Promise<void> {
  const rules = { content_days: null, days: null, ...rule, namespaces };
  await sql`insert into public.retention (tenant_id, rules) values (${tenantId}, ${sql.json(rules)})`;
  await sql`insert into public.retention_runs (tenant_id, version) values (${tenantId}, 1)`;
}
