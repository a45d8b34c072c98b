import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { postRoute } from "../http/api-route.ts";
import { BODY_LIMIT } from "../middleware/body-limit.ts";
import { validationError } from "../middleware/validation.ts";
import { batchAnswer, batchResponse, batchResult } from "../schemas/batches.ts";
import { MEASURED, nullsAbsent, schemaRef } from "../schemas/common.ts";
import type { AppEnv } from "../services.ts";
import type { TriedStep } from "../store/steps.ts";
import { TRACED_KINDS } from "./traces.ts";

type Kind = keyof typeof TRACED_KINDS;

const KINDS = Object.keys(TRACED_KINDS) as [Kind, ...Kind[]];
const ITEMS = Object.entries(TRACED_KINDS).map(
  ([
    kind,
    {
      item: [name, shape],
    },
  ]) => ({ kind, name, shape }),
);

/** What the batch itself insists on is the type alone; the documentation says the whole. */
const BatchTraceItem = z.looseObject({ type: z.enum(KINDS) }).openapi("BatchTraceItem", {
  discriminator: {
    propertyName: "type",
    mapping: Object.fromEntries(ITEMS.map(({ kind, name }) => [kind, schemaRef(name).$ref])),
  },
  oneOf: ITEMS.map(({ name }) => schemaRef(name)),
});

const BatchTraceRequest = z.object({ traces: z.array(BatchTraceItem).min(1, MEASURED).max(100, MEASURED) });

const { index, status, ...outcome } = batchResult(
  "traces",
  z.union(Object.values(TRACED_KINDS).map(({ answer }) => answer)),
  "what the endpoint of that type answers.",
);
const BatchTraceResultItem = z
  .object({ index, type: z.enum(KINDS), status, ...outcome })
  .openapi("BatchTraceResultItem");

const BatchTraceResponse = batchResponse(BatchTraceResultItem).openapi("BatchTraceResponse");

const traceBatch = postRoute({
  path: "/traces/batch",
  tag: "Traces",
  storesContent: true,
  operationId: "traceBatch",
  summary: "Up to 100 traces of mixed types",
  description:
    "Each item has a `type` and the body of that type's own endpoint. Answers 200 when the batch itself is well-formed: " +
    "items that cannot be stored are reported in `results`, and the others are all stored.",
  bucket: "traces_batch",
  idempotent: true,
  bodyLimit: BODY_LIMIT.bulk,
  body: nullsAbsent(BatchTraceRequest).openapi("BatchTraceRequest"),
  result: BatchTraceResponse,
});

export function traceBatchRoutes(app: OpenAPIHono<AppEnv>): void {
  for (const { kind, name, shape } of ITEMS) {
    app.openAPIRegistry.register(name, shape.extend({ type: z.literal(kind) }));
  }

  app.openapi(traceBatch, async (c) => {
    const steps = c.req.valid("json").traces.map((item) => read(item.type, item));
    const results = await c.var.store.storeSteps(steps, c.var.idempotency);
    return c.json(batchAnswer(results) as z.infer<typeof BatchTraceResponse>, 200);
  });
}

/** An item that its schema refuses is that item's error, not the request's. */
function read(kind: Kind, item: unknown): TriedStep {
  const { body, toStep } = TRACED_KINDS[kind];
  const parsed = body.safeParse(item);
  if (parsed.success) return toStep(parsed.data);
  return { kind, refusal: validationError(parsed.error.issues, item) };
}
