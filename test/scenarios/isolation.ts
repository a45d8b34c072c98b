import { describe, expect, it } from "vitest";
import { type Api, Client, newClient, newToken } from "../support/tenant.ts";

export function isolation(api: Api): void {
  describe("tenants", () => {
    it("the same session id in two tenants is two sessions, and neither sees the other's traces", async () => {
      const [one, two] = [await newClient(api), await newClient(api)];
      for (const [client, namespace, model] of [
        [one, "shop", "m1"],
        [two, "bank", "m2"],
      ] as const) {
        expect((await client.post("/v1/traces/llm", { session_id: "same", namespace, model })).status).toBe(
          200,
        );
        expect((await client.post("/v1/traces/llm", { session_id: "same", model })).status).toBe(200);
        expect((await client.post("/v1/traces/log", { session_id: "same", message: model })).status).toBe(
          200,
        );
      }
      for (const [client, namespace, model] of [
        [one, "shop", "m1"],
        [two, "bank", "m2"],
      ] as const) {
        const { body } = await client.post("/v1/record_query", { namespace, query: { session_id: "same" } });
        expect(body.records.map((record: { model: string }) => record.model)).toEqual([model, model]);
        const logs = await client.post("/v1/logs/query", { namespace });
        expect(logs.body.logs.map((log: { message: string }) => log.message)).toEqual([model]);
      }
    });

    it("another tenant's namespace looks like one that was never used", async () => {
      const [owner, stranger] = [await newClient(api), await newClient(api)];
      await owner.post("/v1/traces/llm", { session_id: "s", namespace: "secret" });
      for (const [path, filters] of [
        ["/v1/record_query", { query: {} }],
        ["/v1/logs/query", {}],
      ] as const) {
        const used = await stranger.post(path, { namespace: "secret", ...filters });
        const unused = await stranger.post(path, { namespace: "never-used", ...filters });
        expect([used.status, used.body]).toEqual([unused.status, unused.body]);
      }
    });

    it("get-or-create never finds another tenant's session", async () => {
      const [one, two] = [await newClient(api), await newClient(api)];
      const wanted = { namespace: "n", user_id: "u" };
      const first = await one.post("/v1/sessions/get-or-create", wanted);
      const second = await two.post("/v1/sessions/get-or-create", wanted);
      expect([first.body.reused, second.body.reused]).toEqual([false, false]);
    });

    it("two tokens of one tenant see the same data; a bound one only its namespaces", async () => {
      const { token, tenant } = await newToken();
      const whole = new Client(api, token);
      const bound = await newClient(api, { tenant, namespaces: ["a"] });
      await whole.post("/v1/traces/llm", { session_id: "in-a", namespace: "a" });
      await whole.post("/v1/traces/llm", { session_id: "in-b", namespace: "b" });

      const seen = await bound.post("/v1/record_query", { namespace: "a", query: {} });
      expect([seen.status, seen.body.count]).toEqual([200, 1]);
      for (const body of [{ session_id: "in-b" }, { session_id: "in-b", namespace: "a" }]) {
        const trespass = await bound.post("/v1/traces/llm", body);
        expect([trespass.status, trespass.body.error.code]).toEqual([403, "forbidden"]);
        expect(trespass.body.error.message).not.toMatch(/namespace "[ab]"/);
      }
      expect((await whole.post("/v1/record_query", { namespace: "a", query: {} })).body.count).toBe(1);

      const elsewhere = await newClient(api, { tenant, namespaces: ["a", "new"] });
      const refused = await elsewhere.post("/v1/traces/llm", { session_id: "in-b", namespace: "new" });
      expect(refused.status).toBe(403);
      const listed = await whole.request("/v1/namespaces", { headers: { tracer_token: whole.token } });
      expect(listed.body.namespaces.map((row: { namespace: string }) => row.namespace)).toEqual(["a", "b"]);
    });
  });
}
