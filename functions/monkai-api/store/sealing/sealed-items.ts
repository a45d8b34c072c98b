import { randomBytes } from "../../domain/content-keys.ts";
import { hex } from "../../domain/hash.ts";
import { isObject, type JsonObject } from "../../domain/json.ts";
import { firstWords, stepPreview } from "../../domain/preview.ts";
import type { MessageOfCall, StepError } from "../../domain/step.ts";
import type { Seal } from "./seal.ts";

/** A step or a score on its way to the database. */
export interface Item {
  index: number;
  /** Of its id, where it is sealed. */
  chance?: string;
  kind?: string;
  name?: string;
  content: JsonObject;
  error?: StepError;
}

/** What is in the one seal of a step: all that it says. */
export interface SealedContent {
  content: JsonObject;
  error: StepError | null;
  name: string | null;
}

/** And in the other: what lists show of it. `first`: how a conversation begins with it. */
export interface SealedSummary {
  preview: string | null;
  first: string | null;
  error: string | null;
  name: string | null;
}

/** Steps whose name is whatever a program has made of it. It goes with the content, as when that is taken away. */
const FREELY_NAMED = ["llm", "span"];
const LONGEST_ERROR = 120;
const AT_A_TIME = 100;

/**
 * The part of a request's ids that stands for chance, in the form that ids have: the database makes them of it (SQL:
 * `new_ids_of`), so what is sealed can be bound to them before they are there.
 */
export function newChance(): string {
  const digits = hex(randomBytes(7));
  return `${digits.slice(0, 3)}-8${digits.slice(3, 6)}-${digits.slice(6, 13)}`;
}

/** What a row's seals are bound to: its id without the time, which only the database knows beforehand. */
export function boundId(id: string): string {
  return id.slice("01234567-89ab-7".length);
}

function idOf(chance: string, { index }: Item): string {
  return chance + index.toString(16).padStart(5, "0");
}

/** The steps with all that was said sealed. What the database looks at stays beside it. */
export function sealedSteps(seal: Seal, chance: string, steps: Item[]): Promise<Item[]> {
  return inTurns(steps, (step) => sealedStep(seal, chance, step));
}

/** A hundred at a time: of a large upload not all is held twice. */
async function inTurns(items: Item[], seal: (item: Item) => Promise<Item>): Promise<Item[]> {
  const sealed: Item[] = [];
  for (let at = 0; at < items.length; at += AT_A_TIME) {
    sealed.push(...(await Promise.all(items.slice(at, at + AT_A_TIME).map(seal))));
  }
  return sealed;
}

async function sealedStep(seal: Seal, chance: string, step: Item) {
  const { content, error, name, ...columns } = step;
  const id = idOf(chance, step);
  const { kind = "" } = columns;
  const isNamedFreely = FREELY_NAMED.includes(kind);
  const summary: SealedSummary = {
    preview: stepPreview(kind, name, content),
    first: kind === "llm" ? firstWords(content) : null,
    error: shortened(error),
    name: (isNamedFreely && name) || null,
  };
  const whole: SealedContent = { content, error: error ?? null, name: summary.name };
  const [sealed, shown] = await Promise.all([
    seal.seal("content", id, whole),
    seal.seal("summary", id, summary),
  ]);
  const item = { ...columns, chance, content: { ...structureOf(content), sealed }, error: shown };
  return (isNamedFreely ? item : { ...item, name }) as unknown as Item;
}

/** What SQL functions look at in a content (store_steps, messages_of_call): who hands over to whom, and whether it tells of a call. */
function structureOf(content: JsonObject): JsonObject {
  const { from_agent, to_agent, transfers, messages_of_call, has_input_of_call, input } = content;
  return {
    from_agent,
    to_agent,
    transfers: Array.isArray(transfers) ? transfers.map(({ from, to }) => ({ from, to })) : undefined,
    messages_of_call: messages_of_call ? [] : undefined,
    ...(has_input_of_call && input !== undefined ? { has_input_of_call, input: null } : {}),
  };
}

/** What a step tells of the model call within it or around it, as `messages_of_call` has it where it is not encrypted. */
export function messagesOfCall({ messages_of_call, input }: JsonObject): MessageOfCall[] {
  if (messages_of_call) return messages_of_call as MessageOfCall[];
  return [input].flat().map((message) => ({ side: "input", message }));
}

function shortened(error: StepError | undefined): string | null {
  const text = error?.message ?? error?.type;
  return text === undefined
    ? null
    : Array.from(text.slice(0, 2 * LONGEST_ERROR))
        .slice(0, LONGEST_ERROR)
        .join("");
}

/** The scores with their texts and comments sealed. */
export function sealedScores(seal: Seal, chance: string, scores: Item[]): Promise<Item[]> {
  return inTurns(scores, async (score) => {
    const { text_value, comment } = score.content;
    if (text_value === undefined && comment === undefined) return { ...score, chance };
    const sealed = await seal.seal("score", idOf(chance, score), { text_value, comment });
    return { ...score, chance, content: { sealed } };
  });
}

/** What a session's metadata is bound to. Its id is made by the database, when it is there. */
export function sessionOf(namespace: string, userId: string | null | undefined): string {
  return JSON.stringify([namespace, userId ?? null]);
}

/** Of an object what was sealed of it. No client can send a member of that name. */
export function sealIn(value: unknown): string | undefined {
  return isObject(value) && typeof value.sealed === "string" ? value.sealed : undefined;
}
