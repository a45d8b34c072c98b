import postgres from "postgres";
import { afterAll, beforeEach, expect, inject, it } from "vitest";
import { appInProcess } from "../support/app.ts";
import { type Client, newClient, revokeToken } from "../support/tenant.ts";
import { fill } from "../support/volume.ts";

const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

const app = appInProcess(inject("restUrl"), inject("serviceKey"));
const { api } = app;
beforeEach(() => {
  app.problems.length = 0;
});

/** An export of many pages, of which the first bytes have been read. */
async function begunExport(client: Client): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  await fill(client.tenant, { count: 10, bytes: 600_000 });
  const headers = { "X-Request-ID": "the-export" };
  const { body } = await client.send("/v1/records/export", { namespace: "n" }, { headers });
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  expect((await reader.read()).value?.length).toBeGreaterThan(0);
  return reader;
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (let part = await reader.read(); !part.done; ) part = await reader.read();
}

it.each([
  ["is revoked", (id: string) => revokeToken(id), "revoked"],
  [
    "is bound to another namespace",
    async (id: string) => {
      await sql`update public.tracer_tokens set namespaces = array['m'] where id = ${id}`;
    },
    "may not use",
  ],
])("when the token %s half-way, the export fails and says so in the log", async (_, change, why) => {
  const client = await newClient(api);
  const reader = await begunExport(client);
  await change(client.tokenId);
  await expect(readAll(reader)).rejects.toThrow(why);
  expect(app.problems).toEqual([
    { level: "error", message: expect.stringContaining(why), request_id: "the-export" },
  ]);
});

it("when the client goes away, no more pages are read, and that is no error", async () => {
  const client = await newClient(api);
  const reader = await begunExport(client);
  await reader.cancel();
  const before = app.calls;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(app.calls - before).toBeLessThanOrEqual(1);
  expect(app.problems).toEqual([]);
});

it("a page sees one moment: a row that is deleted while it is read does not end it early", async () => {
  const pages = await sql`
    select proname, provolatile from pg_proc
    where pronamespace = 'public'::regnamespace and proname in ('record_page', 'log_page') order by 1`;
  expect(pages).toEqual([
    { proname: "log_page", provolatile: "s" },
    { proname: "record_page", provolatile: "s" },
  ]);
});
