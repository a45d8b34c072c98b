import type { Context } from "hono";
import { csvText, jsonText } from "../domain/export-text.ts";
import type { AppEnv } from "../services.ts";

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

/**
 * Answers with a file that is written while it is read from the database. What refuses the request is thrown before
 * the answer begins; what fails later breaks the response off, so that no client takes a part for the whole.
 */
export async function exportResponse<Row>(c: Context<AppEnv>, exported: Export<Row>): Promise<Response> {
  const { name, namespace, format, fields, toItem } = exported;
  const pages = itemsOf(await begun(exported.pages), toItem);
  const text = format === "csv" ? csvText(fields, pages) : jsonText(name, pages);
  const body = stream(text, ({ message, cause }) => {
    c.var.services.log("error", `An export was broken off: ${message}`, c.var.requestId, cause);
  });
  return c.body(body, 200, {
    "Content-Type": format === "csv" ? "text/csv; charset=utf-8" : "application/json",
    "Content-Disposition": `attachment; filename="${fileName(namespace, name, c.var.services.now())}.${format}"`,
  });
}

/** `my-agent-records-2025-12-10`, in characters that every system takes in a file's name. */
function fileName(namespace: string, name: string, now: Date): string {
  const readable = namespace.replace(/[^\w.-]+/g, "-").slice(0, 64);
  return `${readable}-${name}-${now.toISOString().slice(0, 10)}`;
}

/** The same pages, after the first has been read. */
async function begun<Page>(pages: AsyncGenerator<Page>): Promise<AsyncGenerator<Page>> {
  const first = await pages.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* pages;
  })();
}

async function* itemsOf<Row>(
  pages: AsyncIterable<Row[]>,
  toItem: (row: Row) => object,
): AsyncGenerator<object[]> {
  for await (const rows of pages) yield rows.map(toItem);
}

/** Bytes of a text that comes in pieces. A piece is made when the client is ready for it. */
function stream(
  pieces: AsyncGenerator<string>,
  onBroken: (error: Error) => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        onBroken(error as Error);
        controller.error(error);
      }
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
}
