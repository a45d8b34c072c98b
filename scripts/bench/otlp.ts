import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { post } from "./agents.ts";
import { alternate, type Comparison, type Figure } from "./figures.ts";
import { perSecond } from "./load.ts";
import { Body, inExport, otlpSpan, SPANS_OF_TRACE, spanAt } from "./otlp-bodies.ts";
import type { Settings } from "./settings.ts";
import { newTenant, type Stack, startStack } from "./stack.ts";
import { median } from "./statistics.ts";

const EXPORTERS = 8;
const TRACES = 8;
const SPANS = TRACES * SPANS_OF_TRACE;
const BATCH = 100;
const TREES = 200;
const CONTENT_TYPES = { json: "application/json", protobuf: "application/x-protobuf" };

type Form = keyof typeof CONTENT_TYPES;

interface Bench {
  stack: Stack;
  tokens: string[];
  settings: Settings;
}

/** Section 9: OpenTelemetry's spans, beside the same steps by `traces/batch`. */
export async function otlpSpans(settings: Settings): Promise<Figure[]> {
  const stack = await startStack();
  try {
    const { tokens } = await newTenant(stack, "bench", EXPORTERS);
    const bench = { stack, tokens, settings };
    return [
      ...(await ofForm(bench, "json")),
      ...(await ofForm(bench, "protobuf")),
      await ofArriving(bench),
      await ofSize(bench),
    ];
  } finally {
    await stack.stop();
  }
}

async function ofForm(bench: Bench, form: Form): Promise<Figure[]> {
  const { stack, tokens, settings } = bench;
  const bodies = tokens.map(() => new Body(TRACES, form));
  const sendSpans = (place: number) =>
    sendExport(stack, at(tokens, place), form, at(bodies, place).next().bytes);
  const sendSteps = (place: number) => sendBatches(stack, at(tokens, place));
  await perSecond(EXPORTERS, 1, sendSpans);
  await perSecond(EXPORTERS, 1, sendSteps);
  let [seconds, spans] = [0, 0];
  const compared: Comparison = await alternate(
    settings.rounds,
    async () => {
      const before = cpuSeconds(stack.workerdPid);
      const rate = SPANS * (await perSecond(EXPORTERS, settings.seconds, sendSpans));
      seconds += cpuSeconds(stack.workerdPid) - before;
      spans += rate * settings.seconds;
      return rate;
    },
    async () => SPANS * (await perSecond(EXPORTERS, settings.seconds, sendSteps)),
  );
  const note = `${EXPORTERS} exporters, ${SPANS} spans a request: of ${SPANS_OF_TRACE} spans, 8 calls with 4 KB of messages, 12 tools`;
  return [
    {
      section: 9,
      unit: "spans/s",
      name: `spans in ${form} : traces/batch of the same steps`,
      ...compared,
      goal: { atLeast: 0.8 },
      note,
    },
    {
      section: 9,
      unit: "µs",
      name: `the Worker's CPU time a span, in ${form}`,
      measured: (seconds / spans) * 1e6,
    },
  ];
}

async function sendExport(
  { url }: Stack,
  token: string,
  form: Form,
  body: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": CONTENT_TYPES[form] };
  const response = await fetch(`${url}/v1/traces`, { method: "POST", headers, body });
  const answer = await response.text();
  if (response.status !== 200 || answer.length > 2)
    throw new Error(`${response.status}: ${answer.slice(0, 300)}`);
}

/** As many steps as a request has spans, and with the same messages, in batches. */
async function sendBatches({ url }: Stack, token: string): Promise<void> {
  const session_id = crypto.randomUUID();
  const steps = Array.from({ length: SPANS }, (_, place) => stepAt(place % SPANS_OF_TRACE, session_id));
  for (let first = 0; first < SPANS; first += BATCH) {
    await post(`${url}/v1/traces/batch`, token, { traces: steps.slice(first, first + BATCH) });
  }
}

function stepAt(place: number, session_id: string): object {
  const { name, attributes } = spanAt(place);
  const common = { session_id, namespace: "bench", agent: "support", latency_ms: 20 };
  const { "gen_ai.input.messages": input, "gen_ai.output.messages": content, ...rest } = attributes;
  if (input === undefined) return { ...common, type: "tool", tool_name: name, arguments: rest };
  const usage = { prompt_tokens: 580, completion_tokens: 41 };
  return {
    ...common,
    type: "llm",
    model: "gpt-4o",
    input: { messages: JSON.parse(`${input}`) },
    output: { content, usage },
  };
}

/** Trees that are read while their spans still arrive, the agent's last of all. */
async function ofArriving({ stack, tokens }: Bench): Promise<Figure> {
  const token = at(tokens, 0);
  const traceIds = Array.from({ length: TREES }, () => randomBytes(16).toString("hex"));
  const read: number[] = [];
  for (const part of [3, 2, 1, 0]) {
    const places = Array.from(
      { length: SPANS_OF_TRACE / 4 },
      (_, place) => part * (SPANS_OF_TRACE / 4) + place,
    );
    const writing = sendAll(stack, token, traceIds, places);
    for (const traceId of traceIds.slice(0, 50)) {
      const begun = performance.now();
      const response = await fetch(`${stack.url}/v1/traces/${traceId}/tree`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      await response.text();
      if (response.status === 200) read.push(performance.now() - begun);
    }
    await writing;
  }
  return {
    section: 9,
    unit: "ms",
    name: `p50 of GET traces/{id}/tree of ${TREES} traces that arrive`,
    measured: median(read),
  };
}

async function sendAll(stack: Stack, token: string, traceIds: string[], places: number[]): Promise<void> {
  for (const traceId of traceIds) {
    const spans = places.toReversed().map((place) => otlpSpan(traceId, place, 0));
    await post(`${stack.url}/v1/traces`, token, inExport(spans));
  }
}

/** A tree that is derived and read after one more span: a large one beside a small one, for each of their spans. */
async function ofSize(bench: Bench): Promise<Figure> {
  const large = await newTree(bench, 10_000);
  const small = await newTree(bench, 100);
  const compared = await alternate(
    bench.settings.rounds,
    () => readAgain(bench, large),
    () => readAgain(bench, small),
  );
  return {
    section: 9,
    unit: "µs",
    name: "a tree derived and read, for each span: of 10,000 spans : of 100",
    ...compared,
    goal: { atMost: 2 },
  };
}

interface Tree {
  traceId: string;
  size: number;
  spans: number;
}

async function newTree({ stack, tokens }: Bench, size: number): Promise<Tree> {
  const traceId = randomBytes(16).toString("hex");
  for (let first = 0; first < size; first += 500) {
    const places = Array.from({ length: Math.min(500, size) }, (_, place) => first + place);
    const spans = places.map((place) => otlpSpan(traceId, place + (place > 0 ? SPANS_OF_TRACE : 0), 0));
    await post(`${stack.url}/v1/traces`, at(tokens, 0), inExport(spans));
  }
  return { traceId, size, spans: size };
}

/** Microseconds for each span. */
async function readAgain({ stack, tokens }: Bench, tree: Tree): Promise<number> {
  const times: number[] = [];
  for (let time = 0; time < 5; time += 1) {
    tree.spans += 1;
    await post(
      `${stack.url}/v1/traces`,
      at(tokens, 0),
      inExport([otlpSpan(tree.traceId, tree.spans + SPANS_OF_TRACE, 0)]),
    );
    const begun = performance.now();
    const response = await fetch(`${stack.url}/v1/traces/${tree.traceId}/tree`, {
      headers: { Authorization: `Bearer ${at(tokens, 0)}` },
    });
    await response.text();
    times.push(performance.now() - begun);
  }
  return (median(times) / tree.size) * 1000;
}

/** The CPU time of a process so far, of the kernel for it too. A tick is 10 ms. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/\(.*\)/, "name")
    .split(" ");
  const [user, system] = fields.slice(13, 15);
  return (Number(user) + Number(system)) / 100;
}

function at<Item>(items: Item[], place: number): Item {
  return items[place] as Item;
}
