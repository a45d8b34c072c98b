import postgres from "postgres";
import { capturedCall } from "./captured-calls.ts";
import type { Endpoint } from "./endpoints.ts";
import { llmStep } from "./samples.ts";
import type { Volume } from "./volume.ts";

interface Plan {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Cond"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: Plan[];
}

/** Tables that grow with a tenant's use. */
const GROWING = new Set([
  "steps",
  "changes",
  "traces",
  "placements",
  "trees",
  "sessions",
  "counts",
  "usage",
  "session_summaries",
  "record_fingerprints",
  "scores",
  "monkai_idempotency_keys",
]);

/** More rows than any of the requests needs. */
export const MANY_ROWS = 2_000;

/** Often enough for Postgres to turn to a generic plan, which knows no values. */
const REPETITIONS = 8;

/**
 * The growing tables that a request reads from one end to the other, or far more of them than it needs, by the plans of all statements within the function that
 * it calls, as `auto_explain` shows them. Before each time a step is written, so that there is something to fold. Nothing of it
 * stays.
 */
export async function tablesReadWhole(
  volume: Volume,
  { path, init, mostRows = MANY_ROWS }: Endpoint,
): Promise<string[]> {
  const { stack, token } = volume;
  const call = await capturedCall(stack.project, path, init);
  const write = await capturedCall(stack.project, "/v1/traces/llm", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(llmStep(crypto.randomUUID())),
  });
  const plans: Plan[] = [];
  const sql = postgres(stack.database.adminUrl, {
    max: 1,
    onnotice: ({ message }) => plans.push(...planIn(message ?? "")),
  });
  try {
    await explainEverything(sql);
    await sql`begin`;
    await sql`set local role service_role`;
    for (let time = 0; time < REPETITIONS; time += 1) {
      for (const { name, payload } of [write, call]) {
        await sql`select ${sql(`public.${name}`)}(${sql.json(payload)})`;
      }
    }
    await sql`rollback`;
  } finally {
    await sql.end();
  }
  if (plans.length === 0) throw new Error(`There is no plan of ${call.name}.`);
  return [...new Set(plans.flatMap((plan) => wholeTables(plan, mostRows)))];
}

async function explainEverything(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    load 'auto_explain';
    set auto_explain.log_min_duration = 0;
    set auto_explain.log_nested_statements = on;
    set auto_explain.log_analyze = on;
    set auto_explain.log_timing = off;
    set auto_explain.log_format = json;
    set client_min_messages = log`);
}

function planIn(message: string): Plan[] {
  const begins = message.indexOf("{");
  if (!message.includes("plan:") || begins < 0) return [];
  return [(JSON.parse(message.slice(begins)) as { Plan: Plan }).Plan];
}

function wholeTables(plan: Plan, mostRows: number): string[] {
  const table = plan["Relation Name"] ?? "";
  const here = readsAll(plan, mostRows) && GROWING.has(table) ? [table] : [];
  return [...here, ...(plan.Plans ?? []).flatMap((inner) => wholeTables(inner, mostRows))];
}

function readsAll(plan: Plan, mostRows: number): boolean {
  const node = plan["Node Type"];
  const isWhole =
    node === "Seq Scan" || (/^Index (Only )?Scan$/.test(node) && plan["Index Cond"] === undefined);
  const rows = (plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0)) * plan["Actual Loops"];
  return rows > mostRows || (isWhole && rows > 0);
}
