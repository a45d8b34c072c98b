import { describe, expect, it } from "vitest";
import { type Api, newClient } from "../support/tenant.ts";

const PATH = "/v1/retention";
const FOR_EVER = { content_days: null, days: null, content_since: null, since: null };
const EVERYTHING = { version: 0, ...FOR_EVER, namespaces: [], last_run_at: null, catching_up: false };
const moment = expect.stringMatching(/^20\d\d-\d\d-\d\dT00:00:00\.000Z$/);

export function retention(api: Api): void {
  describe("GET and PUT /retention", () => {
    it("everything is kept for ever at version 0; each PUT raises the version and replaces all", async () => {
      const client = await newClient(api);
      expect((await client.get(PATH)).body).toEqual(EVERYTHING);
      const namespaces = [
        { namespace: "audit", days: 0 },
        { namespace: "a", content_days: 1, days: null },
      ];
      const put = await client.put(PATH, { content_days: 30, days: 365, namespaces });
      expect([put.status, put.body]).toEqual([
        200,
        {
          ...{ version: 1, content_days: 30, days: 365, content_since: moment, since: moment },
          namespaces: [
            { namespace: "a", ...FOR_EVER, content_days: 1, content_since: moment },
            { namespace: "audit", ...FOR_EVER },
          ],
          ...{ last_run_at: null, catching_up: false },
        },
      ]);
      const days = (Date.parse(put.body.content_since) - Date.parse(put.body.since)) / 86_400_000;
      expect(days).toBe(335);
      const { last_run_at: _, ...read } = (await client.get(PATH)).body;
      expect(put.body).toMatchObject(read);
      const { last_run_at: __, ...back } = (await client.put(PATH, {})).body;
      expect({ ...back, last_run_at: null }).toEqual({ ...EVERYTHING, version: 2 });
    });

    it("what GET answers can be changed and PUT as it is", async () => {
      const client = await newClient(api);
      await client.put(PATH, { days: 7, namespaces: [{ namespace: "n", content_days: 3 }] });
      const { version, ...known } = (await client.get(PATH)).body;
      const put = await client.put(PATH, { ...known, days: 8, expected_version: version });
      expect([put.status, put.body]).toMatchObject([
        200,
        { version: 2, days: 8, namespaces: known.namespaces },
      ]);
    });

    it("a stale expected_version is 409 and changes nothing; of five that expect the same one, one is taken", async () => {
      const client = await newClient(api);
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => client.put(PATH, { days: 9, expected_version: 0 })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(4).fill(409)]);
      const stale = await client.put(PATH, { days: 1, expected_version: 0 });
      expect([stale.status, stale.body.error.code, stale.body.version]).toEqual([409, "bad_request", 1]);
      expect((await client.get(PATH)).body).toMatchObject({ version: 1, days: 9 });
    });

    it.each([
      [{ days: -1 }, ["days"]],
      [{ days: 1.5 }, ["days"]],
      [{ content_days: "30" }, ["content_days"]],
      [{ content_days: 36_501 }, ["content_days"]],
      [{ namespaces: {} }, ["namespaces"]],
      [{ namespaces: [{ namespace: "" }] }, ["namespaces", 0, "namespace"]],
      [{ namespaces: [{ namespace: "n", day: 1 }] }, ["namespaces", 0]],
      [{ namespaces: [{ namespace: "n" }, { namespace: "n", days: 1 }] }, ["namespaces", 1, "namespace"]],
    ])("refuses %j, says where, and changes nothing", async (body, path) => {
      const client = await newClient(api);
      const answer = await client.put(PATH, body);
      expect([answer.status, answer.body.issues?.[0].path]).toEqual([400, path]);
      expect(answer.body.error.code).toMatch(/^(invalid_payload|missing_field)$/);
      expect((await client.get(PATH)).body.version).toBe(0);
    });

    it("what has just arrived is kept, however few days that are", async () => {
      const client = await newClient(api);
      const step = {
        namespace: "n",
        session_id: "s",
        input: { prompt: "said" },
        timestamp: "2020-01-01T00:00:00Z",
      };
      expect((await client.post("/v1/traces/llm", step)).status).toBe(200);
      await client.put(PATH, { content_days: 1, days: 1 });
      const { body } = await client.post("/v1/record_query", { namespace: "n", query: {} });
      expect([body.count, body.records[0].input]).toEqual([1, { prompt: "said" }]);
    });
  });
}
