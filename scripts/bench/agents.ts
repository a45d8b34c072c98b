import { createClient } from "@supabase/supabase-js";
import { type BareRow, llmStep, rowOfStep, sessionNames } from "./samples.ts";
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

/** So many senders of one session, which never ends. */
export function sendersOfOneSession({ tokens }: Tenant, count: number): Sender[] {
  const session = crypto.randomUUID();
  return Array.from({ length: count }, (_, place) => ({
    token: tokens[place % tokens.length] ?? "",
    nextSession: () => session,
  }));
}

/** Sends one LLM call, as a client does, to the API or to what is compared with it. */
export async function sendStep(url: string, { token, nextSession }: Sender): Promise<void> {
  await post(`${url}/v1/traces/llm`, token, llmStep(nextSession()));
}

/** The same with a key, so that a retry would not be stored twice. */
export async function sendStepWithKey(url: string, { token, nextSession }: Sender): Promise<void> {
  await post(`${url}/v1/traces/llm`, token, llmStep(nextSession()), {
    "Idempotency-Key": crypto.randomUUID(),
  });
}

/** Sends so many LLM calls to the API at once. */
export async function sendBatch(url: string, { token, nextSession }: Sender, size: number): Promise<void> {
  const traces = Array.from({ length: size }, () => ({ type: "llm", ...llmStep(nextSession()) }));
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

/** What the API stores of a sender's next LLM call. */
export function rowOf({ id, namespaceId }: Tenant, { nextSession }: Sender): BareRow {
  return rowOfStep({ tenant_id: id, namespace_id: namespaceId }, llmStep(nextSession()));
}

/** Sends JSON with a token and reads the answer to its end. Throws unless it is 200. */
export async function post(
  url: string,
  token: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
}
