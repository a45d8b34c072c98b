import { beforeEach, describe, expect, it } from "vitest";
import { type Api, type Client, newClient } from "../support/tenant.ts";

const PRICES = { prices: [{ model: "m*", input: "1", cached_input: "0.5", output: "2" }] };
const TIME = "start_date=2026-11-10&end_date=2026-11-12";
const NOTHING = {
  calls: 0,
  tool_calls: 0,
  errors: 0,
  input_tokens: 0,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  cost: { amount: "0", currency: "USD", unpriced_steps: 0 },
  latency_ms: { p50: null, p95: null },
  scores: {},
};

interface Row {
  calls: number;
  tool_calls: number;
  errors: number;
  input_tokens: number;
  [member: string]: unknown;
}

const costing = (amount: string | null, unpriced_steps = 0) => ({ amount, currency: "USD", unpriced_steps });

export function usage(api: Api): void {
  describe("usage", () => {
    let client: Client;
    beforeEach(async () => {
      client = await newClient(api);
    });

    async function send(kind: string, body: object): Promise<string> {
      const answer = await client.post(`/v1/traces/${kind}`, { session_id: "s", namespace: "n", ...body });
      expect([answer.status, answer.body.id]).toEqual([200, expect.any(String)]);
      return answer.body.id;
    }
    async function read(query = "", reader = client) {
      const { status, body } = await reader.get(`/v1/usage?${query}`);
      expect([query, status]).toEqual([query, 200]);
      return body as { rows: Row[]; totals: Row; start_date: string; end_date: string | null };
    }
    /** Of each row these members. */
    async function told(query: string, ...members: string[]) {
      const { rows } = await read(query);
      return rows.map((row) => members.map((member) => row[member]));
    }

    const call = (prompt_tokens: number, completion_tokens: number) => ({
      output: { usage: { prompt_tokens, completion_tokens } },
    });
    /** Three calls and a tool's, around a midnight in UTC and one in India. Returns the id of the first. */
    async function sendDays(): Promise<string> {
      await client.put("/v1/model-prices", PRICES);
      const [a, b] = [
        { agent: "a", external_user_id: "u" },
        { agent: "b", external_user_id: "v" },
      ];
      const first = await send("llm", {
        ...a,
        model: "m-1",
        ...call(100, 10),
        latency_ms: 200,
        timestamp: "2026-11-10T18:15:00Z",
      });
      await send("llm", { ...a, model: "other", ...call(50, 5), timestamp: "2026-11-10T18:45:00Z" });
      await send("tool", {
        ...b,
        tool_name: "t",
        error: "timeout",
        latency_ms: 70,
        timestamp: "2026-11-11T00:30:00Z",
      });
      const late = { model: "m-2", ...call(7, 0), namespace: "m", session_id: "x" };
      await send("llm", { ...b, ...late, timestamp: "2026-11-11T23:59:59.999999Z" });
      return first;
    }

    it("a row has all figures of its steps, and the totals those of all rows", async () => {
      await client.put("/v1/model-prices", PRICES);
      const usage = {
        prompt_tokens: 100,
        completion_tokens: 10,
        prompt_tokens_details: { cached_tokens: 60 },
        completion_tokens_details: { reasoning_tokens: 4 },
      };
      const timestamp = "2026-11-10T12:00:00Z";
      await send("llm", { agent: "a", model: "m-1", output: { usage }, latency_ms: 200, timestamp });
      await send("tool", { agent: "a", tool_name: "t", error: "timeout", latency_ms: 70, timestamp });
      await send("log", { agent: "a", message: "in a trace", timestamp });
      const figures = {
        calls: 1,
        tool_calls: 1,
        errors: 1,
        input_tokens: 100,
        cached_input_tokens: 60,
        output_tokens: 10,
        reasoning_tokens: 4,
        cost: costing("0.00009"),
        latency_ms: { p50: expect.any(Number), p95: expect.any(Number) },
        scores: {},
      };
      const { p50, p95 } = (await read(TIME)).totals.latency_ms as { p50: number; p95: number };
      expect([p50, p95].map((ms) => Math.abs(ms - 200) / 200 < 0.05)).toEqual([true, true]);
      expect(await read(TIME)).toEqual({
        rows: [{ day: "2026-11-10", ...figures }],
        totals: figures,
        start_date: "2026-11-10T00:00:00.000Z",
        end_date: "2026-11-12T23:59:59.999999Z",
      });
    });

    it("where nothing was, there is no row, and the totals are of nothing", async () => {
      const { rows, totals } = await read();
      expect([rows, totals]).toEqual([[], NOTHING]);
    });

    it("rows are by what is asked for, and together they are the totals", async () => {
      await sendDays();
      const by = (names: string) => `${TIME}&by=${names}`;
      expect(await told(by("day"), "day", "calls", "tool_calls", "input_tokens")).toEqual([
        ["2026-11-10", 2, 0, 150],
        ["2026-11-11", 1, 1, 7],
      ]);
      expect(await told(by("namespace"), "namespace", "calls")).toEqual([
        ["m", 1],
        ["n", 2],
      ]);
      expect(await told(by("agent"), "agent", "calls", "errors")).toEqual([
        ["a", 2, 0],
        ["b", 1, 1],
      ]);
      expect(await told(by("model"), "model", "calls", "tool_calls", "cost")).toEqual([
        ["m-1", 1, 0, costing("0.00012")],
        ["m-2", 1, 0, costing("0.000007")],
        ["other", 1, 0, costing(null, 1)],
        [null, 0, 1, costing("0")],
      ]);
      expect(await told(by("tool"), "tool", "calls", "tool_calls")).toEqual([
        ["t", 0, 1],
        [null, 3, 0],
      ]);
      expect(await told(by("user"), "user", "calls", "tool_calls")).toEqual([
        ["u", 2, 0],
        ["v", 1, 1],
      ]);
      expect(await told(by("hour"), "hour", "calls")).toEqual([
        ["2026-11-10T18:00:00.000Z", 2],
        ["2026-11-11T00:00:00.000Z", 0],
        ["2026-11-11T23:00:00.000Z", 1],
      ]);
      expect(await told(by("model,day,user"), "day", "model", "user")).toEqual([
        ["2026-11-10", "m-1", "u"],
        ["2026-11-10", "other", "u"],
        ["2026-11-11", "m-2", "v"],
        ["2026-11-11", null, "v"],
      ]);
      for (const names of [
        "day",
        "hour",
        "namespace,agent",
        "model,user",
        "hour,namespace,agent,model,tool,user",
      ]) {
        const { rows, totals } = await read(by(names));
        const sum = (member: string) => rows.reduce((all, row) => all + Number(row[member]), 0);
        const summed = ["calls", "tool_calls", "errors", "input_tokens"].map((member) => [
          member,
          sum(member),
        ]);
        expect([names, totals]).toMatchObject([names, Object.fromEntries(summed)]);
        expect(totals).toMatchObject({ calls: 3, errors: 1, cost: costing("0.000127", 1) });
      }
    });

    it("days and hours are those of the time zone, and bare days, too", async () => {
      await sendDays();
      const inIndia = `${TIME}&time_zone=Asia/Kolkata`;
      expect(await told(`${inIndia}&by=day`, "day", "calls", "tool_calls")).toEqual([
        ["2026-11-10", 1, 0],
        ["2026-11-11", 1, 1],
        ["2026-11-12", 1, 0],
      ]);
      expect(await told(`${inIndia}&by=hour`, "hour", "calls", "tool_calls")).toEqual([
        ["2026-11-10T17:30:00.000Z", 1, 0],
        ["2026-11-10T18:30:00.000Z", 1, 0],
        ["2026-11-11T00:30:00.000Z", 0, 1],
        ["2026-11-11T23:30:00.000Z", 1, 0],
      ]);
      expect(await told(`${TIME}&time_zone=America/Recife`, "day", "calls", "tool_calls")).toEqual([
        ["2026-11-10", 2, 1],
        ["2026-11-11", 1, 0],
      ]);
      const one = await read("start_date=2026-11-11&end_date=2026-11-11&time_zone=Asia/Kolkata&by=agent");
      expect(one).toMatchObject({
        rows: [
          { agent: "a", calls: 1 },
          { agent: "b", tool_calls: 1 },
        ],
        start_date: "2026-11-10T18:30:00.000Z",
        end_date: "2026-11-11T18:29:59.999999Z",
      });
    });

    it("the end is inclusive, and a time may be as short as one moment", async () => {
      await sendDays();
      const calls = async (start: string, end: string) =>
        (await read(`start_date=${start}&end_date=${end}`)).totals.calls;
      expect(await calls("2026-11-10", "2026-11-10T18:45:00Z")).toBe(2);
      expect(await calls("2026-11-10", "2026-11-10T18:44:59.999999Z")).toBe(1);
      expect(await calls("2026-11-10T18:15:00Z", "2026-11-10T18:15:00Z")).toBe(1);
      expect(await calls("2026-11-10T18:16:00Z", "2026-11-10T18:17:00Z")).toBe(0);
      expect(await calls("2026-11-11", "2026-11-11")).toBe(1);
      expect(await calls("2026-11-12", "2026-11-10")).toBe(0);
    });

    it("without dates it is this day and the six before it, by day", async () => {
      const day = 86_400_000;
      const today = (ago: number) => new Date(Date.now() - ago * day).toISOString().slice(0, 10);
      await send("llm", { timestamp: `${today(7)}T23:59:59Z` });
      await send("llm", { timestamp: `${today(6)}T00:00:00Z` });
      await send("llm", {});
      const { rows, totals, start_date, end_date } = await read();
      expect(rows.map((row) => [row.day, row.calls])).toEqual([
        [start_date.slice(0, 10), 1],
        [today(0), 1],
      ]);
      expect([today(6), start_date, end_date, totals.calls]).toEqual([
        today(6),
        `${today(6)}T00:00:00.000Z`,
        null,
        2,
      ]);
      expect((await read("end_date=2026-11-10")).start_date).toBe("2026-11-04T00:00:00.000Z");
      expect((await read("time_zone=Asia/Kolkata")).start_date).toMatch(/T18:30:00\.000Z$/);
    });

    it("a filter leaves what it names, in rows and totals, alone and with others", async () => {
      await sendDays();
      const expected: [query: string, agents: string[], calls: number, toolCalls: number][] = [
        ["namespace=n", ["a", "b"], 2, 1],
        ["namespace=m", ["b"], 1, 0],
        ["agent=a", ["a"], 2, 0],
        ["model=m-1", ["a"], 1, 0],
        ["tool=t", ["b"], 0, 1],
        ["user_id=v", ["b"], 1, 1],
        ["user_id=v&namespace=m", ["b"], 1, 0],
        ["agent=a&model=m-2", [], 0, 0],
        ["agent=nobody", [], 0, 0],
      ];
      for (const [query, agents, calls, tool_calls] of expected) {
        const { rows, totals } = await read(`${TIME}&${query}&by=agent`);
        expect([query, totals]).toMatchObject([query, { calls, tool_calls }]);
        expect([query, rows.map(({ agent }) => agent)]).toEqual([query, agents]);
      }
    });

    it("latencies are those of model calls, of a tool its own, and off by less than 5 %", async () => {
      const sent = Array.from(
        { length: 200 },
        (_, place) => Math.round(1.05 ** place * ((place % 7) + 1)) + 1,
      );
      for (const half of [sent.slice(0, 100), sent.slice(100)]) {
        const traces = half.map((latency_ms) => ({ type: "llm", session_id: "s", model: "m", latency_ms }));
        expect((await client.post("/v1/traces/batch", { traces })).body.succeeded).toBe(100);
      }
      await send("tool", { tool_name: "t", latency_ms: 3_600_000 });
      await send("llm", { model: "untold" });
      sent.sort((one, other) => one - other);
      const expectNear = ({ p50, p95 }: { p50: number; p95: number }, half: number, most: number) => {
        expect(Math.abs(p50 - half) / half).toBeLessThan(0.05);
        expect(Math.abs(p95 - most) / most).toBeLessThan(0.05);
      };
      const { rows, totals } = await read("by=tool");
      const [ofTool, ofCalls] = rows.map(({ latency_ms }) => latency_ms as { p50: number; p95: number });
      for (const latencies of [ofCalls, totals.latency_ms])
        expectNear(latencies as { p50: number; p95: number }, sent[99] as number, sent[189] as number);
      expectNear(ofTool as { p50: number; p95: number }, 3_600_000, 3_600_000);
      const oneTool = await read("tool=t&by=day");
      for (const row of [...oneTool.rows, oneTool.totals])
        expectNear(row.latency_ms as { p50: number; p95: number }, 3_600_000, 3_600_000);
      expect((await read("model=untold")).totals.latency_ms).toEqual({ p50: null, p95: null });
    });

    it("an amount is null where no call has a price, and calls without tokens are told apart", async () => {
      await client.put("/v1/model-prices", PRICES);
      await send("llm", { model: "other", ...call(5, 5) });
      expect((await read()).totals.cost).toEqual(costing(null, 1));
      await send("llm", { model: "m-1" });
      expect((await read()).totals.cost).toEqual(costing(null, 2));
      await send("llm", { model: "m-1", ...call(5, 5) });
      expect((await read()).totals.cost).toEqual(costing("0.000015", 2));
      await client.put("/v1/model-prices", { prices: [{ model: "*", input: "1", output: "1" }] });
      expect((await read()).totals.cost).toEqual(costing("0.00002", 1));
    });

    it("scores count where what they are about stands, on their own day", async () => {
      const step_id = await sendDays();
      const { data } = (await client.get("/v1/traces?agent=b")).body;
      const created_at = "2026-11-12T10:00:00Z";
      for (const [about, value] of [
        [{ step_id }, true],
        [{ step_id }, false],
        [{ trace_id: data[0].id }, 5],
        [{ session_id: "s" }, "fine"],
      ])
        await client.post("/v1/scores", { ...(about as object), name: "helpful", value, created_at });
      expect(await told(`${TIME}&by=day`, "day", "scores")).toEqual([
        ["2026-11-10", {}],
        ["2026-11-11", {}],
        ["2026-11-12", { helpful: { count: 4, average: 2 } }],
      ]);
      const day = "start_date=2026-11-12&by=agent,model,user";
      expect(await told(day, "agent", "model", "user", "calls", "scores")).toEqual([
        ["a", "m-1", "u", 0, { helpful: { count: 2, average: 0.5 } }],
        ["b", null, null, 0, { helpful: { count: 1, average: 5 } }],
        [null, null, null, 0, { helpful: { count: 1, average: null } }],
      ]);
      expect((await read(`${TIME}&user_id=u`)).totals.scores).toEqual({
        helpful: { count: 2, average: 0.5 },
      });
    });

    it("log entries outside of any trace are not in it, those of a trace only as errors", async () => {
      await client.post("/v1/traces/log", { namespace: "n", message: "m" });
      expect((await read()).totals).toEqual(NOTHING);
      await send("log", { message: "m", status: "error" });
      expect((await read()).totals).toEqual({ ...NOTHING, errors: 1 });
    });

    it("a bound token adds up its namespaces alone, and is told nothing of what stands in others", async () => {
      await sendDays();
      const bound = await newClient(api, { tenant: client.tenant, namespaces: ["m", "mine"] });
      const by = `${TIME}&by=namespace,agent,user`;
      expect((await read(by, bound)).rows).toMatchObject([
        { namespace: "m", agent: "b", user: "v", calls: 1 },
      ]);
      expect((await read(by, bound)).totals).toMatchObject({ calls: 1, tool_calls: 0, input_tokens: 7 });
      const elsewhere = await bound.get("/v1/usage?namespace=n");
      expect([elsewhere.status, elsewhere.body.error.code]).toEqual([403, "forbidden"]);

      // A score that came before what it is about.
      const score = { trace_id: "later", namespace: "mine", name: "n", value: 1 };
      expect((await bound.post("/v1/scores", score)).status).toBe(200);
      await send("llm", { namespace: "secret", agent: "agent of others", trace_id: "later" });
      expect((await read("namespace=mine&by=agent", bound)).rows).toMatchObject([
        { agent: null, scores: { n: { count: 1 } } },
      ]);
    });

    it("facets are what lists can be filtered by, the most frequent first, of one namespace or of all", async () => {
      const user = { external_user_id: "u" };
      await send("llm", { agent: "a", model: "m-1", ...user });
      await send("llm", { agent: "a", model: "m-2", ...user, session_id: "x" });
      await send("llm", { agent: "b", model: "m-2", external_user_id: "v", namespace: "m", session_id: "y" });
      await send("tool", { agent: "a", tool_name: "t" });
      await send("tool", { agent: "a", tool_name: "old", timestamp: "2020-01-01T00:00:00Z" });
      const { status, body } = await client.get("/v1/facets");
      expect([status, body]).toEqual([
        200,
        {
          agents: [
            { value: "a", count: 3 },
            { value: "b", count: 1 },
          ],
          models: [
            { value: "m-2", count: 2 },
            { value: "m-1", count: 1 },
          ],
          tools: [{ value: "t", count: 1 }],
          users: [
            { value: "u", count: 2 },
            { value: "v", count: 1 },
          ],
        },
      ]);
      const bound = await newClient(api, { tenant: client.tenant, namespaces: ["m"] });
      const ofOne = [await client.get("/v1/facets?namespace=m"), await bound.get("/v1/facets")];
      const one = {
        agents: [{ value: "b", count: 1 }],
        models: [{ value: "m-2", count: 1 }],
        tools: [],
        users: [{ value: "v", count: 1 }],
      };
      expect(ofOne.map((answer) => answer.body)).toEqual([one, one]);
      const none = { agents: [], models: [], tools: [], users: [] };
      expect((await client.get("/v1/facets?namespace=nothing")).body).toEqual(none);
    });

    it.each([
      ["usage?by=week", /^by: must be some of day, hour, /],
      ["usage?by=day,day", /^by: must be some of day, hour, .* each once/],
      ["usage?by=day,,model", /^by: must be some of/],
      ["usage?by=day,hour", /^by: can be day or hour, but not both/],
      ["usage?time_zone=Mars/Olympus", /^time_zone: must be the name of a time zone/],
      ["usage?time_zone=%2B05:30", /^time_zone: must be the name of a time zone/],
      ["usage?time_zone=IST", /^time_zone: must be the name of a time zone/],
      ["usage?start_date=yesterday", /^start_date: must be a date or time/],
      ["usage?start_date=2026-02-30", /^start_date: must be a date or time/],
      ["usage?end_date=2026", /^end_date: must be a date or time/],
      ["usage?start_date=2020-01-01", /^start_date: by day or by hour, it can be 366 days at most/],
      ["usage?users=u", /^there is no filter `users`/],
      ["usage?user_id=u&limit=1", /^there is no filter `limit`/],
      ["usage?model=a%00b", /^model: must not contain the character/],
      ["facets?agent=a", /^there is no filter `agent`/],
    ])("GET /%s is 400 invalid_payload, naming what is wrong", async (path, message) => {
      const { status, body } = await client.get(`/v1/${path}`);
      expect([status, body.error.code, body.error.message]).toEqual([
        400,
        "invalid_payload",
        expect.stringMatching(message),
      ]);
    });

    it("by neither day nor hour, the time may be as long as you like", async () => {
      await send("llm", { agent: "a", timestamp: "2001-01-01T00:00:00Z" });
      expect(await told("start_date=2000-01-01&by=agent", "agent", "calls")).toEqual([["a", 1]]);
    });
  });
}
