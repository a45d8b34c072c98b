import { Command, ROOT } from "./dev.ts";

/** Runs a line of wrangler or of `npm run supabase`, with nobody's account: what it says. */
export async function runTool(line: string, env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await new Command("sh", ["-c", line], {
    PATH: `${ROOT}/node_modules/.bin:${process.env.PATH}`,
    WRANGLER_SEND_METRICS: "false",
    SUPABASE_TELEMETRY_DISABLED: "1",
    SUPABASE_NO_UPDATE_NOTIFIER: "1",
    SUPABASE_ACCESS_TOKEN: `sbp_${"0".repeat(40)}`,
    ...env,
  }).ended;
  if (code !== 0) throw new Error(`${line} ended with ${code}: ${stderr}`);
  return stdout + stderr;
}
