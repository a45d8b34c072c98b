const MICROSECOND = 1000n;
const MILLISECOND = 1_000_000n;

/** Nanoseconds since 1970 as RFC 3339 in UTC with microseconds. 64 bits end in the year 2554. */
export function momentOf(nanoseconds: bigint): string {
  const milliseconds = new Date(Number(nanoseconds / MILLISECOND)).toISOString().slice(0, -1);
  const microseconds = String((nanoseconds / MICROSECOND) % 1000n).padStart(3, "0");
  return `${milliseconds}${microseconds}Z`;
}

/** Undefined where no time is told. */
export function momentIfTold(nanoseconds: bigint): string | undefined {
  return nanoseconds === 0n ? undefined : momentOf(nanoseconds);
}

/** So many milliseconds, rounded. */
export function millisecondsOf(nanoseconds: bigint): number {
  return Math.round(Number(nanoseconds) / 1e6);
}

export interface Times {
  started_at: string;
  occurred_at: string;
  latency_ms?: number;
}

/** When a span began and ended. One that ends before it starts, or does not say when, ended at its start. */
export function timesOf(start: bigint, end: bigint): Times {
  const started_at = momentOf(start);
  if (end < start) return { started_at, occurred_at: started_at };
  return { started_at, occurred_at: momentOf(end), latency_ms: millisecondsOf(end - start) };
}
