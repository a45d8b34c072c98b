import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import * as z from "zod";
import { logSteps } from "../domain/otlp/log-records.ts";
import { ingestSteps } from "../domain/otlp/openai-agents.ts";
import { spanSteps } from "../domain/otlp/spans.ts";
import type { OtlpSteps } from "../domain/otlp/step.ts";
import { parseBody, readLogs, readTraces, writeAnswer } from "../domain/otlp/wire.ts";
import { ApiError } from "../errors.ts";
import { otlpRoute } from "../http/otlp-route.ts";
import { CONTENT_TYPE, otlpForm } from "../middleware/otlp-body.ts";
import type { AppEnv } from "../services.ts";
import type { Refusal } from "../store/steps.ts";

const rejected = () =>
  z.string().openapi({ description: "How many. A 64-bit number, which is a text in JSON.", example: "1" });
const errorMessage = z.string().openapi({ description: "Why: the first few reasons." });

const ExportTraceResult = z
  .object({ partialSuccess: z.object({ rejectedSpans: rejected(), errorMessage }).optional() })
  .openapi("ExportTraceServiceResponse");

const ExportLogsResult = z
  .object({ partialSuccess: z.object({ rejectedLogRecords: rejected(), errorMessage }).optional() })
  .openapi("ExportLogsServiceResponse");

const ANY_OBJECTS = { type: "array", items: { type: "object" } };

const sendSpans = otlpRoute({
  path: "/traces",
  operationId: "sendSpans",
  summary: "Spans of OpenTelemetry",
  description:
    "OTLP's ExportTraceServiceRequest. An exporter sends it by itself: set `OTEL_EXPORTER_OTLP_ENDPOINT` to this API's address " +
    "without `/v1`, and `OTEL_EXPORTER_OTLP_HEADERS` to `Authorization=Bearer%20tk_...`. Model calls, tool calls and agents are " +
    "known by the attributes of OpenTelemetry's GenAI conventions, the Vercel AI SDK, Langfuse, OpenLLMetry, OpenInference and " +
    "others; all other spans are kept as they are. A span that is sent again is stored once. The trace's id is OpenTelemetry's.",
  forms: ["json", "protobuf"],
  body: {
    type: "object",
    description: "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest in OTLP's JSON.",
    properties: { resourceSpans: ANY_OBJECTS },
  },
  result: ExportTraceResult,
});

const sendLogRecords = otlpRoute({
  path: "/logs",
  operationId: "sendLogRecords",
  summary: "Log records of OpenTelemetry",
  description:
    "OTLP's ExportLogsServiceRequest, sent as spans are: by the same two variables. Records become log entries; events that tell " +
    "of a model's messages become the input and output of the call that they belong to, and what coding agents log of their calls " +
    "becomes LLM and tool calls. A record that is sent again is stored once.",
  forms: ["json", "protobuf"],
  body: {
    type: "object",
    description: "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest in OTLP's JSON.",
    properties: { resourceLogs: ANY_OBJECTS },
  },
  result: ExportLogsResult,
});

const ingestTraces = otlpRoute({
  path: "/traces/ingest",
  operationId: "ingestTraces",
  summary: "Traces of the OpenAI Agents SDK",
  description:
    "What the SDK's own exporter sends: give it this address as its `endpoint` and the tracer token as its `apiKey`. Items are " +
    "traces (`object: trace`) and spans (`object: trace.span`). One that is sent again is stored once.",
  forms: ["json"],
  body: { type: "object", required: ["data"], properties: { data: ANY_OBJECTS } },
  result: ExportTraceResult,
});

const NO_METRICS =
  "Metrics are not taken, traces and logs are. Set OTEL_METRICS_EXPORTER=none to switch metrics off.";

export function otlpRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(sendSpans, (c) => {
    const { bytes, form } = c.var.otlpBody;
    return stored(c, "traces", spanSteps(readTraces(bytes, form)));
  });

  app.openapi(sendLogRecords, (c) => {
    const { bytes, form } = c.var.otlpBody;
    return stored(c, "logs", logSteps(readLogs(bytes, form)));
  });

  app.openapi(ingestTraces, (c) => stored(c, "traces", ingestSteps(parseBody(c.var.otlpBody.bytes))));

  app.all("/metrics", otlpForm, () => {
    throw new ApiError("not_found", NO_METRICS);
  });
}

/** Single steps that cannot be stored are told of, and nobody sends them again. */
async function stored(c: Context<AppEnv>, signal: "traces" | "logs", sent: OtlpSteps) {
  const refused = await c.var.store.storeOtlp(sent.steps);
  const { form } = c.var.otlpBody;
  const answer = writeAnswer(form, signal, partialOf(sent, refused));
  return c.body(answer, 200, { "Content-Type": CONTENT_TYPE[form] });
}

/** More reasons than these help nobody. */
const MOST_REASONS = 5;

function partialOf({ rejected, reasons }: OtlpSteps, refused: Refusal[]) {
  const number = rejected + refused.length;
  if (number === 0) return undefined;
  const all = new Set([...reasons, ...refused.map(({ message }) => message)]);
  return { rejected: number, message: [...all].slice(0, MOST_REASONS).join(" ") };
}
