// `npm run readme`: writes the tables of the README that are made from the code. A test checks that this was done.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { createApp } from "../functions/monkai-api/app.ts";
import { ERRORS } from "../functions/monkai-api/errors.ts";
import { type Bucket, RATE_LIMITS } from "../functions/monkai-api/rate-limits.ts";
import { Store } from "../functions/monkai-api/store/store.ts";

const README = new URL("../README.md", import.meta.url);

const LIMITED: Record<Bucket, string> = {
  traces: "`/traces/llm`, `/traces/tool`, `/traces/handoff`, `/traces/log`",
  traces_batch: "`/traces/batch`",
  bulk_upload: "`/records/upload`, `/logs/upload`",
  sessions: "`/sessions/create`, `/sessions/get-or-create`, `/namespace/register`",
  query:
    "`/record_query`, `/logs/query`, `/records/export`, `/logs/export`, `/namespaces`, `GET /traces...`, `/files/...`",
  rules: "`/anonymization-rules`",
};

const tables = { endpoints: endpointTable, errors: errorTable, limits: limitTable };

/** The README as it should be: each `<!-- NAME: made by npm run readme -->` ... `<!-- end -->` filled in anew. */
export function withTables(readme: string): string {
  return readme.replace(
    /(<!-- (\w+): made by npm run readme -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, opening, name: keyof typeof tables, closing) => `${opening}${tables[name]()}\n${closing}`,
  );
}

function endpointTable(): string {
  const app = createApp({
    store: new Store("http://unused", "unused"),
    readAsset: async () => undefined,
    now: () => new Date(),
    newId: () => "unused",
    log: () => {},
  });
  const { paths = {} } = app.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "", version: "" } });
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary }]) => [
      `\`${method.toUpperCase()} /v1${path}\``,
      summary,
    ]),
  );
  return table(["endpoint", "what it does"], rows);
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
    LIMITED[bucket as Bucket],
  ]);
  return table(["bucket", "requests per minute", "what counts"], rows);
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(README, withTables(readFileSync(README, "utf8")));
}
