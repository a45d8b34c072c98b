import { createHash } from "node:crypto";
import type postgres from "postgres";
import { newToken } from "./tenant.ts";

/** What a request function is told of who asks, for a tenant of its own. */
export async function newAsker(): Promise<{
  request_id: string;
  token_hash: string;
  bucket: string;
  limit: number;
}> {
  const { token } = await newToken();
  return {
    request_id: "test",
    token_hash: createHash("sha256").update(token).digest("hex"),
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
