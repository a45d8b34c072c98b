import postgres from "postgres";
import { capturedCall } from "./captured-calls.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Volume } from "./volume.ts";

interface Plan {
  "Node Type": string;
  "Relation Name"?: string;
  Plans?: Plan[];
}

/** Tables that grow with a tenant's use. */
const GROWING = new Set([
  "records",
  "logs",
  "traces",
  "sessions",
  "row_counts",
  "record_fingerprints",
  "monkai_idempotency_keys",
]);

/** Often enough for Postgres to turn to a generic plan, which knows no values. */
const REPETITIONS = 8;

/**
 * The growing tables that a request reads from one end to the other, by the plans of all statements within the function that
 * it calls, as `auto_explain` shows them. Nothing of it stays.
 */
export async function tablesReadWhole({ stack }: Volume, { path, init }: Endpoint): Promise<string[]> {
  const call = await capturedCall(stack.project, path, init);
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
      await sql`select ${sql(`public.${call.name}`)}(${sql.json(call.payload)})`;
    }
    await sql`rollback`;
  } finally {
    await sql.end();
  }
  if (plans.length === 0) throw new Error(`There is no plan of ${call.name}.`);
  return [...new Set(plans.flatMap(wholeTables))];
}

async function explainEverything(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    load 'auto_explain';
    set auto_explain.log_min_duration = 0;
    set auto_explain.log_nested_statements = on;
    set auto_explain.log_format = json;
    set client_min_messages = log`);
}

function planIn(message: string): Plan[] {
  const begins = message.indexOf("{");
  if (!message.includes("plan:") || begins < 0) return [];
  return [(JSON.parse(message.slice(begins)) as { Plan: Plan }).Plan];
}

function wholeTables(plan: Plan): string[] {
  const table = plan["Relation Name"] ?? "";
  const here = plan["Node Type"] === "Seq Scan" && GROWING.has(table) ? [table] : [];
  return [...here, ...(plan.Plans ?? []).flatMap(wholeTables)];
}
