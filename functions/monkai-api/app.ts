import { OpenAPIHono } from "@hono/zod-openapi";
import { methodNotAllowed } from "hono/method-not-allowed";
import { drainBody } from "./middleware/body-limit.ts";
import { crossOrigin } from "./middleware/cross-origin.ts";
import * as refusals from "./middleware/refusals.ts";
import { requestId } from "./middleware/request-id.ts";
import { requestLog } from "./middleware/request-log.ts";
import { refuseInvalid } from "./middleware/validation.ts";
import { routePath } from "./paths.ts";
import { anonymizationRoutes } from "./routes/anonymization.ts";
import { docsRoutes } from "./routes/docs.ts";
import { fileRoutes } from "./routes/files.ts";
import { healthRoutes } from "./routes/health.ts";
import { logRoutes } from "./routes/logs.ts";
import { mcpRoutes } from "./routes/mcp.ts";
import { modelPriceRoutes } from "./routes/model-prices.ts";
import { namespaceRoutes } from "./routes/namespaces.ts";
import { openApiRoutes } from "./routes/openapi.ts";
import { otlpRoutes } from "./routes/otlp.ts";
import { recordRoutes } from "./routes/records.ts";
import { scoreRoutes } from "./routes/scores.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { stepSearchRoutes } from "./routes/step-search.ts";
import { stepRoutes } from "./routes/steps.ts";
import { tokenRoutes } from "./routes/token.ts";
import { traceTreeRoutes } from "./routes/trace-trees.ts";
import { traceRoutes } from "./routes/traces.ts";
import { traceBatchRoutes } from "./routes/traces-batch.ts";
import { usageRoutes } from "./routes/usage.ts";
import { viewRoutes } from "./routes/view.ts";
import type { AppEnv, Services } from "./services.ts";

/** The whole API. Each route adds its own middleware (credentials, limit headers, body limit): see `http/api-route.ts`. */
export function createApp(services: Services): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({
    getPath: routePath,
    defaultHook: refuseInvalid,
  });
  app.onError(refusals.onError);
  app.notFound(refusals.notFound);

  app.use(async (c, next) => {
    c.set("services", services);
    await next();
  });
  app.use(requestId);
  app.use(drainBody);
  app.use(requestLog);
  app.use(crossOrigin);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: refusals.methodNotAllowed }));

  healthRoutes(app); //      GET  /health, /health/ready
  tokenRoutes(app); //       GET  /token
  namespaceRoutes(app); //   POST /namespace/register, GET /namespaces
  sessionRoutes(app); //     POST /sessions/create, /sessions/get-or-create, GET /sessions, /sessions/{session_id}
  traceRoutes(app); //       POST /traces/llm, /traces/tool, /traces/handoff, /traces/log
  traceBatchRoutes(app); //  POST /traces/batch
  otlpRoutes(app); //        POST /traces, /logs (OpenTelemetry), /traces/ingest (OpenAI Agents)
  traceTreeRoutes(app); //   GET  /traces, /traces/{trace_id}, /traces/{trace_id}/tree, DELETE /traces/{trace_id}/content
  stepRoutes(app); //        GET  /traces/{trace_id}/steps, /sessions/{session_id}/steps, /steps
  stepSearchRoutes(app); //  POST /steps/query
  fileRoutes(app); //        GET  /files/{file_id}, /files/{file_id}/download
  recordRoutes(app); //      POST /records/upload, /record_query, /records/export
  logRoutes(app); //         POST /logs/upload, /logs/query, /logs/export
  scoreRoutes(app); //       POST /scores, /scores/batch, GET /scores, DELETE /scores/{score_id}
  usageRoutes(app); //       GET  /usage, /facets
  anonymizationRoutes(app); // GET, PUT /anonymization-rules
  modelPriceRoutes(app); //  GET, PUT /model-prices
  mcpRoutes(app); //         POST /mcp
  openApiRoutes(app); //     GET  /openapi.json, /openapi.yaml
  docsRoutes(app); //        GET  /docs
  viewRoutes(app); //        GET  /view, /
  return app;
}
