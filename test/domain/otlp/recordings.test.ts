import { describe, expect, it } from "vitest";
import type { OtlpStep } from "../../../functions/monkai-api/domain/otlp/step.ts";
import { expectedOf, RECORDINGS, requestsOf } from "../../support/otlp-recordings.ts";
import { saidIn, stepsOfRecording, stepsOfRequest } from "../../support/otlp-steps.ts";

/** The clients that say how many tokens were cached and thought about. */
const TELL_DETAILS = new Set(["oi-openai", "oi-langchain"]);

const textOf = (value: unknown) => JSON.stringify(value);
const byTime = (one: OtlpStep, other: OtlpStep) =>
  (one.started_at ?? "") < (other.started_at ?? "") ? -1 : 1;

/** The calls that count: not those around another one, nor embeddings, which the expectations do not name. */
function countedCalls(steps: OtlpStep[]): OtlpStep[] {
  const parents = new Map(steps.map(({ span_id, parent_span_id }) => [span_id, parent_span_id]));
  const wrappers = new Set<string | undefined>();
  const calls = steps.filter(({ kind }) => kind === "llm");
  for (const { parent_span_id } of calls) {
    for (
      let above = parent_span_id;
      above !== undefined && !wrappers.has(above);
      above = parents.get(above)
    ) {
      wrappers.add(above);
    }
  }
  const counted = calls.filter(
    (step) => !wrappers.has(step.span_id) && step.content.operation !== "embeddings",
  );
  return counted.sort(byTime);
}

/** A text is a part of what the tool gave back; anything else is the whole of it. */
function resultLike(expected: unknown, result: unknown): unknown {
  if (typeof expected !== "string") return expected ?? result;
  return textOf(result).includes(expected) ? result : `something with ${expected}`;
}

/** Tokens of OpenAI Agents' calls stand on the turn around them. */
function withTurnTokens(steps: OtlpStep[]) {
  const turns = new Map(steps.filter(({ role }) => role === "turn").map((turn) => [turn.span_id, turn]));
  return (call: OtlpStep): OtlpStep => {
    const turn = turns.get(call.parent_span_id);
    return turn ? { ...call, content: { ...call.content, usage: turn.content.usage } } : call;
  };
}

/** What Mastra's calls were asked stands on the step around them. */
function withInputAround(steps: OtlpStep[]) {
  const around = new Map(
    steps.filter(({ content }) => content.has_input_of_call).map((step) => [step.span_id, step]),
  );
  return (call: OtlpStep): OtlpStep => {
    const step = around.get(call.parent_span_id);
    return step ? { ...call, content: { input: step.content.input, ...call.content } } : call;
  };
}

describe.each(RECORDINGS)("the recording %s", (recording) => {
  const expected = expectedOf(recording);
  const steps = stepsOfRecording(recording);
  const calls = countedCalls(steps).map(withTurnTokens(steps)).map(withInputAround(steps));

  it("is taken whole", () => {
    const requests = requestsOf(recording).filter(({ path }) => !path.endsWith("/metrics"));
    expect(requests.map((request) => stepsOfRequest(request).rejected)).toEqual(requests.map(() => 0));
  });

  it("has the calls of models that were made, with their tokens", () => {
    const told = calls.map(({ content: { usage } }) => usage ?? { input_tokens: 0, output_tokens: 0 });
    expect(told).toMatchObject(
      expected.llm.map(({ input, output }) => ({ input_tokens: input, output_tokens: output })),
    );
  });

  it("has the details of tokens where they are told", () => {
    const details = calls.map(({ cached_input_tokens, reasoning_tokens }) => [
      cached_input_tokens,
      reasoning_tokens,
    ]);
    expect(TELL_DETAILS.has(recording) ? details : []).toEqual(
      TELL_DETAILS.has(recording) ? calls.map(() => [4, 3]) : [],
    );
  });

  it("has the model, the provider and the failure of each call", () => {
    const isAgents = recording === "agents";
    const models = calls.map(({ model = "" }) => model);
    expect(models).toEqual(
      expected.llm.map(({ model }) => (isAgents ? "" : expect.stringMatching(`^${model}`))),
    );
    expect(calls.map(({ status }) => status === "error")).toEqual(
      expected.llm.map(({ error = false }) => error),
    );
    const named = expected.llm.map(({ provider }) => provider);
    expect(calls.map(({ content }, place) => named[place] && content.provider)).toEqual(named);
  });

  it("has what was said", () => {
    const isSilent = expected.noContent === true || expected.llm.length === 0;
    const said = calls.map((call) => textOf(saidIn(call)));
    expect(said.every((text) => text.includes(expected.mark))).toBe(!isSilent || said.length === 0);
  });

  it("has the tools that were called, with arguments and results", () => {
    const tools = steps.filter(({ kind }) => kind === "tool").sort(byTime);
    expect(tools.map(({ name }) => name)).toEqual(expected.tools.map(({ name }) => name));
    const asExpected = tools.map(({ content }, place) => ({
      arguments: expected.tools[place]?.arguments ?? content.arguments,
      result: resultLike(expected.tools[place]?.result, content.result),
    }));
    expect(tools.map(({ content }) => ({ result: undefined, ...content }))).toMatchObject(asExpected);
    expect(tools.map(({ status }) => status === "error")).toEqual(
      expected.tools.map(({ error = false }) => error),
    );
  });

  it("has the agents that ran", () => {
    const agents = steps.filter(({ kind }) => kind === "agent").map(({ agent, name }) => agent ?? name);
    const named = expected.agents.map((path) => path.split("/").at(-1));
    const loose = expected.looseAgents === true ? agents : named;
    expect(agents.sort()).toEqual([...loose].sort());
  });

  it("has the handoffs that were made", () => {
    const handoffs = steps.filter(({ kind }) => kind === "handoff");
    expect(handoffs.map(({ content }) => [content.from_agent, content.to_agent])).toEqual(
      expected.handoffs ?? [],
    );
  });

  it("is in its namespace and its session", () => {
    expect(new Set(steps.map(({ namespace }) => namespace))).toEqual(new Set([expected.ns]));
    const sessions = new Set(steps.map(({ session_id }) => session_id));
    sessions.delete(undefined);
    expect([...sessions]).toEqual(expected.session === null ? [] : [expected.session]);
  });

  it("has its log entries", () => {
    const entries = steps.filter(({ kind }) => kind === "log");
    for (const { level, has } of expected.logs ?? []) {
      const found = entries.filter(
        ({ content }) => textOf(content).includes(has) || `${content.message}`.includes(has),
      );
      expect(found.map((entry) => level ?? entry.level)).toEqual(found.map((entry) => entry.level));
      expect(found.length).toBeGreaterThan(0);
    }
    expect(entries.filter(({ fingerprint }) => fingerprint === undefined)).toEqual([]);
  });
});

it("the same run in JSON and in gzipped protobuf makes the same steps, but for ids and times", () => {
  const shapeOf = (recording: string) =>
    stepsOfRecording(recording).map(({ otel_trace_id, span_id, parent_span_id, ...step }) => {
      const { started_at, occurred_at, latency_ms, ...rest } = step;
      return rest;
    });
  expect(shapeOf("otel-proto-gzip")).toEqual(shapeOf("otel-json"));
});
