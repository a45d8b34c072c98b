import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { withoutNulls } from "../domain/json.ts";
import { postRoute } from "../http/api-route.ts";
import { freeForm, namespaceName, requestBody, sessionId, userId } from "../schemas/common.ts";
import type { AppEnv } from "../services.ts";
import type { SessionRow } from "../store/sessions.ts";

const inactivityTimeout = () =>
  z.int().min(1).max(2_147_483_647).default(120).openapi({
    description: "Seconds without a trace, log or record after which the session is over.",
  });

const SessionCreateRequest = z.object({
  namespace: namespaceName(),
  user_id: userId().optional().openapi({ description: "External user identifier; part of the session id." }),
  inactivity_timeout: inactivityTimeout(),
  metadata: freeForm().optional(),
});

const SessionGetOrCreateRequest = z.object({
  namespace: namespaceName(),
  user_id: userId(),
  inactivity_timeout: inactivityTimeout(),
  metadata: freeForm().optional().openapi({ description: "Kept when a new session is created." }),
  force_new: z.boolean().default(false).openapi({ description: "Create a session even if one is active." }),
});

const Session = z
  .object({
    session_id: sessionId(),
    namespace: namespaceName(),
    user_id: userId().optional(),
    inactivity_timeout: z.int(),
    created_at: z.iso.datetime(),
    metadata: freeForm(),
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

export function sessionRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(createSession, async (c) => {
    const session = await c.var.store.createSession(c.req.valid("json"));
    return c.json(toSession(session), 200);
  });

  app.openapi(getOrCreateSession, async (c) => {
    const session = await c.var.store.getOrCreateSession(c.req.valid("json"));
    return c.json({ ...toSession(session), reused: session.reused }, 200);
  });
}

function toSession(row: SessionRow): z.infer<typeof Session> {
  return withoutNulls({ ...row, user_id: row.user_id ?? undefined });
}
