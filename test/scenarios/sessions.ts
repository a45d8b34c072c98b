import { describe, expect, it } from "vitest";
import { type Api, ageSession, newClient } from "../support/tenant.ts";

export function sessions(api: Api): void {
  describe("sessions", () => {
    it("create answers with id {namespace}-{user_id}-{YYYYMMDDHHMMSS} (UTC) and what was sent", async () => {
      const client = await newClient(api);
      const { status, body } = await client.post("/v1/sessions/create", {
        namespace: "my-agent",
        user_id: "5521999998888",
        inactivity_timeout: 300,
        metadata: { platform: "whatsapp", nested: { kept: null } },
      });
      expect(status).toBe(200);
      expect(body).toEqual({
        session_id: expect.stringMatching(/^my-agent-5521999998888-\d{14}$/),
        namespace: "my-agent",
        user_id: "5521999998888",
        inactivity_timeout: 300,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$/),
        metadata: { platform: "whatsapp", nested: { kept: null } },
      });
      const digits = body.created_at.replace(/\D/g, "").slice(0, 14);
      expect(body.session_id.endsWith(digits)).toBe(true);
    });

    it("create without a user or a timeout gives 120 seconds and no user_id", async () => {
      const client = await newClient(api);
      const { body } = await client.post("/v1/sessions/create", { namespace: "n" });
      expect(body.inactivity_timeout).toBe(120);
      expect(body).not.toHaveProperty("user_id");
    });

    it("create is unique even for many in one second", async () => {
      const client = await newClient(api);
      const created = await Promise.all(
        Array.from({ length: 12 }, () =>
          client.post("/v1/sessions/create", { namespace: "n", user_id: "u" }),
        ),
      );
      expect(created.map(({ status }) => status)).toEqual(created.map(() => 200));
      expect(new Set(created.map(({ body }) => body.session_id)).size).toBe(12);
    });

    it("get-or-create creates, then returns the active session", async () => {
      const client = await newClient(api);
      const wanted = { namespace: "n", user_id: "u" };
      const first = await client.post("/v1/sessions/get-or-create", wanted);
      const second = await client.post("/v1/sessions/get-or-create", wanted);
      expect([first.status, first.body.reused]).toEqual([200, false]);
      expect([second.status, second.body.reused]).toEqual([200, true]);
      expect(second.body.session_id).toBe(first.body.session_id);
    });

    it("get-or-create finds a session that create made, but not another user's or namespace's", async () => {
      const client = await newClient(api);
      const { body: created } = await client.post("/v1/sessions/create", { namespace: "n", user_id: "u" });
      const same = await client.post("/v1/sessions/get-or-create", { namespace: "n", user_id: "u" });
      expect(same.body.session_id).toBe(created.session_id);
      for (const wanted of [
        { namespace: "n", user_id: "v" },
        { namespace: "m", user_id: "u" },
      ]) {
        const other = await client.post("/v1/sessions/get-or-create", wanted);
        expect([other.status, other.body.reused]).toEqual([200, false]);
      }
    });

    it("force_new creates a session even if one is active", async () => {
      const client = await newClient(api);
      const wanted = { namespace: "n", user_id: "u" };
      const first = await client.post("/v1/sessions/get-or-create", wanted);
      const forced = await client.post("/v1/sessions/get-or-create", { ...wanted, force_new: true });
      expect(forced.body.reused).toBe(false);
      expect(forced.body.session_id).not.toBe(first.body.session_id);
    });

    it("get-or-create reuses only within inactivity_timeout, and to be found is activity", async () => {
      const client = await newClient(api);
      const wanted = { namespace: "n", user_id: "u", inactivity_timeout: 300 };
      const ask = () => client.post("/v1/sessions/get-or-create", wanted);
      const { body: session } = await ask();
      await ageSession(client, session.session_id, 200);
      expect((await ask()).body).toMatchObject({ session_id: session.session_id, reused: true });
      await ageSession(client, session.session_id, 200);
      expect((await ask()).body).toMatchObject({ session_id: session.session_id, reused: true });
      await ageSession(client, session.session_id, 301);
      const late = await ask();
      expect([late.status, late.body.reused]).toEqual([200, false]);
      expect(late.body.session_id).not.toBe(session.session_id);
    });

    it("of several active sessions it is the one that was active last", async () => {
      const client = await newClient(api);
      const wanted = { namespace: "n", user_id: "u" };
      const { body: older } = await client.post("/v1/sessions/create", wanted);
      const { body: newer } = await client.post("/v1/sessions/create", wanted);
      const found = await client.post("/v1/sessions/get-or-create", wanted);
      expect(found.body.session_id).toBe(newer.session_id);
      await client.post("/v1/traces/llm", { session_id: older.session_id });
      const again = await client.post("/v1/sessions/get-or-create", wanted);
      expect(again.body.session_id).toBe(older.session_id);
    });

    it.each([
      ["a trace", "/v1/traces/llm", {}],
      ["a log", "/v1/traces/log", { message: "still here" }],
    ])("%s in the session is activity", async (_, path, trace) => {
      const client = await newClient(api);
      const wanted = { namespace: "n", user_id: "u" };
      const { body: session } = await client.post("/v1/sessions/get-or-create", wanted);
      await ageSession(client, session.session_id, 119);
      expect((await client.post(path, { ...trace, session_id: session.session_id })).status).toBe(200);
      await ageSession(client, session.session_id, 60);
      const again = await client.post("/v1/sessions/get-or-create", wanted);
      expect(again.body).toMatchObject({ session_id: session.session_id, reused: true });
    });

    it("thirty concurrent get-or-create calls for one user get one session", async () => {
      const client = await newClient(api);
      const answers = await Promise.all(
        Array.from({ length: 30 }, () =>
          client.post("/v1/sessions/get-or-create", { namespace: "n", user_id: "u" }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(new Set(answers.map(({ body }) => body.session_id)).size).toBe(1);
      expect(answers.filter(({ body }) => body.reused === false)).toHaveLength(1);
    });
  });
}
