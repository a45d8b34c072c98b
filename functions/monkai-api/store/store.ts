import { createClient } from "@supabase/supabase-js";
import type { MasterKey } from "../domain/content-keys.ts";
import { ApiError } from "../errors.ts";
import { AnonymizerCache } from "./anonymizer-cache.ts";
import { answerOf } from "./answer.ts";
import { CursorSeal } from "./cursor-seal.ts";
import type { Caller, Shared } from "./database-request.ts";
import { MessageHash } from "./message-hash.ts";
import { SCHEMA_VERSION } from "./schema-version.ts";
import { keysKnown } from "./sealing/content-seal.ts";
import { StoreRequest } from "./store-request.ts";

interface StoreOptions {
  timeoutSeconds?: number;
  /** Only where the runtime's own will not do. */
  fetch?: typeof globalThis.fetch;
  /** The master keys of content, the first one writes. Without any, nothing is encrypted. */
  contentKeys?: [MasterKey, ...MasterKey[]];
}

/** The database, for the life of an app. Each API request takes a `StoreRequest` of its own. */
export class Store {
  readonly #shared: Shared;

  /** `key` is the service role's, or a secret one. */
  constructor(url: string, key: string, { timeoutSeconds = 10, fetch, contentKeys }: StoreOptions = {}) {
    const client = createClient(url, key, {
      // Nobody signs in here: without this, every call asks for a session first.
      accessToken: async () => key,
      global: fetch ? { fetch } : {},
    });
    this.#shared = {
      call: async (name, payload, deadline) =>
        answerOf(await client.rpc(name, payload && { payload }).abortSignal(deadline)),
      deadline: () => AbortSignal.timeout(timeoutSeconds * 1000),
      cursors: new CursorSeal(key),
      messageHash: new MessageHash(key),
      anonymizers: new AnonymizerCache(),
      keys: keysKnown(contentKeys),
    };
  }

  request(caller: Caller): StoreRequest {
    return new StoreRequest(this.#shared, caller);
  }

  /** Throws `internal_error` with status 503 when the database cannot do this API's work. SQL: `check_ready`. */
  async checkReady(): Promise<void> {
    const { call, deadline } = this.#shared;
    const { schema_version } = await call("check_ready", undefined, deadline());
    if (Number(schema_version) >= SCHEMA_VERSION) return;
    const message = "The database lacks this API's newest migrations. Run `supabase db push`.";
    throw new ApiError("internal_error", message, { status: 503 });
  }
}
