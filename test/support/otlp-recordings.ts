import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const FOLDER = new URL("../otlp/recordings/", import.meta.url);

/** A request as a client sent it. */
export interface RecordedRequest {
  path: string;
  headers: Record<string, string>;
  /** As it came, gzip included. */
  sent: Uint8Array;
  /** Inflated. */
  body: Uint8Array;
}

/** What the client did while it was recorded, as far as it can tell. */
export interface Expected {
  ns: string;
  session: string | null;
  mark: string;
  llm: {
    model: string;
    input: number;
    output: number;
    cached?: number;
    provider?: string;
    error?: boolean;
  }[];
  tools: { name: string; arguments?: unknown; result?: unknown; error?: boolean }[];
  agents: string[];
  handoffs?: [from: string, to: string][];
  logs?: { level?: string; has: string }[];
  noContent?: boolean;
  looseAgents?: boolean;
}

export const RECORDINGS = readdirSync(FOLDER).sort();

export function expectedOf(recording: string): Expected {
  return JSON.parse(read(`${recording}/expect.json`).toString());
}

/** Its requests, in the order in which they came. */
export function requestsOf(recording: string): RecordedRequest[] {
  const names = readdirSync(new URL(`${recording}/`, FOLDER)).filter((name) => name.startsWith("request-"));
  return names.sort().map((name) => {
    const { path, headers, body } = JSON.parse(read(`${recording}/${name}`).toString());
    const sent = read(`${recording}/${body}`);
    const isPacked = headers["content-encoding"] === "gzip";
    return { path, headers, sent, body: isPacked ? gunzipSync(sent) : sent };
  });
}

function read(path: string): Buffer {
  return readFileSync(new URL(path, FOLDER));
}
