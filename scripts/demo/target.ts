import { dataDirName, readState } from "../stack/data-dir.ts";
import { demoToken } from "../stack/demo-token.ts";
import { isAlive } from "../stack/processes.ts";
import type { Target } from "./client.ts";

/** Where to send to. The running `npm run dev` is found by its data folder; its token is sent to nobody else. */
export function findTarget(given: { url?: string; token?: string }): Target {
  const token = given.token || process.env.MONKAI_TRACER_TOKEN;
  if (given.url && token) return { url: checked(given.url), token };
  if (given.url)
    throw new Error(`Which token for ${given.url}? Pass it with --token or in MONKAI_TRACER_TOKEN.`);

  const dataDir = dataDirName();
  const state = readState(dataDir);
  const url = state?.running?.apiUrl;
  if (!state || !url || !isAlive(state.running?.pid ?? 0)) {
    throw new Error(
      `\`npm run dev\` is not running on ${dataDir}. Start it in another terminal, or name the API with --url and --token.`,
    );
  }
  return { url, token: token || demoToken(state.serviceKey) };
}

function checked(url: string): string {
  if (/^https?:\/\/\S+$/.test(url) && URL.canParse(url)) return url.replace(/\/v1\/?$/, "");
  throw new Error(`--url must be an address such as http://127.0.0.1:8787, not "${url}".`);
}
