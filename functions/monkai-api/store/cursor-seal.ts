import { decodeBase64Url, encodeBase64Url } from "hono/utils/encode";
import { ApiError } from "../errors.ts";
import type { Position } from "./queries.ts";

const IV_BYTES = 12;

/**
 * Makes a cursor of a position, and a position of a cursor. Encrypted (AES-GCM), so that no client can make one up, use
 * it for another list, or come to rely on what is in it.
 */
export class CursorSeal {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** `list` is what the cursor is good for. */
  async seal(list: string, position: Position): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const plain = new TextEncoder().encode(JSON.stringify(position));
    const sealed = await crypto.subtle.encrypt(cipher(list, iv), await this.#key(), plain);
    const bytes = new Uint8Array(IV_BYTES + sealed.byteLength);
    bytes.set(iv);
    bytes.set(new Uint8Array(sealed), IV_BYTES);
    return encodeBase64Url(bytes.buffer);
  }

  /** Throws invalid_payload for what `seal` did not make, or made for another list. */
  async open(list: string, cursor: string): Promise<Position> {
    try {
      const bytes = decodeBase64Url(cursor);
      const iv = bytes.slice(0, IV_BYTES);
      const plain = await crypto.subtle.decrypt(cipher(list, iv), await this.#key(), bytes.slice(IV_BYTES));
      return JSON.parse(new TextDecoder().decode(plain));
    } catch (cause) {
      const message =
        "The cursor is not one of this list. Send the `next_cursor` of the page before, as it is.";
      throw new ApiError("invalid_payload", message, { cause });
    }
  }

  async #key(): Promise<CryptoKey> {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`cursor ${this.#secret}`));
    return crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]);
  }
}

function cipher(list: string, iv: Uint8Array<ArrayBuffer>) {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(list) };
}
