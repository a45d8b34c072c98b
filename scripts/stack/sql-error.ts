import postgres from "postgres";

/** What a person needs to know when a file of SQL fails: the file, the line, and what Postgres says of it. */
export function describeSqlError(path: string, text: string, error: unknown): string {
  if (!(error instanceof postgres.PostgresError)) return `${path}: ${String(error)}`;
  const { message, position, detail, hint, where } = error;
  const more = [detail, hint, where].filter(Boolean).map((part) => `\n${part}`);
  return `${path}${position ? `:${lineAt(text, Number(position))}` : ""}: ${message}${more.join("")}`;
}

// Postgres counts characters from one, JavaScript's strings count UTF-16 units.
function lineAt(text: string, position: number): number {
  return (
    Array.from(text)
      .slice(0, position - 1)
      .filter((character) => character === "\n").length + 1
  );
}
