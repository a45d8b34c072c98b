import type { Afternoon } from "./afternoon.ts";
import type { ApiClient } from "./client.ts";
import type { Sent } from "./send.ts";

/** What was sent, in a few lines, where to look at it, and what to look for. */
export async function summaryOf({ afternoon, end, wasThere }: Sent, client: ApiClient): Promise<string> {
  const { sessions, steps, failed, scores, logs } = countsOf(afternoon);
  const hasPages = await client.has("/v1/view");
  const at = (fragment: string, path: string) =>
    hasPages ? `${client.url}/v1/view#${fragment}` : `GET ${path}`;
  const { slow, failing } = afternoon.worthALook;
  const until = end.toISOString().slice(0, 16).replace("T", " ");
  return `
An afternoon at the support desk of a travel agency, four hours up to ${until} UTC:
${sessions} sessions with ${steps} steps (${failed} failed) and ${scores} scores; ${logs} log entries of no session; one trace purged.
${wasThere ? "This day's afternoon had been sent before: only what was missing has been added. Tomorrow, there is another one." : "Sent again today, it adds nothing; tomorrow, there is another one beside it."}

Look at it  ${hasPages ? `${client.url}/v1/view` : `${client.url}/v1/docs`}   (the token is the one that \`npm run dev\` prints)

Three questions to find answers to:
1. Why did one answer take 40 seconds?    ${at(`/sessions/${slow}`, `/v1/sessions/${slow}/steps`)}
2. Which tool failed here first, and why? ${at(`/sessions/${failing}`, `/v1/sessions/${failing}/steps`)}
3. Where did the tokens go?               ${at("/usage", "/v1/usage?by=agent,model")}
`;
}

/** `logs`: entries of no session, the one that opens the desk among them. */
function countsOf({ conversations, spans, redacted, scores, logs }: Afternoon) {
  const steps = conversations.flatMap((conversation) => conversation.steps);
  return {
    sessions: conversations.length + 2,
    steps: steps.length + spans.count + redacted.records.length,
    failed: steps.filter(({ status }) => status === "error").length + spans.failed,
    scores: scores.length,
    logs: logs.length + 1,
  };
}
