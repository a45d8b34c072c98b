import { sendBatch } from "./agents.ts";
import { sessionNames } from "./samples.ts";
import type { Volume } from "./volume.ts";

const BATCHES_PER_SECOND = 10;
const BATCH = 30;

/** Others who write to a tenant all the time, some hundred steps a second in sessions of 50. `stop` ends them. */
export function writeAllTheTime({ stack, token }: Volume): { stop(): Promise<void> } {
  const sender = { token, nextSession: sessionNames(crypto.randomUUID()) };
  const sending = new Set<Promise<void>>();
  let failure: unknown;
  const timer = setInterval(() => {
    const batch = sendBatch(stack.url, sender, BATCH)
      .catch((error) => {
        failure = error;
      })
      .finally(() => sending.delete(batch));
    sending.add(batch);
  }, 1000 / BATCHES_PER_SECOND);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(sending);
      if (failure) throw failure;
    },
  };
}
