import type { FoundRow, SkeletonRow } from "../domain/step.ts";

/** Shapes of the SQL functions that read. Dates are RFC 3339 in UTC, inclusive. */

/** The two lists in which steps are read back: log entries in one, all other kinds in the other. */
export type StepList = "records" | "logs";

/** Which steps of a list. */
export interface StepFilters {
  namespace: string;
  agent?: string;
  session_id?: string;
  trace_id?: string;
  /** Only log entries have one, and a resource. */
  level?: string;
  resource_id?: string;
  start_date?: string;
  end_date?: string;
}

/** Which page: after so many rows, or after the page that gave the cursor. */
export interface Paging {
  limit: number;
  offset: number;
  cursor?: string;
}

/** Where a row stands among the others, newest first. */
export interface Position {
  occurred_at: string;
  id: string;
}

/** A page as the database gives it. `next` is null on the last one. */
export interface Page<Row> {
  rows: Row[];
  next: Position | null;
}

/** A page as a query gives it. The last page has no `next_cursor`. */
export interface QueryPage<Row> {
  rows: Row[];
  next_cursor?: string;
}

/** The same where all rows that match are counted. */
export interface CountedPage<Row> extends QueryPage<Row> {
  count: number;
  /** Whether there is a namespace of the name that was asked for. */
  namespace_known: boolean;
}

/** What of a list of steps is asked for: a page, and only what came after a watermark. */
export interface SkeletonPaging {
  limit: number;
  cursor?: string;
  after?: string;
}

/** An answer with the version of what is in it; that alone, where the client has it already. */
export interface Versioned<Data> {
  version: string;
  /** Absent where the client has it. */
  data?: Data;
}

/** A page of skeletons as the database gives it: `watermark` is the number of the last fold that is in it. */
export interface SkeletonPage {
  traces: LinkedTrace[];
  steps: SkeletonRow[];
  count: number;
  next: object | null;
  watermark: number;
}

export interface LinkedTrace {
  id: string;
  parent_trace_id: string | null;
  agent: string;
}

export interface SkeletonList {
  traces: LinkedTrace[];
  steps: SkeletonRow[];
  count: number;
  next_cursor?: string;
  watermark: string;
}

/** Which steps a search finds. All names are whole; `text` is a part of what was said. */
export interface StepSearch {
  namespace?: string;
  text?: string;
  kind?: FoundRow["kind"];
  status?: "ok" | "error" | "not_told";
  agent?: string;
  model?: string;
  tool_name?: string;
  user_id?: string;
  session_id?: string;
  trace_id?: string;
  min_duration_ms?: number;
  start_date?: string;
  end_date?: string;
  limit: number;
  cursor?: string;
}

/** What a search has found. `searched_until`: where it ended before the page was full. */
export interface FoundSteps {
  steps: FoundRow[];
  next_cursor?: string;
  searched_until?: string;
}

export interface TracesQuery {
  /** A namespace's public id, or its name. */
  project_id?: string;
  session_id?: string;
  agent?: string;
  start_date?: string;
  end_date?: string;
  root_only?: boolean;
  limit: number;
  offset: number;
}
