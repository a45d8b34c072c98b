import { describe, expect, it } from "vitest";
import { ask, documentedOperations, readsAbout, writesAbout } from "../support/operations.ts";
import { type Api, Client, newClient, newToken } from "../support/tenant.ts";

const NAMES = {
  namespace: "main",
  session_id: "s",
  agent: "a",
  trace_id: "t",
  step_id: "00000000-0000-7000-8000-000000000000",
  score_id: "00000000-0000-7000-8000-000000000000",
  project_id: "main",
  said: "said",
};

/** What a token with the scope `read` may do, for each operation of the document. */
export function readOnly(api: Api): void {
  describe("a token that may only read", () => {
    it("gets 403 wherever anything would change, and nothing does", async () => {
      const { owner, reader } = await ownerAndReader(api);
      const before = await owner.get("/v1/traces");
      const answers = await Promise.all(
        Object.entries(writesAbout(NAMES)).map(async ([name, [call]]) => [
          name,
          call && (await ask(reader, call)),
        ]),
      );
      expect(answers.filter(([, answer]) => !/^403 .*may only read/.test(`${answer}`))).toEqual([]);
      expect((await owner.get("/v1/traces")).body).toEqual(before.body);
      expect((await owner.get("/v1/namespaces")).body.namespaces).toHaveLength(1);
    });

    it("reads what a token of the same tenant reads that may do everything", async () => {
      const { owner, reader } = await ownerAndReader(api);
      for (const call of Object.values(readsAbout(NAMES)).flat()) {
        if (call.path === "/v1/token") continue;
        expect(await ask(reader, call)).toBe(await ask(owner, call));
      }
      const operations = await documentedOperations(owner);
      const known = Object.keys({ ...readsAbout(NAMES), ...writesAbout(NAMES) });
      expect(known.sort()).toEqual(operations.sort());
    });

    it("GET /token says what a token may do", async () => {
      const { owner, reader } = await ownerAndReader(api);
      const whole = { tenant: owner.tenant, name: "test", namespaces: null, scope: "all", expires_at: null };
      expect(await owner.get("/v1/token")).toMatchObject({ status: 200, body: whole });
      expect((await reader.get("/v1/token")).body).toEqual({ ...whole, scope: "read" });
      const expires_at = "2099-12-31T00:00:00.000Z";
      const bound = await newClient(api, { tenant: owner.tenant, namespaces: ["main"], expires_at });
      expect((await bound.get("/v1/token")).body).toEqual({ ...whole, namespaces: ["main"], expires_at });
    });
  });
}

async function ownerAndReader(api: Api) {
  const owner = await newClient(api);
  const step = { session_id: "s", namespace: "main", agent: "a", trace_id: "t", input: { prompt: "said" } };
  expect((await owner.post("/v1/traces/llm", step)).status).toBe(200);
  const { token } = await newToken({ tenant: owner.tenant, scope: "read" });
  return { owner, reader: new Client(api, token, owner.tenant) };
}
