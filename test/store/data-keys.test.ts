import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { newContentKey, parseContentKeys } from "../../functions/monkai-api/domain/content-keys.ts";
import { MasterKeys } from "../../functions/monkai-api/store/sealing/master-keys.ts";
import { forgetDataKeys, listedKeys, rewrapDataKeys, rotateDataKeys } from "../../scripts/keys/data-keys.ts";
import { appInProcess, type InProcessApp } from "../support/app.ts";
import { traceOf } from "../support/otlp-steps.ts";
import { Client, newClient } from "../support/tenant.ts";

const sql = postgres(inject("databaseUrl"), { max: 2, onnotice: () => {} });
afterAll(() => sql.end());

const project = { url: inject("restUrl"), serviceKey: inject("serviceKey") };
const KEY = newContentKey("first");
const instance = (contentKeys: string | undefined = KEY) =>
  appInProcess(project.url, project.serviceKey, { contentKeys });
const withoutKeys = () => appInProcess(project.url, project.serviceKey);
const masters = (keys: string) => new MasterKeys(parseContentKeys(keys));
const app = instance();

const said = (prompt: string) => ({ session_id: "s", namespace: "n", input: { prompt } });
const at = (app: InProcessApp, { token, tenant }: Client) => new Client(app.api, token, tenant);
const isError = (message: string | RegExp) => ({
  status: 500,
  body: { error: { code: "encryption_error", message: expect.stringMatching(message) } },
});

/** A client whose tenant has said one thing, encrypted. */
async function spoken(prompt = "hello", api = app.api): Promise<{ client: Client; id: string }> {
  const client = await newClient(api);
  const { status, body } = await client.post("/v1/traces/llm", said(prompt));
  expect(status).toBe(200);
  return { client, id: body.id };
}

/** Until a request of the tenant waits to fold. */
async function untilSomebodyWaits(owner: string): Promise<void> {
  for (let times = 0; times < 200; times += 1) {
    const [{ waiting } = { waiting: 0 }] = await sql`
      select count(*)::int as waiting from pg_locks
      where locktype = 'advisory' and not granted
        and (classid::bigint << 32 | objid::bigint) = internal.fold_lock(${owner})`;
    if (waiting > 0) return;
    await sleep(20);
  }
  throw new Error("Nobody waits.");
}

async function prompts(client: Client): Promise<unknown[]> {
  const { status, body } = await client.post("/v1/record_query", { namespace: "n", query: { limit: 100 } });
  expect([status, body.error]).toEqual([200, undefined]);
  return body.records.map(({ input }: { input: { prompt: string } }) => input.prompt);
}

const read = (client: Client) => client.post("/v1/record_query", { namespace: "n", query: {} });
const tenantId = async ({ tenant }: Client) =>
  (await sql`select id from tenants where name = ${tenant}`)[0]?.id;
const numbersOf = async ({ tenant }: Client) =>
  (await listedKeys(project, tenant)).map(({ number }) => number);

async function callsOf(of: InProcessApp, ask: () => Promise<{ status: number }>): Promise<number> {
  of.calls = 0;
  expect((await ask()).status).toBe(200);
  return of.calls;
}

describe("the data keys of a tenant", () => {
  it("are known after a second call, once; all else is one call, and a new instance reads with one", async () => {
    const client = await newClient(app.api);
    const requests: [string, object][] = [
      ["traces/llm", said("hi")],
      ["traces/batch", { traces: [{ type: "llm", ...said("hi") }] }],
      ["records/upload", { records: [{ namespace: "n", agent: "a", msg: { content: "hi" } }] }],
      ["scores", { session_id: "s", name: "n", value: "good" }],
      ["sessions/create", { namespace: "n", metadata: { a: 1 } }],
    ];
    for (const [index, [path, body]] of requests.entries())
      expect([path, await callsOf(app, () => client.post(`/v1/${path}`, body))]).toEqual([
        path,
        index === 0 ? 2 : 1,
      ]);
    const elsewhere = instance();
    expect(await callsOf(elsewhere, () => read(at(elsewhere, client)))).toBe(1);
    expect(await callsOf(elsewhere, () => at(elsewhere, client).post("/v1/traces/llm", said("hi")))).toBe(1);
    const third = instance();
    const opening = () =>
      at(third, client).post("/v1/sessions/create", { namespace: "n", metadata: { a: 1 } });
    expect([await callsOf(third, opening), await callsOf(third, opening)]).toEqual([2, 1]);
    expect((await client.put("/v1/anonymization-rules", { toggles: { email: true } })).status).toBe(200);
    const fourth = instance();
    const write = () => at(fourth, client).post("/v1/traces/llm", said("rules and keys at once"));
    expect([await callsOf(fourth, write), await callsOf(fourth, write)]).toEqual([2, 1]);
    expect(await numbersOf(client)).toEqual([1]);
  });

  it("are one where many instances write its first content at once: all of it can be read", async () => {
    const client = await newClient(app.api);
    const texts = Array.from({ length: 8 }, (_, index) => `text ${index}`);
    const answers = await Promise.all(
      texts.map((text) => at(instance(), client).post("/v1/traces/llm", said(text))),
    );
    expect(answers.map(({ status }) => status)).toEqual(texts.map(() => 200));
    expect((await prompts(client)).sort()).toEqual(texts);
    expect(await numbersOf(client)).toEqual([1]);
  });

  it("may be new at any time: the next write takes the newest, and what was written before, also without a key, is read", async () => {
    const { client } = await spoken("plain", withoutKeys().api);
    const encrypting = at(app, client);
    expect(await prompts(encrypting)).toEqual(["plain"]);
    expect((await encrypting.post("/v1/traces/llm", said("by the first"))).status).toBe(200);
    expect(await rotateDataKeys(project, masters(KEY), client.tenant)).toEqual([client.tenant]);
    const write = () => encrypting.post("/v1/traces/llm", said("by the second"));
    expect([await callsOf(app, write), await callsOf(app, write)]).toEqual([2, 1]);
    expect(await prompts(encrypting)).toEqual(["by the second", "by the second", "by the first", "plain"]);
    const rows = await sql`
      select content ->> 'sealed' as sealed from steps where tenant_id = ${await tenantId(client)} order by id`;
    expect(rows.map(({ sealed }) => sealed?.split(".")[0])).toEqual([undefined, "1", "2", "2"]);
  });

  it("may be new while a read is on its way: it asks again, and shows what was written with it", async () => {
    const { client } = await spoken("one");
    const other = at(instance(), client);
    const owner = await tenantId(client);
    let reading: ReturnType<typeof client.get> | undefined;
    await sql.begin(async (holding) => {
      await holding`select pg_advisory_xact_lock(internal.fold_lock(${owner}))`;
      reading = client.get("/v1/sessions/s/steps"); // it is told the keys, and then waits to fold
      await untilSomebodyWaits(owner);
      await rotateDataKeys(project, masters(KEY), client.tenant);
      expect((await other.post("/v1/traces/llm", said("two"))).status).toBe(200);
    });
    const { status, body } = (await reading) ?? {};
    expect([status, body?.steps.map(({ preview }: { preview: string }) => preview)]).toEqual([
      200,
      ["one", "two"],
    ]);
  });

  it("that were not wrapped by the first master key are wrapped by it, and then the old one is not needed", async () => {
    const old = newContentKey("2026-05");
    const now = newContentKey("2026-11");
    const { client } = await spoken("hello", instance(old).api);
    expect(await read(at(instance(now), client))).toMatchObject(
      isError(/^The master key 2026-05 is missing in CONTENT_KEYS\.$/),
    );
    expect(await prompts(at(instance(`${now},${old}`), client))).toEqual(["hello"]);

    const waiting = at(instance(now), client);
    expect((await read(waiting)).status).toBe(500);
    const [key] = await listedKeys(project, client.tenant);
    expect(await rewrapDataKeys(project, masters(`${now},${old}`), client.tenant)).toBe(1);
    expect((await listedKeys(project, client.tenant))[0]).toMatchObject({ number: 1, master_key: "2026-11" });
    expect((await listedKeys(project, client.tenant))[0]?.wrapped).not.toBe(key?.wrapped);
    expect(await prompts(waiting)).toEqual(["hello"]); // which has asked in vain before
  });

  it("that are forgotten leave nothing to read, on instances that knew them too; what comes then has a new one", async () => {
    const { client, id } = await spoken();
    expect(await prompts(client)).toEqual(["hello"]);
    const backup = await sql`select * from data_keys where tenant_id = ${await tenantId(client)}`;
    expect(await forgetDataKeys(project, client.tenant)).toBe(1);
    const forgotten = isError(
      /^Data key 1 of this tenant was forgotten\. What it encrypted cannot be read any more\.$/,
    );
    expect(await read(client)).toMatchObject(forgotten);
    expect(await client.get(`/v1/steps?ids=${id}`)).toMatchObject(forgotten);
    expect(await client.get("/v1/sessions")).toMatchObject(forgotten);
    expect(await read(at(instance(), client))).toMatchObject(forgotten);

    const anew = await client.post("/v1/traces/llm", { ...said("new"), session_id: "later" });
    expect(anew.status).toBe(200);
    expect((await client.get(`/v1/steps?ids=${anew.body.id}`)).body.steps).toMatchObject([
      { input: { prompt: "new" } },
    ]);
    expect(await numbersOf(client)).toEqual([1, 2, 3]);

    // A backup still has the key, in the wrapping of a master key that was destroyed since.
    await sql`delete from data_keys where tenant_id = ${await tenantId(client)}`;
    await sql`insert into data_keys ${sql(backup)}`;
    const later = at(instance(newContentKey("later")), client);
    expect(await later.get(`/v1/steps?ids=${id}`)).toMatchObject(
      isError(/^The master key first is missing in CONTENT_KEYS\.$/),
    );
  });
});

describe("where keys were forgotten", () => {
  it("a user goes on with another session, since nobody can read what the one before says of itself", async () => {
    const { client } = await spoken();
    const open = async () =>
      (await client.post("/v1/sessions/get-or-create", { namespace: "n", user_id: "u", metadata: { a: 1 } }))
        .body;
    const first = await open();
    expect(await open()).toEqual({ ...first, reused: true });
    await forgetDataKeys(project, client.tenant);
    const next = await open();
    expect(next).toMatchObject({ reused: false, metadata: { a: 1 } });
    expect(next.session_id).not.toBe(first.session_id);
    expect(await open()).toEqual({ ...next, reused: true });
  });

  it("a score can be deleted: the answer says what is left of it, and else all of it", async () => {
    const { client } = await spoken();
    const score = async () =>
      (await client.post("/v1/scores", { session_id: "s", name: "n", value: "good", comment: "yes" })).body;
    const erase = (id: string) =>
      client.request(`/v1/scores/${id}`, { method: "DELETE", headers: { tracer_token: client.token } });
    const [one, other] = [await score(), await score()];
    expect(await erase(one.id)).toMatchObject({ status: 200, body: one });
    expect((await erase(one.id)).status).toBe(404);
    await forgetDataKeys(project, client.tenant);
    const { comment: _, ...left } = other;
    const { status, body } = await erase(other.id);
    expect([status, body]).toEqual([200, { ...left, value: null }]);
  });
});

describe("a key that is not the right one", () => {
  const impostor = `first=${newContentKey("x").slice(2)}`;

  it("with the id of the right one: an error that names it, and nothing is stored", async () => {
    const { client } = await spoken();
    const wrong = at(instance(impostor), client);
    const refused = isError(/^Data key 1 does not open with the master key first of CONTENT_KEYS\.$/);
    expect(await read(wrong)).toMatchObject(refused);
    for (const [path, body] of Object.entries({
      "traces/llm": said("new"),
      "traces/batch": { traces: [{ type: "llm", ...said("new") }] },
      scores: { session_id: "s", name: "n", value: "good" },
      "sessions/create": { namespace: "n", metadata: { a: 1 } },
    }))
      expect(await wrong.post(`/v1/${path}`, body)).toMatchObject(refused);
    expect(await prompts(client)).toEqual(["hello"]);
    expect((await client.get("/v1/sessions")).body.count).toBe(1);
  });

  it("none at all: an error, while an instance without keys still stores plain text", async () => {
    const { client } = await spoken();
    const keyless = at(withoutKeys(), client);
    expect(await read(keyless)).toMatchObject(
      isError(/^This was encrypted with data key 1, and CONTENT_KEYS is not set\.$/),
    );
    expect((await keyless.post("/v1/traces/llm", said("plain"))).status).toBe(200);
    expect(await prompts(client)).toEqual(["plain", "hello"]);
  });

  it("another tenant's, put in its place: neither reads nor writes go on with it", async () => {
    const [{ client: one }, { client: other }] = [await spoken("one"), await spoken("other")];
    await sql`
      update data_keys set wrapped = (select wrapped from data_keys where tenant_id = ${await tenantId(other)})
      where tenant_id = ${await tenantId(one)}`;
    const refused = isError(/^Data key 1 does not open with the master key first/);
    expect(await read(at(instance(), one))).toMatchObject(refused);
    expect(await at(instance(), one).post("/v1/traces/llm", said("new"))).toMatchObject(refused);
  });

  it("the tenant's own of another number, put in its place", async () => {
    const { client } = await spoken();
    await rotateDataKeys(project, masters(KEY), client.tenant);
    await sql`
      update data_keys set wrapped = (
        select wrapped from data_keys where number = 1 and tenant_id = ${await tenantId(client)})
      where number = 2 and tenant_id = ${await tenantId(client)}`;
    expect(await at(instance(), client).post("/v1/traces/llm", said("new"))).toMatchObject(
      isError(/^Data key 2 does not open/),
    );
  });

  it("a number that the tenant does not have", async () => {
    const { client } = await spoken();
    await sql`
      update steps set content = jsonb_build_object('sealed', '7' || substr(content ->> 'sealed', 2))
      where tenant_id = ${await tenantId(client)}`;
    expect(await read(client)).toMatchObject(isError(/^Data key 7 of this tenant is missing\.$/));
  });
});

type Row = { content: { sealed: string }; error: string };

/** Steps, scores and sessions of one tenant, of which what was said is replaced behind the API's back. */
describe("what was changed or moved in the database is an error, and nobody's text", () => {
  const unreadable = (use: string) =>
    isError(new RegExp(`^The ${use} of \\S+ cannot be decrypted: it was changed, or belongs elsewhere\\.$`));
  const sealedOf = async (id: string) =>
    (await sql<Row[]>`select content, error from steps where id = ${id}`)[0] as Row;
  const put = (id: string, { content, error }: Row) =>
    sql`update steps set content = ${sql.json(content)}, error = ${sql.json(error)} where id = ${id}`;

  async function expectUnreadable(client: Client, id: string): Promise<void> {
    for (const answer of [
      await client.get(`/v1/steps?ids=${id}`),
      await read(client),
      await client.post("/v1/records/export", { namespace: "n" }),
    ])
      expect(answer).toMatchObject(unreadable("content"));
    for (const answer of [
      await client.get("/v1/sessions"),
      await client.get("/v1/sessions/s/steps"),
      await client.post("/v1/steps/query", { query: {} }),
    ])
      expect(answer).toMatchObject(unreadable("summary"));
  }

  it("of another step of the same tenant", async () => {
    const { client, id } = await spoken("one");
    const other = (await client.post("/v1/traces/llm", said("other"))).body.id;
    await put(id, await sealedOf(other));
    await expectUnreadable(client, id);
  });

  it("of the other step of one request", async () => {
    const client = await newClient(app.api);
    const { results } = (
      await client.post("/v1/traces/batch", {
        traces: [
          { type: "llm", ...said("a") },
          { type: "llm", ...said("b") },
        ],
      })
    ).body;
    await put(results[0].result.id, await sealedOf(results[1].result.id));
    await expectUnreadable(client, results[0].result.id);
  });

  it("of another tenant, whose key has the same number", async () => {
    const [{ client, id }, other] = [await spoken("one"), await spoken("other")];
    await put(id, await sealedOf(other.id));
    await expectUnreadable(client, id);
  });

  it("a whole row of another tenant, with its id and its data key", async () => {
    const [{ client, id }, other] = [await spoken("one"), await spoken("other")];
    const [mine, theirs] = [await tenantId(client), await tenantId(other.client)];
    const moved = await sealedOf(other.id);
    await sql`delete from steps where id in (${id}, ${other.id})`;
    await sql`
      insert into steps (id, tenant_id, namespace_id, session_id, kind, agent, agent_is_named, occurred_at, content, error)
      select ${other.id}, ${mine}, id, 's', 'llm', 'n', false, now(), ${sql.json(moved.content)}, ${sql.json(moved.error)}
      from namespaces where tenant_id = ${mine}`;
    expect(await read(client)).toMatchObject(unreadable("content"));
    await sql`update data_keys set wrapped = (select wrapped from data_keys where tenant_id = ${theirs}) where tenant_id = ${mine}`;
    expect(await read(at(instance(), client))).toMatchObject(isError(/^Data key 1 does not open/));
  });

  it.each([
    ["the nonce", 6],
    ["the text", 24],
    ["the tag", -6],
  ])("with a bit of %s flipped", async (_, place) => {
    const { client, id } = await spoken();
    const row = await sealedOf(id);
    const flipped = (sealed: string) => {
      const [number, base64 = ""] = sealed.split(".");
      const bytes = Buffer.from(base64, "base64");
      const index = (place + bytes.length) % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ 1;
      return `${number}.${bytes.toString("base64")}`;
    };
    await put(id, { content: { sealed: flipped(row.content.sealed) }, error: flipped(row.error) });
    await expectUnreadable(client, id);
  });

  it("what lists show of a step, in the place of what it says, and the other way round", async () => {
    const { client, id } = await spoken();
    const { content, error } = await sealedOf(id);
    await put(id, { content: { sealed: error }, error: content.sealed });
    await expectUnreadable(client, id);
  });

  it("a score's comment, and a session's metadata", async () => {
    const { client } = await spoken();
    for (const comment of ["one", "other"])
      await client.post("/v1/scores", { session_id: "s", name: "n", value: 1, comment });
    await sql`
      update scores set sealed = (select max(sealed) from scores where tenant_id = ${await tenantId(client)})
      where tenant_id = ${await tenantId(client)}`;
    expect(await client.get("/v1/scores")).toMatchObject(unreadable("score"));

    const open = (user_id: string) =>
      client.post("/v1/sessions/create", { namespace: "n", user_id, metadata: { user_id } });
    const [one, other] = [(await open("one")).body.session_id, (await open("other")).body.session_id];
    expect((await client.get(`/v1/sessions/${one}`)).body.metadata).toEqual({ user_id: "one" });
    await sql`
      update sessions set metadata = (select metadata from sessions where id = ${other} and tenant_id = ${await tenantId(client)})
      where id = ${one} and tenant_id = ${await tenantId(client)}`;
    expect(await client.get(`/v1/sessions/${one}`)).toMatchObject(unreadable("metadata"));
  });
});

describe("beside", () => {
  it("nothing that is sealed has the nonce of another, however alike it is", async () => {
    const { client } = await spoken();
    const traces = Array.from({ length: 100 }, () => ({ type: "llm", ...said("the same") }));
    expect((await client.post("/v1/traces/batch", { traces })).status).toBe(200);
    const rows = await sql<
      Row[]
    >`select content, error from steps where tenant_id = ${await tenantId(client)}`;
    const nonces = rows
      .flatMap(({ content, error }) => [content.sealed, error])
      .map((sealed) => sealed.slice(2, 18));
    expect([nonces.length, new Set(nonces).size]).toEqual([202, 202]);
  });

  it("a text cannot be searched for: 400 says why; all other filters find", async () => {
    const { client } = await spoken();
    const message =
      "text: what steps say is encrypted here, and the database cannot search in it. Leave it out.";
    const refused = { status: 400, body: { error: { code: "invalid_payload", message } } };
    expect(await client.post("/v1/steps/query", { query: { text: "hello" } })).toMatchObject(refused);
    expect(await client.get("/v1/sessions?text=hello")).toMatchObject(refused);
    expect((await client.post("/v1/steps/query", { query: { session_id: "s" } })).body.steps).toMatchObject([
      { preview: "hello" },
    ]);
  });

  it("what is taken away is gone, sealed or not", async () => {
    const { client } = await spoken();
    const { body } = await client.get("/v1/traces");
    const trace_id = body.data[0].id;
    await client.post("/v1/scores", { trace_id, name: "n", value: "text", comment: "comment" });
    expect(
      (
        await client.request(`/v1/traces/${trace_id}/content`, {
          method: "DELETE",
          headers: { tracer_token: client.token },
        })
      ).status,
    ).toBe(200);
    const rows = await sql`
      select content, error from steps where tenant_id = ${await tenantId(client)}
      union all select to_jsonb(sealed), to_jsonb(comment) from scores where tenant_id = ${await tenantId(client)}`;
    expect(rows).toEqual([
      { content: null, error: null },
      { content: null, error: null },
    ]);
    expect((await client.get("/v1/sessions/s")).body.first_message).toBeNull();
    expect((await client.get("/v1/scores")).body.scores).toMatchObject([{ value: null }]);
  });

  it("the largest step that can be sent is read by its id, cut to size", { timeout: 60_000 }, async () => {
    const client = await newClient(app.api);
    const attributes = {
      "session.id": "s",
      "gen_ai.operation.name": "chat",
      "gen_ai.output.messages": "x".repeat(13 * 1024 * 1024),
    };
    const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "00f067aa0ba902b7" };
    const body = gzipSync(JSON.stringify(traceOf(attributes, { ...ids, name: "large" })));
    const headers = {
      Authorization: `Bearer ${client.token}`,
      "Content-Type": "application/json",
      "Content-Encoding": "gzip",
    };
    expect((await client.request("/v1/traces", { method: "POST", headers, body })).status).toBe(200);
    const [{ id }] = (await client.get("/v1/sessions/s/steps")).body.steps;
    expect((await client.get(`/v1/steps?ids=${id}`)).body.steps).toMatchObject([
      { id, truncated: true, left_out: ["output"] },
    ]);
  });

  it("of a large step the largest members are left out, as of one that is not encrypted", async () => {
    const step = {
      ...said("x".repeat(3_000)),
      output: { content: "short" },
      metadata: { a: "y".repeat(500) },
    };
    const wholes = [];
    for (const { api } of [app, withoutKeys()]) {
      const client = await newClient(api);
      const { id } = (await client.post("/v1/traces/llm", step)).body;
      const [cut] = (await client.get(`/v1/steps?ids=${id}&max_bytes=1000`)).body.steps;
      expect(cut).toMatchObject({
        truncated: true,
        left_out: ["input"],
        metadata: step.metadata,
        output: step.output,
      });
      wholes.push((await client.get(`/v1/steps?ids=${id}`)).body.steps[0].input);
    }
    expect(wholes).toEqual([step.input, step.input]);
  });
});
