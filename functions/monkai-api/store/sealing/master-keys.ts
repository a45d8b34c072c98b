import { type MasterKey, randomBytes } from "../../domain/content-keys.ts";
import { ApiError } from "../../errors.ts";
import { cipherKey, decrypted, encrypted } from "./cipher.ts";

/** A tenant's data key as the database has it. Without `wrapped` it was forgotten. */
export interface DataKeyRow {
  number: number;
  wrapped: string | null;
  master_key: string | null;
}

/** A data key that is there, in the wrapping of a master key. */
export interface WrappedKey extends DataKeyRow {
  wrapped: string;
  master_key: string;
}

const DATA_KEY_BYTES = 32;

/** The keys of the configuration. They do nothing but wrap data keys, each bound to its tenant and number. */
export class MasterKeys {
  /** Who wraps. */
  readonly first: string;
  readonly #keys: Map<string, Uint8Array<ArrayBuffer>>;

  constructor(keys: [MasterKey, ...MasterKey[]]) {
    this.first = keys[0].id;
    this.#keys = new Map(keys.map(({ id, bytes }) => [id, bytes]));
  }

  newDataKey(tenantId: string, number: number): Promise<WrappedKey> {
    return this.#wrap(tenantId, number, randomBytes(DATA_KEY_BYTES));
  }

  /** The same key in the wrapping of the first master key. */
  async rewrap(tenantId: string, key: WrappedKey): Promise<WrappedKey> {
    return this.#wrap(tenantId, key.number, await this.#unwrap(tenantId, key));
  }

  /** Throws `encryption_error` where the master key is not in the configuration, or is another one than that which wrapped it. */
  async open(tenantId: string, key: WrappedKey): Promise<CryptoKey> {
    return cipherKey(await this.#unwrap(tenantId, key));
  }

  async #wrap(tenantId: string, number: number, bytes: Uint8Array<ArrayBuffer>): Promise<WrappedKey> {
    const wrapped = await encrypted(await this.#cipher(this.first), bound(tenantId, number), bytes);
    return { number, wrapped, master_key: this.first };
  }

  async #unwrap(tenantId: string, { number, wrapped, master_key }: WrappedKey) {
    const cipher = await this.#cipher(master_key);
    try {
      return await decrypted(cipher, bound(tenantId, number), wrapped);
    } catch (cause) {
      const message = `Data key ${number} does not open with the master key ${master_key} of CONTENT_KEYS.`;
      throw new ApiError("encryption_error", message, { cause });
    }
  }

  #cipher(id: string): Promise<CryptoKey> {
    const bytes = this.#keys.get(id);
    if (!bytes) throw new ApiError("encryption_error", `The master key ${id} is missing in CONTENT_KEYS.`);
    return cipherKey(bytes);
  }
}

function bound(tenantId: string, number: number): string {
  return `data key ${tenantId} ${number}`;
}
