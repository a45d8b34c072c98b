import { isObject, type JsonObject } from "./json.ts";

/** In which members of an object its text is looked for, in this order. */
const TELLING = ["content", "text", "messages", "message", "choices", "parts", "prompt"];
const TEXT_PARTS = ["text", "input_text", "output_text"];
const DEEPEST = 10;

type Place = 0 | -1;

/**
 * What lists show of what a step says. The twin of the SQL function `internal.step_preview`, which cannot look into what is
 * encrypted: both say the same.
 */
export function stepPreview(kind: string, name: string | undefined, content: JsonObject): string | null {
  return inOneLine(saidBy(kind, name, content));
}

/** How a conversation begins, as the SQL function `internal.first_words` has it: of a model call what it was asked. */
export function firstWords(content: JsonObject): string | null {
  return inOneLine(textWithin(content.input, -1));
}

function saidBy(kind: string, name: string | undefined, content: JsonObject): string | null {
  if (kind === "handoff") return name === undefined ? null : `to: ${name}`;
  if (kind === "log") return textOf(content.message);
  if (kind === "message") return textWithin(content.msg, 0);
  const [first, second] =
    kind === "tool" ? [content.result, content.arguments] : [content.output, content.input];
  return textWithin(first, -1) ?? textWithin(second, -1);
}

function inOneLine(said: string | null): string | null {
  if (said === null) return null;
  const line = beginning(said, 1000).replace(/\s+/g, " ");
  return trimmed(beginning(trimmed(line), 120)) || null;
}

/** So many characters, as Postgres counts them: an emoji is one. */
function beginning(text: string, length: number): string {
  return Array.from(text.slice(0, 2 * length))
    .slice(0, length)
    .join("");
}

function trimmed(text: string): string {
  return text.replace(/^ +| +$/g, "");
}

/** The text in a value, whatever its shape: of a list its first or last element, of an object the member that says most. */
function textWithin(value: unknown, place: Place): string | null {
  let here = value;
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const inside = insideOf(here, place);
    if (inside === undefined) break;
    here = inside;
  }
  return textOf(here);
}

function insideOf(value: unknown, place: Place): unknown {
  if (Array.isArray(value)) return elementOf(value, place);
  if (!isObject(value)) return undefined;
  const member = TELLING.map((name) => value[name]).find((said) => said !== undefined && said !== null);
  return member ?? askedTools(value);
}

/** A text before a picture. */
function elementOf(list: unknown[], place: Place): unknown {
  const element = list.at(place);
  const type = isObject(element) ? element.type : undefined;
  const isTold = hasType(element) && ![...TEXT_PARTS, "message"].includes(textOf(type) ?? "");
  const texts = isTold
    ? list.flat().filter((part) => isObject(part) && TEXT_PARTS.includes(String(part.type)))
    : [];
  return texts.length > 0 ? texts.at(place) : element;
}

/** As the operator `?` of jsonb: a member, an element, or the text itself. */
function hasType(value: unknown): boolean {
  if (isObject(value)) return value.type !== undefined;
  return Array.isArray(value) ? value.includes("type") : value === "type";
}

/** Which tools a message of a model asks for, as OpenAI tells it. */
function askedTools({ tool_calls: calls }: JsonObject): string | undefined {
  if (!Array.isArray(calls)) return undefined;
  const names = calls
    .map((call) => (isObject(call) && isObject(call.function) ? call.function.name : undefined))
    .filter((name) => typeof name === "string");
  return names.length > 0 ? `calls: ${names.join(", ")}` : undefined;
}

/** A value as a text; of what is none, its JSON as Postgres writes it. */
function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : jsonbText(value);
}

/** Members in the order of their names' lengths, spaces after colons and commas, numbers without exponents. */
function jsonbText(value: unknown): string {
  if (typeof value === "number") return writtenOut(value);
  if (Array.isArray(value)) return `[${value.map((member) => jsonbText(member ?? null)).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const named = members.map(([name, member]) => ({ name, bytes: new TextEncoder().encode(name), member }));
  named.sort((one, other) => byLengthThenBytes(one.bytes, other.bytes));
  return `{${named.map(({ name, member }) => `${JSON.stringify(name)}: ${jsonbText(member)}`).join(", ")}}`;
}

function byLengthThenBytes(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length) return one.length - other.length;
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}

function writtenOut(number: number): string {
  const [, sign = "", whole = "", rest = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(JSON.stringify(number)) ?? [];
  const digits = whole + rest;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  const padded = digits.padEnd(point, "0");
  return sign + padded.slice(0, point) + (padded.length > point ? `.${padded.slice(point)}` : "");
}
