import type { Context, ErrorHandler, NotFoundHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { getPath } from "hono/utils/url";
import { OtlpError } from "../domain/otlp/wire.ts";
import { ApiError, shortened } from "../errors.ts";
import { speaksSoat } from "../paths.ts";
import type { AppEnv } from "../services.ts";
import { otlpRefusal } from "./otlp-refusal.ts";

/** Seconds. */
const RETRY_AFTER_OUTAGE = 5;

/** Clients of OpenTelemetry have words of their own for what went wrong; everybody else gets the envelope. */
function errorResponse(c: Context<AppEnv>, error: ApiError): Response {
  if (error.status === 401) c.header("WWW-Authenticate", "Bearer");
  const form = c.get("otlpForm");
  return form ? otlpRefusal(c, form, error) : envelope(c, error);
}

/**
 * The structured envelope, `{error: {code, message, request_id}}`, and beside it what the endpoint adds. Under the SOAT
 * contract it is `{error: message, code, request_id}`.
 */
function envelope(c: Context<AppEnv>, error: ApiError): Response {
  if (error.status === 503) c.header("Retry-After", `${RETRY_AFTER_OUTAGE}`);
  const { code, message, context } = error;
  const request_id = c.get("requestId");
  const body = speaksSoat(c.req.raw)
    ? { error: message, code, request_id }
    : { error: { code, message, request_id } };
  return c.json({ ...body, ...context }, error.status);
}

export const onError: ErrorHandler<AppEnv> = (thrown, c) => errorResponse(c, failureOf(thrown, c));

/** What the client is told of something that was thrown. What is our fault goes to the log. */
export function failureOf(thrown: Error, c: Context<AppEnv>): ApiError {
  const error = asApiError(thrown);
  const services = c.get("services");
  const requestId = c.get("requestId");
  if (error.status >= 500) {
    services.log("error", error.message, { request_id: requestId, cause: error.cause });
  }
  return error;
}

export const notFound: NotFoundHandler<AppEnv> = (c) =>
  errorResponse(
    c,
    new ApiError("not_found", `There is nothing at ${pathname(c)}. See /openapi.json for what is.`),
  );

export function methodNotAllowed(c: Context<AppEnv>, methods: string[]): Response {
  c.header("Allow", methods.join(", "));
  const message = `${c.req.method} is not possible at ${pathname(c)}. Use ${methods.join(" or ")}.`;
  return errorResponse(c, new ApiError("bad_request", message, { status: 405 }));
}

function asApiError(thrown: Error): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof OtlpError) return new ApiError("bad_request", shortened(thrown.message));
  if (!(thrown instanceof HTTPException)) {
    return new ApiError("internal_error", "Something went wrong on our side. Please try again.", {
      cause: thrown,
    });
  }
  if (thrown.status === 415) {
    return new ApiError("invalid_payload", "Send the body as JSON, with Content-Type: application/json.", {
      status: 415,
    });
  }
  return new ApiError("bad_request", "The body is not valid JSON.", { cause: thrown });
}

/** The path as the client wrote it, with its prefix. */
function pathname(c: Context<AppEnv>): string {
  return shortened(getPath(c.req.raw));
}
