import "@hono/zod-openapi";
import * as z from "zod";
import { EXTERNAL_USER_CHANNELS } from "../domain/external-user.ts";
import { isObject, type JsonObject } from "../domain/json.ts";
import { findUnstorable } from "../domain/storable.ts";
import { type DayEnd, parseTimestamp } from "../domain/timestamp.ts";

/** Fields whose empty text says as little as null: a step is not lost over an empty name that it need not have. */
const ABSENT_WHEN_EMPTY = new Set([
  "namespace",
  "session_id",
  "agent",
  "user_id",
  "resource_id",
  "from_agent",
  "to_agent",
  "tool_name",
  "trace_id",
  "parent_trace_id",
  "step_id",
  "status",
  "error",
]);

/** Whether a field was as good as not sent. */
export function isAbsent(name: PropertyKey | undefined, value: unknown): boolean {
  return value === undefined || value === null || (value === "" && ABSENT_WHEN_EMPTY.has(String(name)));
}

/** What stands behind `/traces/` in the paths of the trace endpoints. */
export const TRACE_TYPES = new Set(["llm", "tool", "handoff", "log", "batch", "ingest"]);

function withoutAbsent(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name, member]) => !isAbsent(name, member)));
}

/** An object in which null means absent. */
export function nullsAbsent<Shape extends z.ZodType>(shape: Shape) {
  return z.preprocess(withoutAbsent, shape);
}

/** A loose object in which null means absent in the fields that the shape knows. Others are kept as they were sent. */
export function knownNullsAbsent<Shape extends z.ZodObject>(shape: Shape) {
  return z.preprocess((value) => {
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).filter(([name, member]) => member !== null || !(name in shape.shape)),
    );
  }, asSent(shape));
}

/** What `shape` accepts, handed on as it was sent. A loose object of zod's drops the member `__proto__`. */
export function asSent<Shape extends z.ZodType>(shape: Shape) {
  return z.unknown().transform((sent, context) => {
    const { error } = shape.safeParse(sent);
    if (!error) return sent as z.infer<Shape>;
    context.issues.push(...(error.issues as z.core.$ZodRawIssue[]));
    return z.NEVER;
  });
}

/** A request's body: null means absent, and what Postgres could not store is refused, naming where it is. */
export function requestBody<Shape extends z.ZodType>(shape: Shape) {
  return z.preprocess((body, context) => {
    const found = findUnstorable(body);
    if (found) context.addIssue({ code: "custom", path: found.path, message: found.message });
    return withoutAbsent(body);
  }, shape);
}

/** A free-form JSON object. It is handed on as it is: nothing in it is copied, renamed or lost. */
export const freeForm = z
  .custom<JsonObject>(isObject, "must be a JSON object")
  .openapi({ type: "object", additionalProperties: true });

/** Any JSON value, or none. */
export const anyJson = z.unknown().optional().openapi({});

/** A client's timestamp, read as UTC where it names no zone. Gives RFC 3339 in UTC. */
export const timestamp = (bareDay: DayEnd = "start") =>
  z
    .string()
    .transform((text, context) => {
      const parsed = parseTimestamp(text, bareDay);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: "custom", message: "must be a date or time like 2025-12-10T12:34:56.789Z" });
      return z.NEVER;
    })
    .openapi({ type: "string", format: "date-time" });

/**
 * For every check of a length: zod measures whatever has a `length` before it says that this is no text and no list,
 * and throws where that length is an object which no number compares with.
 */
export const MEASURED = {
  abort: false,
  when: ({ value }: { value: unknown }) => typeof value === "string" || Array.isArray(value),
};

export const namespaceName = z.string().min(1, MEASURED).max(128, MEASURED);
export const sessionId = z.string().min(1, MEASURED).max(512, MEASURED);
export const agentName = z.string().min(1, MEASURED).max(256, MEASURED);
export const userId = z.string().min(1, MEASURED).max(256, MEASURED);

export const TRACE_ID_EXAMPLE = "agt_trace_V1StGXR8Z5jdHi6B";
export const SCORE_ID_EXAMPLE = "019b0a7c-3c15-7f2e-8a41-5d3c9e100000";

/** A trace's id that a client made. Those that would be the path of another route are none. */
export const traceId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, _ or -")
  .refine((id) => !TRACE_TYPES.has(id), "must not be the name of a trace endpoint");

export const resourceId = z.string().max(512, MEASURED);
export const logLevel = z.enum(["debug", "info", "warn", "error"]);
export const count = z.int().min(0);

/** A text of a path or a query string, which may stand for any character. */
export function fromUrl<Text extends z.ZodType<string>>(text: Text) {
  return text.refine((value) => !value.includes("\u0000"), "must not contain the character \\u0000");
}

/** An optional member of a query string: an empty one is none. */
export function inQuery<Value extends z.ZodType>(value: Value) {
  return z.preprocess((text) => (text === "" ? undefined : text), value);
}

/** Which page of a query. */
export const paging = {
  limit: z.int().min(1).max(1000).default(100),
  offset: count.default(0),
  cursor: z.string().max(512, MEASURED).optional().openapi({
    description:
      "The `next_cursor` of the page before. Unlike `offset` it stays exact while rows are being inserted.",
  }),
};

/** What a page is counted from: a cursor or an offset. */
export function isOnePage({ offset, cursor }: { offset: number; cursor?: string }): boolean {
  return offset === 0 || cursor === undefined;
}

export const ONE_PAGE = { path: ["offset"], message: "cannot be combined with cursor" };

export const nextCursor = z
  .string()
  .optional()
  .openapi({ description: "Send it as `cursor` for the next page; absent on the last." });

/** Of short names and offsets, Postgres makes something else than people mean: `IST` is not India, `+05:30` is west. */
function isTimeZone(name: string): boolean {
  if (!/^(?:UTC|GMT)$|\//.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** Whose days are meant. */
export const timeZone = () =>
  z
    .string()
    .max(64, MEASURED)
    .default("UTC")
    .refine(isTimeZone, {
      error: "must be the name of a time zone, as America/Recife",
      when: () => true,
    });

/** Beside an empty page. Never an error: clients ask for what is to come, and take an empty page for it. */
export const namespaceWarning = () =>
  z.string().optional().openapi({
    description: "Only where there is no such namespace.",
  });

/** What a page says of its namespace, where that is not there. */
export function warningOf(isKnown: boolean): { warning?: string } {
  if (isKnown) return {};
  return { warning: "There is no namespace of that name yet. GET /namespaces lists those that there are." };
}

/** From and to when, both inclusive. */
export const dates = {
  start_date: timestamp("start").optional(),
  end_date: timestamp("end").optional().openapi({ description: "Inclusive; a bare day is included whole." }),
};

export const exportFormat = () => z.enum(["json", "csv"]).default("json");

/** Who the end user is, as far as the client says. */
export const externalUser = {
  external_user_id: z.string().optional().openapi({
    description: "External user identifier (phone, email, customer id).",
  }),
  external_user_name: z.string().optional(),
  external_user_channel: z
    .string()
    .optional()
    .openapi({
      description:
        "Origin channel. One that is not in the list is stored as `other`, and what was sent in `metadata`.",
      enum: [...EXTERNAL_USER_CHANNELS],
    }),
};

export const anonymizationVersion = {
  anonymization_version: count.optional().openapi({
    description:
      "The version of the tenant's anonymization rules that were applied, by the client or by the server.",
  }),
};

export function schemaRef(name: string) {
  return { $ref: `#/components/schemas/${name}` };
}
