import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import postgres from "postgres";
import { afterAll, describe, expect, inject, it, vi } from "vitest";
import { isObject } from "../../functions/monkai-api/domain/json.ts";
import { appInProcess } from "../support/app.ts";
import { ask, askAll, type Call, operationsAbout, writesAbout } from "../support/operations.ts";
import { type Api, Client, forceRules, limitTenant, newClient } from "../support/tenant.ts";

const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

const onWorkerd: Api = (path, init) => fetch(`${inject("workerdUrl")}${path}`, init);
const namesWith = (said: string) => ({
  namespace: "shop",
  session_id: "s",
  agent: "bot",
  trace_id: "tree",
  step_id: crypto.randomUUID(),
  project_id: "shop",
  said,
});
const newWord = () => `said-${crypto.randomUUID()}`;

/** For each text, the tables in any of whose rows it stands, whatever the column: as it is, or as bytes. */
async function holders(...texts: string[]): Promise<string[][]> {
  const tables = await sql`select tablename from pg_tables where schemaname = 'public' order by 1`;
  expect(tables.length).toBeGreaterThan(10);
  const found: string[][] = texts.map(() => []);
  for (const { tablename } of tables) {
    const rows = await sql`
      select distinct wanted.number::int as number
      from public.${sql(tablename)} one
      cross join lateral (select to_jsonb(one)::text as line offset 0) as stored
      cross join unnest(${texts}::text[]) with ordinality as wanted (text, number)
      where strpos(stored.line, wanted.text) > 0
        or strpos(stored.line, encode(convert_to(wanted.text, 'UTF8'), 'hex')) > 0`;
    for (const { number } of rows) found[number - 1]?.push(tablename);
  }
  return found;
}

/** What the API in workerd has logged, this request's line included. */
function loggedUpTo(requestId: string): Promise<string> {
  return vi.waitFor(async () => {
    const log = await readFile(inject("workerdLog"), "utf8");
    expect(log).toContain(requestId);
    return log;
  }, 5_000);
}

describe("what is stored", () => {
  it("a dump of the database holds no token and no service key, only the token's hash", async () => {
    const client = await newClient(onWorkerd);
    await askAll(client, Object.values(operationsAbout(namesWith(newWord()))).flat());
    const hash = createHash("sha256").update(client.token).digest("hex");
    const texts = [client.tenant, hash, client.token.replace(/^tk_/, ""), inject("serviceKey")];
    expect(await holders(...texts)).toEqual([["tenants"], ["tracer_tokens"], [], []]);
  });

  it("the hash by which a repeated message is known needs the API's key: another key, another hash", async () => {
    const hashWith = async (key: string) => {
      const sent: { payload: { items: { message_hash: string }[] } }[] = [];
      const { api } = appInProcess("http://rest.invalid", key, {
        fetch: async (_, init) => {
          sent.push(JSON.parse(`${init?.body}`));
          return Response.json({ data: { inserted_count: 1, duplicates: [] } });
        },
      });
      const records = [{ namespace: "n", agent: "a", msg: { role: "user", content: "hi" } }];
      expect((await new Client(api, "tk_any").post("/v1/records/upload", { records })).status).toBe(200);
      return sent[0]?.payload.items[0]?.message_hash;
    };
    const hash = await hashWith("one key");
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect([await hashWith("one key"), await hashWith("another key")]).toEqual([
      hash,
      expect.not.stringMatching(`${hash}`),
    ]);
  });

  it("what was said in traces whose content is taken away is nowhere: not in remembered answers, not in fingerprints", async () => {
    const client = await newClient(onWorkerd);
    const word = newWord();
    const { "PUT /anonymization-rules": _, ...writes } = writesAbout(namesWith(word));
    for (const [index, call] of Object.values(writes).flat().entries())
      if (call.method === "POST") await ask(client, call, { "Idempotency-Key": `k${index}` });
    await client.post("/v1/traces/llm", {
      ...namesWith(word),
      trace_id: undefined,
      agent: "b",
      input: { prompt: word },
    });
    const others = Object.values(writesAbout({ ...namesWith(word), session_id: "t", trace_id: "t" })).flat();
    await ask(client, others.find(({ path }) => path.endsWith("/records/upload")) as Call);
    expect(await holders(word)).toEqual([["scores", "steps"]]);

    const { data } = (await client.get("/v1/traces?root_only=true")).body;
    expect(data.length).toBeGreaterThan(1);
    for (const { id } of data)
      expect(await ask(client, { method: "DELETE", path: `/v1/traces/${id}/content` })).toMatch(/^200 /);
    // A log entry without a session is in no trace.
    await sql`delete from public.steps where kind = 'log' and session_id is null and content ->> 'message' = ${word}`;
    expect(await holders(word)).toEqual([[]]);
  });
});

/** Requests that are refused, each for another reason, with the word wherever a client may put one. */
function refusedCalls(word: string): [status: number, call: Call, headers?: Record<string, string>][] {
  const llm = "/v1/traces/llm";
  const body = { session_id: "s", namespace: "shop", input: { prompt: word } };
  return [
    [400, { method: "POST", path: llm, body: `{"session_id": "${word}` }],
    [400, { method: "POST", path: llm, body: { input: { prompt: word } } }],
    [400, { method: "POST", path: llm, body: { ...body, latency_ms: word } }],
    [400, { method: "POST", path: llm, body }, { "Idempotency-Key": `é${word}`.slice(1).repeat(9) }],
    [400, { method: "GET", path: `/v1/traces?start_date=${word}` }],
    [400, { method: "POST", path: "/v1/logs/query", body: { namespace: "shop", cursor: word } }],
    [401, { method: "POST", path: llm, body }, { tracer_token: word }],
    [404, { method: "GET", path: `/v1/traces/${word}` }],
    [404, { method: "GET", path: `/v1/${word}` }],
    [404, { method: "DELETE", path: `/v1/traces/${word}/content` }],
    [405, { method: "PATCH", path: llm, body }],
    [413, { method: "POST", path: llm, body: { ...body, output: word.repeat(40_000) } }],
    [415, { method: "POST", path: llm, body }, { "Content-Type": "text/plain" }],
    [400, { method: "POST", path: "/v1/traces", body: { resourceSpans: word } }],
    [400, { method: "POST", path: "/v1/logs", body: `{"${word}` }],
    [400, { method: "POST", path: "/v1/traces/ingest", body: { data: word } }],
    [400, { method: "POST", path: "/v1/logs", body }, { "Content-Type": "application/x-protobuf" }],
    [400, { method: "POST", path: "/v1/traces", body }, { "Content-Encoding": "gzip" }],
    [404, { method: "POST", path: "/v1/metrics", body }],
    [415, { method: "POST", path: "/v1/traces", body }, { "Content-Encoding": word }],
  ];
}

describe("the log", () => {
  it("holds no token, no key and nothing that was said, after every operation and every kind of refusal", async () => {
    const word = newWord();
    const client = await newClient(onWorkerd);
    const bound = await newClient(onWorkerd, { tenant: client.tenant, namespaces: ["elsewhere"] });
    const calls = Object.values(operationsAbout(namesWith(word))).flat();
    const answers = await askAll(client, calls);
    expect(answers.filter((answer) => answer.startsWith("5"))).toEqual([]);
    await askAll(bound, calls);
    for (const [status, call, headers] of refusedCalls(word))
      expect([call.path.slice(0, 20), await ask(client, call, headers)]).toEqual([
        call.path.slice(0, 20),
        expect.stringMatching(new RegExp(`^${status} `)),
      ]);

    const failing = await newClient(onWorkerd);
    await forceRules(failing.tenant, {
      toggles: {},
      custom: [{ name: word, pattern: "(", replacement: "" }],
    });
    const { "POST /traces/llm": stores = [] } = writesAbout(namesWith(word));
    expect(await ask(failing, stores[0] as Call)).toMatch(/^500 .*"anonymization_error"/);

    const last = crypto.randomUUID();
    await ask(client, { method: "GET", path: "/v1/namespaces" }, { "X-Request-ID": last });
    const log = await loggedUpTo(last);
    expect(log).toContain("This could not be anonymized.");
    expect(log).not.toContain(word);
    for (const { token } of [client, bound, failing]) expect(log).not.toContain(token.replace(/^tk_/, ""));
    expect(log).not.toContain(inject("serviceKey"));
  });

  it("holds the code of an error alone where Postgres quotes the value that it could not read", async () => {
    const app = appInProcess("http://unused.test", "unused", {
      fetch: async () =>
        Response.json(
          { code: "22P02", message: 'invalid input syntax for type integer: "said"' },
          { status: 400 },
        ),
    });
    const answer = await app.api("/v1/namespaces", { headers: { tracer_token: "tk_any" } });
    expect(answer.status).toBe(500);
    expect(app.problems.map(({ cause }) => cause)).toEqual(["22P02"]);
    expect(await answer.text()).not.toMatch(/said|22P02|integer/);
  });
});

const HOSTILE = [
  "'; drop table public.tenants; --",
  "\u0000 \ud800",
  "9999999-12-31T00:00:00Z",
  "{a,b}",
  1e308,
  -1e19,
  [[["x"]]],
  { $ne: { __proto__: null } },
];

/** A body with each of its members, and of those of the objects in its lists, replaced by each hostile value. */
function changedIn(body: unknown): unknown[] {
  if (Array.isArray(body)) return changedIn(body[0]).map((item) => [item]);
  if (!isObject(body)) return HOSTILE;
  return Object.entries(body).flatMap(([member, value]) =>
    [...HOSTILE, ...(Array.isArray(value) ? changedIn(value) : [])].map((changed) => ({
      ...body,
      [member]: changed,
    })),
  );
}

const INTERNALS =
  /\b(select|insert into|pg_\w+|plpgsql|sqlstate|postgres|relation|constraint|violates|syntax for type)\b|\.ts:\d|node_modules|at \w+ \(/i;

describe("errors", () => {
  const app = appInProcess(inject("restUrl"), inject("serviceKey"));
  const bodies = Object.entries<Call[]>(operationsAbout(namesWith("hi"))).filter(([name]) => /^P/.test(name));

  it.each(bodies)(
    "%s: whatever stands in a field, no answer is a 500 or shows what is inside",
    async (_, [call]) => {
      const client = await hostileClient(app.api);
      for (const body of changedIn((call as Call).body)) {
        const answer = await ask(client, { ...(call as Call), body });
        expect([body, answer]).toEqual([body, expect.stringMatching(/^[24]/)]);
        expect(answer).not.toMatch(INTERNALS);
      }
    },
  );

  it.each(["{", "[1,", "\u0000", '{"a": NaN}'])("nor does a body that is no JSON: %s", async (body) => {
    const client = await newClient(app.api);
    const answer = await ask(client, { method: "POST", path: "/v1/traces/llm", body });
    expect(answer).toMatch(/^400 .*"bad_request"/);
    expect(answer).not.toMatch(INTERNALS);
  });

  it("nor does whatever stands in a path or a query string", async () => {
    const client = await hostileClient(app.api);
    const texts = [
      "'; drop table public.tenants; --",
      "%00",
      "%ed%a0%80",
      "%",
      "../../..",
      "9".repeat(400),
      "{a,b}",
    ];
    for (const text of texts) {
      for (const path of [
        `/v1/traces/${text}`,
        `/v1/traces/${text}/tree`,
        `/v1/files/file_${text}/download`,
        ...["trace_id", "session_id", "step_id", "name", "source", "namespace", "limit", "cursor"].map(
          (name) => `/v1/scores?${name}=${text}`,
        ),
        ...["project_id", "session_id", "agent", "start_date", "limit", "offset", "root_only"].map(
          (name) => `/v1/traces?${name}=${text}`,
        ),
      ]) {
        const answer = await ask(client, { method: "GET", path });
        expect([path, answer]).toEqual([path, expect.stringMatching(/^[24]/)]);
        expect(answer.replaceAll("drop table", "")).not.toMatch(INTERNALS);
      }
    }
  });
});

async function hostileClient(api: Api): Promise<Client> {
  const client = await newClient(api);
  const buckets = ["traces", "traces_batch", "bulk_upload", "sessions", "query", "rules", "otlp", "view"];
  await limitTenant(client.tenant, Object.fromEntries(buckets.map((bucket) => [bucket, 10_000])));
  return client;
}
