import { decodeBase64Url } from "hono/utils/encode";
import * as z from "zod";
import { parseContentKeys } from "./domain/content-keys.ts";
import { isObject } from "./domain/json.ts";

const PUBLIC_KEY =
  "this is a project's public key, which may do nothing here: take a secret key (sb_secret_...) or the service_role key.";

const Env = z.object({
  SUPABASE_URL: z.url(),
  SUPABASE_SERVICE_ROLE_KEY: z.string().min(1).refine(isNoPublicKey, PUBLIC_KEY),
  DATABASE_TIMEOUT_SECONDS: z.coerce.number().positive().max(600).default(10),
  CONTENT_KEYS: z.string().transform(contentKeys).optional(),
});

export type Env = z.infer<typeof Env>;

/** Reads the configuration from what the runtime calls its environment. Throws naming what is missing or wrong, and quotes nothing. */
export function parseEnv(environment: unknown): Env {
  const parsed = Env.safeParse(withSecretKey(environment));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`The configuration is incomplete or wrong. ${problems.join("; ")}`);
}

// Supabase gives its Edge Functions the newer secret keys beside the service role key. The latter stays set when a
// project has switched it off, and then opens nothing.
function withSecretKey(environment: unknown): unknown {
  if (!isObject(environment)) return environment;
  const secretKey = defaultKey(environment.SUPABASE_SECRET_KEYS);
  return secretKey ? { ...environment, SUPABASE_SERVICE_ROLE_KEY: secretKey } : environment;
}

// The keys are JSON, by name. Not parsed loudly: the error would quote them.
function defaultKey(keys: unknown): unknown {
  try {
    return JSON.parse(String(keys)).default;
  } catch {
    return undefined;
  }
}

function contentKeys(text: string, context: z.RefinementCtx) {
  try {
    return parseContentKeys(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message, input: undefined });
    return z.NEVER;
  }
}

function isNoPublicKey(key: string): boolean {
  return !key.startsWith("sb_publishable_") && legacyRole(key) !== "anon";
}

// A legacy key is a JWT. It is only read here, not verified: what it opens is the database's to say.
function legacyRole(key: string): unknown {
  try {
    const [, payload = ""] = key.split(".");
    return JSON.parse(new TextDecoder().decode(decodeBase64Url(payload))).role;
  } catch {
    return undefined;
  }
}
