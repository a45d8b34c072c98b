import type { StepStatus } from "../step.ts";
import { tokenCount, type Usage, usageOf } from "../token-usage.ts";
import { type Contents, type Meaning, type Names, type Source, SPAN } from "./dialects/dialect.ts";
import { assembled } from "./indexed.ts";
import { type Json, parsedText } from "./plain.ts";
import { present } from "./present.ts";
import {
  CONTENTS,
  EVENTS,
  EVENTS_OF_SPANS,
  FIRST_TOKENS,
  KINDS,
  NAMES,
  STATUS,
  USAGE,
  USAGE_OBJECTS,
} from "./tables.ts";
import type { Event } from "./wire-messages.ts";

export type Pairs = [name: string, value: Json][];
export type Attributes = ReadonlyMap<string, Json>;

/** The attributes of a span or a log record while they are read. What is `taken` has a place of its own in the step. */
export interface Reading {
  attributes: Attributes;
  taken: Set<string>;
  /** Values of names that are told more than once, but for the last ones. */
  repeated: Pairs;
  events: Event[];
}

export function readingOf(pairs: Pairs, events: Event[] = []): Reading {
  const attributes = new Map(pairs);
  const isTold = ([name, value]: Pairs[number]) => attributes.get(name) === value;
  const repeated = attributes.size === pairs.length ? [] : pairs.filter((pair) => !isTold(pair));
  return { attributes, taken: new Set(), repeated, events };
}

/** What a span is, as far as its attributes say. */
export function meaningOf({ attributes }: Reading): Meaning {
  for (const { attribute, means } of KINDS) {
    const value = attributes.get(attribute);
    if (typeof value !== "string") continue;
    const meaning = typeof means === "function" ? means(value) : ownMember(means, value);
    if (meaning) return meaning;
  }
  return SPAN;
}

function ownMember<Value>(members: Record<string, Value>, name: string): Value | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

/** The call that a log record tells of by its event's name, unless a sampled span tells the same one. */
export function eventMeaning(
  name: string,
  { attributes }: Reading,
  isWithinSpan: boolean,
): Meaning | undefined {
  if (isWithinSpan && EVENTS_OF_SPANS.has(name)) return undefined;
  const kind = attributes.get("event.kind");
  return EVENTS.get(kind === undefined ? name : `${name} ${kind}`) ?? EVENTS.get(name);
}

/** The first text that is told, of at most so many characters: a longer one stays among the attributes. */
export function toldText(reading: Reading, field: keyof Names, mostLength?: number): string | undefined {
  const names = NAMES.get(field) ?? [];
  for (const name of names) {
    const told = reading.attributes.get(name);
    const text = typeof told === "number" ? String(told) : told;
    if (typeof text !== "string" || text === "" || text.length > (mostLength ?? text.length)) continue;
    take(reading, names, told as Json);
    return text;
  }
  return undefined;
}

/** Those that say the same in other words are taken with it. */
function take(reading: Reading, names: string[], told: Json): void {
  for (const name of names) if (reading.attributes.get(name) === told) reading.taken.add(name);
}

/** The first content that is told. */
export function toldContent(reading: Reading, field: keyof Contents): Json | undefined {
  const sources = CONTENTS.get(field) ?? [];
  for (const source of sources) {
    const told = contentOf(reading, source, sources);
    if (told !== undefined) return told;
  }
  return undefined;
}

function contentOf(reading: Reading, source: Source, sources: Source[]): Json | undefined {
  if (typeof source === "string") return attributeContent(reading, source, sources);
  if ("indexed" in source) return indexedContent(reading, source.indexed);
  if ("texts" in source) return gathered(reading, source.texts, source.values);
  const event = reading.events.find(({ name }) => name === source.event);
  const told = event?.attributes.find(([name]) => name === source.attribute)?.[1];
  return told === undefined ? undefined : unpacked(told);
}

function attributeContent(reading: Reading, name: string, sources: Source[]): Json | undefined {
  const told = reading.attributes.get(name);
  if (!isTold(told)) return undefined;
  const names = sources.filter((source) => typeof source === "string");
  take(reading, names, told);
  return unpacked(told);
}

function indexedContent(reading: Reading, prefix: string): Json | undefined {
  const { list, names } = assembled(reading.attributes, prefix);
  for (const name of names) reading.taken.add(name);
  return list.length > 0 ? list : undefined;
}

function gathered(
  { attributes, taken }: Reading,
  texts: Record<string, string>,
  values: Record<string, string>,
): Json | undefined {
  const members: Pairs = [];
  for (const [member, name] of [...Object.entries(texts), ...Object.entries(values)]) {
    const told = attributes.get(name);
    if (!isTold(told)) continue;
    members.push([member, member in texts ? told : unpacked(told)]);
    taken.add(name);
  }
  return members.length > 0 ? Object.fromEntries(members) : undefined;
}

function isTold(value: Json | undefined): value is Json {
  return value !== undefined && value !== null && value !== "";
}

function unpacked(told: Json): Json {
  return typeof told === "string" ? (parsedText(told) ?? told) : told;
}

/** The figures that are told. What is no number of tokens stays among the attributes. */
export function toldUsage(reading: Reading): Usage | undefined {
  let figures: Usage = {};
  for (const name of USAGE_OBJECTS) {
    const told = reading.attributes.get(name);
    const { usage, isWhole } = usageOf(told === undefined ? undefined : unpacked(told));
    if (isWhole) reading.taken.add(name);
    figures = { ...usage, ...figures };
  }
  for (const [field, names] of USAGE) readFigure(reading, figures, field, names);
  return Object.keys(figures).length > 0 ? figures : undefined;
}

function readFigure(reading: Reading, figures: Usage, field: string, names: string[]): void {
  for (const name of names) {
    const told = reading.attributes.get(name);
    const count = tokenCount(told);
    if (count === undefined) continue;
    figures[field] ??= count;
    if (figures[field] === count) reading.taken.add(name);
  }
}

/** In milliseconds. Its attribute stays where it is: it may say more. */
export function timeToFirstToken({ attributes }: Reading, start: bigint): number | undefined {
  for (const { attribute, milliseconds } of FIRST_TOKENS) {
    const told = attributes.get(attribute);
    const time = told === undefined ? undefined : milliseconds(told, Number(start / 1_000_000n));
    if (time !== undefined && time >= 0 && time < 1e9) return Math.round(time * 1000) / 1000;
  }
  return undefined;
}

/** How it ended, where an attribute says so. */
export function toldStatus({ attributes }: Reading): StepStatus | undefined {
  for (const statusOf of STATUS) {
    const status = statusOf(attributes);
    if (status) return status;
  }
  return undefined;
}

/** All attributes that have no place of their own. */
export function leftAttributes({ attributes, taken, repeated }: Reading) {
  const left = [...attributes].filter(([name]) => !taken.has(name));
  return present({
    attributes: left.length > 0 ? Object.fromEntries(left) : undefined,
    repeated_attributes: repeated.length > 0 ? repeated.map(([name, value]) => ({ name, value })) : undefined,
  });
}
