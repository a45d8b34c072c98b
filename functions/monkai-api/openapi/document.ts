import type { OpenAPIHono } from "@hono/zod-openapi";
import { ERRORS, type ErrorCode } from "../errors.ts";
import { SoatError } from "../schemas/error.ts";
import { EITHER_SCHEME, REQUEST_HEADERS, RESPONSE_HEADERS } from "../schemas/headers.ts";
import type { AppEnv } from "../services.ts";
import { VERSION } from "../version.ts";
import { codeSamples } from "./code-samples.ts";
import { EXAMPLES, IN_PATHS, MADE_IDS } from "./examples.ts";

/** In the order of the page at /docs: what sends comes before what reads it. */
const TAGS = [
  { name: "Health", description: "Liveness and readiness (no token needed)." },
  { name: "Tokens", description: "What a tracer token may do." },
  { name: "Namespaces", description: "What keeps a tenant's agents or products apart." },
  { name: "Sessions", description: "Conversations that traces belong to." },
  { name: "Traces", description: "LLM calls, tool calls, handoffs and logs, one by one or in batches." },
  { name: "Records", description: "Conversation records in bulk." },
  { name: "Logs", description: "Operational log entries in bulk." },
  {
    name: "OpenTelemetry",
    description:
      "Traces and logs of any program, as its OpenTelemetry exporter sends them (OTLP over HTTP). The same paths answer under " +
      "`/api/public/otel/v1`, where Langfuse's clients send theirs.",
  },
  { name: "Scores", description: "Feedback: how good a trace, a session or a step was." },
  { name: "Query", description: "Reading records and logs back." },
  { name: "Export", description: "All records or logs in one answer, as JSON or CSV." },
  {
    name: "Usage",
    description:
      "Sessions, and what agents did, added up: calls, errors, tokens, costs, latencies and scores.",
  },
  { name: "Steps", description: "What happened, step by step: lists for people and pages that look at it." },
  {
    name: "Trace trees",
    description:
      "One agent's part in an execution, linked into a tree: the SOAT Traces API. The same paths answer under `/api/v1`, where an " +
      "error is `{error: message, code, request_id}`.",
  },
  {
    name: "Model Context Protocol",
    description: "The same for agents: tools that search and read what agents did.",
  },
  { name: "Anonymization", description: "What is taken out of content before it is stored." },
  { name: "Model prices", description: "What the tokens of each model cost." },
  { name: "Documentation", description: "This document, for machines and for people (no token needed)." },
];

const INFO = {
  title: "Agent Trace API",
  version: VERSION,
  summary: "Send what your agents did, from any language, and read it back.",
  description: `Sessions, LLM calls, tool calls, handoffs, logs and whole conversation records go in by HTTP and JSON, and come
back as queries, exports and execution trees. 
Every endpoint but health and documentation wants a tracer token, as \`Authorization: Bearer tk_...\` or as
\`tracer_token: tk_...\`: \`npm run token -- create --tenant NAME\` makes one.

- **Retries**: send an \`Idempotency-Key\` with a trace, a score or a batch, and the same one again when you retry it.
- **Limits**: per token and minute; every answer says what is left. Past them it is 429 with \`Retry-After\`.
- **Errors**: branch on \`error.code\`, and on the status where you do not know the code. Quote \`error.request_id\`.
- \`null\` means absent in the fields that are described here, and comes back as it was sent in messages and other free-form
  content. Unknown fields of what is sent are ignored, unknown filters are refused. Timestamps without a zone are UTC.`,
  license: { name: "MIT", url: "https://opensource.org/license/mit" },
};

interface Operation {
  operationId: string;
  security?: unknown[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, MediaType> };
  responses: Record<string, { content?: Record<string, MediaType> }>;
  [extension: `x-${string}`]: unknown;
}

interface Parameter {
  name: string;
  in: string;
  example?: unknown;
}

interface MediaType {
  example?: unknown;
}

/** Registers what operations refer to by name. Once for each app. */
export function registerComponents({ openAPIRegistry: registry }: OpenAPIHono<AppEnv>): void {
  registry.registerComponent("securitySchemes", "bearerAuth", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "opaque",
    description:
      "The token alone (`tk_...`), which `npm run token -- create --tenant NAME` makes. HTTP Basic is taken, too: the token is the " +
      "password, whatever the user's name.",
  });
  registry.registerComponent("securitySchemes", "tracerTokenHeader", {
    type: "apiKey",
    in: "header",
    name: "tracer_token",
    description: "The same token in the `tracer_token` header. It wins where both are sent.",
  });
  for (const [name, parameter] of Object.entries(REQUEST_HEADERS)) {
    registry.registerComponent("parameters", name, parameter);
  }
  for (const [name, header] of Object.entries(RESPONSE_HEADERS)) {
    registry.registerComponent("headers", name, header);
  }
  registry.register("SoatError", SoatError);
}

/**
 * The API as an OpenAPI 3.1 document, generated from the schemas that validate, so that it cannot say anything else.
 * `baseUrl` is where its reader reaches the API; under SOAT's prefix, errors have SOAT's shape.
 */
export function apiDocument(app: OpenAPIHono<AppEnv>, baseUrl: string, soat: boolean) {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: INFO,
    servers: [{ url: baseUrl, description: "Where this document came from" }],
    tags: TAGS,
    security: EITHER_SCHEME,
  });
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(item as Record<string, Operation>)) {
      illustrate(operation, method.toUpperCase(), baseUrl + path);
    }
  }

  const { SoatError: soatError, ...schemas } = document.components?.schemas ?? {};
  const examples = errorExamples(soat);
  return {
    ...document,
    components: {
      ...document.components,
      schemas: soat ? { ...schemas, Error: soatError } : schemas,
      examples,
    },
  };
}

/** Adds its example and its code samples to an operation. */
function illustrate(operation: Operation, method: string, url: string): void {
  const { parameters = {}, request, response } = EXAMPLES[operation.operationId] ?? {};
  const known = { ...IN_PATHS, ...parameters };
  for (const parameter of operation.parameters ?? [])
    fillIn(parameter, parameter.in === "path" ? known : parameters);
  const sent = operation.requestBody?.content["application/json"];
  if (sent && request !== undefined) sent.example = request;
  const answered = (operation.responses[200] ?? operation.responses[201])?.content?.["application/json"];
  if (answered && response !== undefined) answered.example = response;
  operation["x-codeSamples"] = codeSamples({
    method,
    url: url.replaceAll(/{(\w+)}/g, (_, name) => known[name] ?? "") + queryOf(url, parameters),
    authenticated: operation.security?.length !== 0,
    body: request,
  });
}

/** What the page fills in. */
function fillIn(parameter: Parameter, examples: Record<string, string>): void {
  const { name } = parameter;
  if (examples[name] && !MADE_IDS.includes(name)) parameter.example = examples[name];
}

/** What stands behind the path. None of the examples needs to be escaped. */
function queryOf(url: string, parameters: Record<string, string>): string {
  const query = Object.entries(parameters).filter(([name]) => !url.includes(`{${name}}`));
  return query.map(([name, value], index) => `${index ? "&" : "?"}${name}=${value}`).join("");
}

/** components/examples: each error code as its envelope. */
function errorExamples(soat: boolean): Record<string, { summary: string; value: unknown }> {
  const request_id = "8c5d96f1-9e47-4c01-bb1e-8b5a7a2a1234";
  const codes = Object.entries(ERRORS) as [ErrorCode, { meaning: string }][];
  return Object.fromEntries(
    codes.map(([code, { meaning }]) => {
      const value = soat
        ? { error: meaning, code, request_id }
        : { error: { code, message: meaning, request_id } };
      return [code, { summary: code, value }];
    }),
  );
}
