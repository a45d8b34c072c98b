import { expect } from "vitest";
import { ask, type Call } from "./operations.ts";
import { Planted } from "./planted.ts";
import { type Api, type Client, newClient } from "./tenant.ts";

/** A tenant that has sent a request of each kind, with a text that nobody else says in every field for what is said. */
export async function plant(api: Api): Promise<{ client: Client; planted: Planted }> {
  const client = await newClient(api);
  const planted = new Planted();
  for (const [index, call] of planted.calls().entries())
    expect([call.path, await ask(client, call, { "Idempotency-Key": `k${index}` })]).toEqual([
      call.path,
      expect.stringMatching(/^20\d /),
    ]);
  return { client, planted };
}

/** Those of the texts that no endpoint reads back. */
export async function unread(client: Client, texts: string[]): Promise<string[]> {
  const read = await readAll(client);
  return texts.filter((text) => !read.includes(JSON.stringify(text).slice(1, -1)));
}

/** What all endpoints that read have to say, as JSON. */
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

function get(path: string): Call {
  return { method: "GET", path: `/v1${path}` };
}
