/** What a request has erased, whether that was all, and how many steps are left to the next one. */
export interface Erasure {
  erased: { steps: number; sessions: number; scores: number };
  complete: boolean;
  remaining_steps: number;
}

/** For how many days something is kept. Null: for ever. */
export interface RetentionRule {
  content_days: number | null;
  days: number | null;
}

/** A tenant's own rule, and by name those of namespaces that have another one. */
export interface RetentionRules extends RetentionRule {
  namespaces: Record<string, RetentionRule>;
}

type ShownRule = RetentionRule & { content_since: string | null; since: string | null };

export interface Retention extends ShownRule {
  version: number;
  namespaces: (ShownRule & { namespace: string })[];
  last_run_at: string | null;
  catching_up: boolean;
}
