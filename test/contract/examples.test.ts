import { spawnSync } from "node:child_process";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { SESSION_EXAMPLE, STEP_ID_EXAMPLE } from "../../functions/monkai-api/openapi/examples.ts";
import { SCORE_ID_EXAMPLE, TRACE_ID_EXAMPLE } from "../../functions/monkai-api/schemas/common.ts";
import { appInProcess } from "../support/app.ts";
import { parseCurl } from "../support/curl.ts";
import { type Client, newClient } from "../support/tenant.ts";

const { api } = appInProcess(inject("restUrl"), inject("serviceKey"));

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document is read as the JSON that it is
type Json = any;
const document: Json = await (await api("/v1/openapi.json")).json();

const operations = Object.entries<Json>(document.paths)
  .flatMap(([path, item]) =>
    Object.entries<Json>(item).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
    })),
  )
  // Rules are put before they are read, and what takes content away comes last.
  .sort((one, other) => orderOf(one) - orderOf(other));

function orderOf({ method, operation }: { method: string; operation: Json }): number {
  if (operation.tags[0] === "Erasure") return 9;
  return ["PUT", "GET", "HEAD", "POST", "DELETE"].indexOf(method);
}

const exampleOf = (holder: Json) => holder?.content["application/json"]?.example;

/** What a value is made of: its members, and what comes first in its lists. What may be null is a text else. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return value === null ? "string" : typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([name, member]) => [name, shapeOf(member)]),
  );
}

describe("what the document gives as an example", () => {
  let client: Client;
  /** Whose records and logs are those that the examples upload. */
  let other: Client;
  let traceId: string;
  let stepId: string;
  let scoreId: string;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "api", ...document });

  beforeAll(async () => {
    [client, other] = [await newClient(api), await newClient(api)];
    const request = exampleOf(document.paths["/traces/llm"].post.requestBody);
    const sent = { ...request, session_id: "another session" };
    stepId = (await client.post("/v1/traces/llm", sent)).body.id;
    await client.post("/v1/traces/handoff", {
      session_id: "another session",
      from_agent: "support-bot",
      to_agent: "b",
    });
    const tool = exampleOf(document.paths["/traces/tool"].post.requestBody);
    await client.post("/v1/traces/tool", {
      ...tool,
      session_id: "another session",
      external_user_id: "5521999998888",
    });
    await client.post("/v1/scores", { session_id: "another session", name: "solved", value: true });
    const { body } = await client.get("/v1/traces?session_id=another%20session&root_only=true");
    traceId = body.data[0].id;
    const score = exampleOf(document.paths["/scores"].post.requestBody);
    scoreId = (await client.post("/v1/scores", score)).body.id;
  });

  async function send(path: string, method: string, tag: string, body: unknown) {
    const url = path
      .replace("{trace_id}", traceId)
      .replace("{file_id}", `file_${traceId}`)
      .replace("{score_id}", scoreId)
      .replace("{session_id}", "another%20session")
      .replace("{user_id}", "5521999998888")
      .replace(/^\/steps$/, `/steps?ids=${stepId}`)
      .replace(/^\/usage$/, "/usage?by=day,model");
    const { token } = ["Records", "Logs", "Query", "Export"].includes(tag) ? other : client;
    const response = await api(`/v1${url}`, {
      method,
      headers: { tracer_token: token, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  it.each(operations.map((each) => [`${each.method} ${each.path}`, each] as const))(
    "%s works, and is answered as it says",
    async (_, { path, method, operation }) => {
      const { requestBody, responses } = operation;
      // Registering what the other examples have made already would be a conflict.
      const request = path === "/namespace/register" ? { namespace: "another" } : exampleOf(requestBody);
      expect(requestBody === undefined || request !== undefined).toBe(true);
      const answer = await send(path, method, operation.tags[0], request);
      const [status, response] = Object.entries<Json>(responses)[0] as [string, Json];
      expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${status} `));
      for (const name of Object.keys(response.headers)) {
        if (!name.startsWith("Idempotency"))
          expect([name, answer.headers.get(name)]).not.toEqual([name, null]);
      }

      const described = response.content?.["application/json"];
      if (!described) return;
      const body = JSON.parse(answer.text);
      const pointer = `/paths/${path.replaceAll("/", "~1")}/${method.toLowerCase()}/responses/${status}`;
      const valid = ajv.validate({ $ref: `api#${pointer}/content/application~1json/schema` }, body);
      expect([valid, ajv.errorsText()]).toEqual([true, "No errors"]);
      if (described.example) expect(shapeOf(body)).toEqual(shapeOf(described.example));
    },
  );

  it("every operation that takes or answers an object of its own has one", () => {
    const without = operations.filter(({ operation }) => {
      const described = (operation.responses[200] ?? operation.responses[201]).content?.["application/json"];
      return described && !described.example;
    });
    expect(without.map(({ operation }) => operation.operationId)).toEqual([
      "healthCheck",
      "readinessCheck",
      "getOpenApiJson",
    ]);
  });
});

describe("the code samples", () => {
  const samples = operations
    .filter(({ path }) => !/health|docs|openapi|view/.test(path))
    .map(({ path, method, operation }) => {
      const sources = operation["x-codeSamples"].map(({ source }: { source: string }) => source);
      return [`${method} ${path}`, method, path, exampleOf(operation.requestBody), sources] as const;
    });
  const url = (path: string) =>
    `http://api.test/v1${path}`
      .replace("{trace_id}", TRACE_ID_EXAMPLE)
      .replace("{file_id}", `file_${TRACE_ID_EXAMPLE}`)
      .replace("{score_id}", SCORE_ID_EXAMPLE)
      .replace("{session_id}", SESSION_EXAMPLE)
      .replace(/\/usage$/, "/usage?by=day,model")
      .replace(/\/steps$/, (steps) => (path === steps ? `${steps}?ids=${STEP_ID_EXAMPLE}` : steps));
  const expected = (method: string, path: string, body: unknown) => ({
    method,
    url: url(path),
    authorization: "Bearer tk_mine",
    body,
  });

  it.each(samples)(
    "%s: curl and JavaScript send the example",
    async (_, method, path, body, [curl, javaScript]) => {
      const sent: unknown[] = [];
      const note = (url: string, { method = "GET", headers, body }: RequestInit) => {
        const authorization = new Headers(headers).get("authorization");
        sent.push({ url, method, authorization, body: body ? JSON.parse(String(body)) : undefined });
        return new Response();
      };
      const parsed = parseCurl(curl, { MONKAI_TRACER_TOKEN: "tk_mine" });
      note(parsed.url, parsed.init);

      const run = new Function("fetch", "process", "console", `return (async () => {${javaScript}})()`);
      await run(note, { env: { MONKAI_TRACER_TOKEN: "tk_mine" } }, { log: () => {} });
      expect(sent).toEqual([expected(method, path, body), expected(method, path, body)]);
    },
  );

  const hasPython = spawnSync("python3", ["--version"]).status === 0;

  it.runIf(hasPython)("Python sends them, too", () => {
    const requests = `
import json, sys, types
sent = []
class Response: status_code = 200; headers = {"x-request-id": "r"}; text = ""
def sender(method):
    def send(url, headers, json=None):
        sent.append({"method": method.upper(), "url": url, "authorization": headers["Authorization"], "body": json})
        return Response()
    return send
module = types.ModuleType("requests")
for method in ["get", "post", "put", "delete"]: setattr(module, method, sender(method))
sys.modules["requests"] = module
for source in json.load(sys.stdin): exec(source.replace("print(", "("))
print(json.dumps(sent))`;
    const python = spawnSync("python3", ["-c", requests], {
      input: JSON.stringify(samples.map(([, , , , [, , source]]) => source)),
      env: { ...process.env, MONKAI_TRACER_TOKEN: "tk_mine" },
      encoding: "utf8",
    });
    expect(python.stderr).toBe("");
    expect(JSON.parse(python.stdout)).toEqual(
      samples.map(([, method, path, body]) => expected(method, path, body ?? null)),
    );
  });
});
