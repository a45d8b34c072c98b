import { createHash } from "node:crypto";
import { type Agent, booking, research, triage } from "./agents.ts";
import type { Desk } from "./desk.ts";
import { RESEARCH } from "./desk.ts";

interface SpanOptions {
  /** The first second and the last, counted from when the trip was begun. */
  from: number;
  to: number;
  attributes: Record<string, string | number>;
  error?: { type: string; message: string };
}

/** What OpenTelemetry's exporter of an agent framework sends: agents within agents, three levels deep, with wrappers in between. */
export class SpanTree {
  readonly sessionId: string;
  readonly traceId: string;
  failed = 0;
  readonly #spans: object[] = [];
  readonly #begins: number;

  constructor(desk: Desk) {
    this.sessionId = desk.nameOf(39, "round-trip-japan");
    this.traceId = digest(this.sessionId, 32);
    this.#begins = desk.before(39);
    this.#build();
  }

  get count(): number {
    return this.#spans.length;
  }

  get request(): object {
    const resource = {
      attributes: attributesOf({ "service.name": RESEARCH, "deployment.environment": "demo" }),
    };
    return {
      resourceSpans: [
        { resource, scopeSpans: [{ scope: { name: "trip-planner", version: "3.2.0" }, spans: this.#spans }] },
      ],
    };
  }

  #build(): void {
    const root = this.#agent("", "trip-planner", 0, 74);
    const plan = this.#wrapper(root, "plan", 0.1, 6);
    this.#chat(
      plan,
      research,
      0.2,
      5.8,
      "Two weeks in Japan in April for three, with a child.",
      "Tokyo, Hakone, Kyoto, Hiroshima.",
    );

    const explore = this.#agent(root, "explorer", 6.2, 52);
    const rounds = this.#wrapper(explore, "round 1 of 2", 6.3, 31);
    this.#tool(
      rounds,
      "search_hotels",
      6.4,
      9.1,
      { city: "Tokyo", nights: 4 },
      { hotels: 31, cheapest: "104.00" },
    );
    const fares = this.#agent(rounds, "fare-checker", 9.4, 30.6);
    this.#tool(fares, "rail_pass_price", 9.5, 19.5, { days: 14 }, undefined, {
      type: "TimeoutError",
      message: "no answer from rail.example.jp within 10 s",
    });
    this.#tool(
      fares,
      "rail_pass_price",
      20.5,
      22.2,
      { days: 14 },
      { adult: "80000", child: "40000", currency: "JPY" },
    );
    this.#chat(
      fares,
      triage,
      22.4,
      30.4,
      "Is the pass worth it?",
      "No: single tickets come to 61,240 yen for an adult.",
    );
    const second = this.#wrapper(explore, "round 2 of 2", 31.2, 51.5);
    this.#tool(
      second,
      "search_hotels",
      31.4,
      33.3,
      { city: "Kyoto", nights: 5 },
      { hotels: 18, cheapest: "131.00" },
    );
    this.#chat(
      second,
      research,
      33.6,
      51.2,
      "Choose hotels and trains.",
      "Asakusa, Gora, Gion, Hiroshima station; single tickets.",
    );

    const book = this.#agent(root, "booker", 52.3, 66);
    this.#tool(
      book,
      "hold_rooms",
      52.5,
      58.9,
      { hotels: 4 },
      { held_until: "tomorrow, 18:00", total: "2146.00" },
    );
    this.#chat(
      book,
      booking,
      59.1,
      65.8,
      "Sum up what is held.",
      "Four hotels, 2,146 EUR, held until tomorrow, 18:00.",
    );
    this.#chat(
      root,
      research,
      66.3,
      73.6,
      "Write to the customer.",
      "Your round trip: Tokyo 4, Hakone 2, Kyoto 5, Hiroshima 2 nights.",
    );
  }

  #agent(parent: string, name: string, from: number, to: number): string {
    const attributes = { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name };
    return this.#span(parent, `invoke_agent ${name}`, { from, to, attributes });
  }

  #wrapper(parent: string, name: string, from: number, to: number): string {
    return this.#span(parent, name, { from, to, attributes: { "gen_ai.operation.name": "chain" } });
  }

  #chat(
    parent: string,
    { model, provider }: Agent,
    from: number,
    to: number,
    question: string,
    answer: string,
  ): void {
    const seconds = to - from;
    this.#span(parent, `chat ${model}`, {
      from,
      to,
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 900 + Math.round(seconds * 130),
        "gen_ai.usage.output_tokens": Math.round(seconds * 62),
        "gen_ai.usage.cache_read.input_tokens": 768,
        "gen_ai.input.messages": JSON.stringify([
          { role: "user", parts: [{ type: "text", content: question }] },
        ]),
        "gen_ai.output.messages": JSON.stringify([
          { role: "assistant", parts: [{ type: "text", content: answer }] },
        ]),
      },
    });
  }

  #tool(
    parent: string,
    name: string,
    from: number,
    to: number,
    args: object,
    result?: object,
    error?: { type: string; message: string },
  ): void {
    const attributes = {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": name,
      "gen_ai.tool.call.arguments": JSON.stringify(args),
      ...(result ? { "gen_ai.tool.call.result": JSON.stringify(result) } : {}),
      ...(error ? { "error.type": error.type } : {}),
    };
    this.#span(parent, `execute_tool ${name}`, { from, to, attributes, error });
  }

  #span(parentSpanId: string, name: string, { from, to, attributes, error }: SpanOptions): string {
    if (error) this.failed += 1;
    const spanId = digest(`${this.sessionId} ${this.#spans.length}`, 16);
    this.#spans.push({
      traceId: this.traceId,
      spanId,
      ...(parentSpanId ? { parentSpanId } : {}),
      name,
      kind: 1,
      startTimeUnixNano: this.#nano(from),
      endTimeUnixNano: this.#nano(to),
      attributes: attributesOf({ "session.id": this.sessionId, "user.id": "cust-7788", ...attributes }),
      status: error ? { code: 2, message: error.message } : { code: 1 },
    });
    return spanId;
  }

  #nano(seconds: number): string {
    return `${this.#begins + Math.round(seconds * 1000)}000000`;
  }
}

function digest(text: string, digits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}

function attributesOf(attributes: Record<string, string | number>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: `${value}` } : { stringValue: value },
  }));
}
