import type { Context } from "hono";
import { csvText, jsonText } from "../domain/export-text.ts";
import type { AppEnv } from "../services.ts";
import { streamedFile } from "./streamed-file.ts";

interface Export<Row> {
  /** What is exported: `records`. Names the list in the JSON, and the file. */
  name: string;
  namespace: string;
  format: "json" | "csv";
  /** The columns of a CSV. */
  fields: string[];
  pages: AsyncGenerator<Row[]>;
  /** A row as clients read it. */
  toItem: (row: Row) => object;
}

/** The answer to an export: `{"records": [...]}` or the same as CSV, streamed. */
export function exportResponse<Row>(c: Context<AppEnv>, exported: Export<Row>): Promise<Response> {
  const { name, namespace, format, fields, pages, toItem } = exported;
  const baseName = fileName(namespace, name, c.var.services.now());
  if (format === "csv") {
    return streamedFile(c, {
      fileName: `${baseName}.csv`,
      mediaType: "text/csv; charset=utf-8",
      pages,
      toItem,
      write: (items) => csvText(fields, items),
    });
  }
  return streamedFile(c, {
    fileName: `${baseName}.json`,
    mediaType: "application/json",
    pages,
    toItem,
    write: (items) => jsonText(`{"${name}":[`, items, "]}"),
  });
}

/** `my-agent-records-2025-12-10`, in characters that every system takes in a file's name. */
function fileName(namespace: string, name: string, now: Date): string {
  const readable = namespace
    .replace(/[^\w.-]+/g, "-")
    .replace(/^[.-]+|-+$/g, "")
    .slice(0, 64);
  return `${readable || "export"}-${name}-${now.toISOString().slice(0, 10)}`;
}
