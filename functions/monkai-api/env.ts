import { z } from "zod";

const Env = z.object({
  SUPABASE_URL: z.url(),
  SUPABASE_SERVICE_ROLE_KEY: z.string().min(1),
});

export type Env = z.infer<typeof Env>;

/** Reads the configuration from what the runtime calls its environment. Throws naming what is missing. */
export function parseEnv(environment: unknown): Env {
  const parsed = Env.safeParse(environment);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`The configuration is incomplete. ${problems.join("; ")}`);
}
