import { createClient } from "@supabase/supabase-js";

/** A Supabase project, or what stands in for it. */
export interface Project {
  url: string;
  serviceKey: string;
}

/** What an SQL function would not do, and said so. */
export class Refused extends Error {
  readonly code: string;

  constructor({ code, message }: { code: string; message: string }) {
    super(message);
    this.code = code;
  }
}

/** Calls an SQL function of the project with the service key. Throws what it answers when that is an error or a refusal. */
export async function callFunction<Result>(
  { url, serviceKey }: Project,
  name: string,
  payload: object,
): Promise<Result> {
  const client = createClient(url, serviceKey, { auth: { persistSession: false, autoRefreshToken: false } });
  const { data, error, status } = await client.rpc(name, { payload });
  if (error && status === 0) throw new Error(`${url} does not answer: ${error.message}`);
  if (error) throw new Error(`${url} answered: ${error.message}`);
  if (data?.error) throw new Refused(data.error);
  return data as Result;
}
