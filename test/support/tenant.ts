import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@supabase/supabase-js";
import { inject } from "vitest";
import { hashTracerToken, newTracerToken } from "../../functions/monkai-api/domain/tracer-token.ts";

/** What a scenario talks to: some runtime's API. */
export type Api = (path: string, init?: RequestInit) => Promise<Response>;

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a scenario reads answers as any client would, and asserts what it finds
  body: any;
}

interface TokenOptions {
  tenant?: string;
  namespaces?: string[];
  scope?: "all" | "read";
  expires_at?: string;
}

const service = () =>
  createClient(inject("restUrl"), inject("serviceKey"), {
    auth: { persistSession: false, autoRefreshToken: false },
  });

/** Registers a new tracer token; of a tenant of its own, unless one is named. */
export async function newToken(
  options: TokenOptions = {},
): Promise<{ token: string; tenant: string; id: string }> {
  const token = newTracerToken();
  const tenant = options.tenant ?? `tenant-${crypto.randomUUID()}`;
  const { data, error } = await service().rpc("create_tracer_token", {
    payload: {
      name: "test",
      namespaces: null,
      expires_at: null,
      ...options,
      tenant,
      token_hash: await hashTracerToken(token),
    },
  });
  if (error) throw new Error(error.message);
  return { token, tenant, id: data.id };
}

export async function revokeToken(id: string): Promise<void> {
  const { error } = await service().rpc("revoke_tracer_token", { payload: { id } });
  if (error) throw new Error(error.message);
}

async function updateTenant(tenant: string, columns: Record<string, unknown>): Promise<void> {
  const { error } = await service().from("tenants").update(columns).eq("name", tenant);
  if (error) throw new Error(error.message);
}

/** Waits for the next minute when this one ends within so many milliseconds: counts of requests begin anew then. */
export async function withinOneMinute(milliseconds: number): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < milliseconds) await sleep(left + 100);
}

/** Overrides the limits of all tokens of a tenant, as docs/operations.md says. */
export function limitTenant(tenant: string, rate_limits: Record<string, number>): Promise<void> {
  return updateTenant(tenant, { rate_limits });
}

/** Sets a tenant to registered namespaces only, as docs/operations.md says. */
export function requireRegistration(tenant: string): Promise<void> {
  return updateTenant(tenant, { registered_namespaces_only: true });
}

/** Puts anonymization rules behind the API's back, as no client can: without validation. */
export async function forceRules(tenant: string, rules: object): Promise<void> {
  const { data } = await service().from("tenants").select("id").eq("name", tenant).single();
  const { error } = await service().from("anonymization_rules").insert({ tenant_id: data?.id, rules });
  if (error) throw new Error(error.message);
}

/** Overrides the limits of one token. */
export async function limitToken(id: string, rate_limits: Record<string, number>): Promise<void> {
  const { error } = await service().from("tracer_tokens").update({ rate_limits }).eq("id", id);
  if (error) throw new Error(error.message);
}

/** Lets time go by for a session: its last activity is that many seconds further back. */
export async function ageSession(client: Client, sessionId: string, seconds: number): Promise<void> {
  const { data: tenant } = await service().from("tenants").select("id").eq("name", client.tenant).single();
  const session = service()
    .from("sessions")
    .select("last_activity_at")
    .eq("tenant_id", tenant?.id)
    .eq("id", sessionId);
  const { data } = await session.single();
  const last_activity_at = new Date(Date.parse(data?.last_activity_at) - seconds * 1000).toISOString();
  const { error } = await service()
    .from("sessions")
    .update({ last_activity_at })
    .eq("tenant_id", tenant?.id)
    .eq("id", sessionId);
  if (error) throw new Error(error.message);
}

/** A client of one token: `post` sends JSON (a string goes as it is) and reads JSON. */
export class Client {
  readonly token: string;
  readonly tenant: string;
  readonly tokenId: string;
  readonly #api: Api;

  constructor(api: Api, token: string, tenant = "", tokenId = "") {
    this.#api = api;
    this.token = token;
    this.tenant = tenant;
    this.tokenId = tokenId;
  }

  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return answered(await this.send(path, body, { headers }));
  }

  async put(path: string, body: unknown): Promise<Answer> {
    return answered(await this.send(path, body, { method: "PUT" }));
  }

  /** With the token. */
  async get(path: string): Promise<Answer> {
    return answered(await this.#api(path, { headers: { Authorization: `Bearer ${this.token}` } }));
  }

  async request(path: string, init?: RequestInit): Promise<Answer> {
    return answered(await this.#api(path, init));
  }

  /** JSON to a path, by POST unless said otherwise, with the token: the response as it comes. */
  send(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    const token = { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" };
    return this.#api(path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...init,
      headers: { ...token, ...(init.headers as Record<string, string>) },
    });
  }
}

async function answered(response: Response): Promise<Answer> {
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? undefined : JSON.parse(text),
  };
}

/** A client with a tenant of its own: no test sees another's data. */
export async function newClient(api: Api, options: TokenOptions = {}): Promise<Client> {
  const { token, tenant, id } = await newToken(options);
  return new Client(api, token, tenant, id);
}
