// `npm run docs`: writes the tables in docs/ that are made from the code. A test checks that this was done.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { createApp } from "../functions/monkai-api/app.ts";
import { ERRORS } from "../functions/monkai-api/errors.ts";
import { type Bucket, RATE_LIMITS } from "../functions/monkai-api/rate-limits.ts";
import { Store } from "../functions/monkai-api/store/store.ts";
import { refuseArguments, runCommand } from "./command-line.ts";

const USAGE = `Usage: npm run docs

Writes the tables of docs/api.md and docs/operations.md that are made from the code: endpoints, errors and limits.`;

/** The pages that have such tables. */
export const PAGES = ["docs/api.md", "docs/operations.md"];

const tables = { endpoints: endpointTable, errors: errorTable, limits: limitTable };

/** The page as it should be: each `<!-- NAME: made by npm run docs -->` ... `<!-- end -->` filled in anew. */
export function withTables(page: string): string {
  return page.replace(
    /(<!-- (\w+): made by npm run docs -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, opening, name: keyof typeof tables, closing) => `${opening}${tables[name]()}\n${closing}`,
  );
}

interface Operation {
  endpoint: string;
  summary: string;
  bucket: Bucket | undefined;
}

/** Every operation of the API's own document. */
function operations(): Operation[] {
  const app = createApp({
    store: new Store("http://unused", "unused"),
    readAsset: async () => undefined,
    now: () => new Date(),
    newId: () => "unused",
    log: () => {},
  });
  const { paths = {} } = app.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "", version: "" } });
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      endpoint: `${method.toUpperCase()} /v1${path}`,
      summary: operation.summary,
      bucket: operation["x-rate-limit-bucket"],
    })),
  );
}

function endpointTable(): string {
  return table(
    ["endpoint", "what it does"],
    operations().map(({ endpoint, summary }) => [`\`${endpoint}\``, summary]),
  );
}

function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, meaning }]) => [
    `\`${code}\``,
    `${status}`,
    meaning,
  ]);
  return table(["code", "status", "meaning"], rows);
}

function limitTable(): string {
  const rows = Object.entries(RATE_LIMITS).map(([bucket, limit]) => [
    `\`${bucket}\``,
    `${limit}`,
    operations()
      .filter((operation) => operation.bucket === bucket)
      .map(({ endpoint }) => `\`${endpoint.replace("/v1", "")}\``)
      .join(", "),
  ]);
  return table(["bucket", "requests per minute", "what counts"], rows);
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await runCommand(USAGE, (args) => {
    refuseArguments(args);
    for (const page of PAGES.map((path) => new URL(`../${path}`, import.meta.url))) {
      writeFileSync(page, withTables(readFileSync(page, "utf8")));
    }
  });
}
