const DEBUG_UP_TO = 8;
const INFO_UP_TO = 12;
const WARN_UP_TO = 16;

/** What severities are called, as far as they are written out. */
const LEVELS = new Map([
  ["trace", "debug"],
  ["debug", "debug"],
  ["warn", "warn"],
  ["warning", "warn"],
  ["error", "error"],
  ["err", "error"],
  ["critical", "error"],
  ["fatal", "error"],
  ["alert", "error"],
  ["emergency", "error"],
]);

/** A log entry's level: from the number of its severity, else from the text; `info` where neither tells one. */
export function levelOf(severityNumber: number, severityText: string): string {
  if (severityNumber < 1) return LEVELS.get(severityText.toLowerCase()) ?? "info";
  if (severityNumber <= DEBUG_UP_TO) return "debug";
  if (severityNumber <= INFO_UP_TO) return "info";
  return severityNumber <= WARN_UP_TO ? "warn" : "error";
}
