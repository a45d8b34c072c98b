import { describe, expect, it } from "vitest";
import { type Answer, type Api, Client, newClient, newToken, revokeToken } from "../support/tenant.ts";

const SESSION = { namespace: "auth" };

/** Every endpoint that needs a token, with a body that it accepts. */
const ENDPOINTS: [string, unknown][] = [
  ["/v1/sessions/create", SESSION],
  ["/v1/sessions/get-or-create", { ...SESSION, user_id: "u" }],
  ["/v1/traces/llm", { session_id: "s" }],
  ["/v1/traces/tool", { session_id: "s", tool_name: "t" }],
  ["/v1/traces/handoff", { session_id: "s", from_agent: "a", to_agent: "b" }],
  ["/v1/traces/log", { session_id: "s", message: "m" }],
  ["/v1/traces/batch", { traces: [{ type: "llm", session_id: "s" }] }],
  ["/v1/record_query", { namespace: "auth", query: {} }],
  ["/v1/logs/query", { namespace: "auth" }],
];

function expectRefused(answer: Answer, code: string): void {
  expect(answer.status).toBe(401);
  expect(answer.body.error.code).toBe(code);
  expect(answer.body.error.request_id).toBe(answer.headers.get("x-request-id"));
  expect(answer.headers.get("www-authenticate")).toBe("Bearer");
}

export function authentication(api: Api): void {
  describe("authentication", () => {
    it.each(ENDPOINTS)("%s takes the token in both schemes, and needs one", async (path, body) => {
      const client = await newClient(api);
      const init = { method: "POST", body: JSON.stringify(body) };
      const json = { "Content-Type": "application/json" };

      const bearer = await client.post(path, body);
      expect(bearer.status).toBe(200);
      const header = await client.request(path, {
        ...init,
        headers: { ...json, tracer_token: client.token },
      });
      expect(header.status).toBe(200);
      expectRefused(await client.request(path, { ...init, headers: json }), "missing_token");
      expectRefused(await client.post(path, body, { Authorization: "Bearer tk_unknown" }), "invalid_token");
    });

    it.each([
      ["Bearer Bearer tk_x", "`Authorization` has `Bearer` twice"],
      ["bearer  bearer tk_x", "`Authorization` has `Bearer` twice"],
      ["tk_x", "Missing tracer token (use `tracer_token` header or `Authorization: Bearer tk_...`)"],
      ["Token tk_x", "Missing tracer token (use `tracer_token` header or `Authorization: Bearer tk_...`)"],
      ["", "Missing tracer token (use `tracer_token` header or `Authorization: Bearer tk_...`)"],
    ])("Authorization: %s is refused, and the message says what to do", async (Authorization, message) => {
      const answer = await new Client(api, "").post("/v1/sessions/create", SESSION, { Authorization });
      expectRefused(answer, "missing_token");
      expect(answer.body.error.message).toContain(message);
    });

    it("the token is the password of HTTP Basic, too, whatever the user's name", async () => {
      const client = await newClient(api);
      const basic = (text: string, scheme = "Basic") =>
        client.post("/v1/sessions/create", SESSION, { Authorization: `${scheme} ${btoa(text)}` });
      for (const user of ["pk-lf-1", "", client.token])
        expect((await basic(`${user}:${client.token}`)).status).toBe(200);
      expect((await basic(`user:${client.token}`, "basic")).status).toBe(200);
      expectRefused(await basic(`${client.token}:tk_unknown`), "invalid_token");
      expectRefused(await basic(`user:${client.token}:more`), "invalid_token");
      for (const none of [client.token, `${client.token}:`])
        expectRefused(await basic(none), "missing_token");
      for (const malformed of ["Basic %", "Basic dXNlcg=", `Basic ${client.token}`, "Basic"]) {
        const answer = await client.post("/v1/sessions/create", SESSION, { Authorization: malformed });
        expectRefused(answer, "missing_token");
      }
    });

    it("the blank may be %20, as it stands in OTEL_EXPORTER_OTLP_HEADERS", async () => {
      const client = await newClient(api);
      const create = (Authorization: string) =>
        client.post("/v1/sessions/create", SESSION, { Authorization });
      expect((await create(`Bearer%20${client.token}`)).status).toBe(200);
      expectRefused(await create("Bearer%20tk_unknown"), "invalid_token");
    });

    it("the scheme's name is read in any case, and another scheme is no token", async () => {
      const client = await newClient(api);
      const lower = await client.post("/v1/sessions/create", SESSION, {
        Authorization: `bearer ${client.token}`,
      });
      expect(lower.status).toBe(200);
      expectRefused(
        await client.post("/v1/sessions/create", SESSION, { Authorization: `Digest ${client.token}` }),
        "missing_token",
      );
    });

    it("the tracer_token header wins when both are present", async () => {
      const client = await newClient(api);
      const good = await client.post("/v1/sessions/create", SESSION, {
        Authorization: "Bearer tk_unknown",
        tracer_token: client.token,
      });
      expect(good.status).toBe(200);
      expectRefused(
        await client.post("/v1/sessions/create", SESSION, { tracer_token: "tk_unknown" }),
        "invalid_token",
      );
    });

    it("an expired token is token_expired, a revoked one token_inactive", async () => {
      const expired = await newClient(api, { expires_at: "2020-01-01T00:00:00Z" });
      expectRefused(await expired.post("/v1/sessions/create", SESSION), "token_expired");

      const { token, id } = await newToken();
      const client = new Client(api, token);
      expect((await client.post("/v1/sessions/create", SESSION)).status).toBe(200);
      await revokeToken(id);
      expectRefused(await client.post("/v1/sessions/create", SESSION), "token_inactive");
    });

    it("a bad token is told before a bad body", async () => {
      const stranger = new Client(api, "tk_unknown");
      for (const body of ["{", "{}", `{"namespace":"${"x".repeat(1_100_000)}"}`]) {
        expectRefused(await stranger.post("/v1/sessions/create", body), "invalid_token");
      }
    });

    it("a token bound to namespaces gets 403 forbidden elsewhere", async () => {
      const client = await newClient(api, { namespaces: ["mine", "ours"] });
      expect((await client.post("/v1/sessions/create", { namespace: "mine" })).status).toBe(200);
      expect((await client.post("/v1/logs/query", { namespace: "ours" })).status).toBe(200);
      for (const [path, body] of ENDPOINTS.filter(([path]) => path !== "/v1/traces/batch")) {
        const answer = await client.post(path, body);
        expect([path, answer.status, answer.body.error?.code]).toEqual([path, 403, "forbidden"]);
      }
    });
  });
}
