import { createRoute, type z } from "@hono/zod-openapi";
import { admission } from "../middleware/admission.ts";
import { BODY_LIMIT, limitBody } from "../middleware/body-limit.ts";
import { type Bucket, credentials } from "../middleware/credentials.ts";
import { ErrorEnvelope } from "../schemas/error.ts";

const EITHER_SCHEME: Record<string, string[]>[] = [{ bearerAuth: [] }, { tracerTokenHeader: [] }];

interface ApiRoute<Path extends string, Body extends z.ZodType, Result extends z.ZodType> {
  path: Path;
  tag: string;
  operationId: string;
  summary: string;
  description?: string;
  bucket: Bucket;
  /** Bytes. */
  bodyLimit?: number;
  body: Body;
  result: Result;
}

/** A `POST` that takes JSON from a holder of a tracer token: what all of them have in common, said once. */
export function apiRoute<Path extends string, Body extends z.ZodType, Result extends z.ZodType>(
  route: ApiRoute<Path, Body, Result>,
) {
  const { path, bucket, tag, operationId, summary, description, body, result } = route;
  return createRoute({
    method: "post",
    path,
    tags: [tag],
    operationId,
    summary,
    description,
    security: EITHER_SCHEME,
    middleware: [credentials(bucket), admission, limitBody(route.bodyLimit ?? BODY_LIMIT.single)] as const,
    request: { body: { required: true, content: { "application/json": { schema: body } } } },
    responses: {
      200: { description: summary, content: { "application/json": { schema: result } } },
      400: refused("A field is missing or invalid, or the body is not JSON."),
      401: refused("The tracer token is missing, unknown, expired or revoked."),
      403: refused("The tracer token may not use this namespace."),
      413: refused("The body is too large."),
      415: refused("The body is not sent as JSON."),
      500: refused("Something went wrong on the server."),
    },
  });
}

function refused(description: string) {
  return { description, content: { "application/json": { schema: ErrorEnvelope } } };
}
