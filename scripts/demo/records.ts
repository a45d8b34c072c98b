import type { Desk } from "./desk.ts";
import { DESK } from "./desk.ts";

/** What a client sends that redacts by itself: marks in the place of what was found, and the version of the rules that it had. */
export function redactedRecords(desk: Desk): { sessionId: string; records: object[] } {
  const sessionId = desk.nameOf(64, "redacted-by-the-client");
  const said: [agent: string, role: string, content: string][] = [
    ["triage", "user", "I am Carla, CPF [CPF], [EMAIL], phone [PHONE]. My card [CARD] was refused."],
    ["triage", "assistant", "Thank you, Carla. I look it up by your e-mail [EMAIL]."],
    ["billing", "tool", '{"customer":"[EMAIL]","card":"[CARD]","reason":"expired","ip":"[IP]"}'],
    [
      "billing",
      "assistant",
      "The card [CARD] has expired. A link to enter another one is on its way to [PHONE].",
    ],
    ["billing", "user", "It worked, thanks!"],
  ];
  const records = said.map(([agent, role, content], index) => ({
    namespace: DESK,
    session_id: sessionId,
    agent,
    msg: { role, content, ...(role === "tool" ? { tool_name: "get_customer" } : {}) },
    user_id: "cust-6677",
    external_user_name: "Carla M.",
    external_user_channel: "whatsapp",
    source: "whatsapp-gateway",
    anonymization_version: 1,
    inserted_at: new Date(desk.before(64) + index * 21_000).toISOString(),
  }));
  return { sessionId, records };
}
