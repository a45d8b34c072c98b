import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { ApiError } from "../errors.ts";
import { counted, described, refusals, refused, requestId } from "../http/api-route.ts";
import { answerMcp } from "../mcp/server.ts";
import { BODY_LIMIT, limitBody } from "../middleware/body-limit.ts";
import { responseHeaders } from "../schemas/headers.ts";
import type { AppEnv } from "../services.ts";

const message = (description: string) => ({ type: "object" as const, description });

/**
 * `initialize` and `tools/list` count like calls, and ask the database whether the token is good: a client shows no tools
 * that it could not call. Any `Origin` is a valid one: what a page needs to get in is the token, which no browser adds by itself.
 */
const mcp = createRoute({
  method: "post",
  ...described({
    path: "/mcp",
    tag: "Model Context Protocol",
    operationId: "sendMcpMessage",
    summary: "Tools for agents that look at traces",
    description:
      "A server of the Model Context Protocol over Streamable HTTP, without sessions and streams: coding agents and other clients " +
      "call its tools to search and read what agents did. Revisions 2025-03-26 (without batches) to 2026-07-28. What the API " +
      "refuses is a tool's answer with `isError`; without a good token it is 401.",
    bucket: "view",
  }),
  middleware: [...counted("view"), limitBody(BODY_LIMIT.single)],
  parameters: [requestId],
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: message("One request or notification of JSON-RPC 2.0.") } },
    },
  },
  responses: {
    200: {
      description: "The answer.",
      headers: responseHeaders.limited,
      content: { "application/json": { schema: message("A response of JSON-RPC 2.0.") } },
    },
    202: { description: "A notification was taken.", headers: responseHeaders.limited },
    400: {
      description: "The message breaks the protocol.",
      headers: responseHeaders.limited,
      content: { "application/json": { schema: message("An error of JSON-RPC 2.0.") } },
    },
    404: {
      description: "There is no such method, in revisions without a handshake.",
      headers: responseHeaders.limited,
      content: { "application/json": { schema: message("An error of JSON-RPC 2.0.") } },
    },
    401: refusals[401],
    413: refused("The body is too large.", ["invalid_payload"]),
    415: refused("The body is not sent as JSON.", ["invalid_payload"]),
    429: refusals[429],
    500: refusals[500],
    503: refusals[503],
  },
});

export function mcpRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(mcp, (c) => {
    if (/^application\/json *(;|$)/i.test(c.req.header("Content-Type") ?? "")) return answerMcp(c);
    const message = "Send the body as JSON, with Content-Type: application/json.";
    throw new ApiError("invalid_payload", message, { status: 415 });
  });
}
