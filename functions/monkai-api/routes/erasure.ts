import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { eraseRoute } from "../http/api-route.ts";
import { count, fromUrl } from "../schemas/common.ts";
import type { AppEnv } from "../services.ts";

const Erasure = z
  .object({
    erased: z
      .object({ steps: count, sessions: count, scores: count })
      .openapi({ description: "By this request." }),
    complete: z.boolean().openapi({ description: "False: there is more for the next request." }),
    remaining_steps: count,
  })
  .openapi("Erasure");

const HOW =
  "For good: what was said, and every name and id, in steps, scores, metadata, remembered answers and hashes. What it used stays " +
  "in the figures of `GET /usage`, under nobody's name. What is more than a request erases in about a second is answered with 202: " +
  "send the same request again until it is 200. Again it changes nothing, but for steps that have come since. A token that is bound " +
  "to namespaces erases what is in these. ";

const eraseSession = eraseRoute({
  path: "/sessions/{session_id}",
  tag: "Erasure",
  operationId: "eraseSession",
  summary: "Erase a session",
  description: `${HOW}Steps that arrive for it later begin a new session.`,
  bucket: "query",
  params: z.object({
    session_id: fromUrl(z.string()).openapi({
      param: { name: "session_id", in: "path" },
    }),
  }),
  result: Erasure,
});

const eraseUser = eraseRoute({
  path: "/users/{user_id}",
  tag: "Erasure",
  operationId: "eraseUser",
  summary: "Erase a user",
  description:
    `${HOW}A user is known by \`user_id\` of sessions, by \`external_user_id\` (of records without one, \`user_id\`) and by what spans ` +
    "tell. Sessions of the user, and those in which no other user is told, go whole; of others, the steps of the user alone.",
  bucket: "query",
  params: z.object({
    user_id: fromUrl(z.string()).openapi({ param: { name: "user_id", in: "path" } }),
  }),
  result: Erasure,
});

export function erasureRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(eraseSession, async (c) => {
    const erasure = await c.var.store.eraseSession(c.req.valid("param").session_id);
    return c.json(erasure, erasure.complete ? 200 : 202);
  });

  app.openapi(eraseUser, async (c) => {
    const erasure = await c.var.store.eraseUser(c.req.valid("param").user_id);
    return c.json(erasure, erasure.complete ? 200 : 202);
  });
}
