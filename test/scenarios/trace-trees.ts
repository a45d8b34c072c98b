import { describe, expect, it } from "vitest";
import { tracesOf } from "../support/steps.ts";
import { type Api, type Client, newClient, newToken } from "../support/tenant.ts";

interface Node {
  id: string;
  agent: string;
  step_count: number;
  parent_trace_id: string | null;
  root_trace_id: string | null;
  children: Node[];
}

/** A tree as one would draw it by hand: `triage(research(writer))`, without or with the numbers of steps. */
function drawn(node: Node, steps = false): string {
  const children = node.children.map((child) => drawn(child, steps)).join(" ");
  return `${node.agent}${steps ? `:${node.step_count}` : ""}${children === "" ? "" : `(${children})`}`;
}

/** All that must hold in every tree. */
function expectWhole(node: Node, parent: Node | null, root: Node): void {
  expect([node.parent_trace_id, node.root_trace_id]).toEqual([parent?.id ?? null, parent ? root.id : null]);
  for (const child of node.children) expectWhole(child, node, root);
}

async function tree(client: Client, traceId: string): Promise<Node> {
  const { status, body } = await client.get(`/api/v1/traces/${traceId}/tree`);
  expect(status).toBe(200);
  expectWhole(body, null, body);
  return body;
}

const list = async (client: Client, query = "") => (await client.get(`/api/v1/traces${query}`)).body;

type Step = { type: string; namespace?: string } & Record<string, unknown>;

/** Sends steps one by one; gives the ids of their traces. */
async function send(client: Client, steps: Step[]): Promise<(string | undefined)[]> {
  const ids: string[] = [];
  for (const { type, ...step } of steps) {
    const sent = { session_id: "s", namespace: "n", ...step };
    const { status, body } = await client.post(`/v1/traces/${type}`, sent);
    expect([status, body.error, body.trace_id]).toEqual([200, undefined, step.trace_id]);
    ids.push(body.id);
  }
  const namespaces = steps.map(({ namespace = "n" }) => namespace);
  return tracesOf(client, ids, namespaces);
}

const llm = (agent?: string) => ({ type: "llm", agent });
const handoff = (from_agent: string, to_agent: string) => ({ type: "handoff", from_agent, to_agent });

/** Triage hands over to research, that to writer, and back; then triage asks research again. */
const RUN = [
  llm("triage"),
  handoff("triage", "research"),
  { type: "tool", tool_name: "search" },
  handoff("research", "writer"),
  llm(),
  handoff("writer", "research"),
  llm(),
  handoff("research", "triage"),
  { type: "log", message: "done" },
];

export function traceTrees(api: Api): void {
  describe("how traces arise", () => {
    it("a three-level run with handoffs back reads back as the tree one would draw by hand", async () => {
      const client = await newClient(api);
      const ids = await send(client, RUN);
      const [triage, , research, , writer] = ids;
      expect(ids).toEqual([triage, triage, research, research, writer, writer, research, research, triage]);
      for (const id of new Set(ids))
        expect(drawn(await tree(client, id as string), true)).toBe("triage:3(research:4(writer:2))");
    });

    it("the same run in one batch gives the same tree", async () => {
      const client = await newClient(api);
      const traces = RUN.map((trace) => ({ session_id: "s", namespace: "n", ...trace }));
      expect((await client.post("/v1/traces/batch", { traces })).body.succeeded).toBe(RUN.length);
      const [root] = (await list(client, "?root_only=true")).data;
      expect(drawn(await tree(client, root.id), true)).toBe("triage:3(research:4(writer:2))");
    });

    it.each([
      [
        "the record of the agent that took over",
        [
          ["triage", []],
          ["research", [["triage", "research"]]],
          ["writer", [["research", "writer"]]],
          ["research", [["writer", "research"]]],
          ["triage", [["research", "triage"]]],
        ],
      ],
      [
        "the record of the agent that handed over",
        [
          ["triage", [["triage", "research"]]],
          ["research", [["research", "writer"]]],
          ["writer", [["writer", "research"]]],
          ["research", [["research", "triage"]]],
          ["triage", []],
        ],
      ],
      [
        "one record for all",
        [
          [
            "triage",
            [
              ["triage", "research"],
              ["research", "writer"],
              ["writer", "research"],
              ["research", "triage"],
            ],
          ],
        ],
      ],
    ] as [string, [string, [string, string][]][]][])(
      "the same run sent through records/upload gives the same tree: transfers in %s",
      async (_, run) => {
        const client = await newClient(api);
        const records = run.map(([agent, transfers], index) => ({
          namespace: "n",
          session_id: "s",
          agent,
          msg: { role: "assistant", content: `${index}` },
          transfers: transfers.map(([from, to]) => ({ from, to })),
        }));
        expect((await client.post("/v1/records/upload", { records })).status).toBe(200);
        const [root] = (await list(client, "?root_only=true")).data;
        expect(drawn(await tree(client, root.id))).toBe("triage(research(writer))");
        expect((await list(client)).total).toBe(3);
      },
    );

    it("a second call is a second trace; an agent that is named goes to its latest", async () => {
      const client = await newClient(api);
      const ids = await send(client, [
        llm("a"),
        handoff("a", "b"),
        handoff("b", "a"),
        handoff("a", "b"),
        llm("b"),
        llm("a"),
        llm(),
      ]);
      expect(drawn(await tree(client, ids[0] as string), true)).toBe("a:4(b:1 b:2)");
      expect([ids[4], ids[5]]).toEqual([ids[6], ids[0]]);
      expect(ids[6]).not.toBe(ids[2]);
    });

    it("an agent that was never heard of is opened under the root, and does not become the active one", async () => {
      const client = await newClient(api);
      const ids = await send(client, [llm("a"), handoff("a", "b"), llm("c"), llm()]);
      expect(drawn(await tree(client, ids[0] as string), true)).toBe("a:2(b:1 c:1)");
    });

    it("a step that names no agent opens the root of the namespace's own", async () => {
      const client = await newClient(api);
      const [id] = await send(client, [llm(), { type: "log", message: "m" }, handoff("n", "b")]);
      expect(drawn(await tree(client, id as string), true)).toBe("n:3(b:0)");
      const [child] = (await list(client, "?agent=b")).data;
      expect(child).toMatchObject({ agent: "b", step_count: 0, file_id: null });
    });

    it("each session and each namespace has a tree of its own; log entries without a session have none", async () => {
      const client = await newClient(api);
      const ids = await send(client, [
        llm("a"),
        { ...llm("a"), session_id: "t" },
        { ...llm("a"), namespace: "m" },
        { ...llm("b"), namespace: "m" },
      ]);
      expect(new Set(ids).size).toBe(4);
      expect(drawn(await tree(client, ids[3] as string))).toBe("a(b)");
      const log = await client.post("/v1/traces/log", { namespace: "n", message: "m" });
      expect(log.body).toEqual({ success: true, trace_type: "log", id: expect.any(String) });
      expect(await tracesOf(client, [log.body.id])).toEqual([undefined]);
      expect((await list(client)).total).toBe(4);
    });

    it("records without a session make a trace of their own, with their transfers", async () => {
      const client = await newClient(api);
      const record = { namespace: "n", agent: "a" };
      const transfers = [
        { from: "x", to: "a" },
        { from: "a", to: "y" },
      ];
      const records = [
        { ...record, msg: { role: "user", content: "1" } },
        { ...record, msg: { role: "user", content: "2" } },
        { ...record, msg: { role: "user", content: "3" }, transfers },
      ];
      expect((await client.post("/v1/records/upload", { records })).body.inserted_count).toBe(3);
      const roots = (await list(client, "?root_only=true")).data as Node[];
      const trees = await Promise.all(roots.map(({ id }) => tree(client, id)));
      expect(trees.map((root) => drawn(root, true)).sort()).toEqual(["a:1", "a:1", "x:0(a:1(y:0))"]);
    });

    it.each([
      [99, 101],
      [100, 102],
    ])("a handoff to an agent %i traces up: of a hundred hops %i traces", async (back, total) => {
      const client = await newClient(api);
      const hop = (_: unknown, index: number) => ({ from: `a${index}`, to: `a${index + 1}` });
      const to = `a${100 - back}`;
      const transfers = [...Array.from({ length: 100 }, hop), { from: "a100", to }];
      const record = { namespace: "n", session_id: "s", agent: to, msg: {}, transfers };
      expect((await client.post("/v1/records/upload", { records: [record] })).body.inserted_count).toBe(1);
      expect((await list(client)).total).toBe(total);
    });

    it("thousands of handoffs are taken, 6,000 in an upload: all of them new, or again and again", async () => {
      const client = await newClient(api);
      const upload = (from: number, count: number) => {
        const hop = (_: unknown, index: number) => ({ from: `a${from + index}`, to: `a${from + index + 1}` });
        const record = { namespace: "n", session_id: "s", agent: `a${from + 1_000}` };
        const records = Array.from({ length: count }, (_, index) => ({
          ...record,
          msg: { role: "user", content: `${from} ${index}` },
          transfers: Array.from({ length: 1_000 }, hop),
        }));
        return client.post("/v1/records/upload", { records });
      };
      for (const from of [0, 1_000]) expect((await upload(from, 1)).body.inserted_count).toBe(1);
      expect((await upload(500, 1)).body.inserted_count).toBe(1);
      expect((await upload(1, 5)).body.inserted_count).toBe(5);
      expect((await upload(2, 6)).body.inserted_count).toBe(6);
      const one = {
        namespace: "n",
        agent: "a",
        msg: {},
        transfers: Array(1_001).fill({ from: "a", to: "b" }),
      };
      const refused = await client.post("/v1/records/upload", { records: [one] });
      expect([refused.status, refused.body.error.code]).toEqual([400, "invalid_payload"]);
      expect(refused.body.error.message).toContain("records[0].transfers");
      const beyond = await upload(3, 21);
      expect([beyond.status, beyond.body.error.code]).toEqual([400, "invalid_payload"]);
      expect(beyond.body.error.message).toContain("20000 transfers");
    });

    it("uploaded logs of a session are steps of it; a dropped duplicate is none", async () => {
      const client = await newClient(api);
      const record = { namespace: "n", session_id: "s", agent: "a", msg: { role: "user", content: "hi" } };
      await client.post("/v1/records/upload", { records: [record, record] });
      const logs = [
        { namespace: "n", session_id: "s", level: "info", message: "1" },
        { namespace: "n", level: "info", message: "2" },
      ];
      await client.post("/v1/logs/upload", { logs });
      expect((await list(client)).data).toMatchObject([{ agent: "a", step_count: 2 }]);
    });
  });

  describe("trace_id and parent_trace_id", () => {
    it("override all of this: a tree that the client knows, whatever the order in which its steps come", async () => {
      const client = await newClient(api);
      const ids = await send(client, [
        { ...llm("leaf"), trace_id: "c", parent_trace_id: "b" },
        { ...llm("leaf"), trace_id: "d", parent_trace_id: "b" },
        { ...llm("middle"), trace_id: "b", parent_trace_id: "a" },
        { ...llm("top"), trace_id: "a" },
        { ...handoff("leaf", "nobody"), trace_id: "c" },
      ]);
      expect(ids).toEqual(["c", "d", "b", "a", "c"]);
      for (const id of ["a", "b", "c", "d"])
        expect(drawn(await tree(client, id), true)).toBe("top:1(middle:1(leaf:2 leaf:1))");
    });

    it("a parent not seen yet is a placeholder without steps, of the namespace's own agent", async () => {
      const client = await newClient(api);
      await send(client, [{ ...llm("a"), trace_id: "child", parent_trace_id: "parent" }]);
      expect(drawn(await tree(client, "parent"), true)).toBe("n:0(a:1)");
    });

    it("a parent alone: the agent's trace below it, opened once", async () => {
      const client = await newClient(api);
      const ids = await send(client, [
        { ...llm("a"), trace_id: "top" },
        { ...llm("b"), parent_trace_id: "top" },
        { ...llm("b"), parent_trace_id: "top" },
      ]);
      expect(ids[1]).toBe(ids[2]);
      expect(ids[1]).toMatch(/^agt_trace_/);
      expect(drawn(await tree(client, "top"), true)).toBe("a:1(b:2)");
    });

    it.each([
      ["an id out of form", { trace_id: "a b" }],
      ["an id that is too long", { parent_trace_id: "x".repeat(65) }],
      ["the name of an endpoint", { trace_id: "batch" }],
    ])("%s is refused with invalid_payload", async (_, refused) => {
      const client = await newClient(api);
      const step = { session_id: "s", namespace: "n", agent: "a", ...refused };
      const answer = await client.post("/v1/traces/llm", step);
      expect([answer.status, answer.body.error.code]).toEqual([400, "invalid_payload"]);
      expect(answer.body.error.message).toMatch(/trace_id/);
      const batch = await client.post("/v1/traces/batch", {
        traces: [
          { type: "llm", ...step },
          { type: "llm", session_id: "u", namespace: "n" },
        ],
      });
      expect(batch.body).toMatchObject({ succeeded: 1, failed: 1 });
      expect(batch.body.results[0].error.code).toBe("invalid_payload");
      expect((await client.get("/v1/traces?session_id=s")).body.total).toBe(0);
    });

    /** A claim that the trace `child` is below the trace `parent`, made by a step that ended at this second. */
    const claim = (child: string, parent: string, second: number) => ({
      ...llm(child),
      trace_id: child,
      parent_trace_id: parent,
      timestamp: `2025-10-29T10:00:0${second}Z`,
    });

    it.each([
      [
        "of two parents the one that was claimed earliest counts",
        [claim("b", "a", 1), claim("b", "x", 2)],
        "b",
        "n:0(b:2)",
      ],
      [
        "a cycle of two is cut where it was claimed latest",
        [claim("b", "a", 1), claim("a", "b", 2)],
        "a",
        "a:1(b:1)",
      ],
      [
        "a cycle of three is cut where it was claimed latest",
        [claim("b", "a", 1), claim("c", "b", 3), claim("a", "c", 2)],
        "a",
        "c:1(a:1(b:1))",
      ],
      ["a trace that is its own parent has none", [claim("a", "a", 1)], "a", "a:1"],
      [
        "a parent of another namespace is one",
        [
          { ...claim("b", "a", 2), namespace: "m", session_id: "t" },
          { ...llm("a"), trace_id: "a" },
        ],
        "b",
        "a:1(b:1)",
      ],
    ] as [string, Step[], string, string][])(
      "%s, in whatever order the claims come: nothing that contradicts itself is refused",
      async (_, steps, id, wanted) => {
        for (const order of [steps, steps.toReversed()]) {
          const client = await newClient(api);
          await send(client, order);
          expect(drawn(await tree(client, id), true)).toBe(wanted);
        }
      },
    );

    it("a trace belongs to the namespace of its earliest step, whatever the others say", async () => {
      const step = { ...llm("a"), trace_id: "t" };
      const steps = [
        { ...step, namespace: "m", session_id: "1", timestamp: "2025-10-29T10:00:01Z" },
        { ...step, namespace: "n", session_id: "2", timestamp: "2025-10-29T10:00:02Z" },
      ];
      for (const order of [steps, steps.toReversed()]) {
        const client = await newClient(api);
        expect(await send(client, order)).toEqual(["t", "t"]);
        const { body } = await client.get("/v1/traces/t");
        expect(body).toMatchObject({ namespace: "m", session_id: "1", step_count: 2 });
        expect((await list(client)).total).toBe(1);
      }
    });

    it("a step in a namespace that the token may not use is refused; the rest of a batch is stored", async () => {
      const { token: _, tenant } = await newToken();
      const [whole, bound] = [
        await newClient(api, { tenant }),
        await newClient(api, { tenant, namespaces: ["mine", "default"] }),
      ];
      await send(whole, [{ ...llm("a"), trace_id: "t", namespace: "theirs", session_id: "z" }]);
      const item = { type: "llm", namespace: "mine", agent: "a" };
      const traces = [
        { ...item, session_id: "another", trace_id: "t" },
        { ...item, session_id: "one more" },
        { ...item, namespace: "theirs", session_id: "new" },
        { ...item, namespace: undefined, session_id: "new" },
      ];
      const { status, body } = await bound.post("/v1/traces/batch", { traces });
      const codes = body.results.map((result: { error?: { code: string } }) => result.error?.code);
      expect([status, codes]).toEqual([200, ["forbidden", undefined, "forbidden", undefined]]);
      // What is refused leaves nothing behind: the session is where the next one opens it.
      expect((await list(whole, "?session_id=new")).data).toMatchObject([
        { namespace: "default", step_count: 1 },
      ]);
      expect((await list(whole, "?session_id=another")).total).toBe(0);
      expect((await whole.get("/v1/traces/t")).body).toMatchObject({ namespace: "theirs", step_count: 1 });
    });

    it("the same ids in two tenants are two traces", async () => {
      const [one, two] = [await newClient(api), await newClient(api)];
      await send(one, [{ ...llm("a"), trace_id: "t" }]);
      await send(two, [{ ...llm("b"), trace_id: "t" }]);
      expect([(await tree(one, "t")).agent, (await tree(two, "t")).agent]).toEqual(["a", "b"]);
    });
  });

  describe("GET /traces", () => {
    it("is {data, total, limit, offset}, newest first, with SOAT's members", async () => {
      const client = await newClient(api);
      await send(client, RUN);
      const body = await list(client);
      expect(body).toMatchObject({ total: 3, limit: 50, offset: 0 });
      expect(body.data.map(({ agent }: Node) => agent)).toEqual(["writer", "research", "triage"]);
      const [writer, research, triage] = body.data;
      expect(writer).toEqual({
        id: expect.stringMatching(/^agt_trace_[A-Za-z0-9]{16}$/),
        project_id: expect.stringMatching(/^proj_[A-Za-z0-9]{16}$/),
        agent_id: expect.stringMatching(/^agt_[A-Za-z0-9]{16}$/),
        file_id: `file_${writer.id}`,
        step_count: 2,
        parent_trace_id: research.id,
        root_trace_id: triage.id,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        namespace: "n",
        agent: "writer",
        session_id: "s",
        content_redacted_at: null,
        scores: {},
      });
      expect((await client.get(`/api/v1/traces/${writer.id}`)).body).toEqual(writer);
    });

    it.each([
      ["", 4],
      ["?project_id=n", 3],
      ["?project_id=never-seen", 0],
      ["?agent=a", 3],
      ["?session_id=t", 1],
      ["?root_only=true", 3],
      ["?start_date=2025-10-28&end_date=2025-10-28", 2],
      ["?project_id=n&agent=a&root_only=true&session_id=s", 1],
      ["?limit=1&offset=3", 4, 1],
      ["?limit=2&offset=9", 4, 0],
    ])("%s", async (query, total, onPage = total) => {
      const client = await newClient(api);
      await send(client, [
        { ...llm("a"), timestamp: "2025-10-28T10:00:00Z" },
        { ...handoff("a", "b"), timestamp: "2025-10-28T23:59:59Z" },
        { ...llm("a"), session_id: "t" },
        { ...llm("a"), session_id: "u", namespace: "m" },
      ]);
      const body = await list(client, query);
      expect([body.total, body.data.length]).toEqual([total, onPage]);
    });

    it("project_id may be the namespace's public id", async () => {
      const client = await newClient(api);
      await send(client, [llm("a"), { ...llm("a"), namespace: "m" }]);
      const [{ project_id }] = (await list(client, "?project_id=m")).data;
      expect((await list(client, `?project_id=${project_id}`)).data).toMatchObject([{ namespace: "m" }]);
    });

    it.each(["limit=0", "limit=1001", "limit=x", "offset=-1", "start_date=soon", "root_only=perhaps"])(
      "%s is 400 naming it",
      async (query) => {
        const client = await newClient(api);
        const answer = await client.get(`/v1/traces?${query}`);
        expect([answer.status, answer.body.error.code]).toEqual([400, "invalid_payload"]);
        expect(answer.body.error.message).toContain(query.split("=")[0]);
      },
    );

    it("errors under /api/v1 have SOAT's shape, those under /v1 the envelope", async () => {
      const client = await newClient(api);
      for (const prefix of ["/api/v1", "/monkai-api/api/v1", "/functions/v1/monkai-api/api/v1"]) {
        const soat = await client.get(`${prefix}/traces/nothing`);
        const request_id = soat.headers.get("x-request-id");
        expect([soat.status, soat.body]).toEqual([
          404,
          { error: "There is no such trace.", code: "not_found", request_id },
        ]);
      }
      expect((await client.request("/api/v1/traces")).body).toMatchObject({ code: "missing_token" });
      expect((await client.request("/api/v1/nothing")).body).toMatchObject({ code: "not_found" });
      expect((await client.get("/v1/traces/nothing")).body.error.code).toBe("not_found");
    });

    it.each(["llm", "tool", "handoff", "log", "batch"])(
      "GET /traces/%s stays a wrong method",
      async (type) => {
        const client = await newClient(api);
        const answer = await client.get(`/v1/traces/${type}`);
        expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
      },
    );
  });

  describe("the tree", () => {
    it("of 10,000 traces comes back whole and in order, deep or wide", async () => {
      const client = await newClient(api);
      let sender = client;
      for (const [shape, parentOf] of [
        ["deep", (index: number) => index - 1],
        ["wide", () => 0],
      ] as const) {
        for (let start = 0; start < 10_000; start += 100) {
          const traces = Array.from({ length: 100 }, (_, place) => {
            const index = start + place;
            const parent_trace_id = index === 0 ? undefined : `${shape}-${parentOf(index)}`;
            const ids = { trace_id: `${shape}-${index}`, parent_trace_id };
            return { type: "llm", session_id: shape, namespace: "n", agent: "a", ...ids };
          });
          // 60 batches a minute are allowed to a token.
          if (start % 5_000 === 0) sender = await newClient(api, { tenant: client.tenant });
          expect((await sender.post("/v1/traces/batch", { traces })).body.succeeded).toBe(100);
        }
        const response = await api(`/v1/traces/${shape}-9999/tree`, {
          headers: { tracer_token: client.token },
        });
        const text = await response.text();
        expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
        const ids = [...text.matchAll(/"id":\s*"(\w+-\d+)"/g)].map(([, id]) => id);
        expect(ids).toEqual(Array.from({ length: 10_000 }, (_, index) => `${shape}-${index}`));
        expect(text.endsWith(shape === "deep" ? "]}".repeat(10_000) : '"children":[]}]}')).toBe(true);
      }
    }, 120_000);
  });

  describe("steps as a file", () => {
    it("has all steps of the trace, logs included, in the order in which they happened", async () => {
      const client = await newClient(api);
      const at = (second: number) => `2025-10-29T10:00:0${second}.000Z`;
      const [id] = await send(client, [
        { ...llm("a"), timestamp: at(3), input: { prompt: "three" } },
        { type: "log", agent: "a", message: "one", timestamp: at(1), metadata: { deep: [1] } },
        { type: "tool", agent: "a", tool_name: "two", timestamp: at(2), result: 2 },
        { ...handoff("a", "b"), timestamp: at(3) },
        llm("b"),
      ]);
      const file = await client.get(`/api/v1/files/file_${id}`);
      expect([file.status, file.body]).toMatchObject([
        200,
        { id: `file_${id}`, trace_id: id, content_type: "application/json", step_count: 4 },
      ]);
      const response = await client.send(`/v1/files/file_${id}/download`, "", { method: "GET", body: null });
      expect(response.headers.get("content-disposition")).toBe(`attachment; filename="file_${id}.json"`);
      const steps = await response.json();
      expect(steps).toMatchObject([
        { step_number: 2, type: "log", message: "one", custom_object: { deep: [1] }, timestamp: at(1) },
        { step_number: 3, type: "tool_call", tool_name: "two", result: 2, inserted_at: at(2) },
        { step_number: 1, type: "llm_call", input: { prompt: "three" }, msg: [{ content: "three" }] },
        { step_number: 4, type: "handoff", transfers: [{ from: "a", to: "b" }] },
      ]);
    });

    it("is streamed page by page: none lost, none doubled, equal moments too", async () => {
      const client = await newClient(api);
      const prompt = "x".repeat(40_000);
      for (const part of [0, 1]) {
        const traces = Array.from({ length: 100 }, (_, place) =>
          place % 2
            ? {
                type: "log",
                session_id: "s",
                namespace: "n",
                message: `${part}${place}${prompt}`,
                timestamp: "2025-10-29",
              }
            : { type: "llm", session_id: "s", namespace: "n", input: { prompt }, timestamp: "2025-10-29" },
        );
        expect((await client.post("/v1/traces/batch", { traces })).body.succeeded).toBe(100);
      }
      const { id } = (await list(client)).data[0];
      const steps = (await client.get(`/v1/files/file_${id}/download`)).body;
      expect(steps.map(({ step_number }: { step_number: number }) => step_number)).toEqual(
        Array.from({ length: 200 }, (_, index) => index + 1),
      );
    });

    it.each([
      "traces/%00",
      "traces/a%00/tree",
      "files/file_%00",
      "files/file_%00/download",
      "traces?session_id=%00",
      "traces?project_id=%00",
      "traces?agent=%00",
    ])("%s is 400: there is no such character in an id", async (path) => {
      const answer = await (await newClient(api)).get(`/v1/${path}`);
      expect([answer.status, answer.body.error.code]).toEqual([400, "invalid_payload"]);
    });

    it("there is none for a trace without steps, nor for what is no file's id", async () => {
      const client = await newClient(api);
      const [id] = await send(client, [handoff("a", "b")]);
      const [{ id: empty }] = (await list(client, "?agent=b")).data;
      for (const file of [`file_${empty}`, `${id}`, "file_", "file_nothing", `xfile_${id}`]) {
        for (const path of [`/v1/files/${file}`, `/v1/files/${file}/download`]) {
          const answer = await client.get(path);
          expect([path, answer.status, answer.body.error?.code]).toEqual([path, 404, "not_found"]);
        }
      }
    });
  });

  describe("purge", () => {
    it("takes away what was said in the trace and below it, for good, and leaves the skeleton", async () => {
      const client = await newClient(api);
      const secret = { input: { prompt: "secret" }, metadata: { note: "secret" } };
      const [triage, , research] = await send(client, [
        { ...llm("triage"), ...secret },
        { ...handoff("triage", "research"), reason: "secret" },
        {
          ...{ type: "tool", tool_name: "t", arguments: { a: "secret" }, result: "secret" },
          external_user_id: "secret",
        },
        handoff("research", "writer"),
        { type: "log", message: "secret", metadata: { a: "secret" } },
      ]);
      const remove = () =>
        client.request(`/v1/traces/${research}/content`, {
          method: "DELETE",
          headers: { tracer_token: client.token },
        });
      const before = await tree(client, triage as string);
      const purged = await remove();
      expect([purged.status, purged.body]).toMatchObject([
        200,
        { id: research, step_count: 2, content_redacted_at: expect.stringMatching(/Z$/) },
      ]);
      expect((await remove()).body).toEqual(purged.body);
      const late = { session_id: "s", namespace: "n", agent: "research", result: "secret", tool_name: "t" };
      await client.post("/v1/traces/tool", late);
      const again = await remove();
      expect(again.body.content_redacted_at > purged.body.content_redacted_at).toBe(true);

      expect([drawn(before, true), drawn(await tree(client, triage as string), true)]).toEqual([
        "triage:2(research:2(writer:1))",
        "triage:2(research:3(writer:1))",
      ]);
      const [, researchRow, triageRow] = (await list(client)).data;
      expect([researchRow.content_redacted_at, triageRow.content_redacted_at]).toEqual([
        again.body.content_redacted_at,
        null,
      ]);
      const records = (await client.post("/v1/record_query", { namespace: "n", query: {} })).body.records;
      const logs = (await client.post("/v1/logs/query", { namespace: "n" })).body.logs;
      const steps = (await client.get(`/v1/files/file_${research}/download`)).body;
      expect(JSON.stringify([logs, steps])).not.toContain("secret");
      expect(JSON.stringify(records).split("secret").length - 1).toBe(5);
      expect(steps).toMatchObject([
        { step_number: 1, type: "tool_call", agent: "n" },
        { step_number: 2, type: "handoff", agent: "research" },
        { step_number: 3, type: "tool_call", agent: "research" },
      ]);
    });
  });

  describe("isolation of traces", () => {
    it("another tenant's trace is 404, never 403, on every endpoint; so is one of a namespace that a token is not bound to", async () => {
      const owner = await newClient(api);
      const [id] = await send(owner, [{ ...llm("a"), input: { prompt: "hi" } }]);
      const stranger = await newClient(api);
      const bound = await newClient(api, { tenant: owner.tenant, namespaces: ["m"] });
      for (const client of [stranger, bound]) {
        for (const [method, path] of [
          ["GET", `/api/v1/traces/${id}`],
          ["GET", `/api/v1/traces/${id}/tree`],
          ["GET", `/api/v1/files/file_${id}`],
          ["GET", `/api/v1/files/file_${id}/download`],
          ["DELETE", `/api/v1/traces/${id}/content`],
        ] as const) {
          const answer = await client.request(path, { method, headers: { tracer_token: client.token } });
          expect([path, answer.status, answer.body.code]).toEqual([path, 404, "not_found"]);
        }
        expect(await list(client)).toMatchObject({ data: [], total: 0 });
      }
      expect((await bound.get("/api/v1/traces?project_id=n")).status).toBe(403);
      expect(
        (await owner.post("/v1/record_query", { namespace: "n", query: {} })).body.records[0].input,
      ).toEqual({
        prompt: "hi",
      });
    });

    it("another tenant's parent is none: a placeholder of one's own", async () => {
      const { token: _, tenant } = await newToken();
      const [owner, stranger] = [await newClient(api, { tenant }), await newClient(api)];
      await send(owner, [{ ...llm("a"), trace_id: "shared" }]);
      await send(stranger, [{ ...llm("b"), trace_id: "child", parent_trace_id: "shared" }]);
      expect(drawn(await tree(stranger, "child"), true)).toBe("n:0(b:1)");
      expect(drawn(await tree(owner, "shared"), true)).toBe("a:1");
    });
  });
}
