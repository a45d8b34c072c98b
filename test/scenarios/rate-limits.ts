import { beforeEach, describe, expect, it } from "vitest";
import { type Call, documentedOperations, operationsAbout } from "../support/operations.ts";
import {
  type Answer,
  type Api,
  Client,
  limitTenant,
  limitToken,
  newClient,
  newToken,
  withinOneMinute,
} from "../support/tenant.ts";

const LIMITED: [path: string, body: unknown, bucket: string, limit: number][] = [
  ["/v1/traces/llm", { session_id: "s" }, "traces", 600],
  ["/v1/traces/tool", { session_id: "s", tool_name: "t" }, "traces", 600],
  ["/v1/traces/handoff", { session_id: "s", from_agent: "a", to_agent: "b" }, "traces", 600],
  ["/v1/traces/log", { session_id: "s", message: "m" }, "traces", 600],
  ["/v1/traces/batch", { traces: [{ type: "llm", session_id: "s" }] }, "traces_batch", 60],
  ["/v1/scores", { trace_id: "t", name: "n", value: 1 }, "traces", 600],
  ["/v1/scores/batch", { scores: [{ trace_id: "t", name: "n", value: 1 }] }, "traces_batch", 60],
  ["/v1/sessions/create", { namespace: "n" }, "sessions", 600],
  ["/v1/sessions/get-or-create", { namespace: "n", user_id: "u" }, "sessions", 600],
  ["/v1/records/upload", { records: [{ namespace: "n", agent: "a", msg: {} }] }, "bulk_upload", 60],
  ["/v1/logs/upload", { logs: [{ namespace: "n", level: "info", message: "m" }] }, "bulk_upload", 60],
  ["/v1/record_query", { namespace: "n", query: {} }, "query", 60],
  ["/v1/logs/query", { namespace: "n" }, "query", 60],
  ["/v1/records/export", { namespace: "n" }, "query", 60],
  ["/v1/logs/export", { namespace: "n" }, "query", 60],
  ["/v1/mcp", { jsonrpc: "2.0", id: 1, method: "ping" }, "view", 300],
];

function expectHeaders({ headers }: Answer, bucket: string, limit: number, remaining: number): void {
  const reset = Number(headers.get("x-ratelimit-reset"));
  expect(reset).toBeGreaterThanOrEqual(0);
  expect(reset).toBeLessThanOrEqual(60);
  for (const prefix of ["x-ratelimit-", "ratelimit-"]) {
    expect(headers.get(`${prefix}limit`)).toBe(`${limit}`);
    expect(headers.get(`${prefix}remaining`)).toBe(`${remaining}`);
    expect(headers.get(`${prefix}reset`)).toBe(`${reset}`);
  }
  expect(headers.get("ratelimit-policy")).toBe(`"${bucket}";q=${limit};w=60`);
  expect(headers.get("ratelimit")).toBe(`"${bucket}";r=${remaining};t=${reset}`);
}

/** Those that need no token. */
const UNLIMITED = ["/health", "/health/ready", "/openapi.json", "/openapi.yaml", "/docs", "/view"];

export function rateLimits(api: Api): void {
  describe("rate limits", () => {
    // The counts of a test must not be cut in two by the turn of a minute.
    beforeEach(() => withinOneMinute(4_000));

    it.each(LIMITED)(
      "%s: X-RateLimit-* and RateLimit-* with equal values",
      async (path, body, bucket, limit) => {
        const client = await newClient(api);
        for (const remaining of [limit - 1, limit - 2]) {
          const answer = await client.post(path, body);
          expect(answer.status).toBe(200);
          expectHeaders(answer, bucket, limit, remaining);
          expect(answer.headers.get("retry-after")).toBeNull();
        }
      },
    );

    it("every authenticated endpoint (except /v1/health) is rate-limited", async () => {
      const { paths } = await (await api("/v1/openapi.json")).json();
      const limited = [
        ...LIMITED.map(([path]) => path.replace("/v1", "")),
        "/token",
        "/namespaces",
        "/namespace/register",
        "/anonymization-rules",
        "/model-prices",
        "/traces",
        "/traces/{trace_id}",
        "/traces/{trace_id}/tree",
        "/traces/{trace_id}/steps",
        "/sessions",
        "/sessions/{session_id}",
        "/sessions/{session_id}/steps",
        "/usage",
        "/facets",
        "/steps",
        "/steps/query",
        "/traces/{trace_id}/content",
        "/traces/ingest",
        "/scores/{score_id}",
        "/logs",
        "/files/{file_id}",
        "/files/{file_id}/download",
      ];
      expect(Object.keys(paths).sort()).toEqual([...UNLIMITED, ...limited].sort());
    });

    it("every operation of the document that needs a token counts", async () => {
      const names = {
        namespace: "n",
        session_id: "s",
        agent: "a",
        trace_id: "t",
        step_id: crypto.randomUUID(),
        project_id: "n",
        said: "m",
      };
      const operations = operationsAbout(names);
      for (const operation of await documentedOperations(await newClient(api))) {
        const [call] = operations[operation] as [Call];
        const client = await newClient(api);
        const { headers } = await client.send(call.path, call.body, {
          method: call.method,
          ...(call.body === undefined ? { body: undefined } : {}),
        });
        const [limit, remaining] = ["limit", "remaining"].map((name) => headers.get(`x-ratelimit-${name}`));
        expect([operation, remaining]).toEqual([operation, `${Number(limit ?? Number.NaN) - 1}`]);
      }
    });

    it("POST /v1/namespace/register counts as sessions", async () => {
      const client = await newClient(api);
      const answer = await client.post("/v1/namespace/register", { namespace: "n" });
      expect(answer.status).toBe(201);
      expectHeaders(answer, "sessions", 600, 599);
    });

    it.each([
      ["GET", "/v1/namespaces", "query", 60],
      ["GET", "/v1/traces", "query", 60],
      ["GET", "/v1/anonymization-rules", "rules", 60],
      ["PUT", "/v1/anonymization-rules", "rules", 60],
      ["GET", "/v1/model-prices", "rules", 60],
      ["PUT", "/v1/model-prices", "rules", 60],
      ["GET", "/v1/scores", "view", 300],
      ["GET", "/v1/sessions", "view", 300],
      ["GET", "/v1/usage", "view", 300],
      ["GET", "/v1/facets", "view", 300],
    ])("%s %s counts as %s", async (method, path, bucket, limit) => {
      const client = await newClient(api);
      const answer = await client.request(path, {
        method,
        headers: { tracer_token: client.token, "Content-Type": "application/json" },
        ...(method === "PUT" ? { body: '{"rules": {}, "prices": []}' } : {}),
      });
      expect(answer.status).toBe(200);
      expectHeaders(answer, bucket, limit, limit - 1);
    });

    it("GET /v1/steps counts as view", async () => {
      const client = await newClient(api);
      const answer = await client.get(`/v1/steps?ids=${crypto.randomUUID()}`);
      expect(answer.status).toBe(200);
      expectHeaders(answer, "view", 300, 299);
    });

    it("POST /v1/steps/query counts as view", async () => {
      const client = await newClient(api);
      const answer = await client.post("/v1/steps/query", { query: { text: "said" } });
      expect(answer.status).toBe(200);
      expectHeaders(answer, "view", 300, 299);
    });

    it("on every response of a limited endpoint: a refused request counts too", async () => {
      const client = await newClient(api, { namespaces: ["mine"] });
      const refusals: [unknown, Record<string, string>, number][] = [
        [{}, {}, 400],
        ["{", {}, 400],
        [{ session_id: "s", namespace: "theirs" }, {}, 403],
        [{ session_id: "x".repeat(1_100_000) }, {}, 413],
        [{ session_id: "s" }, { "Content-Type": "text/plain" }, 415],
        [{ session_id: "s", namespace: "mine" }, { "Idempotency-Key": "k" }, 200],
        [{ session_id: "s", namespace: "mine" }, { "Idempotency-Key": "k" }, 200],
        [{ session_id: "t", namespace: "mine" }, { "Idempotency-Key": "k" }, 422],
      ];
      for (const [place, [body, headers, status]] of refusals.entries()) {
        const answer = await client.post("/v1/traces/llm", body, headers);
        expect(answer.status).toBe(status);
        expectHeaders(answer, "traces", 600, 599 - place);
      }
    });

    it("so does an upload into a session of a namespace that the token is not bound to", async () => {
      const { token, tenant } = await newToken();
      const trace = { session_id: "s", namespace: "theirs" };
      expect((await new Client(api, token).post("/v1/traces/llm", trace)).status).toBe(200);
      const bound = await newClient(api, { tenant, namespaces: ["mine"] });
      const records = [
        { namespace: "mine", agent: "a", session_id: "s", msg: { role: "user", content: "c" } },
      ];
      for (const remaining of [59, 58]) {
        const answer = await bound.post("/v1/records/upload", { records });
        expect([answer.status, answer.body.error.code]).toEqual([403, "forbidden"]);
        expectHeaders(answer, "bulk_upload", 60, remaining);
      }
    });

    it("Remaining reaches 0 on the request that uses the window up; the next is 429 rate_limit_exceeded", async () => {
      const { token, tenant } = await newToken();
      await limitTenant(tenant, { query: 3 });
      const client = new Client(api, token);
      const query = () => client.post("/v1/logs/query", { namespace: "n" });
      for (const remaining of [2, 1, 0]) {
        const answer = await query();
        expect(answer.status).toBe(200);
        expectHeaders(answer, "query", 3, remaining);
      }
      for (let over = 0; over < 2; over += 1) {
        const answer = await query();
        expect([answer.status, answer.body.error.code]).toEqual([429, "rate_limit_exceeded"]);
        expect(answer.body.error.request_id).toBe(answer.headers.get("x-request-id"));
        expectHeaders(answer, "query", 3, 0);
      }
    });

    it("429: bucket name and limit in the message, Retry-After equal to the reset; nothing is stored", async () => {
      const { token, tenant } = await newToken();
      await limitTenant(tenant, { traces: 1 });
      const client = new Client(api, token);
      expect((await client.post("/v1/traces/llm", { session_id: "s" })).status).toBe(200);
      for (const body of [{ session_id: "s" }, {}]) {
        const answer = await client.post("/v1/traces/llm", body);
        expect([answer.status, answer.body.error.code]).toEqual([429, "rate_limit_exceeded"]);
        expect(answer.body.error.message).toMatch(/limit of 1 .*"traces"/);
        expect(answer.headers.get("retry-after")).toBe(answer.headers.get("ratelimit-reset"));
      }
      expect((await client.post("/v1/record_query", { namespace: "default", query: {} })).body.count).toBe(1);
    });

    it("per-token, per bucket: one bucket's end leaves the others, other tokens of the tenant and other tenants alone", async () => {
      const { token, tenant } = await newToken();
      await limitTenant(tenant, { sessions: 1 });
      const client = new Client(api, token);
      const create = (who: Client) => who.post("/v1/sessions/create", { namespace: "n" });
      expect((await create(client)).status).toBe(200);
      expect((await create(client)).status).toBe(429);
      expect((await client.post("/v1/traces/llm", { session_id: "s" })).status).toBe(200);
      expect((await create(await newClient(api, { tenant }))).status).toBe(200);
      expect((await create(await newClient(api))).status).toBe(200);
    });

    it("limits can be overridden per tenant or token; the token's own wins", async () => {
      const { token, tenant, id } = await newToken();
      await limitTenant(tenant, { traces: 10_000, query: 7 });
      await limitToken(id, { query: 9 });
      const client = new Client(api, token);
      expectHeaders(await client.post("/v1/traces/llm", { session_id: "s" }), "traces", 10_000, 9_999);
      expectHeaders(await client.post("/v1/logs/query", { namespace: "n" }), "query", 9, 8);
      expectHeaders(await client.post("/v1/sessions/create", { namespace: "n" }), "sessions", 600, 599);
    });

    it("the increment is atomic: of forty at once against a limit of 25, exactly 25 pass", async () => {
      const { token, tenant } = await newToken();
      await limitTenant(tenant, { query: 25 });
      const client = new Client(api, token);
      const answers = await Promise.all(
        Array.from({ length: 40 }, () => client.post("/v1/logs/query", { namespace: "n" })),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(25);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
    });

    it.each([...UNLIMITED.map((path) => `/v1${path}`), "/v1/nothing"])(
      "GET %s is intentionally unlimited",
      async (path) => {
        const response = await api(path);
        expect(response.headers.get("x-ratelimit-limit")).toBeNull();
        expect(response.headers.get("ratelimit")).toBeNull();
      },
    );

    it("a request without a good token is not counted", async () => {
      const answer = await new Client(api, "tk_unknown").post("/v1/traces/llm", { session_id: "s" });
      expect([answer.status, answer.headers.get("x-ratelimit-limit")]).toEqual([401, null]);
    });
  });
}
