import type postgres from "postgres";
import type { Trace } from "./model.ts";
import { START } from "./steps.ts";

/** Trees as one would draw them by hand: each trace, and in brackets those below it. */
function drawn<Id>(traces: { id: Id; parent: Id | null; label: string }[]): string[] {
  const children = Map.groupBy(traces, ({ parent }) => parent);
  const drawBelow = (parent: Id | null): string[] =>
    (children.get(parent) ?? []).map(({ id, label }) => `${label}(${drawBelow(id).join(" ")})`).sort();
  return drawBelow(null);
}

const microseconds = (moment: number) => moment - START * 1000;

/** `n/s/agent@opened:1+2`, the keys of its steps at the end; the active trace with *, a placeholder with ?, its name with #. */
export function drawnModel(traces: Trace[]): string[] {
  return drawn(
    traces.map((trace) => {
      const marks = `${trace.isActive ? "*" : ""}${trace.isPlaceholder ? "?" : ""}`;
      const place = `${trace.namespace}/${trace.session ?? ""}/${trace.agent}@${microseconds(trace.opened)}`;
      const steps = trace.steps.map((key) => `${key}${trace.marks.get(key) ?? ""}`);
      const label = `${place}:${steps.toSorted().join("+")}${marks}${trace.id ? `#${trace.id}` : ""}`;
      return { id: trace, parent: trace.parent ?? null, label };
    }),
  );
}

/** The same of what the database has folded. */
export async function drawnDatabase(sql: postgres.ISql, tenantId: string): Promise<string[]> {
  const rows = await tracesOfTenant(sql, tenantId);
  return drawn(
    rows.map((row) => {
      const marks = `${row.is_active ? "*" : ""}${row.is_named_only ? "?" : ""}`;
      const name = row.trace_id.startsWith("agt_trace_") ? "" : `#${row.trace_id}`;
      const label = `${placeOf(row)}:${row.keys.toSorted().join("+")}${marks}${name}`;
      return { id: row.trace_id, parent: row.parent_trace_id, label };
    }),
  );
}

/** The same with all ids, and with the number of steps in place of their keys: what must not depend on who came first. */
export async function drawnWithIds(sql: postgres.ISql, tenantId: string): Promise<string[]> {
  const rows = await tracesOfTenant(sql, tenantId);
  return drawn(
    rows.map((row) => {
      // The trace of a record without a session has the id of its step, which is another one each time.
      const id = row.is_alone ? "" : `#${row.trace_id}`;
      return {
        id: row.trace_id,
        parent: row.parent_trace_id,
        label: `${placeOf(row)}:${row.step_count}${id}`,
      };
    }),
  );
}

const placeOf = (row: postgres.Row) =>
  `${row.namespace}/${row.session_id ?? ""}/${row.agent}@${microseconds(Number(row.opened))}`;

function tracesOfTenant(sql: postgres.ISql, tenantId: string) {
  return sql`
    select traces.trace_id, traces.parent_trace_id, namespaces.name as namespace, traces.session_id, traces.agent,
           traces.step_count, traces.is_named_only, (extract(epoch from traces.created_at) * 1000000)::bigint as opened,
           exists (select from public.trees where trees.active_trace_id = traces.trace_id and trees.tenant_id = ${tenantId}) as is_active,
           array(
             select steps.resource_id || case when placements.agent is null then '' else format('[%s %s %s %s]',
                      coalesce(steps.session_id, placements.session_id), coalesce(steps.user_id, placements.user_id),
                      placements.is_wrapper::boolean::text, (
                        select nullif(string_agg(distinct coalesce(sort.tokens::text, 'none'), ' and '), 'none') from (values
                          (coalesce(steps.input_tokens, placements.input_tokens)),
                          (coalesce(steps.output_tokens, placements.output_tokens)),
                          (coalesce(steps.cached_input_tokens, placements.cached_input_tokens)),
                          (coalesce(steps.reasoning_tokens, placements.reasoning_tokens))) as sort (tokens))) end
             from public.placements join public.steps on steps.id = placements.step_id
             where placements.tenant_id = ${tenantId} and placements.trace_id = traces.trace_id) as keys,
           exists (select from public.steps where steps.tree_key = traces.tree_key and steps.tree_kind = 'lone') as is_alone
    from public.traces join public.namespaces on namespaces.id = traces.namespace_id
    where traces.tenant_id = ${tenantId}`;
}
