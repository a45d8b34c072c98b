import { spawnSync } from "node:child_process";
import { isDeepStrictEqual } from "node:util";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { SCORE_ID_EXAMPLE } from "../../functions/monkai-api/schemas/common.ts";
import { appInProcess } from "../support/app.ts";
import { parseCurl } from "../support/curl.ts";
import { newClient } from "../support/tenant.ts";

const { api } = appInProcess(inject("restUrl"), inject("serviceKey"));

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document is read as the JSON that it is
type Json = any;
const document: Json = await (await api("/v1/openapi.json")).json();

interface Told {
  path: string;
  method: string;
  operation: Json;
}

const inOrderOfPaths: Told[] = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
  Object.entries<Json>(item).map(([method, operation]) => ({
    path,
    method: method.toUpperCase(),
    operation,
  })),
);
/** As the page at /docs has them: from top to bottom. */
const operations: Told[] = document.tags.flatMap(({ name }: Json) =>
  inOrderOfPaths.filter(({ operation }) => operation.tags[0] === name),
);

/** The address with what the page fills in: examples, else defaults. `made`: ids that only the server knows. */
function addressOf({ path, operation }: Told, made: Record<string, string> = {}): string {
  const query = new URLSearchParams();
  let address = path;
  for (const { in: place, name, example, schema } of operation.parameters ?? []) {
    const value = made[name] ?? example ?? schema?.example ?? schema?.default;
    if (place === "path") address = address.replace(`{${name}}`, value);
    if (place === "query" && value !== undefined) query.set(name, value);
  }
  return query.size === 0 ? address : `${address}?${query}`;
}

const exampleOf = (holder: Json) => holder?.content["application/json"]?.example;

/** What a value is made of: its members, and of its lists the first that is made as that of the example is. */
function shapeOf(value: unknown, example: unknown = value): unknown {
  if (Array.isArray(value)) {
    const [wanted] = Array.isArray(example) ? example : [];
    const like = value.find((item) => isDeepStrictEqual(shapeOf(item, wanted), shapeOf(wanted)));
    return [like ?? value[0]].map((item) => shapeOf(item, wanted));
  }
  // What may be null is a text else.
  if (typeof value !== "object" || value === null) return value === null ? "string" : typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([name, member]) => [name, shapeOf(member, (example as Json)?.[name])]),
  );
}

/** The lists that an answer has: it is one, or has them as members. */
function listsOf(body: Json): [string, unknown[]][] {
  const lists = Array.isArray(body) ? { body } : body;
  return Object.entries<Json>(lists).filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
}

describe("what the document gives as an example, tried on the page from top to bottom", () => {
  interface Answer {
    status: number;
    headers: Headers;
    text: string;
  }
  const answers = new Map<Told, Answer>();
  /** What reads, asked once more at the end. */
  const afterwards = new Map<Told, Answer>();
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "api", ...document });
  const readers = operations.filter(({ path, method }) => method === "GET" || /query|export$/.test(path));

  beforeAll(async () => {
    const client = await newClient(api);
    const made: Record<string, string> = {};
    const send = async (told: Told): Promise<Answer> => {
      const body = exampleOf(told.operation.requestBody);
      const response = await api(`/v1${addressOf(told, made)}`, {
        method: told.method,
        headers: { Authorization: `Bearer ${client.token}`, "Content-Type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
    for (const told of operations) {
      const answer = await send(told);
      answers.set(told, answer);
      // People copy these two from the answers above.
      if (told.operation.operationId === "createScore") made.score_id = JSON.parse(answer.text).id;
      if (told.operation.operationId === "traceLlmCall") made.ids = JSON.parse(answer.text).id;
    }
    for (const told of readers) afterwards.set(told, await send(told));
  });

  it.each(readers.map((told) => [`${told.method} ${told.path}`, told] as const))(
    "%s finds what was sent above it",
    (_, told) => {
      const { status, headers, text } = answers.get(told) as Answer;
      expect([status, status === 200 ? "" : text]).toEqual([200, ""]);
      if (!headers.get("content-type")?.startsWith("application/json")) return;
      const empty = listsOf(JSON.parse(text)).filter(([, list]) => list.length === 0);
      expect(empty).toEqual([]);
    },
  );

  it.each(operations.map((told) => [`${told.method} ${told.path}`, told] as const))(
    "%s works, and is answered as it says",
    (_, told) => {
      const { path, method, operation } = told;
      expect(operation.requestBody === undefined || exampleOf(operation.requestBody) !== undefined).toBe(
        true,
      );
      const answer = (afterwards.get(told) ?? answers.get(told)) as Answer;
      const [status, response] = Object.entries<Json>(operation.responses)[0] as [string, Json];
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
      if (described.example) expect(shapeOf(body, described.example)).toEqual(shapeOf(described.example));
    },
  );

  it("every parameter that is required is filled in, but for ids that only the server makes", () => {
    const empty = operations.flatMap(({ method, path, operation }) =>
      (operation.parameters ?? [])
        .filter(({ required, example }: Json) => required && example === undefined)
        .map(({ name, description }: Json) => [`${method} ${path} ${name}`, description]),
    );
    expect(empty).toEqual([
      ["DELETE /scores/{score_id} score_id", expect.stringContaining("`id` of the answer")],
      ["GET /steps ids", expect.stringContaining("`id` of an answer")],
    ]);
  });

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
  const MADE = { score_id: SCORE_ID_EXAMPLE, ids: "3f0c1b9e-6d0a-4a53-9a0e-8f1f0c2b7d11" };
  /** The address with the examples alone: who reads code wants no defaults in it. */
  function sampled({ path, operation }: Told): string {
    const parameters = operation.parameters?.map(({ schema: _, ...parameter }: Json) => parameter);
    return decodeURIComponent(addressOf({ path, method: "", operation: { parameters } }, MADE));
  }
  const samples = operations
    .filter(({ path }) => !/health|docs|openapi|view/.test(path))
    .map((told) => {
      const { path, method, operation } = told;
      const sources = operation["x-codeSamples"].map(({ source }: { source: string }) => source);
      return [`${method} ${path}`, method, sampled(told), exampleOf(operation.requestBody), sources] as const;
    });
  const expected = (method: string, path: string, body: unknown) => ({
    method,
    url: `http://api.test/v1${path}`,
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
