import { describe, expect, it } from "vitest";
import { type Api, newClient } from "../support/tenant.ts";

export function batch(api: Api): void {
  describe("traces/batch", () => {
    it("records mixed types, in the request's order, and reports each", async () => {
      const client = await newClient(api);
      const sent = await client.post("/v1/traces/batch", {
        traces: [
          { type: "llm", session_id: "s", output: { usage: { input_tokens: 1, output_tokens: 2 } } },
          { type: "tool", session_id: "s", tool_name: "t" },
          { type: "handoff", session_id: "s", from_agent: "a", to_agent: "b" },
          { type: "log", session_id: "s", message: "done" },
        ],
      });
      expect(sent.status).toBe(200);
      const stored = { success: true, id: expect.stringMatching(/^[0-9a-f-]{36}$/) };
      expect(sent.body).toEqual({
        success: true,
        total: 4,
        succeeded: 4,
        failed: 0,
        results: [
          {
            index: 0,
            type: "llm",
            status: "ok",
            result: { trace_type: "llm_call", tokens: { input: 1, output: 2 }, ...stored },
          },
          {
            index: 1,
            type: "tool",
            status: "ok",
            result: { trace_type: "tool_call", tool_name: "t", ...stored },
          },
          {
            index: 2,
            type: "handoff",
            status: "ok",
            result: { trace_type: "handoff", from: "a", to: "b", ...stored },
          },
          { index: 3, type: "log", status: "ok", result: { trace_type: "log", ...stored } },
        ],
      });
      const ids = sent.body.results.map(({ result }: { result: { id: string } }) => result.id);
      const records = await client.post("/v1/record_query", { namespace: "default", query: {} });
      expect(records.body.records.map(({ id }: { id: string }) => id)).toEqual([ids[2], ids[1], ids[0]]);
      expect(records.body.records.map((record: { trace_type: string }) => record.trace_type)).toEqual([
        "handoff",
        "tool_call",
        "llm_call",
      ]);
      expect((await client.post("/v1/logs/query", { namespace: "default" })).body.count).toBe(1);
    });

    it("partial success is allowed: a bad item is its own error {code, message}, the others are stored", async () => {
      const client = await newClient(api, { namespaces: ["mine"] });
      const { status, body } = await client.post("/v1/traces/batch", {
        traces: [
          { type: "llm", session_id: "s", namespace: "mine" },
          { type: "tool", session_id: "s" },
          { type: "log", session_id: "s", message: "a\u0000b" },
          { type: "llm", session_id: "other", namespace: "theirs" },
          { type: "log", session_id: "s", message: "stored" },
        ],
      });
      expect(status).toBe(200);
      expect(body).toMatchObject({ success: false, total: 5, succeeded: 2, failed: 3 });
      expect(body.results.map((item: { status: string }) => item.status)).toEqual([
        "ok",
        "error",
        "error",
        "error",
        "ok",
      ]);
      expect(body.results[1].error).toEqual({ code: "missing_field", message: "tool_name is required" });
      expect(body.results[2].error).toEqual({
        code: "invalid_payload",
        message: expect.stringContaining("message"),
      });
      expect(body.results[3].error).toEqual({
        code: "forbidden",
        message: expect.stringContaining("theirs"),
      });
      expect(body.results[3]).not.toHaveProperty("result");
      expect((await client.post("/v1/record_query", { namespace: "mine", query: {} })).body.count).toBe(1);
      expect((await client.post("/v1/logs/query", { namespace: "mine" })).body.count).toBe(1);
    });

    it.each([
      [
        "an unknown type",
        [
          { type: "llm", session_id: "s" },
          { type: "span", session_id: "s" },
        ],
        "traces[1]",
      ],
      ["no type", [{ type: "llm", session_id: "s" }, { session_id: "s" }], "traces[1]"],
      ["an item that is not an object", [{ type: "llm", session_id: "s" }, "llm"], "traces[1]"],
      ["101 items", Array.from({ length: 101 }, () => ({ type: "llm", session_id: "s" })), "traces"],
    ])("%s is 400 for the whole request, and nothing is stored", async (_, traces, named) => {
      const client = await newClient(api);
      const answer = await client.post("/v1/traces/batch", { traces });
      expect(answer.status).toBe(400);
      expect(["missing_field", "invalid_payload"]).toContain(answer.body.error.code);
      expect(answer.body.error.message).toContain(named);
      expect((await client.post("/v1/record_query", { namespace: "default", query: {} })).body.count).toBe(0);
    });

    it("takes 100 items of 100 sessions; two such batches crossing each other both get through", async () => {
      const client = await newClient(api);
      const items = Array.from({ length: 100 }, (_, index) => ({
        type: "llm",
        session_id: `s${index}`,
        model: "m",
      }));
      const answers = await Promise.all([
        client.post("/v1/traces/batch", { traces: items }),
        client.post("/v1/traces/batch", { traces: items.toReversed() }),
        client.post("/v1/traces/batch", { traces: items }),
      ]);
      expect(answers.map(({ status, body }) => [status, body.succeeded])).toEqual(
        answers.map(() => [200, 100]),
      );
      expect((await client.post("/v1/record_query", { namespace: "default", query: {} })).body.count).toBe(
        300,
      );
    });
  });
}
