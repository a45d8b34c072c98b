import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../../functions/monkai-api/errors.ts";
import { type Api, newClient } from "../support/tenant.ts";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const PREFIXES = [
  "",
  "/v1",
  "/monkai-api",
  "/monkai-api/v1",
  "/functions/v1/monkai-api",
  "/functions/v1/monkai-api/v1",
  "/api/public/otel/v1",
  "/v1/api/public/otel",
  "/functions/v1/monkai-api/api/public/otel/v1",
];

export function http(api: Api): void {
  describe("health", () => {
    it("GET /v1/health returns {status, service, api_version, timestamp} without a token", async () => {
      const response = await api("/v1/health");
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        status: "ok",
        service: "monkai-trace",
        api_version: "v1",
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
    });

    it("GET /v1/health/ready says the same when the database can be worked with", async () => {
      const response = await api("/v1/health/ready");
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ status: "ok", service: "monkai-trace" });
    });

    it("HEAD /v1/health returns the same headers without a body", async () => {
      const response = await api("/v1/health", { method: "HEAD" });
      expect(response.status).toBe(200);
      expect(response.headers.get("x-request-id")).toMatch(UUID_V4);
      expect(response.headers.get("content-type")).toMatch(/^application\/json/);
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect(await response.text()).toBe("");
    });
  });

  describe("paths", () => {
    it.each(PREFIXES)("health and sessions also respond under %j", async (prefix) => {
      const client = await newClient(api);
      const health = await client.request(`${prefix}/health`);
      expect(health.status).toBe(200);
      expect(health.body.api_version).toBe("v1");
      const session = await client.post(`${prefix}/sessions/create`, { namespace: "paths" });
      expect(session.status).toBe(200);
      expect(session.body.namespace).toBe("paths");
    });

    it.each(["//v1//health", "/v1/health/", "/v1//traces/llm/"])(
      "%s: doubled and trailing slashes are forgiven",
      async (path) => {
        const response = await api(path);
        expect(response.status).toBe(path.includes("health") ? 200 : 405);
      },
    );

    it("an unknown route is 404 not_found in the envelope", async () => {
      const client = await newClient(api);
      const answer = await client.request("/v1/nothing-here", { headers: { "X-Request-ID": "lost" } });
      expect(answer.status).toBe(404);
      expect(answer.body.error.code).toBe("not_found");
      expect(answer.body.error.request_id).toBe("lost");
      expect(answer.body.error.message).toContain("/v1/nothing-here");
    });

    it("a wrong method is 405 bad_request with Allow", async () => {
      const client = await newClient(api);
      const answer = await client.request("/v1/traces/llm", { method: "DELETE" });
      expect(answer.status).toBe(405);
      expect(answer.body.error.code).toBe("bad_request");
      expect(answer.headers.get("allow")).toBe("POST");
    });

    it.each(["create", "get-or-create"])(
      "GET /sessions/%s is a wrong method, and no session",
      async (name) => {
        const client = await newClient(api);
        for (const method of ["GET", "PUT", "DELETE"]) {
          const answer = await client.request(`/v1/sessions/${name}`, {
            method,
            headers: { tracer_token: client.token },
          });
          expect([answer.status, answer.body.error.code]).toEqual([405, "bad_request"]);
          expect(answer.headers.get("allow")).toBe("POST");
        }
      },
    );
  });

  describe("X-Request-ID", () => {
    it("a client's id is preserved in the response and in the envelope", async () => {
      const client = await newClient(api);
      const id = `support ~case~ ${"x".repeat(100)}`;
      const answer = await client.post("/v1/sessions/create", {}, { "X-Request-ID": id });
      expect(answer.status).toBe(400);
      expect(answer.headers.get("x-request-id")).toBe(id);
      expect(answer.body.error.request_id).toBe(id);
    });

    it("without one, or with one out of the pattern, it is a UUIDv4", async () => {
      for (const id of [undefined, "x".repeat(129), "caf\u00e9"]) {
        const response = await api("/v1/health", id === undefined ? {} : { headers: { "X-Request-ID": id } });
        expect(response.headers.get("x-request-id")).toMatch(UUID_V4);
      }
    });
  });

  describe("CORS", () => {
    it("a preflight from any origin is allowed, and carries X-Request-ID", async () => {
      const response = await api("/v1/traces/llm", {
        method: "OPTIONS",
        headers: {
          Origin: "https://app.example",
          "Access-Control-Request-Method": "POST",
          "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,x-request-id",
        },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect(response.headers.get("access-control-allow-methods")).toContain("POST");
      expect(response.headers.get("access-control-allow-headers")?.toLowerCase()).toContain(
        "idempotency-key",
      );
      expect(response.headers.get("x-request-id")).toMatch(UUID_V4);
    });

    it.each([
      ["a success", "/v1/health", 200],
      ["an error", "/v1/nothing-here", 404],
      ["a refusal", "/v1/traces/llm", 405],
    ])("the headers that a browser client needs are exposed on %s", async (_, path, status) => {
      const response = await api(path, { headers: { Origin: "https://app.example" } });
      expect(response.status).toBe(status);
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      const exposed = response.headers.get("access-control-expose-headers")?.toLowerCase();
      for (const name of ["x-request-id", "retry-after", "x-ratelimit-remaining", "idempotency-replay"]) {
        expect(exposed).toContain(name);
      }
    });
  });

  it("GET /openapi.json describes every endpoint, with both auth schemes and every error code", async () => {
    const client = await newClient(api);
    const { status, body } = await client.request("/v1/openapi.json");
    expect(status).toBe(200);
    expect(body.openapi).toBe("3.1.0");
    const operations = Object.values(body.paths).flatMap((path) => Object.values(path as object)) as {
      tags: string[];
    }[];
    const described = body.tags.map(({ name }: { name: string }) => name);
    expect([...new Set(operations.flatMap(({ tags }) => tags))].sort()).toEqual(described.sort());
    expect(Object.keys(body.paths).sort()).toEqual([
      "/anonymization-rules",
      "/docs",
      "/facets",
      "/files/{file_id}",
      "/files/{file_id}/download",
      "/health",
      "/health/ready",
      "/logs",
      "/logs/export",
      "/logs/query",
      "/logs/upload",
      "/mcp",
      "/model-prices",
      "/namespace/register",
      "/namespaces",
      "/openapi.json",
      "/openapi.yaml",
      "/record_query",
      "/records/export",
      "/records/upload",
      "/scores",
      "/scores/batch",
      "/scores/{score_id}",
      "/sessions",
      "/sessions/create",
      "/sessions/get-or-create",
      "/sessions/{session_id}",
      "/sessions/{session_id}/steps",
      "/steps",
      "/steps/query",
      "/token",
      "/traces",
      "/traces/batch",
      "/traces/handoff",
      "/traces/ingest",
      "/traces/llm",
      "/traces/log",
      "/traces/tool",
      "/traces/{trace_id}",
      "/traces/{trace_id}/content",
      "/traces/{trace_id}/steps",
      "/traces/{trace_id}/tree",
      "/usage",
      "/view",
    ]);
    expect(body.components.schemas.Error.properties.error.properties.code.enum).toEqual(ERROR_CODES);
    expect(Object.keys(body.components.securitySchemes)).toEqual(["bearerAuth", "tracerTokenHeader"]);
  });
}
