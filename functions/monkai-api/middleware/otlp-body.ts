import type { MiddlewareHandler } from "hono";
import type { OtlpForm } from "../domain/otlp/wire.ts";
import { ApiError } from "../errors.ts";
import type { AppEnv } from "../services.ts";
import { BODY_LIMIT, bodyBroken } from "./body-limit.ts";
import { inflated } from "./inflate.ts";

export const CONTENT_TYPE = { json: "application/json", protobuf: "application/x-protobuf" };

/** First of all: from here on, every answer is in the form of the request. In JSON where that is none of the two. */
export const otlpForm: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set("otlpForm", formOf(c.req.header("Content-Type")) ?? "json");
  await next();
};

/** Reads the body, in one of these forms, plain or gzip. Its length on the wire was limited before. */
export const otlpBody = (forms: OtlpForm[]): MiddlewareHandler<AppEnv> =>
  async function otlpBody(c, next) {
    const form = formOf(c.req.header("Content-Type"));
    if (!form || !forms.includes(form)) {
      const types = forms.map((each) => CONTENT_TYPE[each]).join(" or ");
      throw unsupported(`Send the body with Content-Type: ${types}.`);
    }
    const encoding = (c.req.header("Content-Encoding") ?? "identity").trim().toLowerCase();
    if (encoding !== "identity" && encoding !== "gzip") {
      throw unsupported("Send the body as it is, or with Content-Encoding: gzip.");
    }
    const sent = new Uint8Array(await c.req.raw.arrayBuffer().catch(bodyBroken));
    const bytes = encoding === "gzip" ? await inflated(sent, BODY_LIMIT.inflated) : sent;
    c.set("otlpBody", { form, bytes });
    await next();
  };

function unsupported(message: string): ApiError {
  return new ApiError("invalid_payload", message, { status: 415 });
}

/** Whatever the parameters, as `charset=utf-8`. */
function formOf(contentType = ""): OtlpForm | undefined {
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase();
  if (type === CONTENT_TYPE.json) return "json";
  return type === CONTENT_TYPE.protobuf ? "protobuf" : undefined;
}
