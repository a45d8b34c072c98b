import { readFile } from "node:fs/promises";
import { beforeEach, expect, inject, it, vi } from "vitest";
import { appInProcess } from "../support/app.ts";
import { Client, newClient } from "../support/tenant.ts";

const app = appInProcess(inject("restUrl"), inject("serviceKey"));
beforeEach(() => {
  app.requests.length = 0;
});

it("each request leaves one line: who, what, how it ended, how long it took; never tokens or content", async () => {
  const client = await newClient(app.api);
  const body = { session_id: "a secret", namespace: "n" };
  const answer = await client.post("/v1/traces/llm?q=secret", body, { "X-Request-ID": "r-1" });
  expect(answer.status).toBe(200);
  expect(app.requests).toEqual([
    {
      level: "info",
      message: "request",
      request_id: "r-1",
      method: "POST",
      route: "/traces/llm",
      status: 200,
      duration_ms: expect.any(Number),
      tenant_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      bucket: "traces",
    },
  ]);
  expect(JSON.stringify(app.requests)).not.toMatch(new RegExp(`secret|${client.token}`));
});

it.each([
  ["no token", "GET", "/v1/namespaces", "", 401, "/namespaces", "query"],
  ["an unknown token", "GET", "/v1/namespaces", "tk_unknown", 401, "/namespaces", "query"],
  ["a trace's id in the path", "GET", "/v1/traces/secret", "", 401, "/traces/:trace_id", "query"],
  ["no such path", "GET", "/v1/secret", "", 404, null, null],
  ["a wrong method", "DELETE", "/v1/traces/llm", "", 405, "/traces/llm", null],
  ["health", "GET", "/v1/health", "", 200, "/health", null],
  ["health without a body", "HEAD", "/v1/health", "", 200, "/health", null],
  ["a browser's question", "OPTIONS", "/v1/traces/llm", "", 204, "/traces/llm", null],
])(
  "%s: the route is its pattern, and there is no tenant",
  async (_, method, path, token, status, route, bucket) => {
    const answer = await new Client(app.api, token).request(path, {
      method,
      headers: { tracer_token: token },
    });
    expect(answer.status).toBe(status);
    expect(app.requests).toMatchObject([{ method, route, status, tenant_id: null, bucket }]);
    expect(JSON.stringify(app.requests)).not.toMatch(/secret|tk_unknown/);
  },
);

it("in a runtime the line is JSON on the console", async () => {
  const id = crypto.randomUUID();
  await fetch(`${inject("workerdUrl")}/v1/health`, { headers: { "X-Request-ID": id } });
  const line = await vi.waitFor(async () => {
    const lines = (await readFile(inject("workerdLog"), "utf8")).split("\n");
    return JSON.parse(lines.find((text) => text.includes(id)) ?? "");
  });
  expect(line).toMatchObject({
    level: "info",
    message: "request",
    request_id: id,
    route: "/health",
    status: 200,
  });
});

it("duration_ms is how long it took", async () => {
  let time = Date.UTC(2026, 0, 1);
  const now = () => {
    time += 25;
    return new Date(time);
  };
  const slow = appInProcess(inject("restUrl"), inject("serviceKey"), { now });
  await slow.api("/v1/nothing");
  expect(slow.requests).toMatchObject([{ duration_ms: 25 }]);
});
