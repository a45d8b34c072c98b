import { describe, expect, it } from "vitest";
import {
  ask,
  askAll,
  documentedOperations,
  type Names,
  operationsAbout,
  readsAbout,
  writesAbout,
} from "../support/operations.ts";
import { type Api, Client, limitTenant, newClient, newToken } from "../support/tenant.ts";

const NAMES = { namespace: "shop", session_id: "s", agent: "bot", trace_id: "own-tree" };

/** A tenant's things, under the same names as everybody's. */
async function furnish(client: Client, said: string): Promise<Names> {
  await limitTenant(client.tenant, { query: 600 });
  const names = { ...NAMES, said, project_id: "none", step_id: "none" };
  const { "DELETE /traces/{trace_id}/content": _, ...writes } = writesAbout(names);
  await askAll(client, Object.values(writes).flat());
  const keyed = await client.post(
    "/v1/traces/llm",
    { ...NAMES, input: { prompt: said } },
    { "Idempotency-Key": "k" },
  );
  expect([keyed.status, keyed.headers.get("idempotency-replay")]).toEqual([200, null]);
  const { data } = (await client.get("/v1/traces")).body;
  const [step] = (await client.get(`/v1/files/file_${names.trace_id}/download`)).body;
  const { scores } = (await client.get("/v1/scores")).body;
  return { ...names, project_id: data[0].project_id, step_id: step.id, score_id: scores[0].id };
}

/** All that a token can read, which is the same again while nothing changes. */
function everythingRead(client: Client, names: Names): Promise<string[]> {
  const calls = Object.values(readsAbout(names)).flat();
  return Promise.all(calls.map((call) => ask(client, call)));
}

/** The ids that were made for a tenant: nobody else can come by them. */
function madeIds(read: string[]): string[] {
  const ids =
    read.join().match(/\b(?:proj|agt)_(?:trace_)?[\w]{16}\b|\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/g) ??
    [];
  return [...new Set(ids)];
}

function expectNothingOf(answers: string[], secrets: string[]): void {
  for (const answer of answers) for (const secret of secrets) expect(answer).not.toContain(secret);
}

export function acrossTenants(api: Api): void {
  describe("across the line between tenants", () => {
    it("the list of what is tried has every operation that needs a token", async () => {
      const tried = Object.keys(operationsAbout({ ...NAMES, step_id: "i", project_id: "p", said: "s" }));
      expect(tried.sort()).toEqual((await documentedOperations(await newClient(api))).sort());
      expect(Object.keys(BOUND).sort()).toEqual(tried.sort());
    });

    it("two tenants with the same names for everything read their own alone, and count their own alone", async () => {
      const [one, two] = [await newClient(api), await newClient(api)];
      const ofOne = await furnish(one, "said-by-one");
      const ofTwo = await furnish(two, "said-by-two");
      await two.post("/v1/traces/log", { ...NAMES, message: "said-by-two" });
      const [readByOne, readByTwo] = [await everythingRead(one, ofOne), await everythingRead(two, ofTwo)];
      expect(readByOne.join()).toContain("said-by-one");
      expect(readByTwo.join()).toContain("said-by-two");
      expectNothingOf(readByOne, ["said-by-two", two.tenant, ...madeIds(readByTwo)]);
      expectNothingOf(readByTwo, ["said-by-one", one.tenant, ...madeIds(readByOne)]);

      const countedBy = async (client: Client) => [
        (await client.post("/v1/logs/query", { namespace: "shop" })).body.count,
        (await client.post("/v1/record_query", { namespace: "shop", query: {} })).body.count,
        (await client.get("/v1/traces")).body.total,
        (await client.get("/v1/files/file_own-tree")).body.step_count,
        (await client.get("/v1/namespaces")).body.namespaces.length,
        (await client.get("/v1/scores")).body.scores.length,
        (await client.get("/v1/sessions/s")).body.step_count,
        (await client.get("/v1/sessions")).body.count,
        (await client.get("/v1/usage")).body.totals.calls,
        (await client.get("/v1/facets")).body.agents[0].count,
      ];
      const counted = await countedBy(one);
      const [logs, records, traces, steps, namespaces, scores, ofSession, sessions, calls, ofAgent] = counted;
      expect(Math.min(...counted)).toBeGreaterThan(0);
      expect(await countedBy(two)).toEqual([
        logs + 1,
        records,
        traces,
        steps + 1,
        namespaces,
        scores,
        ofSession + 1,
        sessions,
        calls,
        ofAgent + 1,
      ]);
    });

    it("a stranger who knows every name and id reads what it would read of things that never were", async () => {
      const [owner, stranger] = [await newClient(api), await newClient(api)];
      await limitTenant(stranger.tenant, { query: 600 });
      const never: Names = {
        namespace: "never",
        session_id: "never",
        agent: "never",
        trace_id: "never",
        step_id: crypto.randomUUID(),
        project_id: "proj_never",
        said: "",
      };
      // Before the owner has anything: what needs no name must not show it either.
      const ofNothing = await everythingRead(stranger, never);
      const names = await furnish(owner, "said-by-owner");
      const read = await everythingRead(owner, names);
      const [made] = madeIds(read).filter((id) => id.startsWith("agt_trace_"));
      for (const trace_id of ["own-tree", made as string])
        expect(await everythingRead(stranger, { ...names, trace_id })).toEqual(ofNothing);
      expect(await everythingRead(owner, names)).toEqual(read);
    });

    it("a stranger who writes under every name and id changes nothing, and is told nothing", async () => {
      const [owner, stranger] = [await newClient(api), await newClient(api)];
      const names = await furnish(owner, "said-by-owner");
      const read = await everythingRead(owner, names);
      const ids = madeIds(read);
      const traces = ["own-tree", ...ids.filter((id) => id.startsWith("agt_trace_"))];
      const writes = traces.flatMap((trace_id) =>
        Object.values(writesAbout({ ...names, trace_id, said: "said-by-stranger" })).flat(),
      );
      // Its own purges first, while there is nothing of its own to find.
      const purges = writes.filter(({ method }) => method === "DELETE");
      for (const answer of await askAll(stranger, purges)) expect(answer).toMatch(/^404 .*"not_found"/);
      const answers = await askAll(stranger, writes);
      expect(answers.filter((answer) => answer.startsWith("20")).length).toBeGreaterThan(traces.length * 10);
      expectNothingOf(answers, [
        "said-by-owner",
        owner.tenant,
        ...ids.filter((id) => !id.startsWith("agt_trace_")),
      ]);
      expect(await everythingRead(owner, names)).toEqual(read);
    });

    it.each([
      ["/v1/record_query", "records", (query: object) => ({ namespace: "shop", query })],
      ["/v1/logs/query", "logs", (query: object) => ({ namespace: "shop", ...query })],
    ])("%s: the cursor of one tenant shows another its own rows alone", async (path, rows, bodyOf) => {
      const [stranger, owner] = [await newClient(api), await newClient(api)];
      for (const [client, said] of [
        [stranger, "said-by-stranger"],
        [owner, "said-by-owner"],
      ] as const) {
        for (let number = 0; number < 3; number += 1) {
          await client.post("/v1/traces/llm", { ...NAMES, input: { prompt: said } });
          await client.post("/v1/traces/log", { ...NAMES, message: said });
        }
      }
      const first = await owner.post(path, bodyOf({ limit: 1 }));
      const { status, body } = await stranger.post(path, bodyOf({ cursor: first.body.next_cursor }));
      expect([status, body.count, body[rows].length]).toEqual([200, 3, 3]);
      expect(JSON.stringify(body)).not.toContain("said-by-owner");
      const next = await owner.post(path, bodyOf({ cursor: first.body.next_cursor }));
      expect([next.status, next.body[rows].length]).toEqual([200, 2]);
    });

    it("another tenant's project_id is told from no other text", async () => {
      const [owner, stranger] = [await newClient(api), await newClient(api)];
      const bound = await newClient(api, { namespaces: ["mine"] });
      for (const client of [owner, stranger])
        expect((await client.post("/v1/traces/llm", { namespace: "theirs", session_id: "s" })).status).toBe(
          200,
        );
      const { project_id } = (await owner.get("/v1/traces")).body.data[0];
      const call = { method: "GET", path: `/v1/traces?project_id=${project_id}` };
      expect(await ask(stranger, call)).toMatch(/^200 {"data":\[\],"total":0,/);
      const answer = await ask(bound, call);
      expect(answer).toMatch(/^403 .*"forbidden"/);
      expect(answer).not.toContain("theirs");
    });

    it.each([
      ["/v1/record_query", (query: object) => ({ namespace: "theirs", query })],
      ["/v1/logs/query", (query: object) => ({ namespace: "theirs", ...query })],
    ])("%s: nor does a cursor let a token into a namespace that it may not use", async (path, bodyOf) => {
      const { token, tenant } = await newToken();
      const whole = new Client(api, token);
      for (let number = 0; number < 2; number += 1) {
        await whole.post("/v1/traces/llm", { namespace: "theirs", session_id: "s" });
        await whole.post("/v1/traces/log", { namespace: "theirs", message: "m" });
      }
      const { next_cursor } = (await whole.post(path, bodyOf({ limit: 1 }))).body;
      const bound = await newClient(api, { tenant, namespaces: ["mine"] });
      const answer = await bound.post(path, bodyOf({ cursor: next_cursor }));
      expect([answer.status, answer.body.error.code]).toEqual([403, "forbidden"]);
    });

    it("a bound token stores no log entry elsewhere that has no session", async () => {
      const { token, tenant } = await newToken();
      const whole = new Client(api, token);
      await whole.post("/v1/traces/log", { namespace: "theirs", message: "m" });
      const bound = await newClient(api, { tenant, namespaces: ["mine"] });
      const item = { namespace: "theirs", message: "trespass" };
      expect((await bound.post("/v1/traces/log", item)).status).toBe(403);
      const batch = await bound.post("/v1/traces/batch", { traces: [{ type: "log", ...item }] });
      expect([batch.status, batch.body.failed]).toEqual([200, 1]);
      expect((await whole.post("/v1/logs/query", { namespace: "theirs" })).body.count).toBe(1);
    });

    it("another tenant's trace as parent is a trace of one's own that nobody has sent yet", async () => {
      const [owner, stranger] = [await newClient(api), await newClient(api)];
      const names = await furnish(owner, "said-by-owner");
      await owner.post("/v1/traces/llm", { namespace: "shop", session_id: "t", agent: "bot" });
      const made = (await owner.get("/v1/traces?session_id=t")).body.data[0].id;
      const read = await everythingRead(owner, names);
      for (const parent of ["own-tree", made]) {
        const trace_id = `below-${parent}`;
        const step = { namespace: "shop", session_id: "s", agent: "mine", trace_id, parent_trace_id: parent };
        expect((await stranger.post("/v1/traces/llm", step)).status).toBe(200);
        const tree = await stranger.get(`/v1/traces/${trace_id}/tree`);
        expect(tree.body).toMatchObject({ id: parent, agent: "shop", step_count: 0, file_id: null });
        expect(tree.body.children.map(({ id }: { id: string }) => id)).toEqual([trace_id]);
        expectNothingOf([JSON.stringify(tree.body)], ["said-by-owner", "bot", names.project_id]);
        expect((await stranger.get(`/v1/files/file_${parent}/download`)).status).toBe(404);
      }
      expect(await everythingRead(owner, names)).toEqual(read);
    });

    it("a token that is bound to a namespace is kept out of the others by every operation", async () => {
      const whole = await newClient(api);
      const names = await furnish(whole, "said-elsewhere");
      const bound = await newClient(api, { tenant: whole.tenant, namespaces: ["mine"] });
      expect((await bound.post("/v1/traces/llm", { namespace: "mine", session_id: "m" })).status).toBe(200);
      const read = await everythingRead(whole, names);
      const operations = Object.entries(operationsAbout({ ...names, said: "trespass" }));
      for (const [operation, calls] of operations) {
        const answers = await askAll(bound, calls);
        expect([operation, ...answers]).toEqual([operation, ...(BOUND[operation] ?? [])]);
        if (!WHOLE_TENANTS.has(operation)) expectNothingOf(answers, ["said-elsewhere"]);
      }
      expect(await everythingRead(whole, names)).toEqual(read);
    });

    it.each([
      ["/v1/traces/llm", { namespace: "theirs", session_id: "s" }],
      ["/v1/traces/llm", { session_id: "s" }],
      ["/v1/traces/log", { namespace: "theirs", message: "m" }],
      [
        "/v1/traces/batch",
        {
          traces: [
            { type: "log", namespace: "mine", message: "m" },
            { type: "tool", session_id: "s", tool_name: "t" },
          ],
        },
      ],
    ])(
      "nor does an idempotency key give it what another token was told of others: %s %j",
      async (path, body) => {
        const { token, tenant } = await newToken();
        const whole = new Client(api, token);
        const bound = await newClient(api, { tenant, namespaces: ["mine"] });
        expect((await whole.post("/v1/traces/llm", { namespace: "theirs", session_id: "s" })).status).toBe(
          200,
        );
        const key = { "Idempotency-Key": "k" };
        expect((await whole.post(path, body, key)).status).toBe(200);
        const answer = await bound.post(path, body, key);
        expect([answer.status, answer.body.error.code]).toEqual([403, "forbidden"]);
        expect(answer.body.error.message).not.toContain("theirs");
        expect(answer.headers.get("idempotency-replay")).toBeNull();
        expect((await whole.post(path, body, key)).headers.get("idempotency-replay")).toBe("true");
      },
    );
  });
}

const forbidden = expect.stringMatching(/^403 .*"forbidden"/);
const notFound = expect.stringMatching(/^404 .*"not_found"/);
const noTraces = expect.stringMatching(/^200 {"data":\[\],"total":0,/);
const noSessions = expect.stringMatching(/^200 {"sessions":\[\],"count":0}$/);
const itsOwnSession = expect.stringMatching(/^200 {"sessions":\[{.*"namespace":"mine".*}\],"count":1}$/);
const nothingUsed = expect.stringMatching(/^200 {"rows":\[\],/);
const itsOwnUsage = expect.stringMatching(
  /^200 {"rows":\[{[^\]]*"namespace":"mine"[^\]]*}\],"totals":{[^\]]*"calls":1,/,
);
const noScores = expect.stringMatching(/^200 {"scores":\[\]}$/);
const noSteps = expect.stringMatching(/^200 {"steps":\[\]}$/);
const itsOwnStep = expect.stringMatching(/^200 {"steps":\[{.*"namespace":"mine".*}\]}$/);
const itsOwnTrace = expect.stringMatching(/^200 {"data":\[{.*"namespace":"mine".*}\],"total":1,/);

const toldForbidden = expect.stringMatching(/^200 .*"forbidden: .*"isError":true/);
const toldNotFound = expect.stringMatching(/^200 .*"not_found: .*"isError":true/);

const WHOLE_TENANTS = new Set(["GET /anonymization-rules", "GET /model-prices"]);

/** What each operation answers to a token that may not use the namespace, call by call. */
const BOUND: Record<string, unknown[]> = {
  "GET /token": [expect.stringMatching(/^200 .*"namespaces":\["mine"\]/)],
  "GET /namespaces": [expect.stringMatching(/^200 {"namespaces":\[{"namespace":"mine"[^{]*}\]}$/)],
  "GET /traces": [forbidden, forbidden, noTraces, noTraces, itsOwnTrace],
  "GET /scores": [forbidden, noScores, noScores, noScores],
  "GET /traces/{trace_id}": [notFound],
  "GET /traces/{trace_id}/tree": [notFound],
  "GET /traces/{trace_id}/steps": [notFound, notFound],
  "GET /sessions/{session_id}/steps": [notFound, forbidden],
  "GET /sessions": [forbidden, noSessions, itsOwnSession],
  "GET /sessions/{session_id}": [notFound, forbidden],
  "GET /usage": [forbidden, nothingUsed, itsOwnUsage],
  "GET /facets": [forbidden, expect.stringMatching(/^200 .*"agents":\[{"count":1,"value":"mine"}\]/)],
  "GET /steps": [expect.stringMatching(/^200 {"steps":\[\]}$/)],
  "POST /steps/query": [itsOwnStep, forbidden, noSteps, noSteps],
  "POST /mcp": [
    expect.stringMatching(/^200 .*Steps found: 1 .*namespace=mine/),
    toldForbidden,
    expect.stringMatching(/^200 .*Sessions: 0/),
    expect.stringMatching(/^200 .*\\nnamespace=mine agent=mine .*all: 1 rows/),
    toldNotFound,
    toldNotFound,
    toldNotFound,
    expect.stringMatching(/^200 .*agents: \\"mine\\" \(1\)/),
    expect.stringMatching(/^200 .*Namespaces: 1\.\\nnamespace=mine /),
  ],
  "GET /files/{file_id}": [notFound],
  "GET /files/{file_id}/download": [notFound],
  // The rules and the prices are the whole tenant's.
  "GET /anonymization-rules": [expect.stringMatching(/^200 /)],
  "PUT /anonymization-rules": [forbidden],
  "GET /model-prices": [expect.stringMatching(/^200 /)],
  "PUT /model-prices": [forbidden],
  "POST /record_query": Array(4).fill(forbidden),
  "POST /records/export": Array(4).fill(forbidden),
  "POST /logs/query": Array(6).fill(forbidden),
  "POST /logs/export": Array(6).fill(forbidden),
  "POST /namespace/register": [forbidden],
  "POST /sessions/create": [forbidden],
  "POST /sessions/get-or-create": [forbidden],
  "POST /traces/llm": [forbidden],
  "POST /traces/tool": [forbidden],
  "POST /traces/handoff": [forbidden],
  "POST /traces/log": [forbidden],
  "POST /traces/batch": [expect.stringMatching(/^200 .*"succeeded":0,.*"forbidden"/)],
  "POST /scores": [forbidden],
  "POST /scores/batch": [expect.stringMatching(/^200 .*"succeeded":0,.*"forbidden"/)],
  "DELETE /scores/{score_id}": [notFound],
  "POST /records/upload": [forbidden],
  "POST /logs/upload": [forbidden],
  "POST /traces": [expect.stringMatching(/^200 .*"rejectedSpans":"1",.*may not use the namespace/)],
  "POST /logs": [expect.stringMatching(/^200 .*"rejectedLogRecords":"1",.*may not use the namespace/)],
  "POST /traces/ingest": [expect.stringMatching(/^200 .*"rejectedSpans":"2",.*may not use the namespace/)],
  "DELETE /traces/{trace_id}/content": [notFound],
};
