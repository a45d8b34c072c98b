import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { ErrorCode } from "../errors.ts";
import { BODY_LIMIT, limitBody } from "../middleware/body-limit.ts";
import { credentials } from "../middleware/credentials.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { limitHeaders } from "../middleware/limit-headers.ts";
import type { Bucket } from "../rate-limits.ts";
import { ErrorEnvelope } from "../schemas/error.ts";
import { EITHER_SCHEME, responseHeaders } from "../schemas/headers.ts";

export interface Described<Path extends string> {
  path: Path;
  tag: string;
  operationId: string;
  summary: string;
  description?: string;
  bucket: Bucket;
}

interface PostRoute<Path extends string, Body extends z.ZodType, Result extends z.ZodType>
  extends Described<Path> {
  body: Body;
  /** Bytes. */
  bodyLimit?: number;
  /** Whether `Idempotency-Key` is heeded. */
  idempotent?: boolean;
  /** Whether what is sent holds what was said, which may have to be anonymized. */
  storesContent?: boolean;
  result: Result;
}

/** A `POST` that takes JSON from a holder of a tracer token: what all of them have in common, said once. */
export function postRoute<Path extends string, Body extends z.ZodType, Result extends z.ZodType>(
  route: PostRoute<Path, Body, Result>,
) {
  const { idempotent = false, body, result } = route;
  return createRoute({
    method: "post",
    ...described(route),
    middleware: [
      ...counted(route.bucket),
      limitBody(route.bodyLimit ?? BODY_LIMIT.single),
      ...(idempotent ? [idempotency] : []),
    ],
    parameters: [requestId, ...(idempotent ? [idempotencyKey] : [])],
    request: { body: { required: true, content: { "application/json": { schema: body } } } },
    responses: {
      200: answered(route.summary, result, idempotent ? responseHeaders.idempotent : responseHeaders.limited),
      ...refusals,
      413: refused("The body is too large.", ["invalid_payload"]),
      415: refused("The body is not sent as JSON.", ["invalid_payload"]),
      ...(route.storesContent ? { 500: notStored } : {}),
      ...(idempotent
        ? { 422: refused("The idempotency key was used for another request.", ["idempotency_key_conflict"]) }
        : {}),
    },
  });
}

/**
 * The same for a `POST` that answers 201 when it has made something, and 409 when that is there already: with what
 * `conflict` says beside the envelope.
 */
export function registerRoute<Path extends string, Body extends z.ZodType, Result extends z.ZodType>(
  route: Omit<PostRoute<Path, Body, Result>, "idempotent"> & { conflict: z.ZodRawShape },
) {
  const { responses, ...post } = postRoute(route);
  const { 200: _, ...others } = responses;
  return createRoute({
    ...post,
    responses: {
      201: answered(route.summary, route.result, responseHeaders.limited),
      ...others,
      409: withMembers(
        refused("It is there already.", ["namespace_taken", "namespace_too_similar"]),
        route.conflict,
      ),
    },
  });
}

/** The same for a `PUT`, which tells all `issues` of its body, and 409 when what it would replace has changed. */
export function putRoute<Path extends string, Body extends z.ZodType, Result extends z.ZodType>(
  route: Omit<PostRoute<Path, Body, Result>, "idempotent"> & { conflict: z.ZodRawShape },
) {
  const { responses, ...post } = postRoute(route);
  return createRoute({
    ...post,
    method: "put" as const,
    responses: {
      ...responses,
      400: withMembers(responses[400], ISSUES),
      409: withMembers(refused("It has changed in the meantime.", ["bad_request"]), route.conflict),
    },
  });
}

/** The same for a `POST` whose answer is a file, as JSON or as CSV. */
export function exportRoute<Path extends string, Body extends z.ZodType, Result extends z.ZodType>(
  route: Omit<PostRoute<Path, Body, Result>, "idempotent">,
) {
  const { responses, ...post } = postRoute(route);
  const { 200: exported, ...others } = responses;
  const csv = { schema: { type: "string" as const, description: "With `format: csv`." } };
  return createRoute({
    ...post,
    responses: {
      200: {
        ...exported,
        headers: responseHeaders.exported,
        content: { ...exported.content, "text/csv": csv },
      },
      ...others,
    },
  });
}

/** All that is wrong with a body, beside the envelope. */
const ISSUES = {
  issues: z
    .array(z.object({ path: z.array(z.union([z.string(), z.int()])), message: z.string() }))
    .optional(),
};

const nothing = z.object({});

/**
 * A `GET` for a holder of a tracer token, with what its path (`params`) and its query string say. Where the path names
 * something, it is 404 when that is not there.
 */
export function getRoute<
  Path extends string,
  Result extends z.ZodType,
  Params extends z.ZodObject = typeof nothing,
  Query extends z.ZodObject = typeof nothing,
>(route: Described<Path> & { params?: Params; query?: Query; result: Result; isFile?: boolean }) {
  const { params, query, result, isFile = false } = route;
  return createRoute({
    method: "get",
    ...described(route),
    middleware: counted(route.bucket),
    parameters: [requestId],
    request: { params: (params ?? nothing) as Params, query: (query ?? nothing) as Query },
    responses: {
      200: answered(route.summary, result, isFile ? responseHeaders.exported : responseHeaders.limited),
      ...refusals,
      ...(params ? { 404: refused("There is no such thing.", ["not_found"]) } : {}),
    },
  });
}

/** The same for a `GET` whose answer has a version: who has it already is told so, without a body. */
export function versionedRoute<
  Path extends string,
  Result extends z.ZodType,
  Params extends z.ZodObject = typeof nothing,
  Query extends z.ZodObject = typeof nothing,
>(route: Described<Path> & { params?: Params; query?: Query; result: Result }) {
  const { responses, ...get } = getRoute(route);
  const headers = responseHeaders.versioned;
  return createRoute({
    ...get,
    parameters: [requestId, ifNoneMatch],
    responses: {
      ...responses,
      200: answered(route.summary, route.result, headers),
      304: { description: "What `If-None-Match` names is still so.", headers },
    },
  });
}

/** The same for a `DELETE`. */
export function deleteRoute<Path extends string, Result extends z.ZodType, Params extends z.ZodObject>(
  route: Described<Path> & { params: Params; result: Result },
) {
  return createRoute({ ...getRoute(route), method: "delete" as const });
}

/** The same where one request may not be enough: 202 says that there is more, and 200 that it is all done, also where nothing was. */
export function eraseRoute<Path extends string, Result extends z.ZodType, Params extends z.ZodObject>(
  route: Described<Path> & { params: Params; result: Result },
) {
  const { responses, ...erase } = deleteRoute(route);
  const { 404: _, ...others } = responses as typeof responses & { 404?: unknown };
  const { 200: done } = responses;
  return createRoute({
    ...erase,
    responses: { ...others, 202: { ...done, description: "There is more: send the request again." } },
  });
}

export const requestId = { $ref: "#/components/parameters/RequestIdHeader" };
const ifNoneMatch = { $ref: "#/components/parameters/IfNoneMatchHeader" };
const idempotencyKey = { $ref: "#/components/parameters/IdempotencyKeyHeader" };

/** What every limited route can be refused with. */
export const refusals = {
  400: refused("A field is missing or invalid, or the body is not JSON.", [
    "missing_field",
    "invalid_payload",
    "bad_request",
  ]),
  401: refused(
    "The tracer token is missing, unknown, expired or revoked.",
    ["missing_token", "invalid_token", "token_expired", "token_inactive", "unauthorized"],
    responseHeaders.unauthorized,
  ),
  403: refused("The tracer token may not use this namespace.", ["forbidden"]),
  429: refused(
    "The limit of the bucket is used up for this minute.",
    ["rate_limit_exceeded"],
    responseHeaders.exceeded,
  ),
  500: refused("Something went wrong on the server.", ["internal_error", "encryption_error"]),
  503: refused("The database is out of order.", ["internal_error"], responseHeaders.outage),
};

const notStored = refused("Something went wrong on the server, and nothing was stored.", [
  "internal_error",
  "anonymization_error",
  "encryption_error",
]);

export function described<Path extends string>(route: Described<Path>) {
  const { path, tag, operationId, summary, description, bucket } = route;
  return {
    path,
    tags: [tag],
    operationId,
    summary,
    description,
    security: EITHER_SCHEME,
    "x-rate-limit-bucket": bucket,
  };
}

export function counted(bucket: Bucket) {
  return [credentials(bucket), limitHeaders];
}

export type Headers = Record<string, { $ref: string }>;

function answered<Result extends z.ZodType>(description: string, schema: Result, headers: Headers) {
  return { description, headers, content: { "application/json": { schema } } };
}

export function refused(description: string, codes: ErrorCode[], headers: Headers = responseHeaders.limited) {
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return { description, headers, content: { "application/json": { schema: ErrorEnvelope, examples } } };
}

/** A refusal with what its endpoint says beside the envelope. */
function withMembers(refusal: ReturnType<typeof refused>, members: z.ZodRawShape) {
  const { examples } = refusal.content["application/json"];
  const schema = ErrorEnvelope.extend(members);
  return { ...refusal, content: { "application/json": { schema, examples } } };
}
