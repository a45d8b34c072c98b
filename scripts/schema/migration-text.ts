import type { Change } from "./changes.ts";
import { isGrants, type SourceFile } from "./source.ts";

const start = `-- Made from supabase/schemas/, which says what is true now, by \`npm run db:migration\`.

-- A function may call one that is made after it.
set check_function_bodies = off;
`;
const BEGIN = "select internal.begin_migration();\n";
const end = "reset check_function_bodies;\n";

/** The text of a migration: these changes or, where there is nothing to change yet, the whole source. */
export function migrationText(source: SourceFile[], changes: Change[] | undefined, forData: boolean): string {
  const begin = changes && source.some(isBeginning) ? [BEGIN] : [];
  const steps = changes ? [...changes.map(step), ...source.filter(isGrants).map(file)] : source.map(file);
  const data = forData ? ["-- Write here what becomes of what is stored.\n"] : [];
  return [start, ...begin, ...steps, ...data, end].join("\n");
}

/** Does this declare what each migration begins with? */
function isBeginning({ path }: SourceFile): boolean {
  return path.endsWith("/begin_migration.sql");
}

function step({ sql, losesData }: Change): string {
  return `${losesData ? "-- This takes stored data away.\n" : ""}${sql.trim()};\n`;
}

function file({ path, text }: SourceFile): string {
  return `-- supabase/schemas/${path}\n${text.trim()}\n`;
}
