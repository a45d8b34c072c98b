import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AnonymizationRules } from "../domain/anonymization/anonymizer.ts";
import type { JsonObject } from "../domain/json.ts";
import type { StepRow } from "../domain/step.ts";
import { ApiError, type ErrorCode } from "../errors.ts";
import { type RateLimit, REFILLED } from "../rate-limits.ts";
import type { AnonymizerCache } from "./anonymizer-cache.ts";
import type { CursorSeal } from "./cursor-seal.ts";
import type { MessageHash } from "./message-hash.ts";
import type { Page, QueryPage, Versioned } from "./queries.ts";
import { ContentSeal, type KeysKnown, type Writer } from "./sealing/content-seal.ts";
import type { DataKeyRow } from "./sealing/master-keys.ts";
import { type Item, newChance, sealedScores, sealedSteps } from "./sealing/sealed-items.ts";

/** Which request is asking: what every request function of the database is told. */
export interface Caller {
  requestId: string;
  /** SHA-256 of the tracer token in hex. The token itself goes no further than the middleware. */
  tokenHash: string;
  /** The rate limit bucket of the route, and its default limit. */
  bucket: string;
  limit: number;
}

/** A client's idempotency key, and what it stands for: SHA-256 of the route and the body, in hex. */
export interface Idempotency {
  key: string;
  hash: string;
}

/** What the database says of the caller, with or without the work done. */
export interface Admission {
  /** Absent where the token is not good. */
  tenant_id?: string;
  rate_limit?: RateLimit;
  /** What went wrong without stopping the request. */
  warnings?: string[];
}

export type Answer<Data> = Admission & {
  data?: Data;
  /** Of the data, which is absent where the client has that version. */
  version?: string;
  replay?: { request_id: string };
  error?: { code: ErrorCode; message: string; status?: ContentfulStatusCode; [context: string]: unknown };
  /** Nothing was done: what was sent is not anonymized by these, the tenant's current rules. */
  anonymization?: AnonymizationRules;
  /** The tenant's data keys, where they are not known here. What brings content was not stored then. */
  data_keys?: DataKeyRow[];
};

/** How often what brings content is tried: to learn the rules and keys, and as often as they change at this moment. */
export const MOST_TRIES = 4;

/** What the database gets of items that hold what was said, and what they are sealed with, if they are. */
interface SealedWork {
  work: { items: object[] };
  writer?: Writer;
}

/** How much an export reads at a time. It holds two pages in memory; larger ones are not faster by much. */
const EXPORT_PAGE = { limit: 1_000, bytes: 512 * 1024 };

/** What the requests of an app share. */
export interface Shared {
  /** Calls a SQL function. Throws `internal_error`: 503 while the database is out of order, 500 for a fault of ours. */
  call: (name: string, payload: object | undefined, deadline: AbortSignal) => Promise<JsonObject>;
  /** From now on, the time that a request may take. */
  deadline: () => AbortSignal;
  cursors: CursorSeal;
  messageHash: MessageHash;
  anonymizers: AnonymizerCache;
  keys: KeysKnown;
}

/** How a request asks the database. `StoreRequest` says what. */
export class DatabaseRequest {
  protected readonly shared: Shared;
  protected readonly caller: Caller;
  protected readonly seal: ContentSeal;
  /** Whether this request's round trip was made, whatever came of it. */
  asked = false;
  /** Set once the database has answered. */
  admission: Admission | undefined;
  /** Set when the answer repeats that of an earlier request with the same idempotency key. */
  replay: { request_id: string } | undefined;

  constructor(shared: Shared, caller: Caller) {
    this.shared = shared;
    this.caller = caller;
    this.seal = new ContentSeal(shared.keys, caller.tokenHash, () => this.admit());
  }

  /** For a request that was refused before its work: is the token good. SQL: `admit`. */
  async admit(): Promise<void> {
    await this.call("admit", {});
  }

  protected async versioned<Data>(name: string, query: object, known?: string): Promise<Versioned<Data>> {
    const { version = "", data } = await this.ask<Data>(name, { query, known });
    return { version, data };
  }

  /** A page of a list. Its cursor is good for that list alone. */
  protected async page<Answered extends QueryPage<unknown>>(
    name: string,
    list: string,
    query: { cursor?: string },
  ): Promise<Answered> {
    const { data } = await this.versionedPage<Answered>(name, list, query);
    return data as Answered;
  }

  /** The same of a list whose answers have versions. */
  protected async versionedPage<Answered extends QueryPage<unknown>>(
    name: string,
    list: string,
    { cursor, ...query }: { cursor?: string },
    known?: string,
  ): Promise<Versioned<Answered>> {
    const { cursors } = this.shared;
    const after = cursor === undefined ? undefined : await cursors.open(list, cursor);
    const { version, data } = await this.versioned<Answered & Page<unknown>>(
      name,
      { ...query, after },
      known,
    );
    if (!data) return { version };
    const { next, ...page } = data;
    if (next) page.next_cursor = await cursors.seal(list, next);
    return { version, data: page as unknown as Answered };
  }

  protected async *export<Row extends StepRow>(name: string, filters: object): AsyncGenerator<Row[]> {
    let page: Page<Row> | undefined;
    do {
      const query = { ...filters, ...EXPORT_PAGE, after: page?.next ?? undefined };
      page = await this.call<Page<Row>>(name, { query });
      yield await this.seal.openSteps(page.rows);
    } while (page.next);
  }

  /**
   * The only way in which what steps and scores say reaches the database: anonymized by the rules that the tenant has now, as
   * `items` are then, and sealed with its newest data key, where content is encrypted.
   */
  protected async store<Data, Stored extends object = object>(
    name: string,
    items: Stored[],
    work = {},
  ): Promise<{ data: Data; items: Stored[] }> {
    const { tokenHash } = this.caller;
    const { anonymizers, deadline } = this.shared;
    const end = deadline();
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const { anonymization_version, anonymized } = anonymizers.anonymize(tokenHash, items);
      const sealed = await this.sealed(name, anonymized);
      const answer = await this.ask<Data>(name, { ...work, anonymization_version, ...sealed.work }, end);
      if (!answer.anonymization && !answer.data_keys) {
        if (sealed.writer) this.seal.noteStored(sealed.writer);
        return { data: answer.data as Data, items: anonymized };
      }
      if (answer.anonymization) anonymizers.keep(tokenHash, answer.anonymization);
    }
    throw keysAreChanging();
  }

  /** The items as they are sent to the database: none, as long as the key that they are to be sealed with is not known. */
  protected async sealed(name: string, items: object[]): Promise<SealedWork> {
    if (!this.seal.isOn) return { work: { items } };
    const writer = await this.seal.writer();
    if (!writer) return { work: { items: [] } };
    const chance = newChance();
    const sealed = name === "record_scores" ? sealedScores : sealedSteps;
    try {
      return {
        writer,
        work: { ...writer.work, items: await sealed(writer.seal, chance, items as Item[]) },
      };
    } catch (cause) {
      throw new ApiError("encryption_error", "This could not be encrypted. Nothing was stored.", { cause });
    }
  }

  protected async call<Data>(name: string, work: Record<string, unknown>): Promise<Data> {
    return (await this.ask<Data>(name, work)).data as Data;
  }

  protected async ask<Data>(
    name: string,
    work: Record<string, unknown>,
    deadline = this.shared.deadline(),
  ): Promise<Answer<Data>> {
    const { requestId, tokenHash, bucket, limit } = this.caller;
    const refills = bucket === REFILLED;
    const request = { request_id: requestId, token_hash: tokenHash, bucket, limit, refills };
    const payload = { ...request, ...this.seal.toTell, ...work };
    this.asked = true;
    const answer = (await this.shared.call(name, payload, deadline)) as Answer<Data>;
    const { tenant_id, rate_limit, warnings } = answer;
    this.admission = { tenant_id, rate_limit, warnings };
    this.replay = answer.replay;
    if (answer.data_keys && tenant_id) this.seal.keep(tenant_id, answer.data_keys);
    if (answer.error) {
      const { code, message, status, ...context } = answer.error;
      throw new ApiError(code, message, { status, context });
    }
    return answer;
  }
}

/** An answer with its data opened, where it has any. */
export async function opened<Data>(
  answer: Versioned<Data>,
  open: (data: Data) => Promise<Data>,
): Promise<Versioned<Data>> {
  return answer.data === undefined ? answer : { ...answer, data: await open(answer.data) };
}

export function keysAreChanging(): ApiError {
  return new ApiError(
    "anonymization_error",
    "The anonymization rules or the keys are being changed. Please try again.",
  );
}
