import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { isObject } from "../domain/json.ts";
import { deleteRoute, postRoute, versionedRoute } from "../http/api-route.ts";
import { knownVersions, versioned } from "../http/versioned-response.ts";
import { BODY_LIMIT } from "../middleware/body-limit.ts";
import { methodNotAllowed } from "../middleware/refusals.ts";
import { validationError } from "../middleware/validation.ts";
import { batchAnswer, batchResponse, batchResult } from "../schemas/batches.ts";
import {
  dates,
  fromUrl,
  inQuery,
  MEASURED,
  namespaceName,
  nextCursor,
  nullsAbsent,
  requestBody,
  schemaRef,
  sessionId,
  timestamp,
  traceId,
} from "../schemas/common.ts";
import { filters } from "../schemas/filters.ts";
import type { AppEnv } from "../services.ts";
import type { TriedScore } from "../store/scores.ts";

const TARGETS = ["trace_id", "session_id", "step_id"] as const;

const stepId = () => z.uuid().toLowerCase();
const scoreName = () => z.string().min(1, MEASURED).max(128, MEASURED);
const source = () =>
  z.enum(["human", "llm", "code"]).openapi({ description: "Who says so: a person, a model or a program." });
const value = z.union([z.number(), z.boolean(), z.string().max(1000, MEASURED)], {
  error: "must be a number, true or false, or a text of up to 1,000 characters",
});

const target = {
  trace_id: traceId.optional(),
  session_id: sessionId.optional(),
  step_id: stepId().optional(),
};

const NewScore = z
  .object({
    ...target,
    namespace: namespaceName.optional().openapi({
      description: "Not told, it is the one of what the score is about, as it is known now, else `default`.",
    }),
    name: scoreName(),
    value,
    comment: z.string().max(10_000, MEASURED).optional(),
    source: source().optional(),
    created_at: timestamp().optional().openapi({ description: "Not told, it is now." }),
  })
  .superRefine((score, context) => {
    const [named, other] = TARGETS.filter((name) => score[name] !== undefined);
    if (named === undefined) {
      const message = "is required where there is no session_id and no step_id";
      context.addIssue({ code: "custom", path: ["trace_id"], message });
    }
    if (other !== undefined) {
      const message = `cannot be combined with ${named}: a score is about one thing`;
      context.addIssue({ code: "custom", path: [other], message });
    }
  });

const ScoreRequest = requestBody(NewScore).openapi("ScoreRequest");

const Score = z
  .object({
    id: z.uuid(),
    namespace: z.string(),
    ...target,
    name: scoreName(),
    value: z
      .union([z.number(), z.boolean(), z.string(), z.null()])
      .openapi({ description: "Null where it was a text that was taken away." }),
    comment: z.string().optional(),
    source: source().optional(),
    created_at: z.string().openapi({ format: "date-time" }),
  })
  .openapi("Score");

const createScore = postRoute({
  path: "/scores",
  tag: "Scores",
  storesContent: true,
  operationId: "createScore",
  summary: "Say how good a trace, a session or a step was",
  description:
    "About exactly one of `trace_id`, `session_id` and `step_id`, which need not be there yet. The comment and a `value` that " +
    "is a text are content: they are anonymized, answered as they are stored, and taken away with the content of the trace " +
    "(`DELETE /traces/{trace_id}/content`). A token that is bound to namespaces must be one for the score's namespace, and " +
    "for the one of what it is about.",
  bucket: "traces",
  idempotent: true,
  body: ScoreRequest,
  result: Score,
});

const ScoreBatchRequest = z.object({
  scores: z
    .array(
      z.custom(isObject, "must be a JSON object").openapi({ type: "object", ...schemaRef("ScoreRequest") }),
    )
    .min(1, MEASURED)
    .max(100, MEASURED),
});

const createScores = postRoute({
  path: "/scores/batch",
  tag: "Scores",
  storesContent: true,
  operationId: "createScores",
  summary: "Up to 100 scores",
  description:
    "Each item has the body of `POST /scores`. Answers 200 when the batch itself is well-formed: items that cannot be " +
    "stored are reported in `results`, and the others are all stored.",
  bucket: "traces_batch",
  idempotent: true,
  bodyLimit: BODY_LIMIT.bulk,
  body: nullsAbsent(ScoreBatchRequest).openapi("ScoreBatchRequest"),
  result: batchResponse(
    z.object(batchResult("scores", Score, "what `POST /scores` answers.")).openapi("ScoreBatchResultItem"),
  ).openapi("ScoreBatchResponse"),
});

const listScores = versionedRoute({
  path: "/scores",
  tag: "Scores",
  operationId: "listScores",
  summary: "List scores",
  description: "Newest first, of all namespaces that the token may use.",
  bucket: "view",
  query: filters({
    trace_id: inQuery(target.trace_id),
    session_id: inQuery(fromUrl(sessionId).optional()),
    step_id: inQuery(target.step_id),
    name: inQuery(fromUrl(scoreName()).optional()),
    source: inQuery(source().optional()),
    namespace: inQuery(fromUrl(namespaceName).optional()),
    start_date: inQuery(dates.start_date),
    end_date: inQuery(dates.end_date),
    limit: inQuery(z.coerce.number().int().min(1).max(1000).default(50)),
    cursor: inQuery(z.string().max(512, MEASURED).optional()).openapi({
      description: "The `next_cursor` of the page before.",
    }),
  }),
  result: z.object({ scores: z.array(Score), next_cursor: nextCursor }).openapi("ScoreList"),
});

const deleteScore = deleteRoute({
  path: "/scores/{score_id}",
  tag: "Scores",
  operationId: "deleteScore",
  summary: "Delete a score",
  description: "Answers the score that is gone.",
  bucket: "query",
  params: z.object({
    score_id: z.uuid().openapi({
      param: { name: "score_id", in: "path", description: "The `id` of the answer." },
    }),
  }),
  result: Score,
});

export function scoreRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(createScore, async (c) => {
    return c.json(await c.var.store.storeScore(c.req.valid("json"), c.var.idempotency), 200);
  });

  app.openapi(createScores, async (c) => {
    const scores = c.req.valid("json").scores.map(read);
    return c.json(batchAnswer(await c.var.store.storeScores(scores, c.var.idempotency)), 200);
  });

  // `DELETE /scores/batch` is a wrong method, and not a score named batch.
  app.all("/scores/batch", (c) => methodNotAllowed(c, ["POST"]));

  app.openapi(listScores, async (c) => {
    const { version, data } = await c.var.store.listScores(c.req.valid("query"), knownVersions(c));
    return versioned(c, version, data && { scores: data.rows, next_cursor: data.next_cursor });
  });

  app.openapi(deleteScore, async (c) => {
    return c.json(await c.var.store.deleteScore(c.req.valid("param").score_id), 200);
  });
}

/** An item that its schema refuses is that item's error, not the request's. */
function read(item: unknown): TriedScore {
  const parsed = ScoreRequest.safeParse(item);
  return parsed.success ? parsed.data : { refusal: validationError(parsed.error.issues, item) };
}
