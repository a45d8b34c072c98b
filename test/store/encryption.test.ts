import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { newContentKey } from "../../functions/monkai-api/domain/content-keys.ts";
import { appInProcess } from "../support/app.ts";
import { ask, type Call } from "../support/operations.ts";
import { heldTexts, Planted } from "../support/planted.ts";
import { type Api, type Client, newClient } from "../support/tenant.ts";

const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

const KEY = newContentKey("first");
const encrypting = (contentKeys?: string) =>
  appInProcess(inject("restUrl"), inject("serviceKey"), { contentKeys });
const app = encrypting(KEY);
const plain = encrypting();

async function plant(api: Api): Promise<{ client: Client; planted: Planted }> {
  const client = await newClient(api);
  const planted = new Planted();
  for (const [index, call] of planted.calls().entries())
    expect([call.path, await ask(client, call, { "Idempotency-Key": `k${index}` })]).toEqual([
      call.path,
      expect.stringMatching(/^20\d /),
    ]);
  return { client, planted };
}

const get = (path: string): Call => ({ method: "GET", path: `/v1${path}` });

/** What all endpoints that read have to say, as JSON without the escapes of JSON in it. */
async function readAll(client: Client): Promise<string> {
  const answers: string[] = [];
  const read = async (call: Call) => {
    const answer = await ask(client, call);
    expect([call.path, answer]).toEqual([call.path, expect.stringMatching(/^200 /)]);
    answers.push(answer);
    return JSON.parse(answer.slice(4));
  };
  const post = (path: string, body: object) => read({ method: "POST", path: `/v1${path}`, body });
  await post("/record_query", { namespace: "shop", query: { limit: 1000 } });
  await post("/logs/query", { namespace: "shop", limit: 1000 });
  await post("/records/export", { namespace: "shop" });
  await post("/logs/export", { namespace: "shop" });
  await post("/steps/query", { query: { limit: 100 } });
  const { data } = await read(get("/traces?limit=100"));
  for (const { id } of data) {
    await read(get(`/files/file_${id}/download`));
    const { steps } = await read(get(`/traces/${id}/steps`));
    if (steps.length > 0)
      await read(get(`/steps?ids=${steps.map((step: { id: string }) => step.id).join(",")}`));
  }
  const { sessions } = await read(get("/sessions"));
  for (const { session_id } of sessions) await read(get(`/sessions/${session_id}`));
  await read(get("/scores"));
  return answers.join("\n");
}

describe("what is stored", () => {
  it("the database of an API that encrypts holds nothing that was said, in no column and no disguise; reads have all of it", async () => {
    const { client, planted } = await plant(app.api);
    expect(planted.texts.length).toBeGreaterThan(200);
    const read = await readAll(client);
    expect(planted.texts.filter((text) => !read.includes(JSON.stringify(text).slice(1, -1)))).toEqual([]);
    expect(await heldTexts(sql, client.tenant, planted.texts)).toEqual([]);
  });

  it("that of one that does not encrypt holds all of it: the search for it finds what is there", async () => {
    const { client, planted } = await plant(plain.api);
    expect(await heldTexts(sql, client.tenant, planted.texts)).toEqual(planted.texts);
  });
});
