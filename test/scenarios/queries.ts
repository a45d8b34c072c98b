import { describe, expect, it } from "vitest";
import { type Api, type Client, newClient } from "../support/tenant.ts";

const DAYS = ["2025-10-27", "2025-10-28", "2025-10-29", "2025-10-30", "2025-10-31"];

/** Five days with a record of agent a in session s and one of agent b in session t, and a log of each level. */
async function fiveDays(api: Api): Promise<Client> {
  const client = await newClient(api);
  const sent = await client.post("/v1/traces/batch", {
    traces: DAYS.flatMap((day) => [
      { type: "llm", session_id: "s", namespace: "n", agent: "a", timestamp: `${day}T10:00:00Z` },
      { type: "llm", session_id: "t", namespace: "n", agent: "b", timestamp: `${day}T20:00:00Z` },
      {
        type: "log",
        namespace: "n",
        level: "info",
        resource_id: "r1",
        message: day,
        timestamp: `${day}T10:00:00Z`,
      },
      {
        type: "log",
        namespace: "n",
        level: "error",
        resource_id: "r2",
        message: day,
        timestamp: `${day}T20:00:00Z`,
      },
    ]),
  });
  expect(sent.body.succeeded).toBe(20);
  return client;
}

const dates = (records: { inserted_at: string }[]) =>
  records.map((record) => record.inserted_at.slice(0, 13));

export function queries(api: Api): void {
  describe("record_query", () => {
    it("is newest first, with count of all that match; limit and offset page through it", async () => {
      const client = await fiveDays(api);
      const all = await client.post("/v1/record_query", { namespace: "n", query: {} });
      expect([all.status, all.body.count, all.body.records.length]).toEqual([200, 10, 10]);
      expect(dates(all.body.records)).toEqual(DAYS.toReversed().flatMap((day) => [`${day}T20`, `${day}T10`]));

      const pages = await Promise.all(
        [0, 4, 8, 12].map((offset) =>
          client.post("/v1/record_query", { namespace: "n", query: { limit: 4, offset } }),
        ),
      );
      expect(pages.map(({ body }) => [body.records.length, body.count])).toEqual([
        [4, 10],
        [4, 10],
        [2, 10],
        [0, 10],
      ]);
      expect(pages.flatMap(({ body }) => body.records)).toEqual(all.body.records);
    });

    it.each([
      ["/v1/record_query", "records", { query: {} }],
      ["/v1/logs/query", "logs", {}],
    ])(
      "%s is empty where there is no such namespace, and says so to its own tenant alone",
      async (path, list, rest) => {
        const client = await newClient(api);
        await newClient(api).then((other) => other.post("/v1/namespace/register", { namespace: "theirs" }));
        await client.post("/v1/namespace/register", { namespace: "mine" });
        const ask = async (asking: Client, namespace: string) => {
          const { status, body } = await asking.post(path, { namespace, ...rest });
          return [status, body];
        };
        const warning = "There is no namespace of that name yet. GET /namespaces lists those that there are.";
        expect(await ask(client, "mine")).toEqual([200, { [list]: [], count: 0 }]);
        for (const namespace of ["mein", "theirs"]) {
          expect(await ask(client, namespace)).toEqual([200, { [list]: [], count: 0, warning }]);
        }

        const bound = await newClient(api, { tenant: client.tenant, namespaces: ["own"] });
        expect(await ask(bound, "own")).toEqual([200, { [list]: [], count: 0, warning }]);
        const [known, unknown] = [await ask(bound, "mine"), await ask(bound, "mein")];
        expect(known).toMatchObject([403, { error: { code: "forbidden" } }]);
        const told = ([status, { error }]: typeof known) => [
          status,
          error.code,
          error.message.replace(/"\w+"/, ""),
        ];
        expect(told(known)).toEqual(told(unknown));
      },
    );

    it("has a stable order on ties: the last one sent comes first", async () => {
      const client = await newClient(api);
      const models = Array.from({ length: 20 }, (_, index) => `m${index}`);
      await client.post("/v1/traces/batch", {
        traces: models.map((model) => ({ type: "llm", session_id: "s", model, timestamp: "2025-10-29" })),
      });
      const { body } = await client.post("/v1/record_query", { namespace: "default", query: {} });
      expect(body.records.map((record: { model: string }) => record.model)).toEqual(models.toReversed());
      const pages = await Promise.all(
        [0, 7, 14].map((offset) =>
          client.post("/v1/record_query", { namespace: "default", query: { limit: 7, offset } }),
        ),
      );
      expect(pages.flatMap(({ body }) => body.records)).toEqual(body.records);
    });

    it.each([
      ["agent", { agent: "a" }, 5],
      ["session_id", { session_id: "t" }, 5],
      ["agent and session_id that never meet", { agent: "a", session_id: "t" }, 0],
      ["start_date, inclusive", { start_date: "2025-10-30T20:00:00Z" }, 3],
      ["end_date, inclusive", { end_date: "2025-10-27T20:00:00Z" }, 2],
      ["a bare end_date, whole", { end_date: "2025-10-28" }, 4],
      [
        "all of them",
        { agent: "b", session_id: "t", start_date: "2025-10-28", end_date: "2025-10-30T19:59:59Z" },
        2,
      ],
      ["null, which is absent", { agent: null, session_id: null, start_date: null, limit: null }, 10],
    ])("filters by %s", async (_, query, expected) => {
      const client = await fiveDays(api);
      const { status, body } = await client.post("/v1/record_query", { namespace: "n", query });
      expect([status, body.count, body.records.length]).toEqual([200, expected, expected]);
    });

    it("filters by trace_id, the one that a client said and the one that a record tells", async () => {
      const client = await newClient(api);
      const step = { type: "llm", namespace: "n", session_id: "s" };
      const traces = [
        { ...step, agent: "a" },
        { ...step, agent: "b" },
        { ...step, trace_id: "own" },
      ];
      expect((await client.post("/v1/traces/batch", { traces })).body.succeeded).toBe(3);
      const all = (await client.post("/v1/record_query", { namespace: "n", query: {} })).body.records;
      expect(new Set(all.map(({ trace_id }: { trace_id: string }) => trace_id)).size).toBe(3);
      for (const record of all) {
        const { trace_id } = record;
        const { body } = await client.post("/v1/record_query", { namespace: "n", query: { trace_id } });
        expect(body).toEqual({ records: [record], count: 1 });
        const exported = await client.post("/v1/records/export", { namespace: "n", trace_id });
        expect(exported.body).toEqual({ records: [record] });
      }
      const query = { trace_id: "own", agent: "b" };
      expect((await client.post("/v1/record_query", { namespace: "n", query })).body.count).toBe(0);
    });

    it.each([
      ["/v1/record_query", { query: { from: "2025-10-31" } }, "start_date"],
      ["/v1/record_query", { query: {}, session: "s" }, "query.session_id"],
      ["/v1/records/export", { session: "s" }, "session_id"],
      ["/v1/logs/query", { severity: "error" }, "level"],
      ["/v1/logs/export", { until: "2025-10-27" }, "end_date"],
    ])(
      "%s %j is 400 and says what it may have meant: ignored, it would give more",
      async (path, body, meant) => {
        const client = await newClient(api);
        const answer = await client.post(path, { namespace: "n", ...body });
        expect([answer.status, answer.body.error.code]).toEqual([400, "invalid_payload"]);
        expect(answer.body.error.message).toContain(`did you mean \`${meant}\`?`);
      },
    );
  });

  describe("logs/query", () => {
    it.each([
      ["nothing", {}, 10],
      ["level", { level: "error" }, 5],
      ["resource_id", { resource_id: "r1" }, 5],
      ["dates", { start_date: "2025-10-28", end_date: "2025-10-28" }, 2],
      ["all of them", { level: "info", resource_id: "r1", start_date: "2025-10-30" }, 2],
      ["a session that has none", { session_id: "s" }, 0],
      ["an agent that has none", { agent: "a" }, 0],
    ])("filters by %s, newest first", async (_, query, expected) => {
      const client = await fiveDays(api);
      const { status, body } = await client.post("/v1/logs/query", { namespace: "n", ...query });
      expect([status, body.count, body.logs.length]).toEqual([200, expected, expected]);
      const times = body.logs.map((log: { timestamp: string }) => log.timestamp);
      expect(times).toEqual(times.toSorted().toReversed());
    });

    it.each([
      ["session_id", { session_id: "s" }, ["2", "1"]],
      ["agent", { agent: "a" }, ["3", "1"]],
      ["agent and session_id", { agent: "a", session_id: "t" }, ["3"]],
      ["trace_id", { trace_id: "own" }, ["4"]],
      ["trace_id and level", { trace_id: "own", level: "error" }, []],
    ])("filters by %s, in a query and in an export", async (_, filters, expected) => {
      const client = await newClient(api);
      const log = { type: "log", namespace: "n" };
      const traces = [
        { ...log, session_id: "s", agent: "a", message: "1" },
        { ...log, session_id: "s", message: "2" },
        { ...log, session_id: "t", agent: "a", message: "3" },
        { ...log, trace_id: "own", message: "4" },
      ];
      expect((await client.post("/v1/traces/batch", { traces })).body.succeeded).toBe(4);
      const { body } = await client.post("/v1/logs/query", { namespace: "n", ...filters });
      const exported = await client.post("/v1/logs/export", { namespace: "n", ...filters });
      expect([body.count, body.logs.map(({ message }: { message: string }) => message)]).toEqual([
        expected.length,
        expected,
      ]);
      expect(exported.body.logs).toEqual(body.logs);
    });

    it("has a stable order on ties, across pages: the last one sent comes first", async () => {
      const client = await newClient(api);
      const messages = Array.from({ length: 20 }, (_, index) => `m${index}`);
      await client.post("/v1/traces/batch", {
        traces: messages.map((message) => ({
          type: "log",
          namespace: "n",
          message,
          timestamp: "2025-10-29",
        })),
      });
      const pages = await Promise.all(
        [0, 7, 14].map((offset) => client.post("/v1/logs/query", { namespace: "n", limit: 7, offset })),
      );
      const read = pages.flatMap(({ body }) => body.logs.map((log: { message: string }) => log.message));
      expect(read).toEqual(messages.toReversed());
    });

    it("pages with limit and offset", async () => {
      const client = await fiveDays(api);
      const page = await client.post("/v1/logs/query", { namespace: "n", limit: 3, offset: 9 });
      expect([page.status, page.body.count, page.body.logs.length]).toEqual([200, 10, 1]);
    });
  });

  describe("cursor", () => {
    const at = (minute: number) => `2025-10-29T10:${String(minute).padStart(2, "0")}:00Z`;

    /** Ten records and ten log entries, two a minute. */
    async function tenOfEach(): Promise<Client> {
      const client = await newClient(api);
      const places = Array.from({ length: 10 }, (_, place) => place);
      await upload(
        client,
        places.map((place) => [`old-${place}`, at(10 + Math.floor(place / 2))]),
      );
      return client;
    }

    async function upload(client: Client, items: [name: string, time: string][]): Promise<void> {
      const records = items.map(([name, inserted_at]) => ({
        namespace: "n",
        agent: "a",
        msg: { name },
        inserted_at,
      }));
      const logs = items.map(([message, timestamp]) => ({
        namespace: "n",
        level: "info",
        message,
        timestamp,
      }));
      for (const [path, body] of [
        ["records", { records }],
        ["logs", { logs }],
      ] as const) {
        expect((await client.post(`/v1/${path}/upload`, body)).body.inserted_count).toBe(items.length);
      }
    }

    const LISTS = [
      ["/v1/record_query", (query: object) => ({ namespace: "n", query }), "records", "query.cursor"],
      ["/v1/logs/query", (query: object) => ({ namespace: "n", ...query }), "logs", "cursor"],
    ] as const;

    const namesOf = (rows: { msg?: { name: string }; message?: string }[]) =>
      rows.map((row) => row.msg?.name ?? row.message);

    it.each(LISTS)("%s: stays exact while rows are being inserted", async (path, body, list) => {
      const client = await tenOfEach();
      const whole = await client.post(path, body({}));
      expect(whole.body).not.toHaveProperty("next_cursor");

      const read: unknown[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < 4; page += 1) {
        const answer = await client.post(path, body({ limit: 3, cursor }));
        expect([answer.status, answer.body[list].length]).toEqual([200, page < 3 ? 3 : 1]);
        read.push(...namesOf(answer.body[list]));
        cursor = answer.body.next_cursor;
        expect(cursor === undefined).toBe(page === 3);
        await upload(client, [
          [`newer-${page}`, at(30 + page)],
          [`beside-${page}`, at(14)],
        ]);
      }
      expect(read).toEqual(namesOf(whole.body[list]));
      expect((await client.post(path, body({}))).body.count).toBe(18);
    });

    it.each(LISTS)(
      "%s: count is of all that match, and filters hold on every page",
      async (path, body, list) => {
        const client = await tenOfEach();
        const first = await client.post(path, body({ limit: 3, start_date: at(12) }));
        const second = await client.post(
          path,
          body({ limit: 3, start_date: at(12), cursor: first.body.next_cursor }),
        );
        expect([first.body.count, second.body.count]).toEqual([6, 6]);
        expect(namesOf([...first.body[list], ...second.body[list]])).toHaveLength(6);
        expect(second.body).not.toHaveProperty("next_cursor");
      },
    );

    it.each(LISTS)(
      "%s: one that was made up, changed or given by another list is 400 naming it",
      async (path, body) => {
        const client = await tenOfEach();
        const [other] = LISTS.filter(([name]) => name !== path);
        const own = (await client.post(path, body({ limit: 3 }))).body.next_cursor;
        const theirs = (await client.post(other?.[0] ?? "", other?.[1]({ limit: 3 }))).body.next_cursor;
        const changed = `${own.slice(0, -1)}${own.endsWith("A") ? "B" : "A"}`;
        for (const cursor of ["", "x", "%%%", "é", changed.slice(4), theirs]) {
          const answer = await client.post(path, body({ cursor }));
          expect([cursor, answer.status, answer.body.error.code]).toEqual([cursor, 400, "invalid_payload"]);
          expect(answer.body.error.message).toContain("cursor");
        }
      },
    );

    it.each(LISTS)("%s: an offset beside it is 400 naming it", async (path, body) => {
      const client = await tenOfEach();
      const { next_cursor: cursor } = (await client.post(path, body({ limit: 3 }))).body;
      const answer = await client.post(path, body({ cursor, offset: 3 }));
      expect([answer.status, answer.body.error.code]).toEqual([400, "invalid_payload"]);
      expect(answer.body.error.message).toContain("offset");
    });

    it("says nothing of what is in it", async () => {
      const client = await tenOfEach();
      const page = { namespace: "n", query: { limit: 1 } };
      const { next_cursor } = (await client.post("/v1/record_query", page)).body;
      expect(Buffer.from(next_cursor, "base64url").toString("latin1")).not.toMatch(/occurred_at|2025-10/);
    });

    it("another tenant's cursor shows that tenant nothing of the first one's", async () => {
      const client = await tenOfEach();
      const { next_cursor: cursor } = (await client.post("/v1/logs/query", { namespace: "n", limit: 3 }))
        .body;
      const stranger = await newClient(api);
      const answer = await stranger.post("/v1/logs/query", { namespace: "n", cursor });
      expect([answer.status, answer.body]).toMatchObject([200, { logs: [], count: 0 }]);
    });
  });
}
