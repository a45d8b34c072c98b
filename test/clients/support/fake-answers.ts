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
    const left = names.filter((name) => name !== "" && name !== NO_TOOL && !called.has(name));
    const next = left.find(isHandoff) ?? left[0];
    const number = this.#names.push(next ?? "");
    if (next === undefined) return { model, number, text: TEXT };
    const args = JSON.stringify(argumentsOf(next));
    return { model, number, call: { id: `call_${number - 1}`, name: next, arguments: args } };
  }
}

/** Claude Code sends it in the place of tools that it has not loaded. */
const NO_TOOL = "DeferredToolPlaceholder";

const isHandoff = (name: string) => name.startsWith("transfer_to_");

/** Of tools that others than the programs here have made. Those of Mastra for agents have the agent's name behind `agent-`. */
const ARGUMENTS: [isTool: RegExp, args: object][] = [
  [/^transfer_to_/, {}],
  [/^agent-/, { prompt: "How is it in Paris?" }],
  [/^Bash$/, { command: "echo 21", description: "Look at the weather" }],
];

const argumentsOf = (tool: string) =>
  ARGUMENTS.find(([isTool]) => isTool.test(tool))?.[1] ?? { city: "Paris" };
