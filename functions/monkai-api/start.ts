import { createApp } from "./app.ts";
import { parseEnv } from "./env.ts";
import { consoleLog, type Services } from "./services.ts";
import { Store } from "./store/store.ts";

/** The app as it runs in production, from a runtime's environment and its files. Both entries call this. */
export function startApp(
  environment: unknown,
  readAsset: Services["readAsset"],
): ReturnType<typeof createApp> {
  let opened: Store | undefined;
  // Opened by the first request that needs it: an incomplete configuration is then an error that the API can answer.
  const store = () => {
    opened ??= openStore(environment);
    return opened;
  };
  return createApp({
    store: {
      request: (caller) => store().request(caller),
      checkReady: async () => store().checkReady(),
    },
    readAsset,
    now: () => new Date(),
    newId: () => crypto.randomUUID(),
    log: consoleLog,
  });
}

function openStore(environment: unknown): Store {
  const env = parseEnv(environment);
  return new Store(env.SUPABASE_URL, env.SUPABASE_SERVICE_ROLE_KEY, {
    timeoutSeconds: env.DATABASE_TIMEOUT_SECONDS,
    contentKeys: env.CONTENT_KEYS,
  });
}
