/** What the fake model says: a text, or the call of a tool. */
export interface Answer {
  model: string;
  number: number;
  text?: string;
  call?: { id: string; name: string; arguments: string };
}

/** What was asked, as far as the answer depends on it. */
export interface Asked {
  model?: string;
  stream?: boolean;
  tools?: { name?: string; function?: { name: string } }[];
  /** Of Chat Completions, and of Responses. */
  messages?: unknown;
  input?: unknown;
}

const TEXT = "It is 21 degrees in Paris.";

/** A model that calls each tool once, handoffs first, and then answers. It knows its calls again by their ids. */
export class FakeModel {
  readonly #names: string[] = [];

  answerTo({ model = "", tools = [], messages, input }: Asked): Answer {
    const said = JSON.stringify(messages ?? input);
    const called = new Set(
      [...said.matchAll(/"call_(\d+)"/g)].map(([, number]) => this.#names[Number(number)]),
    );
    const names = tools.map((tool) => tool.function?.name ?? tool.name ?? "");
    const left = names.filter((name) => name !== "" && !called.has(name));
    const next = left.find(isHandoff) ?? left[0];
    const number = this.#names.push(next ?? "");
    if (next === undefined) return { model, number, text: TEXT };
    const args = JSON.stringify(argumentsOf(next));
    return { model, number, call: { id: `call_${number - 1}`, name: next, arguments: args } };
  }
}

const isHandoff = (name: string) => name.startsWith("transfer_to_");

function argumentsOf(tool: string): object {
  if (isHandoff(tool)) return {};
  return tool.startsWith(MASTRA_AGENT) ? { prompt: "How is it in Paris?" } : { city: "Paris" };
}

/** Mastra's tool for an agent below another one. */
const MASTRA_AGENT = "agent-";
