import { createRoute, type z } from "@hono/zod-openapi";
import { admission } from "../middleware/admission.ts";
import { BODY_LIMIT, limitBody } from "../middleware/body-limit.ts";
import { credentials } from "../middleware/credentials.ts";
import { idempotency } from "../middleware/idempotency.ts";
import type { Bucket } from "../rate-limits.ts";
import { ErrorEnvelope } from "../schemas/error.ts";
import { responseHeaders } from "../schemas/headers.ts";

/** A token is good in either of the two. */
export const EITHER_SCHEME: Record<string, string[]>[] = [{ bearerAuth: [] }, { tracerTokenHeader: [] }];

interface ApiRoute<Path extends string, Body extends z.ZodType, Result extends z.ZodType> {
  path: Path;
  tag: string;
  operationId: string;
  summary: string;
  description?: string;
  bucket: Bucket;
  /** Whether `Idempotency-Key` is heeded. */
  idempotent?: boolean;
  /** Bytes. */
  bodyLimit?: number;
  body: Body;
  result: Result;
}

/** A `POST` that takes JSON from a holder of a tracer token: what all of them have in common, said once. */
export function apiRoute<Path extends string, Body extends z.ZodType, Result extends z.ZodType>(
  route: ApiRoute<Path, Body, Result>,
) {
  const { path, bucket, idempotent = false, tag, operationId, summary, description, body, result } = route;
  return createRoute({
    method: "post",
    path,
    tags: [tag],
    operationId,
    summary,
    description,
    security: EITHER_SCHEME,
    middleware: [
      credentials(bucket),
      admission,
      limitBody(route.bodyLimit ?? BODY_LIMIT.single),
      ...(idempotent ? [idempotency] : []),
    ],
    parameters: [
      { $ref: "#/components/parameters/RequestIdHeader" },
      ...(idempotent ? [{ $ref: "#/components/parameters/IdempotencyKeyHeader" }] : []),
    ],
    request: { body: { required: true, content: { "application/json": { schema: body } } } },
    responses: {
      200: {
        description: summary,
        headers: idempotent ? responseHeaders.idempotent : responseHeaders.limited,
        content: { "application/json": { schema: result } },
      },
      400: refused("A field is missing or invalid, or the body is not JSON."),
      401: refused("The tracer token is missing, unknown, expired or revoked.", responseHeaders.every),
      403: refused("The tracer token may not use this namespace."),
      413: refused("The body is too large."),
      415: refused("The body is not sent as JSON."),
      ...(idempotent ? { 422: refused("The idempotency key was used for another request.") } : {}),
      429: refused("The limit of the bucket is used up for this minute.", responseHeaders.exceeded),
      500: refused("Something went wrong on the server."),
    },
  });
}

function refused(description: string, headers: Record<string, { $ref: string }> = responseHeaders.limited) {
  return { description, headers, content: { "application/json": { schema: ErrorEnvelope } } };
}
