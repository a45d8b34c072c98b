import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { withoutNulls } from "../domain/json.ts";
import { postRoute, versionedRoute } from "../http/api-route.ts";
import { knownVersions, versioned } from "../http/versioned-response.ts";
import { methodNotAllowed } from "../middleware/refusals.ts";
import {
  agentName,
  count,
  dates,
  freeForm,
  fromUrl,
  inQuery,
  MEASURED,
  namespaceName,
  nextCursor,
  requestBody,
  sessionId,
  userId,
} from "../schemas/common.ts";
import { Cost, ScoreFigures, tokenFigures } from "../schemas/figures.ts";
import { filters } from "../schemas/filters.ts";
import type { AppEnv } from "../services.ts";
import type { SessionRow } from "../store/sessions.ts";

const inactivityTimeout = () =>
  z.int().min(1).max(2_147_483_647).default(120).openapi({
    description: "Seconds without a trace, log or record after which the session is over.",
  });

const SessionCreateRequest = z.object({
  namespace: namespaceName,
  user_id: userId.optional().openapi({ description: "External user identifier; part of the session id." }),
  inactivity_timeout: inactivityTimeout(),
  metadata: freeForm.optional(),
});

const SessionGetOrCreateRequest = z.object({
  namespace: namespaceName,
  user_id: userId,
  inactivity_timeout: inactivityTimeout(),
  metadata: freeForm.optional().openapi({ description: "Kept when a new session is created." }),
  force_new: z.boolean().default(false).openapi({ description: "Create a session even if one is active." }),
});

const Session = z
  .object({
    session_id: sessionId,
    namespace: namespaceName,
    user_id: userId.optional(),
    inactivity_timeout: z.int(),
    created_at: z.iso.datetime(),
    metadata: freeForm,
  })
  .openapi("Session");

const SessionGetOrCreateResponse = Session.extend({
  reused: z
    .boolean()
    .openapi({ description: "True if an active session was found, false if one was created." }),
}).openapi("SessionGetOrCreateResponse");

const createSession = postRoute({
  path: "/sessions/create",
  tag: "Sessions",
  operationId: "createSession",
  summary: "Create a new session",
  description: "A fresh session, whatever was active before.",
  bucket: "sessions",
  body: requestBody(SessionCreateRequest).openapi("SessionCreateRequest"),
  result: Session,
});

const getOrCreateSession = postRoute({
  path: "/sessions/get-or-create",
  tag: "Sessions",
  operationId: "getOrCreateSession",
  summary: "Get the active session of a user, or create one",
  description:
    "The most recent session of `(namespace, user_id)` if anything was traced in it within the last " +
    "`inactivity_timeout` seconds, else a new one. A session that is found keeps the timeout it was created with.",
  bucket: "sessions",
  body: requestBody(SessionGetOrCreateRequest).openapi("SessionGetOrCreateRequest"),
  result: SessionGetOrCreateResponse,
});

const ListedSession = z
  .object({
    session_id: z.string(),
    namespace: z.string(),
    user_id: z
      .string()
      .nullable()
      .openapi({ description: "Whose session it is, else a user whom its steps tell." }),
    created_at: z.string().openapi({ format: "date-time" }),
    last_activity_at: z.string().openapi({
      format: "date-time",
      description: "When the last of its steps was over; without steps, when it was created.",
    }),
    active: z.boolean().openapi({ description: "Whether that is within its `inactivity_timeout`." }),
    agents: z.array(z.string()),
    models: z.array(z.string()),
    trace_count: count,
    step_count: count.openapi({ description: "As many as `GET /sessions/{session_id}/steps` lists." }),
    error_count: count.openapi({ description: "Those of them whose status is `error`." }),
    ...tokenFigures,
    cost: Cost,
    duration_ms: count.nullable().openapi({
      description: "From when its first step began until its last one was over. Null: it has no steps.",
    }),
    first_message: z.string().nullable().openapi({ description: "Its beginning, in one line." }),
    last_message: z.string().nullable(),
    scores: ScoreFigures.openapi({ description: "Of the session, its traces and its steps." }),
  })
  .openapi("ListedSession");

const WholeSession = ListedSession.extend({
  namespaces: z
    .array(z.string())
    .openapi({ description: "Those that the token may use, and it has steps in." }),
  root_trace_ids: z.array(z.string()).openapi({ description: "In order of creation." }),
  metadata: freeForm,
}).openapi("WholeSession");

const listSessions = versionedRoute({
  path: "/sessions",
  tag: "Usage",
  operationId: "listSessions",
  summary: "List sessions with their figures",
  description:
    "The latest activity first. A session with steps in several namespaces is in the list once for each of them, with " +
    "the figures of what is there. One that becomes active while you page is at the top again, and on no later page.",
  bucket: "view",
  query: filters({
    namespace: inQuery(fromUrl(namespaceName).optional()),
    status: inQuery(z.enum(["ok", "error"]).optional()).openapi({
      description: "`error`: a step has failed. `ok`: none has.",
    }),
    agent: inQuery(fromUrl(agentName).optional()),
    model: inQuery(fromUrl(z.string()).optional()),
    user_id: inQuery(fromUrl(userId).optional()),
    text: inQuery(fromUrl(z.string().max(200, MEASURED)).optional()).openapi({
      description:
        "Something that was said in it, in the last 7 days unless there is a `start_date`: see `POST /steps/query`. It looks at the newest 10,000 steps.",
    }),
    start_date: inQuery(dates.start_date).openapi({ description: "Of its last activity." }),
    end_date: inQuery(dates.end_date),
    limit: inQuery(z.coerce.number().int().min(1).max(200).default(50)).openapi({
      type: "integer",
      minimum: 1,
      maximum: 200,
      default: 50,
    }),
    cursor: inQuery(z.string().max(2048, MEASURED).optional()).openapi({
      description: "The `next_cursor` of the page before.",
    }),
  }),
  result: z
    .object({
      sessions: z.array(ListedSession),
      count: count.openapi({ description: "Of all pages, as of the first one." }),
      count_is_at_least: z.literal(true).optional().openapi({
        description:
          "There are more: of sessions that are filtered by more than their namespace, 500 are counted.",
      }),
      next_cursor: nextCursor,
    })
    .openapi("SessionList"),
});

const getSession = versionedRoute({
  path: "/sessions/{session_id}",
  tag: "Usage",
  operationId: "getSession",
  summary: "Get a session with its figures",
  description: "Of all that it has in the namespaces that the token may use.",
  bucket: "view",
  params: z.object({
    session_id: fromUrl(z.string()).openapi({ param: { name: "session_id", in: "path" } }),
  }),
  query: filters({
    namespace: inQuery(fromUrl(namespaceName).optional()).openapi({
      description: "Only what it has in this one.",
    }),
  }),
  result: WholeSession,
});

export function sessionRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(createSession, async (c) => {
    const session = await c.var.store.createSession(c.req.valid("json"));
    return c.json(toSession(session), 200);
  });

  app.openapi(getOrCreateSession, async (c) => {
    const session = await c.var.store.getOrCreateSession(c.req.valid("json"));
    return c.json({ ...toSession(session), reused: session.reused }, 200);
  });

  // `GET /sessions/create` is a wrong method, and not a session of that name.
  for (const name of ["create", "get-or-create"]) {
    app.all(`/sessions/${name}`, (c) => methodNotAllowed(c, ["POST"]));
  }

  app.openapi(listSessions, async (c) => {
    const { version, data } = await c.var.store.listSessions(c.req.valid("query"), knownVersions(c));
    if (!data) return versioned(c, version, data);
    const { rows, ...page } = data;
    return versioned(c, version, { sessions: rows, ...page });
  });

  app.openapi(getSession, async (c) => {
    const query = { ...c.req.valid("param"), ...c.req.valid("query") };
    const { version, data } = await c.var.store.getSession(query, knownVersions(c));
    return versioned(c, version, data);
  });
}

function toSession(row: SessionRow): z.infer<typeof Session> {
  return withoutNulls({ ...row, user_id: row.user_id ?? undefined });
}
