import { randomBytes } from "node:crypto";
import { asProtobuf } from "../../test/support/otlp-protobuf.ts";

/** The spans of an agent's trace: its own, calls with long messages, tools, and what instrumentation adds. */
export const SPANS_OF_TRACE = 64;
const CALLS = 8;
const TOOLS = 12;
const MESSAGE = "Where is the other lamp that I ordered a week ago? ".repeat(40);
const ANSWER = "Your second lamp was sent from another warehouse on Tuesday. ".repeat(33);

type Value = string | number;

export interface Span {
  name: string;
  attributes: Record<string, Value>;
}

/** What the span of each place in a trace tells. The first one is the agent's, and all others are below it. */
export function spanAt(place: number): Span {
  if (place === 0) {
    return {
      name: "invoke_agent support",
      attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support" },
    };
  }
  if (place <= CALLS) return call();
  if (place <= CALLS + TOOLS) return tool(place);
  return { name: `work ${place}`, attributes: { "code.function": "step", "thread.id": place } };
}

function call(): Span {
  const message = (role: string, content: string) =>
    JSON.stringify([{ role, parts: [{ type: "text", content }] }]);
  return {
    name: "chat gpt-4o",
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.usage.input_tokens": 580,
      "gen_ai.usage.output_tokens": 41,
      "gen_ai.input.messages": message("user", MESSAGE),
      "gen_ai.output.messages": message("assistant", ANSWER),
    },
  };
}

function tool(place: number): Span {
  return {
    name: "execute_tool search",
    attributes: {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "search",
      "gen_ai.tool.call.id": `call-${place}`,
      "gen_ai.tool.call.arguments": JSON.stringify({ order: place }),
      "gen_ai.tool.call.result": JSON.stringify({ found: true, place }),
    },
  };
}

/** A request of so many traces, again and again with other trace ids: written once, and only the ids are replaced. */
export class Body {
  readonly #bytes: Buffer;
  readonly #places: number[][];
  readonly #isJson: boolean;

  constructor(traces: number, form: "json" | "protobuf") {
    const ids = Array.from({ length: traces }, () => randomBytes(16));
    const sent = exportOf(ids.map((id) => id.toString("hex")));
    this.#isJson = form === "json";
    this.#bytes = Buffer.from(this.#isJson ? JSON.stringify(sent) : asProtobuf(sent, "TracesData"));
    this.#places = ids.map((id) =>
      placesOf(this.#bytes, this.#isJson ? Buffer.from(id.toString("hex")) : id),
    );
  }

  /** The bytes with new ids, and the ids. Good until the next call. */
  next(): { bytes: Uint8Array<ArrayBuffer>; traceIds: string[] } {
    const traceIds = this.#places.map((places) => {
      const id = randomBytes(16);
      const written = this.#isJson ? Buffer.from(id.toString("hex")) : id;
      for (const place of places) written.copy(this.#bytes, place);
      return id.toString("hex");
    });
    return { bytes: this.#bytes as Uint8Array<ArrayBuffer>, traceIds };
  }
}

function placesOf(bytes: Buffer, part: Buffer): number[] {
  const places: number[] = [];
  for (let place = bytes.indexOf(part); place >= 0; place = bytes.indexOf(part, place + 1))
    places.push(place);
  return places;
}

function exportOf(traceIds: string[]): object {
  const spans = traceIds.flatMap((id) =>
    Array.from({ length: SPANS_OF_TRACE }, (_, place) => otlpSpan(id, place, 0)),
  );
  return inExport(spans);
}

export function inExport(spans: object[]): object {
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "bench" } }] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "bench" }, spans }] }] };
}

/** The span of a place, below the span of the place `parent`; the first one is below none. */
export function otlpSpan(traceId: string, place: number, parent: number): object {
  const { name, attributes } = spanAt(place);
  const start = BigInt(Date.now() + place) * 1_000_000n;
  return {
    traceId,
    spanId: spanId(place),
    ...(place > 0 ? { parentSpanId: spanId(parent) } : {}),
    name,
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 20_000_000n),
    attributes: Object.entries(attributes).map(([key, value]) => ({
      key,
      value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) },
    })),
  };
}

function spanId(place: number): string {
  return (place + 1).toString(16).padStart(16, "0");
}
