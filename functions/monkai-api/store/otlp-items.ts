import type { OtlpStep } from "../domain/otlp/step.ts";
import type { MessageHash } from "./message-hash.ts";

/**
 * Steps as the SQL function `record_steps` takes them. All that was said is in their content, where it is anonymized and can be
 * taken away; of what a log record is known by again, the database gets a hash.
 */
export function otlpItems(steps: OtlpStep[], messageHash: MessageHash): Promise<object[]> {
  return messageHash.hashFingerprints(steps.map((step, index) => ({ index, ...withAllContent(step) })));
}

function withAllContent({ messages_of_call, content, ...step }: OtlpStep) {
  return {
    ...step,
    content: {
      ...(step.user_id === undefined ? {} : { external_user_id: step.user_id }),
      ...content,
      ...(messages_of_call ? { messages_of_call } : {}),
    },
  };
}
