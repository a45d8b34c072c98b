import { describe, expect, it } from "vitest";
import { type Api, type Client, limitTenant, newClient } from "../support/tenant.ts";
import { expectOk } from "../support/week/read-back.ts";

const TEXTS = [
  "\u0000",
  "a\u0000b",
  "%",
  "%25%00",
  "_",
  "'; drop table public.steps; --",
  '"',
  "\\",
  "\ud800",
  "👋\u202e",
  "x".repeat(10_000),
  "../x",
  "null",
  "{}",
  "[]",
  " ",
  "__proto__",
  "-1",
  "1e400",
  "NaN",
];
const ZONES = [
  "UTC+3",
  "+03:00",
  "-0330",
  "EST5EDT",
  "IST",
  "../x",
  "posix/UTC",
  "America/../UTC",
  "America/recife",
  "Etc/GMT+12",
  "/",
  "a/b",
  "<+05>-5",
  ":UTC",
];
/** The first and the last that there are. */
const EDGES = ["0001-01-01", "0001-01-01T00:00:00Z", "9999-12-31", "9999-12-31T23:59:59.999999Z", ""];
const NO_MOMENTS = [
  "0001-01-01T00:00:00+23:59",
  "0000-01-01",
  "10000-01-01",
  "infinity",
  "now",
  "2025-02-30",
  "1969-12-31T23:59:60Z",
];
const FILTERS: Record<string, string[]> = {
  "/v1/usage": [
    "namespace",
    "agent",
    "model",
    "tool",
    "user_id",
    "by",
    "time_zone",
    "start_date",
    "end_date",
  ],
  "/v1/sessions": [
    "namespace",
    "agent",
    "model",
    "user_id",
    "status",
    "text",
    "limit",
    "cursor",
    "start_date",
    "end_date",
  ],
  "/v1/sessions/s": ["namespace"],
  "/v1/facets": ["namespace"],
  "/v1/scores": ["namespace", "name", "session_id", "trace_id", "step_id", "source", "limit", "cursor"],
  "/v1/model-prices": ["model"],
};

/** What nobody means to ask is answered, or refused: it is never our fault. */
export function hostileFigures(api: Api): void {
  describe("hostile questions about figures", () => {
    const newOne = async () => {
      const client = await newClient(api);
      await limitTenant(client.tenant, { view: 100_000, rules: 100_000 });
      const step = { namespace: "n", session_id: "s", agent: "a", model: "gpt-4o-mini" };
      await expectOk(client.post("/v1/traces/llm", step));
      await expectOk(client.post("/v1/traces/llm", { ...step, session_id: "t" }));
      return client;
    };
    /** The status, which is one of those that a client has to answer for. */
    const ask = async (client: Client, path: string, query: Record<string, string>) => {
      const { status, body } = await client.get(`${path}?${new URLSearchParams(query)}`);
      expect({ path, query, status }).toEqual({ path, query, status: expect.toBeOneOf([200, 400, 404]) });
      if (status === 400)
        expect(body.error.message).toMatch(new RegExp(`\\b(${Object.keys(query).join("|")})\\b`));
      return status;
    };

    it.each(Object.entries(FILTERS))(
      "%s with any text in any filter is answered or 400",
      async (path, names) => {
        const client = await newOne();
        for (const name of names) {
          for (const text of TEXTS) await ask(client, path, { [name]: text });
        }
        for (const text of TEXTS.filter((one) => one.length < 100)) {
          const { status } = await client.get(`/v1/sessions/${encodeURIComponent(text.toWellFormed())}`);
          expect([text, status]).toEqual([text, expect.toBeOneOf([400, 404])]);
        }
      },
    );

    it("usage: names that are no time zones are 400, and others are taken", async () => {
      const client = await newOne();
      const refused: string[] = [];
      for (const time_zone of ZONES) {
        const statuses = [];
        for (const by of ["day", "hour,user", "agent"]) {
          statuses.push(await ask(client, "/v1/usage", { time_zone, by }));
        }
        expect(new Set(statuses).size).toBe(1);
        if (statuses[0] === 400) refused.push(time_zone);
      }
      expect(ZONES.filter((zone) => !refused.includes(zone))).toEqual(["America/recife", "Etc/GMT+12"]);
    });

    it("usage: the first and the last moments that there are, in any zone, are answered or 400", async () => {
      const client = await newOne();
      for (const start_date of EDGES) {
        for (const end_date of EDGES) {
          for (const time_zone of ["UTC", "Asia/Kolkata", "America/Recife"]) {
            for (const by of ["hour", "day,agent", "user"]) {
              await ask(client, "/v1/usage", { start_date, end_date, time_zone, by });
            }
          }
        }
      }
      for (const time_zone of ["Asia/Kolkata", "America/Recife"]) {
        const query = new URLSearchParams({ time_zone, by: "agent", start_date: "0001-01-01" });
        const { start_date, end_date } = await expectOk(client.get(`/v1/usage?${query}&end_date=9999-12-31`));
        expect([start_date.slice(0, 4), end_date.slice(0, 4)]).toEqual(["0001", "9999"]);
        expect(start_date < "0001-01-02").toBe(true);
      }
      for (const moment of NO_MOMENTS) {
        expect([moment, await ask(client, "/v1/usage", { start_date: moment })]).toEqual([moment, 400]);
        expect([moment, await ask(client, "/v1/usage", { end_date: moment })]).toEqual([moment, 400]);
      }
    });

    it.each(["day,day", "day,hour", "hour,hour", ",", "day,", "days", "DAY", "day;hour", "__proto__"])(
      "usage by %j is 400",
      async (by) => {
        const { status, body } = await (await newOne()).get(`/v1/usage?by=${encodeURIComponent(by)}`);
        expect([status, body.error.code]).toEqual([400, "invalid_payload"]);
        expect(body.error.message).toMatch(/\bby\b/);
      },
    );

    it("a time that ends before it begins has nothing in it", async () => {
      const client = await newOne();
      const query = "start_date=2026-01-02&end_date=2025-01-01";
      for (const by of ["day", "hour,agent", "user", "model"]) {
        const { rows, totals } = await expectOk(client.get(`/v1/usage?by=${by}&${query}`));
        expect([rows, totals.calls]).toEqual([[], 0]);
      }
      expect((await expectOk(client.get(`/v1/sessions?${query}`))).sessions).toEqual([]);
    });

    it("a cursor of another list, or one that was changed, is 400", async () => {
      const client = await newOne();
      const score = { session_id: "s", name: "n", value: 1 };
      await expectOk(client.post("/v1/scores/batch", { scores: [score, score] }));
      const cursors = [];
      for (const path of ["/v1/sessions", "/v1/scores"]) {
        cursors.push((await expectOk(client.get(`${path}?limit=1`))).next_cursor);
      }
      const [ofSessions, ofScores] = cursors;
      for (const [path, cursor] of [
        ["/v1/sessions", ofScores],
        ["/v1/scores", ofSessions],
        ["/v1/sessions", `${ofSessions}A`],
        ["/v1/sessions", ofSessions.slice(1)],
        ["/v1/sessions/s/steps", ofSessions],
      ]) {
        const { status, body } = await client.get(`${path}?limit=1&cursor=${cursor}`);
        expect([path, status, body.error?.code]).toEqual([path, 400, "invalid_payload"]);
      }
    });

    it.each([2 ** 53, 1 / 3, 0.1, -1e308, 5e-324, 0.1 + 0.2])(
      "the average of a score of %d is that number",
      async (value) => {
        const client = await newOne();
        await expectOk(client.post("/v1/scores", { session_id: "s", name: "helpful", value }));
        for (const path of ["/v1/sessions/s", "/v1/sessions/s?namespace=n"]) {
          const { scores } = await expectOk(client.get(path));
          expect(scores).toEqual({ helpful: { count: 1, average: value } });
        }
        const { totals } = await expectOk(client.get("/v1/usage"));
        expect(totals.scores.helpful.average).toBe(value);
      },
    );

    it.each([
      ["model", { model: longText(3000) }],
      ["user", { external_user_id: longText(3000) }],
      ["tool", { type: "tool", tool_name: longText(3000) }],
      ["session and agent", { session_id: longText(512), agent: longText(256), model: longText(300) }],
    ])("the longest names of a %s do not keep the tenant from reading", async (_, named) => {
      const client = await newOne();
      const step = { type: "llm", namespace: "n", session_id: "s", ...named };
      const other = { ...step, model: "m", tool_name: "t", external_user_id: "u" };
      const sent = await expectOk(client.post("/v1/traces/batch", { traces: [step, step, other] }));
      expect(sent.succeeded).toBe(3);

      const { totals, rows } = await expectOk(client.get("/v1/usage?by=model,tool,user,agent"));
      expect(totals.calls + totals.tool_calls).toBe(5);
      expect(rows.length).toBeGreaterThan(1);
      const agent = encodeURIComponent((named as { agent?: string }).agent ?? "n");
      expect((await expectOk(client.get(`/v1/sessions?agent=${agent}`))).count).toBe(1);
      expect((await expectOk(client.get("/v1/facets"))).agents.length).toBeGreaterThan(0);
    });

    it("steps at both ends of time, that took no time or all of it, are counted", async () => {
      const client = await newOne();
      const ends = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", undefined];
      const traces = ends.flatMap((timestamp) =>
        ends.flatMap((started_at) =>
          [0, Number.MAX_SAFE_INTEGER, undefined].map((latency_ms) => {
            return { type: "llm", namespace: "n", session_id: "ends", timestamp, started_at, latency_ms };
          }),
        ),
      );
      expect((await expectOk(client.post("/v1/traces/batch", { traces }))).succeeded).toBe(27);
      const session = await expectOk(client.get("/v1/sessions/ends"));
      expect(session.step_count).toBe(27);
      expect(session.duration_ms).toBeGreaterThan(9998 * 365 * 86_400_000);
      for (const by of ["agent", "user"]) {
        const path = `/v1/usage?by=${by}&start_date=0001-01-01&time_zone=Asia/Kolkata`;
        expect((await expectOk(client.get(path))).totals.calls).toBe(29);
      }
      for (const by of ["day", "hour", "day,user"]) {
        const path = `/v1/usage?by=${by}&start_date=9999-12-30&time_zone=Asia/Kolkata`;
        const { totals, rows } = await expectOk(client.get(path));
        expect([totals.calls, rows.length]).toEqual([9, 1]);
      }
    });

    it("the most tokens that can be told, a thousand times, add up", async () => {
      const client = await newOne();
      const most = Number.MAX_SAFE_INTEGER;
      const tokens = {
        input_tokens: most,
        output_tokens: most,
        cached_input_tokens: most,
        reasoning_tokens: most,
      };
      const records = Array.from({ length: 1000 }, (_, index) => ({
        ...{ namespace: "n", session_id: "s", agent: "a", model: "gpt-4o-mini", ...tokens },
        msg: { role: "user", content: `${index}` },
      }));
      expect((await expectOk(client.post("/v1/records/upload", { records }))).inserted_count).toBe(1000);
      // 0.075 for a million cached ones, 0.60 for as many of output.
      const amount = decimal(BigInt(most) * 1000n * 675n, 9);
      const { totals } = await expectOk(client.get("/v1/usage?by=user"));
      const session = await expectOk(client.get("/v1/sessions/s"));
      for (const figures of [totals, session]) {
        expect(figures).toMatchObject({ input_tokens: most * 1000, cost: { amount } });
      }
      await expectOk(client.get("/v1/facets"));
    });
  });
}

function decimal(amount: bigint, digits: number): string {
  const text = amount.toString().padStart(digits + 1, "0");
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/\.?0+$/, "");
}

/** Of letters of four bytes each, which no compression makes shorter. */
function longText(length: number): string {
  return Array.from({ length }, () =>
    String.fromCodePoint(0x20000 + Math.floor(Math.random() * 40_000)),
  ).join("");
}
