import { describe, expect, it } from "vitest";
import { type Api, type Client, newClient, revokeToken, withinOneMinute } from "../support/tenant.ts";
import { fill } from "../support/volume.ts";

const RECORD_FIELDS =
  "namespace,agent,session_id,msg,input_tokens,output_tokens,process_tokens,memory_tokens,total_tokens,transfers," +
  "inserted_at,user_id,user_whatsapp,wam_id,replied_whatsapp,attachments,source,model,external_user_id," +
  "external_user_name,external_user_channel,trace_type,provider,latency_ms,input,output,tool_name,arguments,result," +
  "metadata,anonymization_version,id,trace_id,status,error,started_at,operation,system_instructions,usage," +
  "time_to_first_token_ms,call_id,cached_input_tokens,reasoning_tokens";
const LOG_FIELDS =
  "namespace,level,message,timestamp,resource_id,custom_object,session_id,agent,anonymization_version,id,trace_id," +
  "status,error,started_at,metadata";

/** Two days with a record and a log entry each, of two agents and two levels. */
async function twoDays(api: Api): Promise<Client> {
  const client = await newClient(api);
  const record = { namespace: "n", msg: { role: "user", content: "olá" } };
  const records = [
    { ...record, agent: "a", session_id: "s", inserted_at: "2025-10-28T10:00:00Z" },
    { ...record, agent: "b", session_id: "t", inserted_at: "2025-10-29T10:00:00Z", total_tokens: 7 },
  ];
  const log = { namespace: "n", message: "one\ntwo" };
  const logs = [
    { ...log, level: "info", resource_id: "r1", timestamp: "2025-10-28T10:00:00Z" },
    {
      ...log,
      level: "error",
      resource_id: "r2",
      timestamp: "2025-10-29T10:00:00Z",
      custom_object: { a: [1] },
    },
  ];
  expect((await client.post("/v1/records/upload", { records })).body.inserted_count).toBe(2);
  expect((await client.post("/v1/logs/upload", { logs })).body.inserted_count).toBe(2);
  return client;
}

const csv = async (client: Client, path: string, body: object) =>
  (await client.send(`/v1/${path}/export`, { namespace: "n", format: "csv", ...body })).text();

export function exports(api: Api): void {
  describe("records/export and logs/export", () => {
    it.each([
      [{}, 2],
      [{ agent: "a" }, 1],
      [{ session_id: "t", start_date: "2025-10-29" }, 1],
      [{ end_date: "2025-10-28" }, 1],
      [{ agent: "a", session_id: "t" }, 0],
      [{ agent: null, format: "json" }, 2],
    ])("records with %j: what record_query gives, and nothing beside it", async (filters, expected) => {
      const client = await twoDays(api);
      const exported = await client.post("/v1/records/export", { namespace: "n", ...filters });
      const { format: _, ...query } = { format: "", ...filters };
      const { records } = (await client.post("/v1/record_query", { namespace: "n", query })).body;
      expect([exported.status, exported.body]).toEqual([200, { records }]);
      expect(records).toHaveLength(expected);
    });

    it.each([
      [{}, 2],
      [{ level: "error" }, 1],
      [{ resource_id: "r1", end_date: "2025-10-28T10:00:00Z" }, 1],
      [{ level: "info", resource_id: "r2" }, 0],
    ])("logs with %j: what logs/query gives, and nothing beside it", async (filters, expected) => {
      const client = await twoDays(api);
      const exported = await client.post("/v1/logs/export", { namespace: "n", ...filters });
      const { logs } = (await client.post("/v1/logs/query", { namespace: "n", ...filters })).body;
      expect([exported.status, exported.body]).toEqual([200, { logs }]);
      expect(logs).toHaveLength(expected);
    });

    it("CSV has every schema field in the schema's order, then our own; objects are JSON", async () => {
      const client = await twoDays(api);
      const { records } = (await client.post("/v1/records/export", { namespace: "n" })).body;
      const { logs } = (await client.post("/v1/logs/export", { namespace: "n", level: "error" })).body;
      const own = ({ id, trace_id, started_at }: Record<string, string>) =>
        `,${id},${trace_id ?? ""},,,${started_at}`;
      const message = '"{""role"":""user"",""content"":""olá""}"';
      expect(await csv(client, "records", {})).toBe(
        [
          RECORD_FIELDS,
          `n,b,t,${message},,,,,7,,2025-10-29T10:00:00.000Z${",".repeat(20)}${own(records[0])},,,,,,,`,
          `n,a,s,${message},,,,,,,2025-10-28T10:00:00.000Z${",".repeat(20)}${own(records[1])},,,,,,,`,
          "",
        ].join("\r\n"),
      );
      expect(await csv(client, "logs", { level: "error" })).toBe(
        [
          LOG_FIELDS,
          `n,error,"one\ntwo",2025-10-29T10:00:00.000Z,r2,"{""a"":[1]}",,,${own(logs[0])},`,
          "",
        ].join("\r\n"),
      );
    });

    it("CSV has a header row even when empty, JSON an empty list", async () => {
      const client = await newClient(api);
      expect(await csv(client, "records", {})).toBe(`${RECORD_FIELDS}\r\n`);
      expect(await csv(client, "logs", {})).toBe(`${LOG_FIELDS}\r\n`);
      expect((await client.post("/v1/records/export", { namespace: "n" })).body).toEqual({ records: [] });
      expect((await client.post("/v1/logs/export", { namespace: "n" })).body).toEqual({ logs: [] });
    });

    it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "\n=1", "\nx", " =1", "\u200b\u00a0-1"])(
      "CSV: the text %j, which a spreadsheet would run as a formula, has a ' in front",
      async (message) => {
        const client = await newClient(api);
        await client.post("/v1/logs/upload", { logs: [{ namespace: "n", level: "info", message }] });
        const row = (await csv(client, "logs", {})).slice(LOG_FIELDS.length + 2);
        expect([`n,info,'${message},`, `n,info,"'${message}",`]).toContain(
          row.slice(0, row.indexOf(message) + message.length + (row.includes(`${message}"`) ? 2 : 1)),
        );
        const { logs } = (await client.post("/v1/logs/export", { namespace: "n" })).body;
        expect(logs[0].message).toBe(message);
      },
    );

    it("CSV keeps negative numbers and quotes what RFC 4180 wants quoted", async () => {
      const client = await newClient(api);
      const result = { session_id: "s", namespace: "n", tool_name: 'a "b", c', result: -7.5 };
      await client.post("/v1/traces/tool", result);
      await client.post("/v1/traces/tool", { ...result, tool_name: "a;=1", timestamp: "2020-01-01" });
      const [, first, second] = (await csv(client, "records", {})).split("\r\n");
      expect(first).toContain(',"a ""b"", c",,-7.5,,');
      expect(second).toContain(',"a;=1",,-7.5,,');
    });

    it.each([
      ["records", "csv", "text/csv; charset=utf-8"],
      ["records", "json", "application/json"],
      ["logs", "csv", "text/csv; charset=utf-8"],
      ["logs", "json", "application/json"],
    ])("%s as %s: media type, and a file name that every system takes", async (path, format, type) => {
      const client = await newClient(api);
      const namespace = 'caf\u00e9/../"x"\r\n; né';
      const response = await client.send(`/v1/${path}/export`, { namespace, format });
      expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
      const today = new Date().toISOString().slice(0, 10);
      expect(response.headers.get("content-disposition")).toBe(
        `attachment; filename="caf-..-x-n-${path}-${today}.${format}"`,
      );
      expect(response.headers.get("x-ratelimit-limit")).toBe("60");
      await response.text();
    });

    it.each([
      ["an unknown format", { format: "xml" }, "invalid_payload", "format"],
      ["no namespace", { namespace: null }, "missing_field", "namespace"],
      ["a garbage date", { start_date: "soon" }, "invalid_payload", "start_date"],
    ])("%s is 400 naming it", async (_, wrong, code, field) => {
      const client = await newClient(api);
      for (const path of ["records", "logs"]) {
        const answer = await client.post(`/v1/${path}/export`, { namespace: "n", format: "csv", ...wrong });
        expect([answer.status, answer.body.error.code]).toEqual([400, code]);
        expect(answer.body.error.message).toContain(field);
      }
    });

    it("a namespace that the token is not bound to is 403, before any answer begins", async () => {
      const client = await newClient(api, { namespaces: ["mine"] });
      for (const path of ["records", "logs"]) {
        const answer = await client.post(`/v1/${path}/export`, { namespace: "theirs", format: "csv" });
        expect([answer.status, answer.body.error.code]).toEqual([403, "forbidden"]);
      }
    });

    it.each(["日本語", ".htaccess", "-rf"])(
      "a file name is plain whatever the namespace: %s",
      async (namespace) => {
        const client = await newClient(api);
        const response = await client.send("/v1/logs/export", { namespace });
        expect(response.headers.get("content-disposition")).toMatch(
          /^attachment; filename="(export|htaccess|rf)-logs-/,
        );
        await response.text();
      },
    );

    it("rows that are larger than a page come one by one", async () => {
      const client = await newClient(api);
      await fill(client.tenant, { count: 3, bytes: 3_000_000 });
      const { body } = await client.post("/v1/records/export", { namespace: "n" });
      expect(body.records.map(({ msg }: { msg: { place: number } }) => msg.place)).toEqual([3, 2, 1]);
      expect((await csv(client, "logs", {})).split("\r\n")).toHaveLength(5);
    });

    it("has all rows in order over many pages, and counts as one request", async () => {
      const client = await newClient(api);
      await fill(client.tenant, { count: 3_001, bytes: 32 });
      await withinOneMinute(6_000);
      const exported = await client.post("/v1/records/export", { namespace: "n" });
      const places = exported.body.records.map(({ msg }: { msg: { place: number } }) => msg.place);
      expect(places).toEqual(Array.from({ length: 3_001 }, (_, index) => 3_001 - index));
      expect(exported.headers.get("x-ratelimit-remaining")).toBe("59");
      const rows = (await csv(client, "logs", {})).split("\r\n");
      expect(rows.length).toBe(3_003);
      expect(rows.at(-2)?.startsWith("n,info,1,")).toBe(true);
      const { headers } = await client.post("/v1/record_query", { namespace: "n", query: {} });
      expect(headers.get("x-ratelimit-remaining")).toBe("57");
    });

    it.each([
      ["json", (text: string) => JSON.parse(text)],
      ["csv", expectWhole],
    ])(
      "%s: first bytes come before the last row is read; a failure half-way breaks off, and nobody takes a part for the whole",
      async (format, read) => {
        const client = await newClient(api);
        await fill(client.tenant, { count: 30, bytes: 1_000_000 });
        const { body, status } = await client.send("/v1/records/export", { namespace: "n", format });
        expect(status).toBe(200);
        const reader = (body as ReadableStream<Uint8Array>).getReader();
        const decoder = new TextDecoder();
        let text = decoder.decode((await reader.read()).value, { stream: true });
        expect(text.length).toBeGreaterThan(0);

        await revokeToken(client.tokenId);
        const readAll = async () => {
          for (let part = await reader.read(); !part.done; part = await reader.read()) {
            text += decoder.decode(part.value, { stream: true });
          }
          return read(text);
        };
        await expect(readAll()).rejects.toThrow();
        expect(text.length).toBeLessThan(30_000_000);
      },
    );
  });
}

/** As strict readers of CSV do: every quote that was opened is closed. */
function expectWhole(text: string): void {
  if (text.split('"').length % 2 === 0) throw new Error("There is a quote that nothing closes.");
}
