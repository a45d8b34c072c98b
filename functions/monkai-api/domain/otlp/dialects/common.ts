import type { Dialect } from "./dialect.ts";

/** What all have in common. The order of sessions is that of trust: an application's own word comes first. */
export const common: Dialect = {
  names: {
    namespace: ["monkai.namespace"],
    session: [
      "session.id",
      "langfuse.session.id",
      "gen_ai.conversation.id",
      "traceloop.association.properties.session_id",
      "ai.telemetry.metadata.sessionId",
      "ai.settings.context.sessionId",
      "mastra.metadata.sessionId",
      "langsmith.metadata.session_id",
      "langsmith.metadata.thread_id",
      "metadata.sessionId",
    ],
    user: [
      "user.id",
      "enduser.id",
      "langfuse.user.id",
      "traceloop.association.properties.user_id",
      "ai.telemetry.metadata.userId",
      "ai.settings.context.userId",
      "mastra.metadata.userId",
      "langsmith.metadata.user_id",
      "metadata.userId",
    ],
    errorType: ["error.type"],
  },
};
