import { gzipSync } from "node:zlib";
import { longBatches } from "../../test/viewer/support/long-run.ts";
import { post } from "./agents.ts";
import { foldEverything } from "./schedule.ts";
import { newTenant, type Stack } from "./stack.ts";

/** Two sessions of one tenant, and who may look at them. */
export interface Runs {
  url: string;
  token: string;
  /** The id of a session of 10,000 steps at 300 levels. */
  long: string;
  /** Of one of 100 steps. */
  short: string;
}

const SIZES = { long: { steps: 10_000, levels: 300 }, short: { steps: 100, levels: 3 } };

export async function sendRuns(stack: Stack): Promise<Runs> {
  const { tokens } = await newTenant(stack, "viewer", 1);
  const [token = ""] = tokens;
  for (const [session, size] of Object.entries(SIZES)) {
    for (const traces of longBatches(session, size)) {
      await post(`${stack.url}/v1/traces/batch`, token, { traces });
    }
  }
  // Who looks first would wait for it, or be told to.
  await foldEverything(stack.sql);
  return { url: stack.url, token, long: "long", short: "short" };
}

/** What the skeletons of the long session take, page by page, as gzip. */
export async function skeletonBytes({ url, token, long }: Runs): Promise<number> {
  let bytes = 0;
  let cursor = "";
  do {
    const query = new URLSearchParams({ limit: "5000", ...(cursor && { cursor }) });
    const response = await fetch(`${url}/v1/sessions/${long}/steps?${query}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The API answered ${response.status}: ${text.slice(0, 300)}`);
    bytes += gzipSync(text).length;
    cursor = (JSON.parse(text) as { next_cursor?: string }).next_cursor ?? "";
  } while (cursor);
  return bytes;
}
