import { describe, expect, it } from "vitest";
import { type Api, Client, newClient, newToken, requireRegistration } from "../support/tenant.ts";

const record = (namespace: string) => ({ namespace, agent: "a", msg: { role: "user", content: "hi" } });

export function namespaces(api: Api): void {
  const register = (client: Client, namespace: string) =>
    client.post("/v1/namespace/register", { namespace });
  const list = async (client: Client) => {
    const { status, body } = await client.request("/v1/namespaces", {
      headers: { tracer_token: client.token },
    });
    expect(status).toBe(200);
    return body.namespaces.map(({ namespace }: { namespace: string }) => namespace);
  };

  describe("namespaces", () => {
    it("registering answers 201; GET /namespaces lists what was registered and what was used, by name", async () => {
      const client = await newClient(api);
      const made = await register(client, "shop");
      expect([made.status, made.body]).toEqual([
        201,
        { namespace: "shop", created_at: expect.stringMatching(/Z$/) },
      ]);
      await client.post("/v1/sessions/create", { namespace: "bank" });
      await client.post("/v1/records/upload", { records: [record("airline")] });
      expect(await list(client)).toEqual(["airline", "bank", "shop"]);
    });

    it("a name that is there already, by registration or first use, is 409 namespace_taken", async () => {
      const client = await newClient(api);
      await register(client, "shop");
      await client.post("/v1/traces/llm", { session_id: "s", namespace: "bank" });
      for (const namespace of ["shop", "bank"]) {
        const again = await register(client, namespace);
        expect([again.status, again.body.error.code]).toEqual([409, "namespace_taken"]);
      }
    });

    it.each(["My_Agent", "my agent", "myagents", "my-agen"])(
      "%s beside my-agent is 409 namespace_too_similar",
      async (name) => {
        const client = await newClient(api);
        await register(client, "my-agent");
        const { status, body } = await register(client, name);
        expect([status, body.error.code]).toEqual([409, "namespace_too_similar"]);
        expect(Object.keys(body)[0]).toBe("error");
        expect(body.similar_namespaces).toEqual(["my-agent"]);
        expect(body.suggestion).toContain("my-agent");
        expect(await list(client)).toEqual(["my-agent"]);
      },
    );

    it("a digit tells names apart, and so do two letters", async () => {
      const client = await newClient(api);
      for (const name of ["agent-1", "agent-2", "agent-12", "agency", "!", "?"]) {
        expect([name, (await register(client, name)).status]).toEqual([name, 201]);
      }
    });

    it("namespaces are the tenant's own", async () => {
      const [one, two] = [await newClient(api), await newClient(api)];
      expect((await register(one, "shop")).status).toBe(201);
      expect((await register(two, "shop")).status).toBe(201);
      expect(await list(two)).toEqual(["shop"]);
    });

    it("ten registrations of one name at once: one is 201, the others 409", async () => {
      const client = await newClient(api);
      const answers = await Promise.all(Array.from({ length: 10 }, () => register(client, "shop")));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
    });

    it("a bound token registers, sees and uses its own alone: upload elsewhere is 403 with namespaces_without_token", async () => {
      const { token, tenant } = await newToken();
      await register(new Client(api, token), "theirs");
      const bound = await newClient(api, { tenant, namespaces: ["mine"] });
      expect((await register(bound, "mine")).status).toBe(201);
      expect((await register(bound, "other")).status).toBe(403);
      expect(await list(bound)).toEqual(["mine"]);

      const { status, body } = await bound.post("/v1/records/upload", {
        records: [record("mine"), record("theirs")],
      });
      expect([status, body.error.code]).toEqual([403, "forbidden"]);
      expect(Object.keys(body)[0]).toBe("error");
      expect([body.unregistered_namespaces, body.namespaces_without_token]).toEqual([[], ["theirs"]]);
      expect((await bound.post("/v1/record_query", { namespace: "mine", query: {} })).body.count).toBe(0);
    });

    it("a tenant set to registered-only: upload elsewhere is 403 with unregistered_namespaces, until it is registered", async () => {
      const { token, tenant } = await newToken();
      await requireRegistration(tenant);
      const client = new Client(api, token);
      await register(client, "shop");
      const log = (namespace: string) => ({ namespace, level: "info", message: "m" });
      for (const [path, body] of [
        ["/v1/records/upload", { records: [record("shop"), record("new"), record("newer")] }],
        ["/v1/logs/upload", { logs: [log("shop"), log("newer"), log("new")] }],
      ] as const) {
        const refused = await client.post(path, body);
        expect([refused.status, refused.body.error.code]).toEqual([403, "forbidden"]);
        expect(refused.body.unregistered_namespaces).toEqual(["new", "newer"]);
        expect(refused.body.namespaces_without_token).toEqual([]);
      }
      for (const [path, body] of [
        ["/v1/traces/llm", { session_id: "s", namespace: "new" }],
        ["/v1/sessions/create", { namespace: "new" }],
      ] as const) {
        expect((await client.post(path, body)).status).toBe(403);
      }
      expect(await list(client)).toEqual(["shop"]);
      expect((await register(client, "new")).status).toBe(201);
      const sent = await client.post("/v1/records/upload", { records: [record("shop"), record("new")] });
      expect([sent.status, sent.body.inserted_count]).toEqual([200, 2]);
    });
  });
}
