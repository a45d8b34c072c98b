import { setTimeout as sleep } from "node:timers/promises";

export interface Target {
  url: string;
  token: string;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are read as any client would
type Json = any;

/** An answer of 400 or more. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Talks to the API as any client would: with its token, and patient where it is told to wait. */
export class ApiClient {
  readonly url: string;
  readonly #token: string;

  constructor({ url, token }: Target) {
    this.url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  get(path: string): Promise<Json> {
    return this.#send("GET", path);
  }

  delete(path: string): Promise<Json> {
    return this.#send("DELETE", path);
  }

  /** `key`: where the server knows it, nothing is stored, and what was answered then comes back. */
  post(path: string, body: object, key?: string): Promise<Json> {
    return this.#send("POST", path, JSON.stringify(body), key ? { "Idempotency-Key": key } : {});
  }

  /** Whether a page is there, token or not. */
  async has(path: string): Promise<boolean> {
    const response = await this.#fetch(path, {});
    await response.body?.cancel();
    return response.status === 200;
  }

  async #send(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<Json> {
    const response = await this.#fetch(path, {
      method,
      body,
      headers: { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json", ...headers },
    });
    const text = await response.text();
    if (response.status === 429) {
      const seconds = Number(response.headers.get("Retry-After")) || 1;
      console.error(`Too many requests for one minute: waiting for ${seconds} s, as the API asks.`);
      await sleep(seconds * 1000);
      return this.#send(method, path, body, headers);
    }
    if (!response.ok)
      throw new Refusal(response.status, `${method} ${this.url}${path}: ${reasonOf(response, text)}`);
    return JSON.parse(text);
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.url}${path}`, init);
    } catch {
      throw new Error(
        `Nothing answers at ${this.url}. Start \`npm run dev\` in another terminal, or name another address with --url.`,
      );
    }
  }
}

const ANOTHER_VERSION =
  "another version of this demo has been sent there today. Come back tomorrow (in UTC), or send it to another tenant or DATA_DIR.";

function reasonOf({ status }: Response, text: string): string {
  if (status === 401) {
    return "this token is not known there. Pass the one that `npm run dev` prints, with --token or in MONKAI_TRACER_TOKEN.";
  }
  try {
    const { error } = JSON.parse(text);
    if (error.code === "idempotency_key_conflict") return ANOTHER_VERSION;
    return `${status} ${error.code}: ${error.message}`;
  } catch {
    return `${status} ${text.slice(0, 200)}`;
  }
}
