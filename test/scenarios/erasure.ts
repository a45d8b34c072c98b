import { describe, expect, it } from "vitest";
import { type Api, type Client, newClient } from "../support/tenant.ts";

const NOTHING = { steps: 0, sessions: 0, scores: 0 };

export function erasure(api: Api): void {
  const erase = (client: Client, path: string) =>
    client.request(`/v1${path}`, { method: "DELETE", headers: { tracer_token: client.token } });
  const llm = (client: Client, step: object) =>
    client.post("/v1/traces/llm", { namespace: "n", model: "m", input: { prompt: "said" }, ...step });

  describe("DELETE /sessions/{session_id}", () => {
    it("leaves nothing of it in lists, searches, exports and by its ids, and all of its figures", async () => {
      const client = await newClient(api);
      const usage = { prompt_tokens: 8, completion_tokens: 10 };
      const { id } = (await llm(client, { session_id: "gone", output: { content: "Hi", usage } })).body;
      await llm(client, { session_id: "kept", input: { prompt: "kept" } });
      const before = (await client.get("/v1/usage?by=day,agent,model")).body;
      await client.post("/v1/scores", { session_id: "gone", name: "helpful", value: 1 });
      const answer = await erase(client, "/sessions/gone");
      expect([answer.status, answer.body]).toEqual([
        200,
        { erased: { steps: 1, sessions: 1, scores: 1 }, complete: true, remaining_steps: 0 },
      ]);

      expect((await client.get("/v1/sessions/gone")).status).toBe(404);
      expect((await client.get("/v1/sessions")).body).toMatchObject({
        count: 1,
        sessions: [{ session_id: "kept" }],
      });
      expect((await client.get("/v1/traces")).body.total).toBe(1);
      expect((await client.get(`/v1/steps?ids=${id}`)).body.steps).toEqual([]);
      expect((await client.get("/v1/scores")).body.scores).toEqual([]);
      const { records, count } = (await client.post("/v1/record_query", { namespace: "n", query: {} })).body;
      expect([count, records.length, records[0].session_id]).toEqual([1, 1, "kept"]);
      const found = await client.post("/v1/steps/query", { query: { text: "said" } });
      expect(found.body.steps).toEqual([]);
      const after = (await client.get("/v1/usage?by=day,agent,model")).body;
      expect([after.rows, after.totals.calls]).toEqual([before.rows, 2]);
      expect(after.totals).toMatchObject({ calls: 2, input_tokens: 8, output_tokens: 10 });
    });

    it("can be repeated, also of what never was; and what comes later is kept as new", async () => {
      const client = await newClient(api);
      const session_id = "a/b ? é %2F#:";
      const path = `/sessions/${encodeURIComponent(session_id)}`;
      expect((await erase(client, path)).body.erased).toEqual(NOTHING);
      const key = { "Idempotency-Key": "k" };
      const step = { session_id, namespace: "n", input: { prompt: "said" } };
      await client.post("/v1/traces/llm", step, key);
      expect((await erase(client, path)).body.erased).toMatchObject({ steps: 1, sessions: 1 });
      const again = await erase(client, path);
      expect([again.status, again.body]).toEqual([
        200,
        { erased: NOTHING, complete: true, remaining_steps: 0 },
      ]);
      const retried = await client.post("/v1/traces/llm", step, key);
      expect([retried.status, retried.headers.get("idempotency-replay")]).toEqual([200, null]);
      expect((await client.get(`/v1${path}`)).body.step_count).toBe(1);
    });

    it("by a token that is bound to namespaces erases what is in these, and leaves the rest as it is", async () => {
      const whole = await newClient(api);
      const bound = await newClient(api, { tenant: whole.tenant, namespaces: ["mine"] });
      await llm(whole, { namespace: "theirs", session_id: "shared", external_user_id: "u" });
      await llm(whole, { namespace: "mine", session_id: "shared", external_user_id: "u" });
      await whole.post("/v1/scores", { session_id: "shared", namespace: "theirs", name: "n", value: 1 });
      for (const path of ["/sessions/shared", "/users/u"]) {
        const { status, body } = await erase(bound, path);
        expect([status, body]).toEqual([
          200,
          { erased: { ...NOTHING, steps: path === "/users/u" ? 0 : 1 }, complete: true, remaining_steps: 0 },
        ]);
      }
      expect((await whole.get("/v1/sessions/shared")).body).toMatchObject({
        step_count: 1,
        namespaces: ["theirs"],
      });
      expect((await whole.get("/v1/scores")).body.scores).toHaveLength(1);
    });
  });

  describe("DELETE /users/{user_id}", () => {
    it("takes the user's sessions and steps, whoever tells them, and the name out of the figures", async () => {
      const client = await newClient(api);
      const { session_id } = (await client.post("/v1/sessions/create", { namespace: "n", user_id: "u" }))
        .body;
      await llm(client, { session_id });
      await llm(client, { session_id: "told", external_user_id: "u" });
      await client.post("/v1/traces/tool", { namespace: "n", session_id: "told", tool_name: "t" });
      await llm(client, { session_id: "both", external_user_id: "u" });
      await llm(client, { session_id: "both", external_user_id: "v" });
      const record = { namespace: "n", agent: "a", user_id: "u", msg: { role: "user", content: "alone" } };
      await client.post("/v1/records/upload", { records: [record] });
      const { status, body } = await erase(client, "/users/u");
      expect([status, body.erased, body.remaining_steps]).toEqual([
        200,
        { steps: 5, sessions: 2, scores: 0 },
        0,
      ]);
      expect((await client.get("/v1/sessions?user_id=u")).body.count).toBe(0);
      expect((await client.get("/v1/sessions")).body.sessions).toMatchObject([
        { session_id: "both", user_id: "v", step_count: 1 },
      ]);
      const { rows, totals } = (await client.get("/v1/usage?by=user")).body;
      expect(rows.map(({ user, calls }: { user: string; calls: number }) => [user, calls])).toEqual([
        ["v", 1],
        [null, 3],
      ]);
      expect([totals.calls, totals.tool_calls]).toEqual([4, 1]);
      expect((await client.get("/v1/facets")).body.users).toEqual([{ value: "v", count: 1 }]);
      // What was sent within the last minute is known by its hash, which is gone.
      expect((await client.post("/v1/records/upload", { records: [record] })).body.inserted_count).toBe(1);
    });
  });
}
