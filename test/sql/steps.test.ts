import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { otherToken, waitUntilBlocked } from "../support/database.ts";
import { randomHistory, randomOf, split } from "./trees/history.ts";
import { ask, type Caller, newTenant, send } from "./trees/sender.ts";
import { itemsOf, type Step } from "./trees/steps.ts";

const sql = postgres(inject("databaseUrl"), { max: 8, onnotice: () => {} });
afterAll(() => sql.end());

interface Skeleton {
  id: string;
  step_number: number;
  trace_id: string;
  [member: string]: unknown;
}

interface Answer {
  steps: Skeleton[];
  watermark: number;
  next: object | null;
  count: number;
}

type List = { trace_id: string; scope: "trace" | "tree" } | { session_id: string };

const plain: Step = { key: "1", kind: "llm", namespace: "n", session: "s", agent: "a", handoffs: [] };
const SESSION: List = { session_id: "s" };

/** A page as the API asks for it; what is not there is an empty one. */
async function page(caller: Caller, list: List, more: Record<string, unknown> = {}): Promise<Answer> {
  const name = "trace_id" in list ? "list_trace_steps" : "list_session_steps";
  const query = { limit: 1000, ...list, ...more } as unknown as postgres.JSONValue;
  const { data, error } = await ask(sql, caller, name, { query });
  expect(error?.code ?? "not_found").toBe("not_found");
  return data ?? { steps: [], watermark: 0, next: null, count: 0 };
}

const idsOf = ({ steps }: Answer) => steps.map(({ id }) => id);

/** Somebody who looks at a list: asks again and again for what came since, page by page, and keeps it. */
function watcher(caller: Caller, list: List, limit = 1000) {
  const seen = new Map<string, Skeleton>();
  let since = 0;
  let told = 0;
  const look = async () => {
    let answer = await page(caller, list, { since, limit });
    for (const step of answer.steps) seen.set(step.id, step);
    told += answer.steps.length;
    while (answer.next) {
      answer = await page(caller, list, { after: answer.next, limit });
      for (const step of answer.steps) seen.set(step.id, step);
      told += answer.steps.length;
    }
    since = answer.watermark;
  };
  return { look, seen, told: () => told };
}

/** A step's number may become another one when steps before it come late, without anything being new of it. */
const withoutNumber = ({ step_number: _, ...step }: Skeleton) => step;

describe("what came since a watermark", { timeout: 60_000 }, () => {
  it("has a step that commits late, though others that began after it were read before", async () => {
    const caller = await newTenant(sql);
    const writer = { ...caller, token_hash: await otherToken(sql, caller) };
    await send(sql, caller, [plain]);
    let early: Answer | undefined;
    await sql.begin(async (late) => {
      const { name, items } = itemsOf([{ ...plain, key: "late" }]);
      await late`select ${late(`public.${name}`)}(${late.json({ ...writer, items } as postgres.JSONValue)})`;
      await send(sql, caller, [{ ...plain, key: "2" }]);
      early = await page(caller, SESSION);
      expect(early.steps).toHaveLength(2);
    });
    const since = await page(caller, SESSION, { since: early?.watermark });
    expect(since.steps.map(({ error }) => error)).toEqual(["late"]);
    const [late = ""] = idsOf(since);
    const [, read = ""] = idsOf(early as Answer);
    expect(late < read).toBe(true);
    expect(idsOf(await page(caller, SESSION, { since: since.watermark }))).toEqual([]);
    expect(idsOf(await page(caller, SESSION))).toHaveLength(3);
  });

  it("has what another reader is just folding: who asks waits for its commit", async () => {
    const caller = await newTenant(sql);
    const other = { ...caller, token_hash: await otherToken(sql, caller) };
    await send(sql, caller, [plain]);
    const before = await page(caller, SESSION);
    await send(sql, caller, [{ ...plain, key: "2" }]);
    let asked: Promise<Answer> | undefined;
    await sql.begin(async (folding) => {
      await folding`select internal.fold(${caller.tenantId})`;
      await send(sql, caller, [{ ...plain, key: "3" }]);
      asked = page(other, SESSION, { since: before.watermark });
      await waitUntilBlocked(sql, "list_session_steps");
    });
    const since = (await asked) as Answer;
    expect(since.steps.map(({ error }) => error)).toEqual(["2", "3"]);
    expect(idsOf(await page(caller, SESSION, { since: since.watermark }))).toEqual([]);
  });

  it.each<[string, List]>([
    ["a session", SESSION],
    ["a trace", { trace_id: "t", scope: "trace" }],
    ["a tree", { trace_id: "t", scope: "tree" }],
  ])("of %s: each step comes exactly once, while six write and others fold", async (_, list) => {
    const caller = await newTenant(sql);
    const tokens = await Promise.all(Array.from({ length: 7 }, () => otherToken(sql, caller)));
    const [reader, ...writers] = tokens.map((token_hash) => ({ ...caller, token_hash }));
    const { look, seen, told } = watcher(caller, list, 20);
    let writing = true;
    const watching = (async () => {
      while (writing) await look();
    })();
    const folding = (async () => {
      while (writing) await ask(sql, reader as Caller, "list_traces", { query: { limit: 1, offset: 0 } });
    })();
    await Promise.all(
      writers.map(async (writer, place) => {
        for (let number = 0; number < 40; number += 1) {
          const step: Step = { ...plain, traceId: "t", key: `${place} ${number}`, time: number % 7 };
          await send(sql, writer, [step, { ...step, key: `${step.key} too`, kind: "tool" }]);
        }
      }),
    );
    writing = false;
    await Promise.all([watching, folding]);
    await look();
    expect([seen.size, told()]).toEqual([480, 480]);
    expect([...seen.keys()].sort()).toEqual(idsOf(await page(caller, list)).sort());
  });

  it.each(Array.from({ length: process.env.LONG_TESTS ? 60 : 6 }, (_, index) => 5000 + index))(
    "seed %i: whatever comes in whatever order, who asks for it has all in the end, as it is",
    async (seed) => {
      const random = randomOf(seed);
      const caller = await newTenant(sql);
      const lists: List[] = [
        ...["0", "1", "2", "o0"].map((session_id) => ({ session_id })),
        ...["t0", "t1", "o0", "o1"].flatMap((trace_id) => [
          { trace_id, scope: "trace" as const },
          { trace_id, scope: "tree" as const },
        ]),
      ];
      const watchers = lists.map((list) => watcher(caller, list, 1 + random.below(9)));
      for (const request of split(random, randomHistory(random, 80, random.chance(0.7)))) {
        await send(sql, caller, request);
        if (random.chance(0.05))
          await ask(sql, caller, "purge_trace_content", { trace_id: random.pick(["t0", "t1", "o0"]) });
        if (random.chance(0.02)) await sql`select public.rebuild(${sql.json({ tenant: caller.tenant })})`;
        for (let looks = random.below(6); looks > 0; looks -= 1) await random.pick(watchers).look();
      }
      for (const [place, list] of lists.entries()) {
        const { look, seen } = watchers[place] as ReturnType<typeof watcher>;
        await look();
        const { steps, count } = await page(caller, list);
        expect(steps).toHaveLength(count);
        expect(steps.map(({ id }) => seen.get(id)).map((step) => step && withoutNumber(step))).toEqual(
          steps.map(withoutNumber),
        );
      }
    },
  );
});

it("a page after a page begins where that one ended, and counts what the first one did", async () => {
  const caller = await newTenant(sql);
  const steps = Array.from({ length: 7 }, (_, number) => ({ ...plain, key: `${number}`, time: number % 3 }));
  await send(sql, caller, steps);
  const whole = await page(caller, SESSION);
  const first = await page(caller, SESSION, { limit: 3 });
  const second = await page(caller, SESSION, { limit: 3, after: first.next });
  const third = await page(caller, SESSION, { limit: 3, after: second.next });
  expect([first, second, third].map(({ count }) => count)).toEqual([7, 7, 7]);
  expect([first, second, third].flatMap(idsOf)).toEqual(idsOf(whole));
  expect(third.next).toBeNull();
  expect(whole.steps.map(({ step_number }) => step_number)).toEqual([1, 4, 7, 2, 5, 3, 6]);
});
