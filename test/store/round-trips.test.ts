import { describe, expect, inject, it } from "vitest";
import { SCHEMA_VERSION } from "../../functions/monkai-api/store/schema-version.ts";
import { freePort } from "../../scripts/stack/ports.ts";
import { appInProcess } from "../support/app.ts";
import { Client, limitTenant, newClient } from "../support/tenant.ts";
import { fill } from "../support/volume.ts";

const app = appInProcess(inject("restUrl"), inject("serviceKey"));
const { api } = app;

const hundred = Array.from({ length: 100 }, (_, index) => ({ type: "llm", session_id: `s${index}` }));
const thousand = Array.from({ length: 1000 }, (_, index) => ({
  namespace: "n",
  agent: `a${index}`,
  msg: {},
}));

describe("one request is one call to the REST layer", () => {
  it.each([
    ["sessions/create", 200, { namespace: "n" }],
    ["sessions/get-or-create", 200, { namespace: "n", user_id: "u" }],
    ["traces/llm", 200, { session_id: "s" }],
    ["traces/tool", 200, { session_id: "s", tool_name: "t" }],
    ["traces/handoff", 200, { session_id: "s", from_agent: "a", to_agent: "b" }],
    ["traces/log", 200, { session_id: "s", message: "m" }],
    ["traces/batch", 200, { traces: hundred }],
    ["scores", 200, { trace_id: "t", name: "n", value: 1 }],
    ["scores", 400, {}],
    ["scores/batch", 200, { scores: Array(100).fill({ trace_id: "t", name: "n", value: 1 }) }],
    ["namespace/register", 201, { namespace: "n" }],
    ["records/upload", 200, { records: thousand }],
    ["records/upload", 400, { records: [] }],
    ["logs/upload", 200, { logs: [{ namespace: "n", level: "info", message: "m" }] }],
    ["record_query", 200, { namespace: "n", query: {} }],
    ["logs/query", 200, { namespace: "n" }],
    ["record_query", 400, { namespace: "n", query: { cursor: "made-up" } }],
    ["records/export", 200, { namespace: "n" }],
    ["logs/export", 200, { namespace: "n" }],
    ["records/export", 400, { namespace: "n", format: "xml" }],
    ["traces/llm", 400, {}],
    ["traces/llm", 400, "{"],
    ["traces/batch", 400, { traces: [] }],
    ["traces/llm", 413, { session_id: "x".repeat(1_100_000) }],
  ])("POST /v1/%s -> %i", async (path, status, body) => {
    const client = await newClient(api);
    app.calls = 0;
    expect((await client.post(`/v1/${path}`, body)).status).toBe(status);
    expect(app.calls).toBe(1);
  });

  it("anonymization rules are read and put with one call; then what they redact is stored with one", async () => {
    const client = await newClient(api);
    const rules = { toggles: { email: true } };
    const item = { namespace: "n", level: "info", message: "a@b.co" };
    const requests: [() => Promise<{ status: number }>, number][] = [
      [() => client.get("/v1/anonymization-rules"), 200],
      [() => client.put("/v1/anonymization-rules", { rules: [] }), 400],
      [() => client.put("/v1/anonymization-rules", rules), 200],
      [() => client.put("/v1/anonymization-rules", { rules, expected_version: 7 }), 409],
      [() => client.post("/v1/logs/upload", { logs: [item] }), 200],
      [() => client.post("/v1/traces/log", item, { "Idempotency-Key": "k" }), 200],
    ];
    for (const [request, status] of requests) {
      app.calls = 0;
      expect([(await request()).status, app.calls]).toEqual([status, 1]);
    }
  });

  it("model prices are read and put with one call, whatever comes of it", async () => {
    const client = await newClient(api);
    const requests: [() => Promise<{ status: number }>, number][] = [
      [() => client.get("/v1/model-prices"), 200],
      [() => client.put("/v1/model-prices", { prices: [{}] }), 400],
      [() => client.put("/v1/model-prices", { prices: [] }), 200],
      [() => client.put("/v1/model-prices", { prices: [], expected_version: 7 }), 409],
    ];
    for (const [request, status] of requests) {
      app.calls = 0;
      expect([(await request()).status, app.calls]).toEqual([status, 1]);
    }
  });

  it("rules that this instance has not seen yet cost a second call, once", async () => {
    const client = await newClient(api);
    const elsewhere = appInProcess(inject("restUrl"), inject("serviceKey"));
    const other = new Client(elsewhere.api, client.token);
    const log = () => client.post("/v1/traces/log", { namespace: "n", message: "a@b.co" });
    expect((await log()).status).toBe(200);
    for (const toggles of [{ email: true }, {}]) {
      expect((await other.put("/v1/anonymization-rules", { toggles })).status).toBe(200);
      for (const expected of [2, 1]) {
        app.calls = 0;
        expect([(await log()).status, app.calls]).toEqual([200, expected]);
      }
    }
  });

  it("reading traces, sessions, usage or scores is one call, and so is a page of a file", async () => {
    const client = await newClient(api);
    await client.post("/v1/traces/llm", { session_id: "s", namespace: "n" });
    const trace_id = (await client.get("/v1/traces")).body.data[0].id;
    const requests: [string, string, number][] = [
      ["GET", "/api/v1/traces?project_id=n", 200],
      ["GET", "/api/v1/traces?limit=0", 400],
      ["GET", `/api/v1/traces/${trace_id}`, 200],
      ["GET", "/api/v1/traces/nothing", 404],
      ["GET", `/v1/traces/${trace_id}/tree`, 200],
      ["GET", `/v1/traces/${trace_id}/steps?scope=tree`, 200],
      ["GET", "/v1/sessions/s/steps", 200],
      ["GET", "/v1/sessions?agent=a", 200],
      ["GET", "/v1/sessions?cursor=made-up", 400],
      ["GET", "/v1/sessions/s", 200],
      ["GET", "/v1/sessions/nothing", 404],
      ["GET", "/v1/usage?by=day,user", 200],
      ["GET", "/v1/usage?by=week", 400],
      ["GET", "/v1/facets", 200],
      ["GET", `/v1/steps?ids=${crypto.randomUUID()}`, 200],
      ["GET", "/v1/scores?trace_id=t", 200],
      ["GET", "/v1/scores?cursor=made-up", 400],
      ["DELETE", "/v1/scores/00000000-0000-7000-8000-000000000000", 404],
      ["GET", `/v1/files/file_${trace_id}`, 200],
      ["GET", `/v1/files/file_${trace_id}/download`, 200],
      ["DELETE", `/v1/traces/${trace_id}/content`, 200],
    ];
    for (const [method, path, status] of requests) {
      app.calls = 0;
      const answer = await client.request(path, { method, headers: { tracer_token: client.token } });
      expect([path, answer.status, app.calls]).toEqual([path, status, 1]);
    }
  });

  it.each([
    [{ query: { text: "said" } }, 200],
    [{ query: { cursor: "made-up" } }, 400],
    [{ query: { words: "said" } }, 400],
  ])("a search is one call: %j", async (body, status) => {
    const client = await newClient(api);
    app.calls = 0;
    expect([(await client.post("/v1/steps/query", body)).status, app.calls]).toEqual([status, 1]);
  });

  it.each([
    ["initialize", { protocolVersion: "2025-11-25" }],
    ["tools/list", {}],
    ["tools/call", { name: "get_usage", arguments: { by: "tool" } }],
    ["tools/call", { name: "search_steps", arguments: { text: "said" } }],
    ["tools/call", { name: "find_sessions" }],
    ["tools/call", { name: "read_tree", arguments: { trace_id: "never" } }],
    ["tools/call", { name: "list_names" }],
    ["tools/call", { name: "list_namespaces" }],
    ["tools/call", { name: "list_names", arguments: { of: "tools" } }],
    ["drop", {}],
  ])("a message of the Model Context Protocol is one call: %s %j", async (method, params) => {
    const client = await newClient(api);
    app.calls = 0;
    const { status } = await client.post("/v1/mcp", { jsonrpc: "2.0", id: 1, method, params });
    expect([status, app.calls]).toEqual([200, 1]);
  });

  it("an export is one call a page", async () => {
    const client = await newClient(api);
    await fill(client.tenant, { count: 2_001, bytes: 32 });
    for (const path of ["records", "logs"]) {
      app.calls = 0;
      const { status, body } = await client.post(`/v1/${path}/export`, { namespace: "n" });
      expect([status, body[path].length, app.calls]).toEqual([200, 2_001, 3]);
    }
  });

  it.each([
    ["an unknown token", "tk_unknown", { namespace: "n" }],
    ["an unknown token and a bad body", "tk_unknown", "{"],
  ])("%s -> 401", async (_, token, body) => {
    app.calls = 0;
    expect((await new Client(api, token).post("/v1/sessions/create", body)).status).toBe(401);
    expect(app.calls).toBe(1);
  });

  it.each([
    ["a fresh key", [{ session_id: "s" }], 200],
    ["a replay", [{ session_id: "s" }, { session_id: "s" }], 200],
    ["a conflict", [{ session_id: "s" }, { session_id: "t" }], 422],
  ])("%s", async (_, bodies, status) => {
    const client = await newClient(api);
    for (const [place, body] of bodies.entries()) {
      app.calls = 0;
      const answer = await client.post("/v1/traces/llm", body, { "Idempotency-Key": "k" });
      expect(app.calls).toBe(1);
      if (place === bodies.length - 1) expect(answer.status).toBe(status);
    }
  });

  it("a used-up limit -> 429", async () => {
    const client = await newClient(api);
    await limitTenant(client.tenant, { traces: 0 });
    for (const body of [{ session_id: "s" }, {}]) {
      app.calls = 0;
      expect((await client.post("/v1/traces/llm", body, { "Idempotency-Key": "k" })).status).toBe(429);
      expect(app.calls).toBe(1);
    }
  });

  it("a forbidden namespace -> 403", async () => {
    const client = await newClient(api, { namespaces: ["mine"] });
    app.calls = 0;
    expect((await client.post("/v1/sessions/create", { namespace: "theirs" })).status).toBe(403);
    expect(app.calls).toBe(1);
  });
});

it("readiness is one call; a database that is not there makes it 503 in the envelope, with Retry-After", async () => {
  app.calls = 0;
  expect((await api("/v1/health/ready")).status).toBe(200);
  expect(app.calls).toBe(1);

  for (const [url, key] of [
    [`http://127.0.0.1:${await freePort()}`, inject("serviceKey")],
    [inject("restUrl"), "sb_secret_of_somebody_else"],
  ] as const) {
    const down = appInProcess(url, key);
    const response = await down.api("/v1/health/ready");
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({ error: { code: "internal_error" } });
    expect(down.problems).toHaveLength(1);
    expect((await down.api("/v1/health")).status).toBe(200);
  }
});

it("a database without this API's newest migration is not ready", async () => {
  const { api } = appInProcess(inject("restUrl"), inject("serviceKey"), {
    fetch: async (...asked) => {
      const answer = await fetch(...asked);
      const { schema_version } = await answer.json();
      return Response.json({ schema_version: schema_version - 1 });
    },
  });
  const response = await api("/v1/health/ready");
  expect(response.status).toBe(503);
  expect((await response.json()).error.message).toContain("supabase db push");
});

it.each([
  ["of a newer version", { schema_version: SCHEMA_VERSION + 1 }, 200],
  ["that is older than versions", { ready: true }, 503],
])("a database %s: %j is %i", async (_, said, status) => {
  const { api } = appInProcess(inject("restUrl"), inject("serviceKey"), {
    fetch: async () => Response.json(said),
  });
  expect((await api("/v1/health/ready")).status).toBe(status);
});

describe("no call at all", () => {
  it.each([
    ["GET", "/v1/health", 200],
    ["GET", "/v1/openapi.json", 200],
    ["OPTIONS", "/v1/traces/llm", 204],
    ["POST", "/v1/traces/llm", 401],
    ["GET", "/v1/traces/llm", 405],
    ["GET", "/v1/nothing", 404],
  ])("%s %s -> %i", async (method, path, status) => {
    app.calls = 0;
    expect((await api(path, { method })).status).toBe(status);
    expect(app.calls).toBe(0);
  });
});

describe("when the database fails", () => {
  it("a database that cannot be reached is 503 internal_error in the envelope, logged with the request id", async () => {
    const down = appInProcess(`http://127.0.0.1:${await freePort()}`, "any key");
    const client = new Client(down.api, "tk_any");
    for (const body of [{ namespace: "n" }, "{"]) {
      down.problems.length = 0;
      const answer = await client.post("/v1/sessions/create", body, { "X-Request-ID": "down" });
      expect([answer.status, answer.body.error.code]).toEqual([503, "internal_error"]);
      expect(answer.headers.get("x-request-id")).toBe("down");
      expect(down.problems).toEqual([
        {
          level: "error",
          message: expect.any(String),
          request_id: "down",
          cause: expect.stringMatching(/^no answer: .*fetch failed/),
        },
      ]);
      expect(JSON.stringify(down)).not.toContain("tk_any");
    }
  });
});
