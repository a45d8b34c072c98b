import { describe, expect, it } from "vitest";
import { invalidMembers } from "../../functions/monkai-api/domain/message.ts";
import {
  toConversationRecord,
  toLogEntry,
  toNumberedStep,
} from "../../functions/monkai-api/domain/read-back.ts";
import type { StepRow } from "../../functions/monkai-api/domain/step.ts";
import { ConversationRecord, Message } from "../../functions/monkai-api/schemas/records.ts";
import { rowOf } from "../support/rows.ts";

/** What comes back of the `msg` of an uploaded record. It must be what the contract calls a record. */
function readBack(msg: unknown): unknown {
  const record = toConversationRecord(rowOf("message", { content: { msg } }));
  expect(ConversationRecord.safeParse(record).error).toBeUndefined();
  return record.msg;
}

describe("the messages of an uploaded record", () => {
  it.each([
    [
      "a message with nulls",
      { role: "assistant", content: null, sender: null, tool_calls: null, refusal: null },
    ],
    [
      "a list of them",
      [{ role: "user", content: [{ type: "text", text: null }], tool_name: null }, { role: "tool" }],
    ],
    ["any object", { text: "hi", nested: { kept: null } }],
    ["an object with a role of its own", { role: "alien" }],
    ["an empty list", []],
  ])("%s comes back as it was sent", (_, msg) => {
    expect(readBack(msg)).toEqual(msg);
  });

  it.each([
    ["no role: the user's", { text: "hi", kept: null }, { text: "hi", kept: null, role: "user" }],
    ["a null for a role", { role: null, content: "hi" }, { role: "user", content: "hi" }],
    [
      "another name of a role",
      { role: "developer", content: "hi" },
      { role: "system", sender: "developer", content: "hi" },
    ],
    ["an unknown role", { role: "alien", content: "hi" }, { role: "user", sender: "alien", content: "hi" }],
    [
      "an unknown role and a sender: whole, as content",
      { role: "alien", sender: "x" },
      { role: "user", content: { role: "alien", sender: "x" } },
    ],
    [
      "content of a wrong type: whole, as content",
      { role: "tool", content: 5 },
      { role: "tool", content: { role: "tool", content: 5 } },
    ],
    ["a role that is no text: whole, as content", { role: 5 }, { role: "user", content: { role: 5 } }],
    [
      "calls of a wrong type: whole, as content",
      { tool_calls: "no" },
      { role: "user", content: { tool_calls: "no" } },
    ],
  ])("an object in a list with %s", (_, sent, read) => {
    expect(readBack([{ role: "user" }, sent])).toEqual([{ role: "user" }, read]);
  });

  it("the members of a message that are checked are those of the document", () => {
    const { role: _, content: __, ...optional } = Message.shape;
    const wrong = Object.fromEntries(Object.keys(optional).map((name) => [name, Symbol(name)]));
    expect(invalidMembers(wrong).sort()).toEqual(Object.keys(optional).sort());
  });
});

describe("the user's column", () => {
  it("is read back of a span, which may know it from its tree; of other steps only what was sent is, while it is there", () => {
    const userOf = (columns: Partial<StepRow>) =>
      [toConversationRecord(rowOf("tool", columns)), toLogEntry(rowOf("log", columns))].map(
        ({ external_user_id }) => external_user_id,
      );
    expect(userOf({ user_id: "u", is_span: true, content: null })).toEqual(["u", "u"]);
    expect(userOf({ user_id: "u", content: { external_user_id: "u" } })).toEqual(["u", "u"]);
    expect(userOf({ user_id: "u", content: { user_id: "u" } })).toEqual([undefined, undefined]);
    expect(userOf({ user_id: "u", content: null })).toEqual([undefined, undefined]);
  });
});

describe("a column without a value", () => {
  it("is absent, and what was said keeps its nulls", () => {
    const content = { arguments: { city: null }, result: [null], metadata: { a: null } };
    const row = rowOf("tool", { name: "find", status: "error", error: { message: "m" }, content });
    const { msg: _, ...record } = toConversationRecord(row);
    expect(record).toEqual({
      ...content,
      id: row.id,
      namespace: "n",
      agent: "a",
      tool_name: "find",
      trace_type: "tool_call",
      status: "error",
      error: { message: "m" },
      inserted_at: row.occurred_at,
      started_at: row.started_at,
    });
  });

  it("of a log entry is, too", () => {
    const row = rowOf("log", {
      agent: null,
      level: "info",
      content: { message: "m", custom_object: { a: null } },
    });
    expect(toLogEntry(row)).toEqual({
      id: row.id,
      namespace: "n",
      level: "info",
      message: "m",
      custom_object: { a: null },
      timestamp: row.occurred_at,
      started_at: row.started_at,
    });
  });
});

it("a step whose content was taken away keeps its columns", () => {
  const steps = (["llm", "tool", "handoff", "message", "log"] as const).map((kind) =>
    toNumberedStep({ ...rowOf(kind, { name: "x", content: null }), step_number: 1 }),
  );
  expect(steps).toMatchObject([
    { type: "llm_call", msg: [] },
    { type: "tool_call", tool_name: "x" },
    { type: "handoff", msg: [{ role: "system", content: null }] },
    { type: "message", msg: [] },
    { type: "log", message: "" },
  ]);
  expect(steps[2]).not.toHaveProperty("transfers");
});
