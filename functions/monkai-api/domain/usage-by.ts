/** What rows of usage are by. */
export const USAGE_BY = ["day", "hour", "namespace", "agent", "model", "tool", "user"] as const;
export type UsageBy = (typeof USAGE_BY)[number];
