import type { AnonymizationRules } from "../domain/anonymization/anonymizer.ts";
import type { OtlpStep } from "../domain/otlp/step.ts";
import type { AnsweredStep, StepAnswer, UploadedStep } from "../domain/sent-steps.ts";
import { type NumberedRow, type StepRow, stepId } from "../domain/step.ts";
import type { TraceRow } from "../domain/trace-tree.ts";
import { ApiError } from "../errors.ts";
import {
  DatabaseRequest,
  type Idempotency,
  keysAreChanging,
  MOST_TRIES,
  opened,
} from "./database-request.ts";
import type { Erasure, Retention, RetentionRules } from "./forgetting.ts";
import type { ModelPrice, ModelPrices } from "./model-prices.ts";
import { otlpItems } from "./otlp-items.ts";
import type {
  CountedPage,
  FoundSteps,
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
import type { Writer } from "./sealing/content-seal.ts";
import { sessionOf } from "./sealing/sealed-items.ts";
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

/**
 * One API request's only call to the database: each method is one SQL function, one transaction, one round trip. There
 * are three exceptions: an export makes one for each page, what brings content makes a second one when the tenant's
 * anonymization rules or data keys are not known here yet, or have changed, and a read does when the data key is newer than it is.
 * Throws ApiError for what the database refuses, and `internal_error` when it does not answer.
 */
export class StoreRequest extends DatabaseRequest {
  createSession(session: NewSession): Promise<SessionRow> {
    return this.openSession("create_session", session);
  }

  getOrCreateSession(session: WantedSession): Promise<SessionRow & { reused: boolean }> {
    return this.openSession("get_or_create_session", session);
  }

  protected async openSession<Row extends SessionRow>(name: string, session: NewSession): Promise<Row> {
    const end = this.shared.deadline();
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const { work, writer } = await this.sealedSession(session);
      const answer = await this.ask<Row>(name, work, end);
      if (!answer.data) continue; // its metadata is to be encrypted with another key
      if (writer) this.seal.noteStored(writer);
      const { namespace, user_id, metadata } = answer.data;
      return { ...answer.data, metadata: await this.seal.openMetadata(metadata, namespace, user_id) };
    }
    throw keysAreChanging();
  }

  /** Metadata that is encrypted is a text. It is an empty one as long as the key is not known. */
  protected async sealedSession(
    session: NewSession,
  ): Promise<{ work: { session: object }; writer?: Writer }> {
    const { namespace, user_id, metadata } = session;
    if (!this.seal.isOn || metadata === undefined) return { work: { session } };
    const writer = await this.seal.writer();
    if (!writer) return { work: { session: { ...session, metadata: "" } } };
    const sealed = await writer.seal.seal("metadata", sessionOf(namespace, user_id), metadata);
    return { work: { ...writer.work, session: { ...session, metadata: sealed } }, writer };
  }

  /** A page of sessions, the latest activity first. */
  async listSessions(query: SessionsQuery, known?: string): Promise<Versioned<SessionPage>> {
    this.refuseText(query);
    const page = await this.versionedPage<SessionPage>("list_sessions", "sessions", query, known);
    return opened(page, async (data) => ({ ...data, rows: await this.seal.openSessions(data.rows) }));
  }

  async getSession(
    query: { session_id: string; namespace?: string },
    known?: string,
  ): Promise<Versioned<WholeSession>> {
    const session = await this.versioned<WholeSession>("get_session", query, known);
    return opened(session, async (data) => {
      const [shown = data] = await this.seal.openSessions([data]);
      if (!Array.isArray(data.metadata)) return shown;
      const [sealed, userId] = data.metadata;
      return { ...shown, metadata: await this.seal.openMetadata(sealed, data.namespace, userId) };
    });
  }

  getUsage(query: UsageQuery, known?: string): Promise<Versioned<UsageAnswer>> {
    return this.versioned("get_usage", query, known);
  }

  /** What lists can be filtered by. */
  getFacets(query: { namespace?: string }, known?: string): Promise<Versioned<Facets>> {
    return this.versioned("get_facets", query, known);
  }

  /** Stores all steps that are not refused, or none. The results are in their order. SQL: `record_steps`. */
  async storeSteps(steps: TriedStep[], idempotency?: Idempotency): Promise<StepResult[]> {
    const { data } = await this.store<StoredSteps>("record_steps", itemsOf(steps), { idempotency });
    return resultsOf(steps, data);
  }

  /** The same for one step, whose refusal is the request's. */
  async storeStep(step: AnsweredStep, idempotency?: Idempotency): Promise<StepAnswer & { id: string }> {
    const work = { single: true, idempotency };
    const { data } = await this.store<StoredSteps>("record_steps", itemsOf([step]), work);
    return { ...step.result, id: stepId(data.ids, 0) };
  }

  /** Stores all steps that are not refused, or none; a step that is there already is not stored again. Returns the refusals. */
  async storeOtlp(steps: OtlpStep[]): Promise<Refusal[]> {
    const items = await otlpItems(steps, this.shared.messageHash);
    return (await this.store<StoredSteps>("record_steps", items)).data.refused;
  }

  /** Stores all scores that are not refused, or none. The results are in their order. SQL: `record_scores`. */
  async storeScores(scores: TriedScore[], idempotency?: Idempotency): Promise<ScoreResult[]> {
    const work = { idempotency };
    const { items, data } = await this.store<StoredScores, ScoreItem>(
      "record_scores",
      scoreItems(scores),
      work,
    );
    return scoreResults(scores, items, data);
  }

  /** The same for one score, whose refusal is the request's. */
  async storeScore(score: NewScore, idempotency?: Idempotency): Promise<ScoreRow> {
    const work = { single: true, idempotency };
    const { items, data } = await this.store<StoredScores, ScoreItem>(
      "record_scores",
      scoreItems([score]),
      work,
    );
    const [stored] = scoreResults([score], items, data);
    return stored?.result as ScoreRow;
  }

  /** A page of the scores that the token may see, newest first. */
  async listScores(query: ScoresQuery, known?: string): Promise<Versioned<QueryPage<ScoreRow>>> {
    const page = await this.versionedPage<QueryPage<ScoreRow>>("list_scores", "scores", query, known);
    return opened(page, async (data) => ({ ...data, rows: await this.seal.openScores(data.rows) }));
  }

  /** The score that is gone. */
  async deleteScore(score_id: string): Promise<ScoreRow> {
    const gone = await this.call<ScoreRow>("delete_score", { score_id });
    const [score = gone] = await this.seal.openScores([gone], { orNothing: true });
    return score;
  }

  registerNamespace(namespace: string): Promise<NamespaceRow> {
    return this.call("register_namespace", { namespace });
  }

  getToken(known?: string): Promise<Versioned<TokenRow>> {
    return this.versioned("get_token", {}, known);
  }

  /** The namespaces that the token may use, by name. */
  async listNamespaces(): Promise<NamespaceRow[]> {
    const { namespaces } = await this.call<{ namespaces: NamespaceRow[] }>("list_namespaces", {});
    return namespaces;
  }

  /** Stores all steps but those that repeat what was stored within the last minute, whose indexes it returns. */
  async uploadSteps(steps: UploadedStep[]): Promise<{ inserted_count: number; duplicates: number[] }> {
    const hashed = await this.shared.messageHash.addTo(steps);
    const items = hashed.map((step, index) => ({ index, ...step }));
    return (await this.store<{ inserted_count: number; duplicates: number[] }>("upload_steps", items)).data;
  }

  getAnonymizationRules(): Promise<AnonymizationRules> {
    return this.call("get_anonymization_rules", {});
  }

  /** Refuses when the rules are not at `expected_version` any more. */
  async putAnonymizationRules(
    rules: AnonymizationRules["rules"],
    expected_version?: number,
  ): Promise<AnonymizationRules> {
    const put = await this.call<AnonymizationRules>("put_anonymization_rules", { rules, expected_version });
    this.shared.anonymizers.keep(this.caller.tokenHash, put);
    return put;
  }

  getModelPrices(known?: string): Promise<Versioned<ModelPrices>> {
    return this.versioned("get_model_prices", {}, known);
  }

  /** Replaces all prices. Refuses when they are not at `expected_version` any more. */
  putModelPrices(prices: ModelPrice[], expected_version?: number): Promise<ModelPrices> {
    return this.call("put_model_prices", { prices, expected_version });
  }

  /** A page of a list, newest first. */
  async querySteps(list: StepList, query: StepFilters & Paging): Promise<CountedPage<StepRow>> {
    const asked = { list, ...query };
    const page = await this.page<CountedPage<StepRow>>("query_steps", list, asked);
    return { ...page, rows: await this.seal.openSteps(page.rows) };
  }

  /** All steps of a list that match, newest first, page by page. */
  exportSteps(list: StepList, filters: StepFilters): AsyncGenerator<StepRow[]> {
    return this.export("export_steps", { list, ...filters });
  }

  listTraces(query: TracesQuery): Promise<{ traces: TraceRow[]; total: number }> {
    return this.call("list_traces", { query });
  }

  getTrace(trace_id: string): Promise<TraceRow> {
    return this.call("get_trace", { trace_id });
  }

  /** All traces of the tree that the trace is in, in order of creation. */
  async getTraceTree(trace_id: string): Promise<TraceRow[]> {
    const { traces } = await this.call<{ traces: TraceRow[] }>("get_trace_tree", { trace_id });
    return traces;
  }

  /** The steps of a trace or of its tree as they happened. `known`: the versions that the client has. */
  listTraceSteps(
    query: SkeletonPaging & { trace_id: string; scope: "trace" | "tree" },
    known?: string,
  ): Promise<Versioned<SkeletonList>> {
    return this.skeletons("list_trace_steps", query, known);
  }

  /** The same of a session. */
  listSessionSteps(
    query: SkeletonPaging & { session_id: string; namespace?: string },
    known?: string,
  ): Promise<Versioned<SkeletonList>> {
    return this.skeletons("list_session_steps", query, known);
  }

  /** The steps with these ids, those that are there. */
  async getSteps(
    query: { ids: string[]; max_bytes: number },
    known?: string,
  ): Promise<Versioned<{ steps: StepRow[] }>> {
    const found = await this.versioned<{ steps: StepRow[] }>("get_steps", query, known);
    return opened(found, async ({ steps }) => ({
      steps: await this.seal.openSteps(steps, query.max_bytes),
    }));
  }

  /** A page of the steps that a search finds, newest first. */
  async searchSteps({ cursor, ...query }: StepSearch): Promise<FoundSteps> {
    const { cursors } = this.shared;
    this.refuseText(query);
    const after = cursor === undefined ? undefined : await cursors.open("found steps", cursor);
    const { next, searched_until, ...found } = await this.call<FoundSteps & { next: object | null }>(
      "search_steps",
      { query: { ...query, after } },
    );
    found.steps = await this.seal.openSkeletons(found.steps);
    if (next) found.next_cursor = await cursors.seal("found steps", next);
    return searched_until ? { ...found, searched_until } : found;
  }

  protected refuseText({ text }: { text?: string }): void {
    if (text === undefined || !this.seal.isOn) return;
    const message =
      "text: what steps say is encrypted here, and the database cannot search in it. Leave it out.";
    throw new ApiError("invalid_payload", message);
  }

  protected async skeletons(
    name: string,
    { cursor, after: since, ...query }: SkeletonPaging,
    known?: string,
  ): Promise<Versioned<SkeletonList>> {
    const { cursors } = this.shared;
    const after = cursor === undefined ? undefined : await cursors.open(name, cursor);
    const seen =
      since === undefined ? undefined : await cursors.open<{ fold: number }>("folds", since, "watermark");
    const wanted = { ...query, after, since: seen?.fold };
    const { version, data } = await this.versioned<SkeletonPage>(name, wanted, known);
    if (!data) return { version };
    const { next, ...page } = data;
    const next_cursor = next ? { next_cursor: await cursors.seal(name, next) } : {};
    const watermark = await cursors.seal("folds", { fold: page.watermark });
    const steps = await this.seal.openSkeletons(page.steps);
    return { version, data: { ...page, steps, ...next_cursor, watermark } };
  }

  /** Takes away what was said in the trace and in all below it. */
  purgeTraceContent(trace_id: string): Promise<TraceRow> {
    return this.call("purge_trace_content", { trace_id });
  }

  /** All that is left of the session are figures. */
  eraseSession(session_id: string): Promise<Erasure> {
    return this.call("erase_session", { session_id });
  }

  /** All that is left of the user are figures. */
  eraseUser(user_id: string): Promise<Erasure> {
    return this.call("erase_user", { user_id });
  }

  getRetention(): Promise<Retention> {
    return this.call("get_retention", {});
  }

  /** Refuses when it is not at `expected_version` any more. */
  putRetention(rules: RetentionRules, expected_version?: number): Promise<Retention> {
    return this.call("put_retention", { rules, expected_version });
  }

  /** The trace whose steps are in the file. */
  getFile(file_id: string): Promise<TraceRow> {
    return this.call("get_file", { file_id });
  }

  /** The steps in the file, in order, page by page. */
  exportFile(file_id: string): AsyncGenerator<NumberedRow[]> {
    return this.export("export_file", { file_id });
  }
}
