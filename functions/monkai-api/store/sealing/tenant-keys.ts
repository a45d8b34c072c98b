import { ApiError } from "../../errors.ts";
import type { DataKeyRow, MasterKeys, WrappedKey } from "./master-keys.ts";
import type { Seal } from "./seal.ts";
import { cipherSeal } from "./seal.ts";

/** A tenant's data keys as far as an instance knows them. Each is opened when it is needed, once. */
export class TenantKeys {
  readonly tenantId: string;
  readonly rows: DataKeyRow[];
  readonly #masters: MasterKeys;
  readonly #opened = new Map<number, Promise<Seal>>();
  #made: Promise<WrappedKey> | undefined;

  constructor(masters: MasterKeys, tenantId: string, rows: DataKeyRow[]) {
    this.#masters = masters;
    this.tenantId = tenantId;
    this.rows = rows;
  }

  /** The number of the newest one, forgotten or not; 0: there is none. */
  get newest(): number {
    return this.rows.at(-1)?.number ?? 0;
  }

  /** The key to write with. Where the newest one was forgotten, or there is none, one that the database does not have yet. */
  async toWrite(): Promise<{ key: WrappedKey; isNew: boolean }> {
    const last = this.rows.at(-1);
    if (last && isThere(last)) return { key: last, isNew: false };
    this.#made ??= this.#masters.newDataKey(this.tenantId, this.newest + 1);
    return { key: await this.#made, isNew: true };
  }

  /** Throws `encryption_error` for a key that is missing, was forgotten, or does not open. */
  seal(number: number): Promise<Seal> {
    const row = this.rows.find((known) => known.number === number);
    if (!row) throw new ApiError("encryption_error", `Data key ${number} of this tenant is missing.`);
    if (!isThere(row)) {
      const message = `Data key ${number} of this tenant was forgotten. What it encrypted cannot be read any more.`;
      throw new ApiError("encryption_error", message);
    }
    return this.sealWith(row);
  }

  sealWith(key: WrappedKey): Promise<Seal> {
    const opened =
      this.#opened.get(key.number) ??
      this.#masters.open(this.tenantId, key).then((cipher) => cipherSeal(cipher, this.tenantId, key.number));
    this.#opened.set(key.number, opened);
    return opened;
  }
}

function isThere(row: DataKeyRow): row is WrappedKey {
  return row.wrapped !== null;
}
