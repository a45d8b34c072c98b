import { it } from "vitest";
import { runClient, otelVariables } from "../support/run-client.ts";
import { writeFileSync } from "node:fs";

const V: Record<string, [((u: string, t: string) => Record<string,string>)?, string[]?]> = {
  "opentelemetry-js": [], "opentelemetry-js-2": [(u,t)=>({...otelVariables(u,t), OTEL_EXPORTER_OTLP_PROTOCOL:"http/json", OTEL_EXPORTER_OTLP_COMPRESSION:"gzip"})],
  "openai-instrumentation": [(u,t)=>({...otelVariables(u,t), OTEL_NODE_RESOURCE_DETECTORS:"none", OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true"}), ["--import","@opentelemetry/auto-instrumentations-node/register"]],
  "vercel-ai-sdk": [], "vercel-ai-sdk-5": [],
  "openai-agents": [(u,t)=>({TRACE_API:u, TRACER_TOKEN:t})],
  "langfuse": [(u,t)=>({LANGFUSE_BASE_URL:u, LANGFUSE_PUBLIC_KEY:"pk-lf-1", LANGFUSE_SECRET_KEY:t})],
  "traceloop": [(u,t)=>({TRACELOOP_BASE_URL:u, TRACELOOP_API_KEY:t, TRACELOOP_TELEMETRY:"false"})],
  "openinference": [],
};
const only = process.env.ONLY?.split(",");
for (const [name, [v, o]] of Object.entries(V)) if (!only || only.includes(name)) it(name, async () => {
  const t0 = Date.now();
  const out: any = {};
  try {
  const ran = await runClient(name, v, o);
  out.ms = Date.now()-t0; out.passed = ran.passed; out.stdout = ran.stdout; out.stderr = ran.stderr;
  out.traces = (await ran.client.get("/v1/traces?limit=100")).body.data;
  const ns = [...new Set(out.traces.map((t: any)=>t.namespace))];
  for (const n of ns) { out["records "+n] = (await ran.client.post("/v1/record_query", {namespace:n, query:{limit:100}})).body; out["logs "+n] = (await ran.client.post("/v1/logs/query", {namespace:n, limit:100})).body; }
  for (const t of out.traces.filter((t:any)=>!t.parent_trace_id)) out["tree "+t.id] = (await ran.client.get(`/v1/traces/${t.id}/tree`)).body;
  } catch (e) { out.error = String(e); throw e } finally { writeFileSync(`/tmp/cl-try/${name}.json`, JSON.stringify(out,null,1)); }
});
