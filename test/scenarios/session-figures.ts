import { describe, expect, it } from "vitest";
import { type Api, newClient } from "../support/tenant.ts";
import { expectOk } from "../support/week/read-back.ts";

export function sessionFigures(api: Api): void {
  describe("figures of a session", () => {
    it.each([
      ["neither when it ended nor how long it took", {}, 0],
      ["how long it took", { latency_ms: 250 }, 250],
      ["when it ended", { timestamp: "2025-10-20T10:00:04Z" }, 4000],
    ])("a step that tells when it began and %s", async (_, told, duration_ms) => {
      const client = await newClient(api);
      const started_at =
        "timestamp" in told ? "2025-10-20T10:00:00Z" : new Date(Date.now() + 60_000).toISOString();
      await expectOk(client.post("/v1/traces/llm", { namespace: "n", session_id: "s", started_at, ...told }));
      expect(await expectOk(client.get("/v1/sessions/s"))).toMatchObject({ duration_ms });
    });

    it("by itself it has scores that came before it, which stand in another namespace; a named namespace has its own", async () => {
      const client = await newClient(api);
      const early = await expectOk(client.post("/v1/scores", { session_id: "s", name: "early", value: 1 }));
      expect(early.namespace).toBe("default");
      await expectOk(client.post("/v1/traces/llm", { namespace: "n", session_id: "s" }));
      await expectOk(client.post("/v1/scores", { session_id: "s", name: "late", value: 2 }));

      const names = async (path: string) => Object.keys((await expectOk(client.get(path))).scores).sort();
      expect(await names("/v1/sessions/s")).toEqual(["early", "late"]);
      expect(await names("/v1/sessions/s?namespace=n")).toEqual(["late"]);
    });
  });
}
