import type postgres from "postgres";
import { hashTracerToken, newTracerToken } from "../../functions/monkai-api/domain/tracer-token.ts";
import { waitUntil } from "../../scripts/stack/processes.ts";
import { newToken } from "./tenant.ts";

/** What a request function is told of who asks, for a tenant of its own. */
export async function newCaller(): Promise<{
  request_id: string;
  token_hash: string;
  bucket: string;
  limit: number;
}> {
  const { token } = await newToken();
  return {
    request_id: "test",
    token_hash: await hashTracerToken(token),
    bucket: "traces",
    limit: 600,
  };
}

/** Calls a request function as the store does, each call on a connection of its own. */
export async function callAll(
  sql: postgres.Sql,
  name: string,
  payloads: postgres.JSONValue[],
  // biome-ignore lint/suspicious/noExplicitAny: an envelope is read as it comes
): Promise<any[]> {
  return Promise.all(
    payloads.map(async (payload) => {
      const [row] = await sql`select ${sql(`public.${name}`)}(${sql.json(payload)}) as answer`;
      return row?.answer;
    }),
  );
}

/** Another token of the same tenant: its hash. */
export async function otherToken(
  sql: postgres.Sql,
  { token_hash }: { token_hash: string },
  namespaces: string[] | null = null,
): Promise<string> {
  const other = await hashTracerToken(newTracerToken());
  await sql`
    insert into public.tracer_tokens (tenant_id, token_hash, namespaces)
    select tenant_id, ${other}, ${namespaces} from public.tracer_tokens where token_hash = ${token_hash}`;
  return other;
}

/** Waits until so many calls of the function wait for somebody else's lock. */
export async function waitUntilBlocked(sql: postgres.Sql, name: string, number = 1): Promise<void> {
  const blocked = await waitUntil(async () => {
    const waiting = await sql`
      select from pg_stat_activity
      where wait_event_type = 'Lock' and query like ${`%${name}%`} and pid <> pg_backend_pid()`;
    return waiting.length >= number;
  }, 4_000);
  if (!blocked) throw new Error(`No call of ${name} waits.`);
}

/** The same request from as many tokens of the tenant: they do not meet at the count of one token's requests. */
export async function fromManyTokens<Payload extends { token_hash: string }>(
  sql: postgres.Sql,
  payload: Payload,
  number: number,
): Promise<Payload[]> {
  const hashes = await Promise.all(Array.from({ length: number }, () => otherToken(sql, payload)));
  return hashes.map((token_hash) => ({ ...payload, token_hash }));
}
