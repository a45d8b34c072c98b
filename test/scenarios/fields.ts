import { describe, expect, it } from "vitest";
import { withAllFields } from "../support/all-fields.ts";
import { type Kind, keptContent, normalized, readContent } from "../support/kept-content.ts";
import { type Api, type Client, newClient } from "../support/tenant.ts";

type Send = (client: Client, step: object) => Promise<{ status: number }>;

const KINDS: [Kind, Send][] = [
  ["llm", (client, step) => client.post("/v1/traces/llm", step)],
  ["tool", (client, step) => client.post("/v1/traces/tool", step)],
  ["handoff", (client, step) => client.post("/v1/traces/handoff", step)],
  ["log", (client, step) => client.post("/v1/traces/log", step)],
  ["record", (client, step) => client.post("/v1/records/upload", { records: [step] })],
  ["logEntry", (client, step) => client.post("/v1/logs/upload", { logs: [step] })],
];

/** A file of one row as objects are read from a CSV: what is empty is absent, what looks like JSON is read. */
function rowOfCsv(text: string): Record<string, unknown> {
  const [names = [], values = []] = text.split("\r\n").map(cellsOf);
  const cells = names.map((name, index) => [name, values[index] ?? ""] as const);
  return Object.fromEntries(
    cells.filter(([, cell]) => cell !== "").map(([name, cell]) => [name, readCell(cell)]),
  );
}

function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
}

function readCell(cell: string): unknown {
  return /^(?:[[{]|\d{1,5}$)/.test(cell) ? JSON.parse(cell) : cell;
}

export function fields(api: Api): void {
  describe("every field that can be sent comes back as it was sent, in a query and in a CSV", () => {
    it.each(KINDS)("%s", async (kind, send) => {
      const client = await newClient(api);
      const sent = withAllFields(kind);
      expect((await send(client, sent)).status).toBe(200);
      const list = kind === "log" || kind === "logEntry" ? "logs" : "records";
      const query = list === "logs" ? "/v1/logs/query" : "/v1/record_query";
      const filters = list === "logs" ? {} : { query: {} };
      const { body } = await client.post(query, { namespace: "n", ...filters });
      expect(body[list]).toHaveLength(1);
      const csv = await client.send(`/v1/${list}/export`, { namespace: "n", format: "csv" });

      const wanted = keptContent(kind, sent);
      for (const row of [body[list][0], rowOfCsv(await csv.text())])
        expect(normalized(readContent(row, wanted, kind))).toEqual(normalized(wanted));
    });
  });
}
