import { createClient } from "@supabase/supabase-js";
import { type BareRow, bareRow, llmTrace, sessionNames } from "./samples.ts";
import type { Stack, Tenant } from "./stack.ts";

/** One of many processes that send what an agent did: a token, and one session after the other. */
export interface Sender {
  token: string;
  nextSession(): string;
}

/** So many senders, who share the tenant's tokens evenly. Their sessions' names are new every time. */
export function newSenders({ tokens }: Tenant, count: number, sessionLength?: number): Sender[] {
  return Array.from({ length: count }, (_, place) => ({
    token: tokens[place % tokens.length] ?? "",
    nextSession: sessionNames(`${crypto.randomUUID()}-${place}`, sessionLength),
  }));
}

/** Sends one LLM call to the API, as a client does. */
export async function sendTrace({ url }: Stack, { token, nextSession }: Sender): Promise<void> {
  await post(`${url}/v1/traces/llm`, token, llmTrace(nextSession()));
}

/** Sends so many LLM calls to the API at once. */
export async function sendBatch({ url }: Stack, { token, nextSession }: Sender, size: number): Promise<void> {
  const traces = Array.from({ length: size }, () => ({ type: "llm", ...llmTrace(nextSession()) }));
  await post(`${url}/v1/traces/batch`, token, { traces });
}

/** What inserts rows without the API: supabase-js, through the same REST layer. */
export function directInsert({ project }: Stack): (rows: BareRow | BareRow[]) => Promise<void> {
  const client = createClient(project.url, project.serviceKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  return async (rows) => {
    const { error } = await client.from("bare_rows").insert(rows);
    if (error) throw new Error(error.message);
  };
}

/** A row of a sender, as random in its references as those that the API stores. */
export function rowOf({ id }: Tenant, { nextSession }: Sender): BareRow {
  const trace_id = Math.floor(Math.random() * 10_000);
  return bareRow({ tenant_id: id, namespace_id: 1, trace_id, session_id: nextSession() });
}

/** Sends JSON with a token and reads the answer to its end. Throws unless it is 200. */
export async function post(url: string, token: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}
