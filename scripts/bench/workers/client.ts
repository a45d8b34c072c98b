import { createClient, type SupabaseClient } from "@supabase/supabase-js";

/** What these workers are told: the same as the API. */
export interface Bindings {
  SUPABASE_URL: string;
  SUPABASE_SERVICE_ROLE_KEY: string;
}

let client: SupabaseClient | undefined;

/** One client for the life of the worker, made as the guides of Supabase say for a server. */
export function clientOf({ SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY }: Bindings): SupabaseClient {
  client ??= createClient(SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  return client;
}
