import type { Refusal } from "./steps.ts";

/** Shapes of the SQL functions `record_scores` and `list_scores`. */
export interface NewScore {
  /** What it is about: one of these three. */
  trace_id?: string;
  session_id?: string;
  step_id?: string;
  namespace?: string;
  name: string;
  value: number | boolean | string;
  comment?: string;
  source?: "human" | "llm" | "code";
  /** RFC 3339 in UTC. */
  created_at?: string;
}

/** A score as it is read back. `value` is null where it was a text that was taken away. */
export interface ScoreRow extends Omit<NewScore, "value"> {
  id: string;
  namespace: string;
  value: NewScore["value"] | null;
  created_at: string;
}

/** Which scores, and which page of them. Dates are inclusive. */
export interface ScoresQuery {
  trace_id?: string;
  session_id?: string;
  step_id?: string;
  name?: string;
  source?: string;
  namespace?: string;
  start_date?: string;
  end_date?: string;
  limit: number;
  cursor?: string;
}

/** A score of a batch, or why validation refused it. */
export type TriedScore = NewScore | { refusal: Refusal };

/** What became of a score of a batch. */
export type ScoreResult = { index: number } & (
  | { status: "ok"; result: ScoreRow; error?: undefined }
  | { status: "error"; error: Refusal; result?: undefined }
);

/** A score on its way to the database: what people say is in `content`, where it is anonymized as that of steps. */
export interface ScoreItem extends Omit<NewScore, "value" | "comment"> {
  index: number;
  value?: number | boolean;
  content: { comment?: string; text_value?: string };
}

/** What its sender is told of a score beside what was sent. */
type Made = Pick<ScoreRow, "id" | "namespace" | "created_at">;

/** What the database did with the scores that it was sent. */
export interface StoredScores {
  scores: (Made & { index: number })[];
  refused: (Refusal & { index: number })[];
}

export function scoreItems(scores: TriedScore[]): ScoreItem[] {
  return scores.flatMap((score, index) => ("refusal" in score ? [] : [scoreItem(score, index)]));
}

function scoreItem({ value, comment, ...score }: NewScore, index: number): ScoreItem {
  return typeof value === "string"
    ? { index, ...score, content: { text_value: value, comment } }
    : { index, ...score, value, content: { comment } };
}

/** What became of each score that was tried, in their order. `items`: those that were sent, as they are stored. */
export function scoreResults(
  tried: TriedScore[],
  items: ScoreItem[],
  { scores, refused }: StoredScores,
): ScoreResult[] {
  const sent = new Map(items.map(({ index, ...item }) => [index, item]));
  const made = new Map(scores.map(({ index, ...told }) => [index, told]));
  const refusals = new Map(refused.map(({ index, ...refusal }) => [index, refusal]));
  return tried.map((score, index) => {
    const error = "refusal" in score ? score.refusal : refusals.get(index);
    if (error) return { index, status: "error", error };
    const { content, value, ...item } = sent.get(index) as Omit<ScoreItem, "index">;
    const { text_value = null, comment } = content;
    const told = made.get(index) as Made;
    return { index, status: "ok", result: { ...item, ...told, value: value ?? text_value, comment } };
  });
}
