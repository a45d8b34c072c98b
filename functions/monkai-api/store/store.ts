import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { ApiError, type ErrorCode } from "../errors.ts";
import type { RateLimit } from "../rate-limits.ts";
import { CursorSeal } from "./cursor-seal.ts";
import type { LogFilters, LogRow, Page, Paging, QueryPage, RecordFilters, RecordRow } from "./queries.ts";
import type { NamespaceRow, NewSession, SessionRow, WantedSession } from "./sessions.ts";
import type { ItemResult, TraceItem, TraceResult, UploadedItem, ValidItem } from "./traces.ts";

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
  tenant_id?: string;
  token_id?: string;
  rate_limit?: RateLimit;
  /** What went wrong without stopping the request. */
  warnings?: string[];
}

type Answer<Data> = Admission & {
  data?: Data;
  replay?: { request_id: string };
  error?: { code: ErrorCode; message: string; [context: string]: unknown };
};

/** How much an export reads at a time: it holds two pages in memory. */
const EXPORT_PAGE = { limit: 5_000, bytes: 2 * 1024 * 1024 };

/** The database, for the life of an app. Each API request takes a `StoreRequest` of its own. */
export class Store {
  readonly #client: SupabaseClient;
  readonly #cursors: CursorSeal;

  /** `key` is the service role's (or a secret) key. `fetch` only where the runtime's own will not do. */
  constructor(url: string, key: string, fetch?: typeof globalThis.fetch) {
    this.#client = createClient(url, key, {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      global: fetch ? { fetch } : {},
    });
    this.#cursors = new CursorSeal(key);
  }

  request(caller: Caller): StoreRequest {
    return new StoreRequest(this.#client, this.#cursors, caller);
  }
}

/**
 * One API request's only call to the database: each method is one SQL function, one transaction, one round trip. An
 * export makes one for each page.
 * Throws ApiError for what the database refuses, and `internal_error` when it does not answer.
 */
export class StoreRequest {
  readonly #client: SupabaseClient;
  readonly #cursors: CursorSeal;
  readonly #caller: Caller;
  /** Whether this request's round trip was made, whatever came of it. */
  asked = false;
  /** Set once the database has answered. */
  admission: Admission | undefined;
  /** Set when the answer repeats that of an earlier request with the same idempotency key. */
  replay: { request_id: string } | undefined;

  constructor(client: SupabaseClient, cursors: CursorSeal, caller: Caller) {
    this.#client = client;
    this.#cursors = cursors;
    this.#caller = caller;
  }

  /** For a request that was refused before its work: is the token good. SQL: `admit`. */
  async admit(): Promise<void> {
    await this.#call("admit", {});
  }

  createSession(session: NewSession): Promise<SessionRow> {
    return this.#call("create_session", { session });
  }

  getOrCreateSession(session: WantedSession): Promise<SessionRow & { reused: boolean }> {
    return this.#call("get_or_create_session", { session });
  }

  /** Stores all items that are not refused, or none. The results are in the items' order. */
  async recordTraces(items: TraceItem[], idempotency?: Idempotency): Promise<ItemResult[]> {
    const { results } = await this.#call<{ results: ItemResult[] }>("record_traces", { items, idempotency });
    return results;
  }

  /** The same for one item, whose refusal is the request's. */
  async recordTrace<Result extends TraceResult>(
    item: ValidItem<Result>,
    idempotency?: Idempotency,
  ): Promise<Result> {
    const work = { items: [{ index: 0, ...item }], single: true, idempotency };
    const { results } = await this.#call<{ results: [{ result: Result }] }>("record_traces", work);
    return results[0].result;
  }

  registerNamespace(namespace: string): Promise<NamespaceRow> {
    return this.#call("register_namespace", { namespace });
  }

  /** The namespaces that the token may use, by name. */
  async listNamespaces(): Promise<NamespaceRow[]> {
    const { namespaces } = await this.#call<{ namespaces: NamespaceRow[] }>("list_namespaces", {});
    return namespaces;
  }

  /** Stores all items but those that repeat what was stored a minute ago, whose indexes it returns. */
  uploadItems(items: UploadedItem[]): Promise<{ inserted_count: number; duplicates: number[] }> {
    return this.#call("upload_items", { items });
  }

  queryRecords(query: RecordFilters & Paging): Promise<QueryPage<RecordRow>> {
    return this.#query("query_records", query);
  }

  queryLogs(query: LogFilters & Paging): Promise<QueryPage<LogRow>> {
    return this.#query("query_logs", query);
  }

  /** All records that match, newest first, page by page. */
  exportRecords(filters: RecordFilters): AsyncGenerator<RecordRow[]> {
    return this.#export("export_records", filters);
  }

  /** All log entries that match, newest first, page by page. */
  exportLogs(filters: LogFilters): AsyncGenerator<LogRow[]> {
    return this.#export("export_logs", filters);
  }

  async #query<Row>(name: string, { cursor, ...query }: Paging): Promise<QueryPage<Row>> {
    const after = cursor === undefined ? undefined : await this.#cursors.open(name, cursor);
    const page = await this.#call<Page<Row> & { count: number }>(name, { query: { ...query, after } });
    const { rows, count, next } = page;
    return { rows, count, ...(next ? { next_cursor: await this.#cursors.seal(name, next) } : {}) };
  }

  async *#export<Row>(name: string, filters: object): AsyncGenerator<Row[]> {
    let page: Page<Row> | undefined;
    do {
      const query = { ...filters, ...EXPORT_PAGE, after: page?.next ?? undefined };
      page = await this.#call<Page<Row>>(name, { query });
      yield page.rows;
    } while (page.next);
  }

  async #call<Data>(name: string, work: Record<string, unknown>): Promise<Data> {
    const { requestId, tokenHash, bucket, limit } = this.#caller;
    const payload = { request_id: requestId, token_hash: tokenHash, bucket, limit, ...work };
    this.asked = true;
    const { data: answer, error } = await this.#client.rpc(name, { payload });
    if (error) {
      // Not the error's details: they may quote the row, which is what a client said.
      const cause = `${error.code || "no answer"}: ${error.message}`;
      throw new ApiError("internal_error", "The database could not do this. Please try again.", { cause });
    }

    const { data, error: refusal, replay, ...admission } = answer as Answer<Data>;
    this.admission = admission;
    this.replay = replay;
    if (refusal) {
      const { code, message, ...context } = refusal;
      throw new ApiError(code, message, { context });
    }
    return data as Data;
  }
}
