import { deepEqual } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { ERROR_CODES } from "../../functions/monkai-api/errors.ts";
import { RATE_LIMITS } from "../../functions/monkai-api/rate-limits.ts";
import { TRACE_ID_EXAMPLE } from "../../functions/monkai-api/schemas/common.ts";
import { appInProcess } from "../support/app.ts";
import { anyText, fieldPaths, mutated, mutations } from "../support/hostile-json.ts";
import { repeatedContent } from "../support/kept-content.ts";
import { expectStored, type Reader } from "../support/stored-content.ts";
import { type Client, limitTenant, newClient } from "../support/tenant.ts";

const CASES = process.env.LONG_TESTS ? 10_000 : 200;
/** Milliseconds: two hundred requests and as many reads, on a slow machine. */
const TIMEOUT = 300 * CASES;

const { api } = appInProcess(inject("restUrl"), inject("serviceKey"));

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document is read as the JSON that it is
type Json = any;
const document: Json = await (await api("/v1/openapi.json")).json();

const operations = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
  Object.entries<Json>(item).map(([method, operation]) => ({
    path,
    method: method.toUpperCase(),
    operation,
  })),
);
const withBody = operations
  .filter(({ operation }) => operation.requestBody)
  .map((each) => [`${each.method} ${each.path}`, each] as const);
const parameters = operations.flatMap(({ path, method, operation }) =>
  (operation.parameters ?? [])
    .filter((each: Json) => each.in === "path" || each.in === "query")
    .map(({ name }: Json) => ({ path, method, name })),
);

async function unlimitedClient(): Promise<Client> {
  const client = await newClient(api);
  const limits = Object.keys(RATE_LIMITS).map((bucket) => [bucket, 1_000_000]);
  await limitTenant(client.tenant, Object.fromEntries(limits));
  return client;
}

/** The example with a namespace, a session and a trace that no other case has, and whatever the version is. */
function fresh({ expected_version: _, ...example }: Json): Json {
  const text = JSON.stringify(example).replaceAll("my-agent", `case-${randomUUID()}`);
  return JSON.parse(text.replaceAll(TRACE_ID_EXAMPLE, `case-${randomUUID()}`));
}

/**
 * What a success says. A refusal must be a 4xx in the envelope; to exporters of OpenTelemetry it is a google.rpc.Status, and
 * to clients of the Model Context Protocol an error of JSON-RPC.
 */
async function acceptedBy(response: Response): Promise<Json> {
  if (response.status === 202) return undefined; // a notification of JSON-RPC
  const body = await response.json();
  if (response.status === 200 || response.status === 201) return body;
  expect([400, 404, 405, 409, 413]).toContain(response.status);
  if (typeof body.code === "number") {
    expect(body).toEqual({ code: 3, message: expect.stringMatching(/^.{1,2000}$/s) });
    return undefined;
  }
  const message = expect.stringMatching(/^.{1,2000}$/s);
  if (body.jsonrpc === "2.0") {
    expect(body.error).toMatchObject({ code: expect.any(Number), message });
    return undefined;
  }
  expect(body.error).toEqual({
    code: expect.toBeOneOf(ERROR_CODES),
    message,
    request_id: expect.any(String),
  });
  return undefined;
}

const readers = fc.constantFrom<Reader>("query", "export", "download");

describe("whatever is sent is a 4xx in the envelope, or is there as it was sent", {
  timeout: TIMEOUT,
}, () => {
  let client: Client;
  beforeAll(async () => {
    client = await unlimitedClient();
  });

  it.each(withBody)("%s: any JSON value at any field", async (_, { path, method, operation }) => {
    const { schema, example } = operation.requestBody.content["application/json"];
    const mutation = mutations(fieldPaths(document, schema, example));
    const property = fc.asyncProperty(mutation, readers, async (mutation, reader) => {
      const sent: Json = mutated(fresh(example), mutation);
      const answer = await acceptedBy(await client.send(`/v1${path}`, JSON.stringify(sent), { method }));
      if (answer === undefined) return;
      const [repeated, wanted] = repeatedContent(operation.operationId, sent, answer);
      deepEqual(repeated, wanted);
      await expectStored(client, operation.operationId, { sent, answer, path: mutation.path }, reader);
    });
    await fc.assert(property, { numRuns: CASES });
  });

  it("any text in the address of those that name something there", async () => {
    const parameter = fc.record({ place: fc.constantFrom(...parameters), text: anyText });
    const property = fc.asyncProperty(parameter, async ({ place: { path, method, name }, text }) => {
      const encoded = encodeURIComponent(text.toWellFormed());
      const url = path.includes("{") ? path.replace(/\{\w+\}/, encoded) : `${path}?${name}=${encoded}`;
      await acceptedBy(await client.send(`/v1${url}`, undefined, { method }));
    });
    await fc.assert(property, { numRuns: CASES });
  });
});
