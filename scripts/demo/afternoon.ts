import type { Conversation, SentScore, SentStep } from "./conversation.ts";
import { AFTERNOON_MINUTES, DESK, Desk, RESEARCH } from "./desk.ts";
import { everydayConversations } from "./everyday.ts";
import { redactedRecords } from "./records.ts";
import { SpanTree } from "./spans.ts";
import { connectionInChinese, emoji, milesInPortuguese, umrahInArabic } from "./stories/languages.ts";
import { fortyMessages, longContext, twoHourGap } from "./stories/long.ts";
import { claimedTree, forgetMe, purgedTraceOf, throughTheHouse, untimed } from "./stories/structure.ts";
import {
  damagedBag,
  doubleCharge,
  hostileText,
  sameSearchThrice,
  slowAnswer,
  unpricedModel,
} from "./stories/trouble.ts";

/** All that is sent of one afternoon. The same end makes the same, to the byte. */
export interface Afternoon {
  /** The earliest first, as they ended. */
  conversations: Conversation[];
  logs: SentStep[];
  spans: SpanTree;
  redacted: ReturnType<typeof redactedRecords>;
  scores: SentScore[];
  purgedTraceId: string;
  /** What the questions that the summary asks are about. */
  worthALook: { slow: string; failing: string };
}

export function afternoonUntil(end: Date): Afternoon {
  const desk = new Desk(end);
  const slow = slowAnswer(desk);
  const failing = doubleCharge(desk);
  const forgotten = forgetMe(desk);
  const told = [
    damagedBag,
    sameSearchThrice,
    unpricedModel,
    hostileText,
    twoHourGap,
    fortyMessages,
    longContext,
  ]
    .concat(
      milesInPortuguese,
      umrahInArabic,
      connectionInChinese,
      emoji,
      claimedTree,
      throughTheHouse,
      untimed,
    )
    .map((story) => story(desk));
  const conversations = [...told, slow, failing, forgotten, ...everydayConversations(desk)];
  conversations.sort((one, other) => one.endsAt - other.endsAt);
  const spans = new SpanTree(desk);
  return {
    conversations,
    logs: logsOfTheDesk(desk),
    spans,
    redacted: redactedRecords(desk),
    scores: [...conversations.flatMap(({ scores }) => scores), scoreOf(spans, desk)],
    purgedTraceId: purgedTraceOf(forgotten.id),
    worthALook: { slow: slow.id, failing: failing.id },
  };
}

function scoreOf({ traceId }: SpanTree, desk: Desk): SentScore {
  const created_at = new Date(desk.before(30)).toISOString();
  return { trace_id: traceId, namespace: RESEARCH, name: "complete", value: 0.82, source: "llm", created_at };
}

/** Entries of no conversation. */
function logsOfTheDesk(desk: Desk): SentStep[] {
  const entries: [minutes: number, level: string, resource_id: string, message: string][] = [
    [AFTERNOON_MINUTES - 1, "debug", "scheduler", "Loaded 4 agents and 19 tools"],
    [212, "info", "deploy", "Instructions of billing, version 31, are live"],
    [144, "warn", "payments", "p95 of payments.aurora.example is 7.8 s, and usually 0.6 s"],
    [139, "error", "payments", "payments.aurora.example: 14 % of requests failed in 5 minutes"],
    [120, "info", "payments", "payments.aurora.example is well again"],
    [1, "info", "desk", "The shift ends"],
  ];
  return entries.map(([minutes, level, resource_id, message]) => {
    const timestamp = new Date(desk.before(minutes)).toISOString();
    return { type: "log", namespace: DESK, level, resource_id, message, timestamp };
  });
}
