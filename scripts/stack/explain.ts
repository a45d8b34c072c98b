/** What a person needs to know of an error: its message and, on the lines below it, its causes. No stack trace. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause === undefined) return error.message;
  return `${error.message}\n${explain(error.cause)}`;
}
