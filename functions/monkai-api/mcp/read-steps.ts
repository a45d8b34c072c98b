import * as z from "zod";
import type { JsonObject } from "../domain/json.ts";
import { toTypedStep } from "../domain/read-back.ts";
import { ApiError } from "../errors.ts";
import { count } from "../schemas/common.ts";
import { filters, stepIds } from "../schemas/filters.ts";
import { beginning, bytesOf, MOST_BYTES, visible } from "./answer.ts";
import { tool } from "./tool.ts";

/** The largest content that is read: of one step all that there can be, of several what is worth comparing. */
const CONTENT_BYTES = { one: 10_485_760, several: 65_536 };

const NOTE_BYTES = 300;

export const readSteps = tool({
  name: "read_steps",
  title: "Read whole steps",
  description:
    "Reads steps by their ids (from search_steps or read_tree): error, input, output, arguments, result and all else that was " +
    "sent of them. What does not fit is cut, and the answer says how to go on; one step at a time shows most of it.",
  input: () =>
    filters({
      ids: z.array(z.string()).min(1).max(10).describe("Up to 10 ids of steps."),
      offset: count.default(0).describe("Of one step: the character at which the answer before was cut."),
    }),
  async answer({ ids, offset }, { store }) {
    const wanted = validIds(ids);
    if (offset > 0 && wanted.length > 1) throw new ApiError("invalid_payload", "offset: is for one id alone");
    const max_bytes = wanted.length === 1 ? CONTENT_BYTES.one : CONTENT_BYTES.several;
    const { data } = await store.getSteps({ ids: wanted, max_bytes });
    const steps = (data?.steps ?? []).map(toTypedStep);
    if (steps.length === 0) throw new ApiError("not_found", "There is no step with such an id.");
    const missing = wanted.filter((id) => !steps.some((step) => step.id === id.toLowerCase()));
    const head = missing.length > 0 ? `Not there: ${missing.join(", ")}\n\n` : "";
    let left = MOST_BYTES - bytesOf(head);
    const parts = steps.map((step, index) => {
      const part = partOf(step, offset, Math.floor(left / (steps.length - index)) - 4);
      left -= bytesOf(part) + 4;
      return part;
    });
    return head + parts.join("\n\n");
  },
});

function validIds(ids: string[]): string[] {
  const read = stepIds.safeParse(ids.join(","));
  if (read.success) return [...new Set(read.data)];
  throw new ApiError(
    "invalid_payload",
    "ids: must be ids of steps, as search_steps and read_tree show them.",
  );
}

/** As much of a step as fits, from a character of its text on. */
function partOf(step: JsonObject, offset: number, bytes: number): string {
  const text = textOf(step);
  const rest = text.slice(offset);
  const before = offset > 0 ? `id=${step.id}, from character ${offset}:\n` : "";
  if (rest.length <= bytes && bytesOf(before + rest) <= bytes) return before + rest;
  const shown = fitting(rest, bytes - bytesOf(before) - NOTE_BYTES);
  const next = offset + shown.length;
  const note = `[Cut at character ${next} of ${text.length}. To go on: read_steps with ids=["${step.id}"], offset=${next}]`;
  return `${before}${shown}\n${note}`;
}

/** The beginning of a text that is no longer than so many bytes. */
function fitting(text: string, bytes: number): string {
  let [fits, tooLong] = [0, Math.min(text.length, bytes) + 1];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (bytesOf(text.slice(0, middle)) <= bytes) fits = middle;
    else tooLong = middle;
  }
  return beginning(text, fits);
}

/** What an agent asks for first. All else comes behind it, as it was stored. */
const FIRST = [
  "id",
  "type",
  "status",
  "agent",
  "tool_name",
  "model",
  "name",
  "error",
  "message",
  "arguments",
  "result",
  "output",
  "msg",
  "input",
];

/** A step as lines of `name: value`, the values as JSON. */
function textOf({ msg, trace_type: _, truncated, left_out, ...step }: JsonObject): string {
  // The conversation is made of the other members, but where it is all that was sent.
  const shown: JsonObject = step.type === "message" ? { ...step, msg } : step;
  const names = [
    ...FIRST.filter((name) => name in shown),
    ...Object.keys(shown).filter((name) => !FIRST.includes(name)),
  ];
  const lines = names.map((name) => `${/^\w+$/.test(name) ? name : visible(name)}: ${visible(shown[name])}`);
  if (truncated) lines.push(`Too large to be read with others: ${visible(left_out)}. Read this step alone.`);
  return lines.join("\n");
}
