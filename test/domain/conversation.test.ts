import { describe, expect, it } from "vitest";
import { toConversationRecord } from "../../functions/monkai-api/domain/read-back.ts";
import { ConversationRecord } from "../../functions/monkai-api/schemas/records.ts";
import { rowOf } from "../support/rows.ts";

const row = rowOf("llm", { input_tokens: 0, output_tokens: 0, total_tokens: 0, content: null });

const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", sender: "a", content });

describe("an LLM call of any shape reads back as a valid ConversationRecord", () => {
  it.each([
    ["nothing", {}, []],
    ["messages", { input: { messages: [user("Hi")] } }, [user("Hi")]],
    ["a prompt", { input: { prompt: "Hi" } }, [user("Hi")]],
    ["any other input", { input: { q: [1] } }, [user({ q: [1] })]],
    ["messages that are texts", { input: { messages: ["Hi", 5] } }, [user("Hi"), user("5")]],
    [
      "other names of roles",
      { input: { messages: [{ role: "Developer", content: "x" }] } },
      [{ role: "system", content: "x" }],
    ],
    [
      "a role that objects have by themselves",
      { input: { messages: [{ role: "constructor", content: "x" }] } },
      [{ role: "user", sender: "constructor", content: "x" }],
    ],
    [
      "an unknown role",
      { input: { messages: [{ role: "critic", content: "x" }] } },
      [{ role: "user", sender: "critic", content: "x" }],
    ],
    ["content of a wrong type", { input: { messages: [{ role: "user", content: 5 }] } }, [user("5")]],
    [
      "content that is a list of texts",
      { input: { messages: [user(["a", null])] } },
      [
        user([
          { type: "text", text: "a" },
          { type: "text", text: "null" },
        ]),
      ],
    ],
    [
      "nulls in string fields",
      { input: { messages: [{ role: "tool", content: null, tool_call_id: null, name: null }] } },
      [{ role: "tool", content: null }],
    ],
    [
      "tool calls of a wrong type",
      { input: { messages: [{ role: "assistant", content: "", tool_calls: "no" }] } },
      [{ role: "assistant", content: "" }],
    ],
    ["output content", { output: { content: "Hello" } }, [assistant("Hello")]],
    [
      "output tool calls",
      { output: { content: null, tool_calls: [{ id: "1" }] } },
      [{ ...assistant(null), tool_calls: [{ id: "1" }] }],
    ],
    [
      "OpenAI's choices",
      { output: { choices: [{ message: { role: "assistant", content: "Hello" } }] } },
      [{ role: "assistant", content: "Hello" }],
    ],
    ["any other output", { output: { text: "Hello" } }, [assistant({ text: "Hello" })]],
  ])("%s", (_, content, msg) => {
    const record = toConversationRecord({ ...row, content });
    expect(record.msg).toEqual(msg);
    expect(ConversationRecord.safeParse(record).error).toBeUndefined();
    expect(record).toMatchObject(content);
  });

  it("a step whose content was taken away is still one", () => {
    for (const kind of ["llm", "tool", "handoff", "message"] as const) {
      expect(ConversationRecord.safeParse(toConversationRecord({ ...row, kind })).error).toBeUndefined();
    }
  });
});
