import { beforeAll, describe, expect, it } from "vitest";
import { type Api, type Client, limitTenant, newClient } from "../support/tenant.ts";
import { costsOf } from "../support/week/costs.ts";
import { type CountedStep, isBilled } from "../support/week/counted.ts";
import {
  type By,
  nearOnes,
  scoreFiguresOf,
  tokensOf,
  type UsageQuestion,
  usageOf,
} from "../support/week/figures.ts";
import { expectOk, readAll, readWeek, type Week } from "../support/week/read-back.ts";
import { sendWeek } from "../support/week/send.ts";
import { AGENTS, FIRST_DAY, type KnownSession, LAST_DAY, NAMESPACES } from "../support/week/traffic.ts";

// biome-ignore lint/suspicious/noExplicitAny: read as any client would
type Read = any;

const ZONES = [
  "UTC",
  "America/Recife",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Europe/Berlin",
  "Australia/Lord_Howe",
];
const BYS = [
  "day",
  "hour",
  "model",
  "agent",
  "namespace",
  "tool",
  "user",
  "day,model",
  "hour,agent,tool",
  "namespace,user",
];
const WEEK = { start_date: FIRST_DAY, end_date: LAST_DAY };
/** Begins and ends within an hour. */
const ODD_TIME = { start_date: "2025-10-20T09:17:42.123Z", end_date: "2025-10-26T00:44:59.999Z" };
/** Within one hour, over the end of one, and a day of the time zone: one of 25 hours in Berlin. */
const SHORT_TIMES = [
  { start_date: "2025-10-22T18:29:59.999Z", end_date: "2025-10-22T18:30:00.000Z" },
  { start_date: "2025-10-22T18:10:00Z", end_date: "2025-10-22T20:00:00Z" },
  { start_date: LAST_DAY, end_date: LAST_DAY },
];

/** What the figures say of a week of traffic is what adds up from the exports. */
export function week(api: Api): void {
  describe("a week of a small company", () => {
    let client: Client;
    let sent: KnownSession[];
    let read: Week;

    beforeAll(async () => {
      client = await newClient(api);
      await limitTenant(client.tenant, { view: 100_000, query: 1000, traces_batch: 1000 });
      sent = await sendWeek(client);
      read = await readWeek(client, sent);
    });

    const expectUsage = async (question: UsageQuestion) => {
      const { by, filters, ...time } = question;
      const path = `/v1/usage?${new URLSearchParams({ by: by.join(","), ...time, ...filters })}`;
      const { rows, totals } = await expectOk(client.get(path));
      const expected = usageOf(read.steps, read.scores, read.prices, question);
      const keyed = Object.fromEntries(
        rows.map(({ ...row }: Read) => {
          const key = JSON.stringify(by.map((name) => (name === "hour" ? wholeHour(row.hour) : row[name])));
          for (const name of by) delete row[name];
          return [key, nearOnes(row, expected.rows[key])];
        }),
      );
      expect({ path, rows: keyed }).toEqual({ path, rows: expected.rows });
      expect({ path, totals: nearOnes(totals, expected.totals) }).toEqual({ path, totals: expected.totals });
      expect(rows).toHaveLength(Object.keys(expected.rows).length);
      const times = rows.map(({ day, hour }: Read) => day ?? hour ?? "");
      expect(times).toEqual(times.toSorted());
      return rows.length as number;
    };

    it("has all that a week may have", () => {
      expect(read.steps.length).toBeGreaterThan(1400);
      const types = new Set(read.steps.map(({ type }) => type));
      expect([...types].sort()).toEqual(
        ["agent", "handoff", "llm_call", "log", "message", "span", "tool_call"].sort(),
      );
      expect(new Set(read.scores.map(({ name }) => name)).size).toBeGreaterThan(3);
    });

    it.each(ZONES)("usage adds up, in %s", async (time_zone) => {
      for (const by of BYS) {
        const question = { by: by.split(",") as By[], time_zone, filters: {} };
        expect(await expectUsage({ ...question, ...WEEK })).toBeGreaterThan(1);
        await expectUsage({ ...question, ...ODD_TIME });
      }
      for (const by of ["hour", "day,user"]) {
        const question = { by: by.split(",") as By[], time_zone, filters: {} };
        for (const time of SHORT_TIMES) await expectUsage({ ...question, ...time });
      }
    });

    it("usage with filters adds up", async () => {
      const filters = [
        { agent: AGENTS[0] },
        { agent: AGENTS[2], model: "gpt-4o-mini" },
        { model: "house-model-1" },
        { tool: "search" },
        { tool: "search", user_id: "user-1" },
        { user_id: "told-1" },
        { user_id: "span-user", agent: "billing" },
        { namespace: NAMESPACES[1] },
        { namespace: NAMESPACES[0], agent: AGENTS[1] },
        { agent: "nobody" },
      ];
      for (const filter of filters) {
        for (const by of ["day", "hour,model", "user,tool"]) {
          const question = { by: by.split(",") as By[], time_zone: "Asia/Kolkata", filters: filter };
          for (const time of [WEEK, ODD_TIME]) await expectUsage({ ...question, ...time });
        }
      }
    });

    it("usage until now adds up, of what is new and of all that there is", async () => {
      const recent = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
      for (const by of ["day", "hour", "user", "agent,model"]) {
        const asked = { by: by.split(",") as By[], filters: {} };
        for (const time_zone of ["UTC", "Asia/Kathmandu"]) {
          await expectUsage({ ...asked, time_zone, start_date: recent });
        }
      }
      for (const by of ["user", "agent,model", "tool"]) {
        await expectUsage({
          by: by.split(",") as By[],
          filters: {},
          time_zone: "Asia/Kolkata",
          start_date: "0001-01-02",
        });
      }
    });

    it("every session has the figures of its steps, in the list of each namespace and by itself", async () => {
      const listed: string[] = [];
      for (const namespace of NAMESPACES) {
        const path = `/v1/sessions?namespace=${encodeURIComponent(namespace)}&limit=7`;
        const sessions = await readAll(client, path, "sessions");
        const activity = sessions.map(({ last_activity_at }) => last_activity_at);
        expect(activity).toEqual(activity.toSorted().toReversed());
        for (const session of sessions) expectSession(session, [namespace]);
        listed.push(...sessions.map(({ session_id }) => JSON.stringify([session_id, namespace])));
      }
      const places = read.steps
        .filter(({ session_id }) => session_id !== undefined)
        .map(({ session_id, namespace }) => JSON.stringify([session_id, namespace]));
      const created = sent.map(({ session_id, namespace }) => JSON.stringify([session_id, namespace]));
      expect(listed.toSorted()).toEqual([...new Set([...places, ...created])].sort());

      for (const session_id of read.sessionIds) {
        const session = await expectOk(client.get(`/v1/sessions/${encodeURIComponent(session_id)}`));
        expectSession(session, NAMESPACES);
      }
    });

    it("the list of sessions has those that a filter asks for, in each namespace", async () => {
      const has = (name: "agent" | "model" | "user", value: string) => (steps: CountedStep[]) =>
        steps.some((step) => step[name] === value);
      const filters: [string, (steps: CountedStep[], user: string | undefined) => boolean][] = [
        ["status=error", (steps) => steps.some(({ is_error }) => is_error)],
        ["status=ok", (steps) => !steps.some(({ is_error }) => is_error)],
        ["agent=billing", has("agent", "billing")],
        ["model=mystery-7b", has("model", "mystery-7b")],
        ["user_id=told-2", has("user", "told-2")],
        ["user_id=user-0", (steps, user) => user === "user-0" || has("user", "user-0")(steps)],
        [
          "agent=planner&model=house-model-1&status=error",
          (steps) =>
            has("agent", "planner")(steps) &&
            has("model", "house-model-1")(steps) &&
            steps.some(({ is_error }) => is_error),
        ],
        ["agent=nobody", () => false],
      ];
      for (const namespace of NAMESPACES.slice(0, 2)) {
        const created = sent.filter((session) => session.namespace === namespace);
        const bySession = new Map(created.map(({ session_id }) => [session_id, [] as CountedStep[]]));
        for (const step of read.steps) {
          if (step.namespace !== namespace || step.session_id === undefined) continue;
          bySession.set(step.session_id, [...(bySession.get(step.session_id) ?? []), step]);
        }
        for (const [filter, isWanted] of filters) {
          const path = `/v1/sessions?namespace=${encodeURIComponent(namespace)}&limit=9&${filter}`;
          const found = (await readAll(client, path, "sessions")).map(({ session_id }) => session_id);
          const user = (id: string) => created.find(({ session_id }) => session_id === id)?.user_id;
          const expected = [...bySession]
            .filter(([id, steps]) => isWanted(steps, user(id)))
            .map(([id]) => id);
          expect([path, found.sort()]).toEqual([path, expected.sort()]);
        }
      }
    });

    function expectSession(session: Read, namespaces: string[]): void {
      const { session_id } = session;
      const isIn = (item: { session_id: string | undefined; namespace: string }) =>
        item.session_id === session_id && namespaces.includes(item.namespace);
      const steps = read.steps.filter(isIn);
      const { agents, models, user_id, step_count, error_count, cost, duration_ms, ...rest } = session;
      const { input_tokens, cached_input_tokens, output_tokens, reasoning_tokens } = rest;
      const expected = {
        scores: scoreFiguresOf(read.scores.filter(isIn)),
        agents: distinct(steps.map(({ agent }) => agent)),
        models: distinct(steps.map(({ model }) => model)),
        user_id: sent.find((one) => isIn(one))?.user_id ?? distinct(steps.map(({ user }) => user))[0] ?? null,
        step_count: steps.length,
        error_count: steps.filter(({ is_error }) => is_error).length,
        ...tokensOf(steps),
        cost: costsOf(steps, read.prices),
        duration_ms: durationOf(steps),
        first_message: messageOf(steps, "first"),
        last_message: messageOf(steps, "last"),
      };
      const told = nearOnes({ scores: rest.scores }, expected);
      expect({
        session_id,
        ...{ agents: agents.toSorted(), models: models.toSorted(), user_id, step_count, error_count, cost },
        ...{ input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, duration_ms },
        ...{ scores: told.scores, first_message: rest.first_message, last_message: rest.last_message },
      }).toEqual({ session_id, ...expected });
    }

    /** Of the first model call or record what it was asked or says, of the last one what it answers or says. */
    function messageOf(steps: CountedStep[], end: "first" | "last"): string | null {
      const said = steps
        .filter(({ type }) => type === "llm_call" || type === "message")
        .sort((one, other) => one.began_at - other.began_at || (one.id < other.id ? -1 : 1));
      const step = said.at(end === "first" ? 0 : -1);
      if (step === undefined) return null;
      const record = read.exported.get(step.id);
      if (step.type === "llm_call" && end === "first" && record.input !== undefined) {
        return textOf(record.input);
      }
      return read.skeletons.find(({ id }) => id === step.id).preview;
    }

    it("skeletons have the tokens of their steps, and cost what those cost", () => {
      const counted = new Map(read.steps.map((step) => [step.id, step]));
      expect(read.skeletons.map(({ id }) => id).sort()).toEqual(
        read.steps
          .filter(({ session_id }) => session_id !== undefined)
          .map(({ id }) => id)
          .sort(),
      );
      for (const skeleton of read.skeletons.filter(({ id }) => read.exported.has(id))) {
        const { input_tokens = null, output_tokens = null } = read.exported.get(skeleton.id);
        expect(skeleton).toMatchObject({ input_tokens, output_tokens });
        const step = counted.get(skeleton.id) as CountedStep;
        const { amount, currency } = costsOf([step], read.prices);
        const cost = isBilled(step) && amount !== null ? { amount, currency } : null;
        expect({ cost, ...skeleton }).toMatchObject({ cost });
      }
    });

    it("facets count what was exported of the last thirty days", async () => {
      const facets = await expectOk(client.get("/v1/facets"));
      const day = 86_400_000_000;
      const begins = Math.floor((Date.now() * 1000) / day) * day - 29 * day;
      const recent = read.steps.filter(({ at }) => at >= begins);
      const calls = recent.filter(({ type }) => type === "llm_call");
      const users = read.steps.filter(({ session_id }) => session_id !== undefined);
      const pairs = new Set(users.map(({ session_id, user }) => JSON.stringify([session_id, user])));
      expect(facets).toEqual({
        agents: valuesOf(recent.map(({ agent }) => agent)),
        models: valuesOf(calls.map(({ model }) => model)),
        tools: valuesOf(recent.map(({ tool }) => tool)),
        users: valuesOf([...pairs].map((pair) => JSON.parse(pair)[1])),
      });
      expect(facets.models.length * facets.tools.length * facets.users.length).toBeGreaterThan(10);
    });

    it("a token that is bound to a namespace has the figures of that namespace", async () => {
      for (const namespace of NAMESPACES) {
        const bound = await newClient(api, { tenant: client.tenant, namespaces: [namespace] });
        const named = `namespace=${encodeURIComponent(namespace)}`;
        for (const path of [
          `/v1/usage?by=day,agent,model&${new URLSearchParams(WEEK)}`,
          `/v1/usage?by=user,tool&${new URLSearchParams(WEEK)}`,
          "/v1/sessions?limit=200",
          "/v1/facets?",
        ]) {
          const whole = await expectOk(client.get(`${path}&${named}`));
          const own = await expectOk(bound.get(path));
          expect([path, withoutCursor(own)]).toEqual([path, withoutCursor(whole)]);
        }
      }
    });

    it("taking content away leaves every figure as it is", async () => {
      const figures = async () => {
        const usage = new URLSearchParams({ ...WEEK, by: "hour,user,agent,model" });
        const list = await readAll(client, "/v1/sessions?limit=100", "sessions");
        return {
          usage: await expectOk(client.get(`/v1/usage?${usage}`)),
          facets: await expectOk(client.get("/v1/facets")),
          sessions: list.map(({ first_message: _, last_message: __, active: ___, ...session }) => session),
        };
      };
      const before = await figures();
      const { data: traces } = await expectOk(client.get("/v1/traces?limit=30"));
      expect(traces).toHaveLength(30);
      for (const { id } of traces) {
        const purge = await client.send(`/v1/traces/${id}/content`, undefined, { method: "DELETE" });
        expect(purge.status).toBe(200);
        await purge.text();
      }
      expect(await figures()).toEqual(before);
      const session = await expectOk(client.get(`/v1/sessions/${before.sessions[0].session_id}`));
      expect(session.step_count).toBeGreaterThan(0);
    });
  });
}

const withoutCursor = ({ next_cursor: _, ...page }: Read) => page;

/** With three digits behind the point, as JavaScript writes it. */
const wholeHour = (hour: string) => new Date(hour).toISOString();

function distinct(values: (string | null)[]): string[] {
  return [...new Set(values.filter((value) => value !== null))].sort();
}

/** From when the first step began until the last one was over, in milliseconds. */
function durationOf(steps: CountedStep[]): number | null {
  if (steps.length === 0) return null;
  const began = Math.min(...steps.map(({ began_at }) => began_at));
  const ended = Math.max(...steps.map(({ ended_at }) => ended_at));
  return Math.round((ended - began) / 1000);
}

function textOf(input: Read): string {
  const { content, parts } = (input.messages ?? input).at(-1);
  return content ?? parts.at(-1).content;
}

function valuesOf(values: (string | null)[]): { value: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((one, other) => other.count - one.count || (one.value < other.value ? -1 : 1));
}
