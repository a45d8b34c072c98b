// What one would write first for the contract of POST /v1/traces/llm: a call of supabase-js for each thing to be done, one
// after the other. It is no worse than it has to be, and leaves out what costs more calls: a session's last activity, traces,
// anonymization.
import type { SupabaseClient } from "@supabase/supabase-js";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { LlmStep } from "../../../functions/monkai-api/schemas/steps.ts";
import { rowOfStep } from "../samples.ts";
import { type Bindings, clientOf } from "./client.ts";

const BUCKET = "traces";
const LIMIT = 600;

type Limits = Record<string, number>;

interface Token {
  id: string;
  tenant_id: string;
  active: boolean;
  expires_at: string | null;
  namespaces: string[] | null;
  rate_limits: Limits;
  tenants: { rate_limits: Limits };
}

const app = new Hono<{ Bindings: Bindings }>();

app.post("/v1/traces/llm", async (c) => {
  const client = clientOf(c.env);
  const token = await tokenOf(client, c.req.header("Authorization"));
  const limit = token.rate_limits[BUCKET] ?? token.tenants.rate_limits[BUCKET] ?? LIMIT;
  const remaining = limit - (await counted(client, token));
  c.header("X-Request-ID", crypto.randomUUID());
  c.header("X-RateLimit-Limit", `${limit}`);
  c.header("X-RateLimit-Remaining", `${Math.max(remaining, 0)}`);
  if (remaining < 0) throw new HTTPException(429, { message: "The limit is used up." });

  const key = c.req.header("Idempotency-Key");
  const body = await c.req.text();
  const known = key === undefined ? null : await claimed(client, token, key, await sha256(body));
  if (known) return c.json(known, 200);

  const sent: LlmStep = JSON.parse(body);
  if (!sent.session_id) throw new HTTPException(400, { message: "session_id is required" });
  const namespace_id = await namespaceOf(client, token, sent);
  const row = rowOfStep({ tenant_id: token.tenant_id, namespace_id }, sent);
  await stored(client.from("bare_rows").insert(row));

  const tokens = { input: row.input_tokens, output: row.output_tokens };
  const answer = { success: true, trace_type: "llm_call", tokens, id: row.id };
  if (key !== undefined) {
    const keys = client.from("monkai_idempotency_keys");
    await stored(keys.update({ response: answer }).match({ tenant_id: token.tenant_id, key }));
  }
  return c.json(answer, 200);
});

async function tokenOf(client: SupabaseClient, authorization = ""): Promise<Token> {
  const token_hash = await sha256(authorization.replace(/^Bearer +/i, ""));
  const { data } = await client
    .from("tracer_tokens")
    .select("id, tenant_id, active, expires_at, namespaces, rate_limits, tenants (rate_limits)")
    .eq("token_hash", token_hash)
    .maybeSingle<Token>();
  const isGood = data?.active && (data.expires_at === null || new Date(data.expires_at) > new Date());
  if (!isGood) throw new HTTPException(401, { message: "The tracer token is not known." });
  return data;
}

/** How many requests the token has made in this minute. */
async function counted(client: SupabaseClient, token: Token): Promise<number> {
  const { data } = await client.rpc("monkai_increment_rate_limit", { token_id: token.id, bucket: BUCKET });
  return data ?? 0;
}

/** What the first request with this key was answered with, null where this is the first. */
async function claimed(client: SupabaseClient, { tenant_id }: Token, key: string, request_hash: string) {
  const keys = () => client.from("monkai_idempotency_keys");
  const request_id = crypto.randomUUID();
  const { error } = await keys().insert({ tenant_id, key, request_hash, request_id });
  if (!error) return null;
  const { data } = await keys().select("request_hash, response").match({ tenant_id, key }).single();
  if (data?.request_hash === request_hash) return data.response;
  throw new HTTPException(422, { message: "The key was used for another request." });
}

/** The namespace of the session, which is made when it is new. */
async function namespaceOf(
  client: SupabaseClient,
  token: Token,
  { session_id, namespace = "default" }: LlmStep,
) {
  const { tenant_id, namespaces } = token;
  const sessions = () => client.from("sessions");
  const { data: session } = await sessions()
    .select("namespace_id, namespaces (name)")
    .match({ tenant_id, id: session_id })
    .maybeSingle<{ namespace_id: number; namespaces: { name: string } }>();
  if (namespaces && !namespaces.includes(session?.namespaces.name ?? namespace)) {
    throw new HTTPException(403, { message: "The tracer token may not use this namespace." });
  }
  if (session) return session.namespace_id;

  const known = () => client.from("namespaces");
  await stored(
    known().upsert({ tenant_id, name: namespace }, { onConflict: "tenant_id,name", ignoreDuplicates: true }),
  );
  const { data } = await known().select("id").match({ tenant_id, name: namespace }).single<{ id: number }>();
  const namespace_id = data?.id ?? 0;
  const options = { onConflict: "tenant_id,id", ignoreDuplicates: true };
  await stored(sessions().upsert({ tenant_id, id: session_id, namespace_id }, options));
  return namespace_id;
}

async function stored(writing: PromiseLike<{ error: { message: string } | null }>): Promise<void> {
  const { error } = await writing;
  if (error) throw new HTTPException(500, { message: error.message });
}

async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export default app;
