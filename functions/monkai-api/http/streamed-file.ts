import type { Context } from "hono";
import type { AppEnv } from "../services.ts";

interface StreamedFile<Row> {
  fileName: string;
  mediaType: string;
  pages: AsyncGenerator<Row[]>;
  /** A row as clients read it. */
  toItem: (row: Row) => object;
  /** The file's text, in pieces. */
  write: (pages: AsyncIterable<object[]>) => AsyncGenerator<string>;
}

/**
 * Answers with a file that is written while it is read from the database. What refuses the request is thrown before
 * the answer begins; what fails later breaks the response off, so that no client takes a part for the whole.
 */
export async function streamedFile<Row>(c: Context<AppEnv>, file: StreamedFile<Row>): Promise<Response> {
  const pages = itemsOf(await begun(file.pages), file.toItem);
  const body = stream(file.write(pages), ({ message, cause }) => {
    c.var.services.log("error", `${file.fileName} was broken off: ${message}`, {
      request_id: c.var.requestId,
      cause,
    });
  });
  return c.body(body, 200, {
    "Content-Type": file.mediaType,
    "Content-Disposition": `attachment; filename="${file.fileName}"`,
  });
}

/** The same pages, after the first has been read. */
async function begun<Page>(pages: AsyncGenerator<Page>): Promise<AsyncGenerator<Page>> {
  let first: IteratorResult<Page> | undefined = await pages.next();
  return (async function* () {
    if (first && !first.done) yield first.value;
    first = undefined; // nor is it held in memory until the end
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
  let clientIsGone = false;
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (clientIsGone) return;
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        if (clientIsGone) return;
        onBroken(error as Error);
        controller.error(error);
      }
    },
    async cancel() {
      clientIsGone = true;
      await pieces.return(undefined);
    },
  });
}
