import { decodeBase64Url, encodeBase64Url } from "hono/utils/encode";
import { ApiError } from "../errors.ts";
import type { Position } from "./queries.ts";

const IV_BYTES = 12;

/** What was sealed, as those call it who send it back. */
type Sealed = "cursor" | "watermark";

const SENT_BACK = { cursor: "the `next_cursor` of the page before", watermark: "a `watermark`" };

/**
 * Makes a cursor of a position, and a position of a cursor. Encrypted (AES-GCM), so that no client can make one up, use
 * it for another list, or come to rely on what is in it. The same position makes the same cursor: where nothing has
 * changed, the answer is the same.
 */
export class CursorSeal {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** `list` is what the cursor is good for. */
  async seal(list: string, position: object): Promise<string> {
    const text = JSON.stringify(position);
    const plain = new TextEncoder().encode(text);
    const iv = (await this.#hash(`iv ${list} ${text}`)).slice(0, IV_BYTES);
    const sealed = await crypto.subtle.encrypt(cipher(list, iv), await this.#key(), plain);
    const bytes = new Uint8Array(IV_BYTES + sealed.byteLength);
    bytes.set(iv);
    bytes.set(new Uint8Array(sealed), IV_BYTES);
    return encodeBase64Url(bytes.buffer);
  }

  /** Throws invalid_payload for what `seal` did not make, or made for another list. */
  async open<Opened = Position>(list: string, cursor: string, sealed: Sealed = "cursor"): Promise<Opened> {
    try {
      const bytes = decodeBase64Url(cursor);
      const iv = bytes.slice(0, IV_BYTES);
      const plain = await crypto.subtle.decrypt(cipher(list, iv), await this.#key(), bytes.slice(IV_BYTES));
      return JSON.parse(new TextDecoder().decode(plain));
    } catch (cause) {
      const message = `The ${sealed} is not one of this list. Send ${SENT_BACK[sealed]}, as it is.`;
      throw new ApiError("invalid_payload", message, { cause });
    }
  }

  async #key(): Promise<CryptoKey> {
    return crypto.subtle.importKey("raw", await this.#hash("cursor"), "AES-GCM", false, [
      "encrypt",
      "decrypt",
    ]);
  }

  /** Nobody can make it without the secret. */
  async #hash(purpose: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new TextEncoder().encode(`${purpose} ${this.#secret}`);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  }
}

function cipher(list: string, iv: Uint8Array<ArrayBuffer>) {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(list) };
}
