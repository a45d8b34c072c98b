import { createApp } from "./app.ts";
import { parseEnv } from "./env.ts";
import { consoleLog } from "./services.ts";
import { Store } from "./store/store.ts";

/** The app as it runs in production, from a runtime's environment. Both entries call this. */
export function startApp(environment: unknown): ReturnType<typeof createApp> {
  const env = parseEnv(environment);
  return createApp({
    store: new Store(env.SUPABASE_URL, env.SUPABASE_SERVICE_ROLE_KEY),
    now: () => new Date(),
    newId: () => crypto.randomUUID(),
    log: consoleLog,
  });
}
