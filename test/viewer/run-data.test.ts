import { expect, it } from "vitest";
import type { Message, WholeStep } from "../../viewer/api/types.ts";
import { find } from "../../viewer/run/find.ts";
import { messagesOfCall } from "../../viewer/run/messages.ts";
import {
  childrenOf,
  figuresOf,
  merged,
  previousCallOf,
  type Run,
  renewed,
  type Skeleton,
} from "../../viewer/run/run.ts";

const step = (id: string, more: Partial<Skeleton> = {}): Skeleton => ({
  id,
  trace_id: "t-1",
  step_number: 1,
  type: "llm_call",
  agent: "planner",
  name: "gpt-4o",
  started_at: `2026-11-22T10:00:0${id.at(-1)}.000Z`,
  duration_ms: null,
  time_told: true,
  status: null,
  error: null,
  input_tokens: 10,
  output_tokens: 1,
  cost: null,
  to_trace_id: null,
  bytes: 10,
  preview: null,
  ...more,
});

const runOf = (steps: Skeleton[]): Run => ({
  kind: "session",
  id: "s",
  traces: [
    { id: "t-1", parent_trace_id: null, agent: "planner" },
    { id: "t-2", parent_trace_id: "t-1", agent: "researcher" },
    { id: "t-3", parent_trace_id: "not in sight", agent: "other" },
  ],
  steps,
  count: steps.length,
  isComplete: true,
});

const idsOf = ({ steps }: Run) => steps.map(({ id }) => id);

it("a step that comes again stands for the one with its id, and a late one comes in its order", () => {
  const run = runOf([step("a1"), step("a3")]);
  const page = { traces: run.traces, steps: [step("a1", { bytes: 0 }), step("a2"), step("a4")] };
  const longer = merged(run, page);
  expect(idsOf(longer)).toEqual(["a1", "a2", "a3", "a4"]);
  expect(longer.steps[0]?.bytes).toBe(0);
  expect(longer.count).toBe(4);
  expect(idsOf(renewed(run, page.steps))).toEqual(["a1", "a3"]);
  expect(idsOf(run)).toEqual(["a1", "a3"]);
});

it("a trace whose parent is not in sight is a root", () => {
  const run = runOf([]);
  expect(childrenOf(run, null).map(({ id }) => id)).toEqual(["t-1", "t-3"]);
  expect(childrenOf(run, "t-1").map(({ id }) => id)).toEqual(["t-2"]);
});

it("the call before is that of the trace, else the agent's in another one", () => {
  const other = step("a2", { trace_id: "t-2", agent: "researcher" });
  const again = step("a4", { trace_id: "t-9" });
  const run = runOf([step("a1"), other, step("a3"), again]);
  expect(previousCallOf(run, run.steps[2] as Skeleton)?.id).toBe("a1");
  expect(previousCallOf(run, other)).toBeUndefined();
  expect(previousCallOf(run, again)?.id).toBe("a3");
});

it("money is added without rounding, and what has no price is counted", () => {
  const cost = (amount: string) => ({ cost: { amount, currency: "USD" } });
  const { cost: sum } = figuresOf([
    step("a1", cost("0.1")),
    step("a2", cost("0.2")),
    step("a3", cost("0.0000000001")),
    step("a4"),
  ]);
  expect(sum).toEqual({ amount: "0.3000000001", currency: "USD", unpriced_steps: 1 });
});

it("steps are found by their agent, name, error and preview, without case", () => {
  const run = runOf([step("a1", { preview: "Ein FLUG" }), step("a2", { error: "flug" }), step("a3")]);
  expect(find(run, " flug ")).toEqual(["a1", "a2"]);
  expect(find(run, "")).toBeUndefined();
});

const said = (role: string, content: string): Message => ({ role, content });
const call = (msg: Message[]): WholeStep => ({ id: "c", type: "llm_call", msg, output: { content: "" } });
const texts = (messages: Message[]) => messages.map(({ content }) => content);

it("of a call, only what its agent's call before had not said is new", () => {
  const before = [said("system", "s"), said("user", "1"), said("assistant", "a1")];
  const now = [...before, said("user", "yes"), said("assistant", "a2")];
  const { earlier, asked, answered } = messagesOfCall(call(now), call(before));
  expect([texts(earlier), texts(asked), texts(answered)]).toEqual([["s", "1", "a1"], ["yes"], ["a2"]]);
});

it("an answer that comes back in another form is not new, and what is said twice is", () => {
  const before = [said("user", "yes"), said("assistant", "a1")];
  const now = [
    said("user", "yes"),
    said("assistant", "A1, shortened"),
    said("user", "yes"),
    said("assistant", "2"),
  ];
  const { earlier, asked } = messagesOfCall(call(now), call(before));
  expect([texts(earlier), texts(asked)]).toEqual([["yes", "A1, shortened"], ["yes"]]);
});

it("where old messages were dropped to make room, the rest is still known", () => {
  const before = ["s", "1", "2", "3"].map((text) => said("user", text));
  const now = ["s", "3", "4"].map((text) => said("user", text));
  const asked = (msg: Message[]): WholeStep => ({ id: "c", type: "llm_call", msg });
  expect(texts(messagesOfCall(asked(now), asked(before)).asked)).toEqual(["4"]);
});
