import { hex } from "../domain/hash.ts";
import { isObject } from "../domain/json.ts";
import type { UploadedStep } from "../domain/sent-steps.ts";

/** What makes a message another one: itself, what is attached, its own id, and who sent it. */
const SAID = [
  "msg",
  "attachments",
  "wam_id",
  "user_id",
  "user_whatsapp",
  "external_user_id",
  "external_user_channel",
];

/**
 * HMAC-SHA-256 of messages as they were sent, by which repeated ones are known. With a key: who reads the database
 * cannot try out what may have been said before it was redacted.
 */
export class MessageHash {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** The steps with the hashes of their messages. Log entries have none: they are never duplicates. */
  async addTo(steps: UploadedStep[]): Promise<(UploadedStep & { message_hash?: string })[]> {
    const key = await this.#key();
    return Promise.all(
      steps.map(async (step) =>
        step.kind === "message" ? { ...step, message_hash: await hmac(key, said(step)) } : step,
      ),
    );
  }

  /** The steps with hashes in the place of all that they are known by again. */
  async hashFingerprints<Step extends { fingerprint?: string }>(steps: Step[]): Promise<Step[]> {
    if (steps.every(({ fingerprint }) => fingerprint === undefined)) return steps; // as spans are
    const key = await this.#key();
    return Promise.all(
      steps.map(async (step) =>
        step.fingerprint === undefined ? step : { ...step, fingerprint: await hmac(key, step.fingerprint) },
      ),
    );
  }

  #key(): Promise<CryptoKey> {
    const bytes = new TextEncoder().encode(`message ${this.#secret}`);
    return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  }
}

function said({ content }: UploadedStep): unknown[] {
  return SAID.map((name) => content[name] ?? null);
}

async function hmac(key: CryptoKey, message: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(message, inOrder));
  return hex(new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes)));
}

/** The members of objects by name: JSON says nothing of their order. */
function inOrder(_: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
