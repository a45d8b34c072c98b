/** Shapes of the SQL functions for tokens, namespaces and the sessions in them. */
export interface NamespaceRow {
  namespace: string;
  created_at: string;
}

/** What a token may do. */
export interface TokenRow {
  tenant: string;
  name: string | null;
  /** Null: all of its tenant. */
  namespaces: string[] | null;
  scope: "all" | "read";
  expires_at: string | null;
}

export interface NewSession {
  namespace: string;
  user_id?: string;
  /** Seconds. */
  inactivity_timeout?: number;
  metadata?: Record<string, unknown>;
}

export interface WantedSession extends NewSession {
  user_id: string;
  force_new?: boolean;
}

export interface SessionRow {
  session_id: string;
  namespace: string;
  user_id: string | null;
  inactivity_timeout: number;
  created_at: string;
  metadata: Record<string, unknown>;
}
