import { createClient, type SupabaseClient } from "@supabase/supabase-js";

/** What is bound to the workers that one would deploy instead of this API. */
export interface Project {
  SUPABASE_URL: string;
  SUPABASE_SERVICE_ROLE_KEY: string;
  TENANT_ID: string;
  NAMESPACE_ID: string;
}

let client: SupabaseClient | undefined;

/** One for all requests of a worker. */
export function clientOf({ SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY }: Project): SupabaseClient {
  client ??= createClient(SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  return client;
}
