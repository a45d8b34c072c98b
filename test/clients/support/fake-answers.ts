import type { JsonObject } from "../../../functions/monkai-api/domain/json.ts";

/** What the fake model says: a text, or the call of a tool. */
export interface Answer {
  model: string;
  number: number;
  text?: string;
  call?: { id: string; name: string; arguments: string };
}

export const TEXT = "It is 21 degrees in Paris.";
const ARGUMENTS = { city: "Paris" };

interface Asked {
  model: string;
  tools?: { name?: string; function?: { name: string } }[];
  /** Of Chat Completions, and of Responses. */
  messages?: JsonObject[];
  input?: JsonObject[] | string;
}

/** Calls each tool once, handoffs first, and then answers. */
export function answerTo({ model, tools = [], messages, input }: Asked, number: number): Answer {
  const said = JSON.stringify(messages ?? input);
  const names = tools.map((tool) => tool.function?.name ?? tool.name ?? "");
  const next = names
    .filter((name) => name !== "" && !said.includes(`"name":"${name}"`))
    .sort((one, other) => Number(isHandoff(other)) - Number(isHandoff(one)))[0];
  if (next === undefined) return { model, number, text: TEXT };
  const args = isHandoff(next) ? {} : ARGUMENTS;
  return { model, number, call: { id: `call_${number}`, name: next, arguments: JSON.stringify(args) } };
}

const isHandoff = (name: string) => name.startsWith("transfer_to_");
