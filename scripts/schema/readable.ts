import { formatSqlStatements } from "@supabase/pg-delta/sql-format";

/** SQL that a tool wrote, as people here write it: lower case, and quotes only around names that need them. */
export function readable(sql: string, keywords: Set<string>): string {
  const [formatted = sql] = formatSqlStatements([sql], { keywordCase: "lower", maxWidth: 120 });
  // Texts are matched first, so that quotes in them stay.
  return formatted.replace(/'(?:[^']|'')*'|"([a-z_][a-z0-9_]*)"/g, (whole, name?: string) =>
    name && !keywords.has(name) ? name : whole,
  );
}
