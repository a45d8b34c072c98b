/** Why the API gave no answer, in its own words. */
export class Problem extends Error {
  /** 0: there was no answer at all. */
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  /** Milliseconds to wait before another try, where the API said so. */
  readonly retryAfter: number | undefined;

  constructor(about: {
    status: number;
    code: string;
    message: string;
    requestId?: string;
    retryAfter?: number;
  }) {
    super(about.message);
    this.status = about.status;
    this.code = about.code;
    this.requestId = about.requestId ?? "";
    this.retryAfter = about.retryAfter;
  }
}

/** Whether it may go away by itself: too many requests, an outage, no connection. */
export function mayPass(problem: Problem): boolean {
  return [0, 429, 502, 503, 504].includes(problem.status);
}

/** Milliseconds that the API asked to wait. */
export function waitAfter(thrown: unknown): number | undefined {
  return thrown instanceof Problem ? thrown.retryAfter : undefined;
}

/** What was thrown, as something to show. Undefined: a request that was given up, which is nobody's problem. */
export function asProblem(thrown: unknown): Problem | undefined {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof DOMException && thrown.name === "AbortError") return undefined;
  return new Problem({ status: -1, code: "viewer_error", message: String(thrown) });
}
