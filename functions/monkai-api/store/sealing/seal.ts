import { ApiError } from "../../errors.ts";
import { decrypted, encrypted } from "./cipher.ts";

/**
 * What is sealed, as a part of what it opens with: all that a step says, what lists show of it, what a score says, a session's
 * metadata.
 */
export type Sealed = "content" | "summary" | "score" | "metadata";

/** Seals values with one data key of a tenant, and opens them. */
export interface Seal {
  /** The number of the data key, and what was sealed: `1.BASE64`. It opens for the same tenant, use and `id` alone. */
  seal(use: Sealed, id: string, value: unknown): Promise<string>;
  /** Throws `encryption_error` where it was changed, or belongs elsewhere. */
  open(use: Sealed, id: string, sealed: string): Promise<unknown>;
}

export function cipherSeal(key: CryptoKey, tenantId: string, number: number): Seal {
  const bound = (use: Sealed, id: string) => `${use} ${tenantId} ${id}`;
  return {
    async seal(use, id, value) {
      const plain = new TextEncoder().encode(JSON.stringify(value));
      return `${number}.${await encrypted(key, bound(use, id), plain)}`;
    },
    async open(use, id, sealed) {
      try {
        const plain = await decrypted(key, bound(use, id), sealed.slice(sealed.indexOf(".") + 1));
        return JSON.parse(new TextDecoder().decode(plain));
      } catch (cause) {
        const message = `The ${use} of ${id} cannot be decrypted: it was changed, or belongs elsewhere.`;
        throw new ApiError("encryption_error", message, { cause });
      }
    },
  };
}

/** Which data key sealed this. */
export function keyNumberOf(sealed: string): number {
  return Number.parseInt(sealed, 10);
}
