import { loadModule, parseSync } from "libpg-query";
import type { SourceFile } from "./source.ts";

/** A statement of a file of SQL. */
export interface Statement {
  path: string;
  line: number;
  /** With the comment above it, without the semicolon. */
  text: string;
  /** What it creates. */
  creates?: Created;
}

/** What a `create` statement creates. */
export interface Created {
  kind: "schema" | "type" | "relation" | "function";
  /** With its schema, quoted where SQL wants it. */
  name: string;
}

// biome-ignore lint/suspicious/noExplicitAny: the parser's tree has no types
type Tree = any;

await loadModule();

/** The statements of a file, as Postgres's own parser finds them. */
export function statementsOf({ path, text }: SourceFile): Statement[] {
  // The parser counts bytes.
  const bytes = Buffer.from(text);
  return parseSync(text).stmts.map(({ stmt, stmt_location = 0, stmt_len = bytes.length }: Tree) => {
    const before = bytes.subarray(0, stmt_location).toString();
    const statement = bytes.subarray(stmt_location, stmt_location + stmt_len).toString();
    const [leading = ""] = /^(?:\s|--.*)*/.exec(statement) ?? [];
    const line = `${before}${leading}`.split("\n").length;
    const comment = ownComment(leading, before === "");
    return {
      path,
      line,
      text: comment + statement.slice(leading.length).trimEnd(),
      creates: createdBy(stmt),
    };
  });
}

// The comment that touches the statement. What is above a blank line, or behind the statement before, is not its own.
function ownComment(leading: string, isFirst: boolean): string {
  const blankLine = leading.lastIndexOf("\n\n");
  if (blankLine >= 0) return leading.slice(blankLine + 2);
  return isFirst ? leading : leading.slice(leading.indexOf("\n") + 1);
}

function createdBy(tree: Tree): Created | undefined {
  const [kind = "", node] = Object.entries<Tree>(tree)[0] ?? [];
  switch (kind) {
    case "CreateSchemaStmt":
      return { kind: "schema", name: quoted(node.schemaname) };
    case "CreateEnumStmt":
      return { kind: "type", name: listed(node.typeName) };
    case "CreateDomainStmt":
      return { kind: "type", name: listed(node.domainname) };
    case "CompositeTypeStmt":
      return { kind: "type", name: ranged(node.typevar) };
    case "CreateStmt":
      return { kind: "relation", name: ranged(node.relation) };
    case "ViewStmt":
      return { kind: "relation", name: ranged(node.view) };
    case "CreateSeqStmt":
      return { kind: "relation", name: ranged(node.sequence) };
    case "IndexStmt":
      return node.idxname && { kind: "relation", name: ranged({ ...node.relation, relname: node.idxname }) };
    case "CreateFunctionStmt":
      return { kind: "function", name: listed(node.funcname) };
    default:
      return undefined;
  }
}

function ranged({ schemaname = "public", relname }: Tree): string {
  return `${quoted(schemaname)}.${quoted(relname)}`;
}

function listed(names: Tree[]): string {
  const parts: string[] = names.map(({ String: { sval } }) => sval);
  return (parts.length > 1 ? parts : ["public", ...parts]).map(quoted).join(".");
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
