import { createClient } from "@supabase/supabase-js";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AnonymizationRules } from "../domain/anonymization/anonymizer.ts";
import type { MasterKey } from "../domain/content-keys.ts";
import type { JsonObject } from "../domain/json.ts";
import type { OtlpStep } from "../domain/otlp/step.ts";
import type { AnsweredStep, StepAnswer, UploadedStep } from "../domain/sent-steps.ts";
import { type NumberedRow, type StepRow, stepId } from "../domain/step.ts";
import type { TraceRow } from "../domain/trace-tree.ts";
import { ApiError, type ErrorCode } from "../errors.ts";
import { type RateLimit, REFILLED } from "../rate-limits.ts";
import { AnonymizerCache } from "./anonymizer-cache.ts";
import { answerOf } from "./answer.ts";
import { CursorSeal } from "./cursor-seal.ts";
import type { Erasure, Retention, RetentionRules } from "./forgetting.ts";
import { MessageHash } from "./message-hash.ts";
import type { ModelPrice, ModelPrices } from "./model-prices.ts";
import { otlpItems } from "./otlp-items.ts";
import type {
  CountedPage,
  FoundSteps,
  Page,
  Paging,
  QueryPage,
  SkeletonList,
  SkeletonPage,
  SkeletonPaging,
  StepFilters,
  StepList,
  StepSearch,
  TracesQuery,
  Versioned,
} from "./queries.ts";
import { SCHEMA_VERSION } from "./schema-version.ts";
import {
  type NewScore,
  type ScoreItem,
  type ScoreResult,
  type ScoreRow,
  type ScoresQuery,
  type StoredScores,
  scoreItems,
  scoreResults,
  type TriedScore,
} from "./scores.ts";
import { ContentSeal, type KeysKnown, keysKnown, type Writer } from "./sealing/content-seal.ts";
import type { DataKeyRow } from "./sealing/master-keys.ts";
import { type Item, newChance, sealedScores, sealedSteps, sessionOf } from "./sealing/sealed-items.ts";
import type {
  NamespaceRow,
  NewSession,
  SessionPage,
  SessionRow,
  SessionsQuery,
  TokenRow,
  WantedSession,
  WholeSession,
} from "./sessions.ts";
import {
  itemsOf,
  type Refusal,
  resultsOf,
  type StepResult,
  type StoredSteps,
  type TriedStep,
} from "./steps.ts";

import type { Facets, UsageAnswer, UsageQuery } from "./usage.ts";

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

type Answer<Data> = Admission & {
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
const MOST_TRIES = 4;

/** What the database gets of items that hold what was said, and what they are sealed with, if they are. */
interface SealedWork {
  work: { items: object[] };
  writer?: Writer;
}

/** How much an export reads at a time. It holds two pages in memory; larger ones are not faster by much. */
const EXPORT_PAGE = { limit: 1_000, bytes: 512 * 1024 };

/** What the requests of an app share. */
interface Shared {
  /** Calls a SQL function. Throws `internal_error`: 503 while the database is out of order, 500 for a fault of ours. */
  call: (name: string, payload: object | undefined, deadline: AbortSignal) => Promise<JsonObject>;
  /** From now on, the time that a request may take. */
  deadline: () => AbortSignal;
  cursors: CursorSeal;
  messageHash: MessageHash;
  anonymizers: AnonymizerCache;
  keys: KeysKnown;
}

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

/**
 * One API request's only call to the database: each method is one SQL function, one transaction, one round trip. There
 * are two exceptions: an export makes one for each page, and what brings content makes a second one when the tenant's
 * anonymization rules or data keys are not known here yet, or have changed.
 * Throws ApiError for what the database refuses, and `internal_error` when it does not answer.
 */
export class StoreRequest {
  readonly #shared: Shared;
  readonly #caller: Caller;
  readonly #seal: ContentSeal;
  /** Whether this request's round trip was made, whatever came of it. */
  asked = false;
  /** Set once the database has answered. */
  admission: Admission | undefined;
  /** Set when the answer repeats that of an earlier request with the same idempotency key. */
  replay: { request_id: string } | undefined;

  constructor(shared: Shared, caller: Caller) {
    this.#shared = shared;
    this.#caller = caller;
    this.#seal = new ContentSeal(shared.keys, caller.tokenHash);
  }

  /** For a request that was refused before its work: is the token good. SQL: `admit`. */
  async admit(): Promise<void> {
    await this.#call("admit", {});
  }

  createSession(session: NewSession): Promise<SessionRow> {
    return this.#openSession("create_session", session);
  }

  getOrCreateSession(session: WantedSession): Promise<SessionRow & { reused: boolean }> {
    return this.#openSession("get_or_create_session", session);
  }

  async #openSession<Row extends SessionRow>(name: string, session: NewSession): Promise<Row> {
    const end = this.#shared.deadline();
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const { work, writer } = await this.#sealedSession(session);
      const answer = await this.#ask<Row>(name, work, end);
      if (!answer.data) continue; // its metadata is to be encrypted with another key
      if (writer) this.#seal.noteStored(writer);
      const { namespace, user_id, metadata } = answer.data;
      return { ...answer.data, metadata: await this.#seal.openMetadata(metadata, namespace, user_id) };
    }
    throw keysAreChanging();
  }

  /** Metadata that is encrypted is a text. It is an empty one as long as the key is not known. */
  async #sealedSession(session: NewSession): Promise<{ work: { session: object }; writer?: Writer }> {
    const { namespace, user_id, metadata } = session;
    if (!this.#seal.isOn || metadata === undefined) return { work: { session } };
    const writer = await this.#seal.writer();
    if (!writer) return { work: { session: { ...session, metadata: "" } } };
    const sealed = await writer.seal.seal("metadata", sessionOf(namespace, user_id), metadata);
    return { work: { ...writer.work, session: { ...session, metadata: sealed } }, writer };
  }

  /** A page of sessions, the latest activity first. */
  async listSessions(query: SessionsQuery, known?: string): Promise<Versioned<SessionPage>> {
    this.#refuseText(query);
    const page = await this.#versionedPage<SessionPage>("list_sessions", "sessions", query, known);
    return opened(page, async (data) => ({ ...data, rows: await this.#seal.openSessions(data.rows) }));
  }

  async getSession(
    query: { session_id: string; namespace?: string },
    known?: string,
  ): Promise<Versioned<WholeSession>> {
    const session = await this.#versioned<WholeSession>("get_session", query, known);
    return opened(session, async (data) => {
      const [shown = data] = await this.#seal.openSessions([data]);
      if (!Array.isArray(data.metadata)) return shown;
      const [sealed, userId] = data.metadata;
      return { ...shown, metadata: await this.#seal.openMetadata(sealed, data.namespace, userId) };
    });
  }

  getUsage(query: UsageQuery, known?: string): Promise<Versioned<UsageAnswer>> {
    return this.#versioned("get_usage", query, known);
  }

  /** What lists can be filtered by. */
  getFacets(query: { namespace?: string }, known?: string): Promise<Versioned<Facets>> {
    return this.#versioned("get_facets", query, known);
  }

  /** Stores all steps that are not refused, or none. The results are in their order. SQL: `record_steps`. */
  async storeSteps(steps: TriedStep[], idempotency?: Idempotency): Promise<StepResult[]> {
    const { data } = await this.#store<StoredSteps>("record_steps", itemsOf(steps), { idempotency });
    return resultsOf(steps, data);
  }

  /** The same for one step, whose refusal is the request's. */
  async storeStep(step: AnsweredStep, idempotency?: Idempotency): Promise<StepAnswer & { id: string }> {
    const work = { single: true, idempotency };
    const { data } = await this.#store<StoredSteps>("record_steps", itemsOf([step]), work);
    return { ...step.result, id: stepId(data.ids, 0) };
  }

  /** Stores all steps that are not refused, or none; a step that is there already is not stored again. Returns the refusals. */
  async storeOtlp(steps: OtlpStep[]): Promise<Refusal[]> {
    const items = await otlpItems(steps, this.#shared.messageHash);
    return (await this.#store<StoredSteps>("record_steps", items)).data.refused;
  }

  /** Stores all scores that are not refused, or none. The results are in their order. SQL: `record_scores`. */
  async storeScores(scores: TriedScore[], idempotency?: Idempotency): Promise<ScoreResult[]> {
    const work = { idempotency };
    const { items, data } = await this.#store<StoredScores, ScoreItem>(
      "record_scores",
      scoreItems(scores),
      work,
    );
    return scoreResults(scores, items, data);
  }

  /** The same for one score, whose refusal is the request's. */
  async storeScore(score: NewScore, idempotency?: Idempotency): Promise<ScoreRow> {
    const work = { single: true, idempotency };
    const { items, data } = await this.#store<StoredScores, ScoreItem>(
      "record_scores",
      scoreItems([score]),
      work,
    );
    const [stored] = scoreResults([score], items, data);
    return stored?.result as ScoreRow;
  }

  /** A page of the scores that the token may see, newest first. */
  async listScores(query: ScoresQuery, known?: string): Promise<Versioned<QueryPage<ScoreRow>>> {
    const page = await this.#versionedPage<QueryPage<ScoreRow>>("list_scores", "scores", query, known);
    return opened(page, async (data) => ({ ...data, rows: await this.#seal.openScores(data.rows) }));
  }

  /** The score that is gone. */
  deleteScore(score_id: string): Promise<ScoreRow> {
    return this.#call("delete_score", { score_id });
  }

  registerNamespace(namespace: string): Promise<NamespaceRow> {
    return this.#call("register_namespace", { namespace });
  }

  getToken(known?: string): Promise<Versioned<TokenRow>> {
    return this.#versioned("get_token", {}, known);
  }

  /** The namespaces that the token may use, by name. */
  async listNamespaces(): Promise<NamespaceRow[]> {
    const { namespaces } = await this.#call<{ namespaces: NamespaceRow[] }>("list_namespaces", {});
    return namespaces;
  }

  /** Stores all steps but those that repeat what was stored within the last minute, whose indexes it returns. */
  async uploadSteps(steps: UploadedStep[]): Promise<{ inserted_count: number; duplicates: number[] }> {
    const hashed = await this.#shared.messageHash.addTo(steps);
    const items = hashed.map((step, index) => ({ index, ...step }));
    return (await this.#store<{ inserted_count: number; duplicates: number[] }>("upload_steps", items)).data;
  }

  getAnonymizationRules(): Promise<AnonymizationRules> {
    return this.#call("get_anonymization_rules", {});
  }

  /** Refuses when the rules are not at `expected_version` any more. */
  async putAnonymizationRules(
    rules: AnonymizationRules["rules"],
    expected_version?: number,
  ): Promise<AnonymizationRules> {
    const put = await this.#call<AnonymizationRules>("put_anonymization_rules", { rules, expected_version });
    this.#shared.anonymizers.keep(this.#caller.tokenHash, put);
    return put;
  }

  getModelPrices(known?: string): Promise<Versioned<ModelPrices>> {
    return this.#versioned("get_model_prices", {}, known);
  }

  /** Replaces all prices. Refuses when they are not at `expected_version` any more. */
  putModelPrices(prices: ModelPrice[], expected_version?: number): Promise<ModelPrices> {
    return this.#call("put_model_prices", { prices, expected_version });
  }

  /** A page of a list, newest first. */
  async querySteps(list: StepList, query: StepFilters & Paging): Promise<CountedPage<StepRow>> {
    const asked = { list, ...query };
    const page = await this.#page<CountedPage<StepRow>>("query_steps", list, asked);
    return { ...page, rows: await this.#seal.openSteps(page.rows) };
  }

  /** All steps of a list that match, newest first, page by page. */
  exportSteps(list: StepList, filters: StepFilters): AsyncGenerator<StepRow[]> {
    return this.#export("export_steps", { list, ...filters });
  }

  listTraces(query: TracesQuery): Promise<{ traces: TraceRow[]; total: number }> {
    return this.#call("list_traces", { query });
  }

  getTrace(trace_id: string): Promise<TraceRow> {
    return this.#call("get_trace", { trace_id });
  }

  /** All traces of the tree that the trace is in, in order of creation. */
  async getTraceTree(trace_id: string): Promise<TraceRow[]> {
    const { traces } = await this.#call<{ traces: TraceRow[] }>("get_trace_tree", { trace_id });
    return traces;
  }

  /** The steps of a trace or of its tree as they happened. `known`: the versions that the client has. */
  listTraceSteps(
    query: SkeletonPaging & { trace_id: string; scope: "trace" | "tree" },
    known?: string,
  ): Promise<Versioned<SkeletonList>> {
    return this.#skeletons("list_trace_steps", query, known);
  }

  /** The same of a session. */
  listSessionSteps(
    query: SkeletonPaging & { session_id: string; namespace?: string },
    known?: string,
  ): Promise<Versioned<SkeletonList>> {
    return this.#skeletons("list_session_steps", query, known);
  }

  /** The steps with these ids, those that are there. */
  async getSteps(
    query: { ids: string[]; max_bytes: number },
    known?: string,
  ): Promise<Versioned<{ steps: StepRow[] }>> {
    const found = await this.#versioned<{ steps: StepRow[] }>("get_steps", query, known);
    return opened(found, async ({ steps }) => ({
      steps: await this.#seal.openSteps(steps, query.max_bytes),
    }));
  }

  /** A page of the steps that a search finds, newest first. */
  async searchSteps({ cursor, ...query }: StepSearch): Promise<FoundSteps> {
    const { cursors } = this.#shared;
    this.#refuseText(query);
    const after = cursor === undefined ? undefined : await cursors.open("found steps", cursor);
    const { next, searched_until, ...found } = await this.#call<FoundSteps & { next: object | null }>(
      "search_steps",
      { query: { ...query, after } },
    );
    found.steps = await this.#seal.openSkeletons(found.steps);
    if (next) found.next_cursor = await cursors.seal("found steps", next);
    return searched_until ? { ...found, searched_until } : found;
  }

  #refuseText({ text }: { text?: string }): void {
    if (text === undefined || !this.#seal.isOn) return;
    const message =
      "text: what steps say is encrypted here, and the database cannot search in it. Leave it out.";
    throw new ApiError("invalid_payload", message);
  }

  async #skeletons(
    name: string,
    { cursor, after: since, ...query }: SkeletonPaging,
    known?: string,
  ): Promise<Versioned<SkeletonList>> {
    const { cursors } = this.#shared;
    const after = cursor === undefined ? undefined : await cursors.open(name, cursor);
    const seen =
      since === undefined ? undefined : await cursors.open<{ fold: number }>("folds", since, "watermark");
    const wanted = { ...query, after, since: seen?.fold };
    const { version, data } = await this.#versioned<SkeletonPage>(name, wanted, known);
    if (!data) return { version };
    const { next, ...page } = data;
    const next_cursor = next ? { next_cursor: await cursors.seal(name, next) } : {};
    const watermark = await cursors.seal("folds", { fold: page.watermark });
    const steps = await this.#seal.openSkeletons(page.steps);
    return { version, data: { ...page, steps, ...next_cursor, watermark } };
  }

  async #versioned<Data>(name: string, query: object, known?: string): Promise<Versioned<Data>> {
    const { version = "", data } = await this.#ask<Data>(name, { query, known });
    return { version, data };
  }

  /** Takes away what was said in the trace and in all below it. */
  purgeTraceContent(trace_id: string): Promise<TraceRow> {
    return this.#call("purge_trace_content", { trace_id });
  }

  /** All that is left of the session are figures. */
  eraseSession(session_id: string): Promise<Erasure> {
    return this.#call("erase_session", { session_id });
  }

  /** All that is left of the user are figures. */
  eraseUser(user_id: string): Promise<Erasure> {
    return this.#call("erase_user", { user_id });
  }

  getRetention(): Promise<Retention> {
    return this.#call("get_retention", {});
  }

  /** Refuses when it is not at `expected_version` any more. */
  putRetention(rules: RetentionRules, expected_version?: number): Promise<Retention> {
    return this.#call("put_retention", { rules, expected_version });
  }

  /** The trace whose steps are in the file. */
  getFile(file_id: string): Promise<TraceRow> {
    return this.#call("get_file", { file_id });
  }

  /** The steps in the file, in order, page by page. */
  exportFile(file_id: string): AsyncGenerator<NumberedRow[]> {
    return this.#export("export_file", { file_id });
  }

  /** A page of a list. Its cursor is good for that list alone. */
  async #page<Answered extends QueryPage<unknown>>(
    name: string,
    list: string,
    query: { cursor?: string },
  ): Promise<Answered> {
    const { data } = await this.#versionedPage<Answered>(name, list, query);
    return data as Answered;
  }

  /** The same of a list whose answers have versions. */
  async #versionedPage<Answered extends QueryPage<unknown>>(
    name: string,
    list: string,
    { cursor, ...query }: { cursor?: string },
    known?: string,
  ): Promise<Versioned<Answered>> {
    const { cursors } = this.#shared;
    const after = cursor === undefined ? undefined : await cursors.open(list, cursor);
    const { version, data } = await this.#versioned<Answered & Page<unknown>>(
      name,
      { ...query, after },
      known,
    );
    if (!data) return { version };
    const { next, ...page } = data;
    if (next) page.next_cursor = await cursors.seal(list, next);
    return { version, data: page as unknown as Answered };
  }

  async *#export<Row extends StepRow>(name: string, filters: object): AsyncGenerator<Row[]> {
    let page: Page<Row> | undefined;
    do {
      const query = { ...filters, ...EXPORT_PAGE, after: page?.next ?? undefined };
      page = await this.#call<Page<Row>>(name, { query });
      yield await this.#seal.openSteps(page.rows);
    } while (page.next);
  }

  /**
   * The only way in which what steps and scores say reaches the database: anonymized by the rules that the tenant has now, as
   * `items` are then, and sealed with its newest data key, where content is encrypted.
   */
  async #store<Data, Stored extends object = object>(
    name: string,
    items: Stored[],
    work = {},
  ): Promise<{ data: Data; items: Stored[] }> {
    const { tokenHash } = this.#caller;
    const { anonymizers, deadline } = this.#shared;
    const end = deadline();
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const { anonymization_version, anonymized } = anonymizers.anonymize(tokenHash, items);
      const sealed = await this.#sealed(name, anonymized);
      const answer = await this.#ask<Data>(name, { ...work, anonymization_version, ...sealed.work }, end);
      if (!answer.anonymization && !answer.data_keys) {
        if (sealed.writer) this.#seal.noteStored(sealed.writer);
        return { data: answer.data as Data, items: anonymized };
      }
      if (answer.anonymization) anonymizers.keep(tokenHash, answer.anonymization);
    }
    throw keysAreChanging();
  }

  /** The items as they are sent to the database: none, as long as the key that they are to be sealed with is not known. */
  async #sealed(name: string, items: object[]): Promise<SealedWork> {
    if (!this.#seal.isOn) return { work: { items } };
    const writer = await this.#seal.writer();
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

  async #call<Data>(name: string, work: Record<string, unknown>): Promise<Data> {
    return (await this.#ask<Data>(name, work)).data as Data;
  }

  async #ask<Data>(
    name: string,
    work: Record<string, unknown>,
    deadline = this.#shared.deadline(),
  ): Promise<Answer<Data>> {
    const { requestId, tokenHash, bucket, limit } = this.#caller;
    const refills = bucket === REFILLED;
    const request = { request_id: requestId, token_hash: tokenHash, bucket, limit, refills };
    const payload = { ...request, ...this.#seal.toTell, ...work };
    this.asked = true;
    const answer = (await this.#shared.call(name, payload, deadline)) as Answer<Data>;
    const { tenant_id, rate_limit, warnings } = answer;
    this.admission = { tenant_id, rate_limit, warnings };
    this.replay = answer.replay;
    if (answer.data_keys && tenant_id) this.#seal.keep(tenant_id, answer.data_keys);
    if (answer.error) {
      const { code, message, status, ...context } = answer.error;
      throw new ApiError(code, message, { status, context });
    }
    return answer;
  }
}

/** An answer with its data opened, where it has any. */
async function opened<Data>(
  answer: Versioned<Data>,
  open: (data: Data) => Promise<Data>,
): Promise<Versioned<Data>> {
  return answer.data === undefined ? answer : { ...answer, data: await open(answer.data) };
}

function keysAreChanging(): ApiError {
  return new ApiError(
    "anonymization_error",
    "The anonymization rules or the keys are being changed. Please try again.",
  );
}
