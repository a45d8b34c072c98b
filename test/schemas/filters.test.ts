import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { appInProcess } from "../support/app.ts";

const { api } = appInProcess("http://rest.invalid", "any key", {
  fetch: async () => Response.json({ data: { rows: [], next: null, count: 0, traces: [], total: 0 } }),
});

async function ask(path: string, body: unknown) {
  const headers = { tracer_token: "tk_any", "Content-Type": "application/json" };
  const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  const response = await api(`/v1${path}`, init);
  return { status: response.status, text: await response.text() };
}

interface Sent {
  /** Which client sends it, and where that is published. */
  source: string;
  path: string;
  body: unknown;
}

const sent: Sent[] = JSON.parse(
  readFileSync(new URL("../contract/published/filters.json", import.meta.url), "utf8"),
);

describe("what published clients ask for", () => {
  it.each(sent.map((each) => [each.source, each.path, each] as const))(
    "%s: %s",
    async (_, path, { body }) => {
      expect(await ask(path, body)).toMatchObject({ status: 200 });
    },
  );
});

describe("a filter that is not known is refused, with what it may have meant", () => {
  it.each([
    [
      "/record_query",
      { namespace: "n", query: { from: "2025-10-29" } },
      "query: there is no filter `from` (did you mean `start_date`?)",
    ],
    [
      "/record_query",
      { namespace: "n", query: { sessionId: "s" } },
      "query: there is no filter `sessionId` (did you mean `session_id`?)",
    ],
    [
      "/record_query",
      { namespace: "n", query: {}, agent: "a" },
      "there is no filter `agent` (did you mean `query.agent`?)",
    ],
    [
      "/record_query",
      { namespace: "n", query: {}, since: "a" },
      "there is no filter `since` (did you mean `query.start_date`?)",
    ],
    [
      "/record_query",
      { namespace: "n", query: { level: "info" } },
      "query: there is no filter `level` (there are `agent`, `session_id`, `trace_id`, ",
    ],
    [
      "/records/export",
      { namespace: "n", sesion_id: "s" },
      "there is no filter `sesion_id` (did you mean `session_id`?)",
    ],
    ["/records/export", { namespace: "n", limit: 5 }, "there is no filter `limit` (there are "],
    [
      "/logs/query",
      { namespace: "n", severity: "error" },
      "there is no filter `severity` (did you mean `level`?)",
    ],
    ["/logs/query", { namespace: "n", query: { level: "error" } }, "there is no filter `query` (there are "],
    [
      "/logs/query",
      { namespace: "n", end_time: "2025-10-29", Level: "error" },
      "there is no filter `end_time` (did you mean `end_date`?), nor `Level` (did you mean `level`?)",
    ],
    [
      "/logs/export",
      { namespace: "n", resourceid: "r" },
      "there is no filter `resourceid` (did you mean `resource_id`?)",
    ],
    ["/traces?namespace=n", undefined, "there is no filter `namespace` (did you mean `project_id`?)"],
    ["/traces?start=2025-10-29", undefined, "there is no filter `start` (did you mean `start_date`?)"],
    ["/traces?whatever=1", undefined, "there is no filter `whatever` (there are `project_id`, "],
  ])("%s %j", async (path, body, message) => {
    const { status, text } = await ask(path, body);
    expect([status, JSON.parse(text).error]).toEqual([
      400,
      expect.objectContaining({ code: "invalid_payload", message: expect.stringContaining(message) }),
    ]);
  });

  it.each([
    ["/record_query", { namespace: "n", query: { limit: "5" } }, "query.limit"],
    ["/record_query", { namespace: "n", query: { agent: ["a"] } }, "query.agent"],
    ["/logs/query", { namespace: "n", start_date: 7 }, "start_date"],
    ["/logs/export", { namespace: "n", session_id: {} }, "session_id"],
    ["/records/export", { namespace: "n", trace_id: "a b" }, "trace_id"],
  ])("and so is one of a wrong type: %s %j", async (path, body, named) => {
    const { status, text } = await ask(path, body);
    expect([status, JSON.parse(text).error.code]).toEqual([400, "invalid_payload"]);
    expect(JSON.parse(text).error.message.startsWith(`${named}:`)).toBe(true);
  });

  it("one that is null asks for nothing", async () => {
    const query = { sessionId: null, agent: "", trace_id: "" };
    expect(await ask("/record_query", { namespace: "n", query, limit: null })).toMatchObject({ status: 200 });
  });

  it("names no more than three, and none at length", async () => {
    const body = {
      namespace: "n",
      ...Object.fromEntries("abcdefgh".split("").map((name) => [name.repeat(9_000), 1])),
    };
    const { text } = await ask("/logs/query", body);
    expect(text.length).toBeLessThan(1_000);
  });
});
