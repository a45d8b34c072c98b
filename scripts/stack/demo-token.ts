import { createHmac } from "node:crypto";

/** The demo tenant's token, unless MONKAI_TRACER_TOKEN is another. Stable across restarts and different on every machine, without being stored anywhere. */
export function demoToken(serviceKey: string): string {
  return `tk_${createHmac("sha256", serviceKey).update("demo tracer token").digest("hex").slice(0, 48)}`;
}
