import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type OtlpForm, writeStatus } from "../domain/otlp/wire.ts";
import type { ApiError } from "../errors.ts";
import { CONTENT_TYPE } from "./otlp-body.ts";

/** gRPC's codes for our statuses. */
const GRPC_CODES: { [Status in ContentfulStatusCode]?: number } = {
  400: 3, // INVALID_ARGUMENT
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 5, // NOT_FOUND
  413: 8, // RESOURCE_EXHAUSTED
  415: 12, // UNIMPLEMENTED
  429: 8,
  503: 14, // UNAVAILABLE
};
const UNKNOWN = 2;

/** Seconds. Exporters give up after ten of them, all in all. */
const RETRY_AFTER = "1";

/**
 * A refusal as google.rpc.Status. Exporters throw away what is answered with 500 and send again what is answered with 503:
 * so that is what our own faults are.
 */
export function otlpRefusal(c: Context, form: OtlpForm, error: ApiError): Response {
  const status = error.status >= 500 ? 503 : error.status;
  if (status === 503) c.header("Retry-After", RETRY_AFTER);
  const written = writeStatus(form, { code: GRPC_CODES[status] ?? UNKNOWN, message: error.message });
  return c.body(written, status, { "Content-Type": CONTENT_TYPE[form] });
}
