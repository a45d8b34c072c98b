import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { OtlpForm } from "../domain/otlp/wire.ts";
import { BODY_LIMIT, limitBody } from "../middleware/body-limit.ts";
import { CONTENT_TYPE, otlpBody, otlpForm } from "../middleware/otlp-body.ts";
import { responseHeaders } from "../schemas/headers.ts";
import { counted, type Described, described, type Headers, requestId } from "./api-route.ts";

interface OtlpRoute<Path extends string, Result extends z.ZodType>
  extends Omit<Described<Path>, "tag" | "bucket"> {
  forms: OtlpForm[];
  /** What the document says of the body in JSON. It is read by hand. */
  body: { type: "object"; [keyword: string]: unknown };
  result: Result;
}

const Status = z
  .object({
    code: z.int().openapi({ description: "gRPC's code for the status, as 3 for 400." }),
    message: z.string().openapi({ description: "For people. Wording may change." }),
  })
  .openapi("Status", { description: "google.rpc.Status: how OTLP says what went wrong." });

/** A `POST` that takes what clients of OpenTelemetry send, and answers in the form that it came in. */
export function otlpRoute<Path extends string, Result extends z.ZodType>(route: OtlpRoute<Path, Result>) {
  const { forms, body, result } = route;
  const refused = (description: string, headers: Headers = responseHeaders.limited) => ({
    description,
    headers,
    content: inForms(forms, Status),
  });
  return createRoute({
    method: "post",
    ...described({ ...route, tag: "OpenTelemetry", bucket: "otlp" }),
    middleware: [otlpForm, ...counted("otlp"), limitBody(BODY_LIMIT.bulk), otlpBody(forms)],
    parameters: [requestId, contentEncoding],
    request: { body: { required: true, content: inForms(forms, body) } },
    responses: {
      200: {
        description: "Stored, but for what `partialSuccess` tells.",
        headers: responseHeaders.limited,
        content: inForms(forms, result),
      },
      400: refused("The body cannot be read."),
      401: refused("The tracer token is missing, unknown, expired or revoked.", responseHeaders.unauthorized),
      403: refused("The tracer token may not do this."),
      413: refused("The body is larger than 10 MiB, or than 20 MiB when it is inflated."),
      415: refused("The body is in another form, or compressed in another way."),
      429: refused("The limit is used up. It refills by the second.", responseHeaders.exceeded),
      503: refused("Something went wrong on our side. Send it again.", responseHeaders.outage),
    },
  });
}

const contentEncoding = {
  name: "Content-Encoding",
  in: "header" as const,
  required: false,
  schema: { type: "string" as const, enum: ["gzip", "identity"] },
  description: "How the body is compressed, if it is.",
};

const PROTOBUF = { type: "string" as const, contentMediaType: CONTENT_TYPE.protobuf };

function inForms<Schema>(forms: OtlpForm[], schema: Schema) {
  const json = { [CONTENT_TYPE.json]: { schema } };
  return forms.includes("protobuf") ? { ...json, [CONTENT_TYPE.protobuf]: { schema: PROTOBUF } } : json;
}
