/** Spans of time as people say them: one unit, rounded down. Pure. */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `12s`, `3m`, `5h`, `40d`; a moment in the future, as two clocks may make it, is `0s`. */
export function age(since: string, nowMs: number): string {
  const spanMs = Math.max(0, nowMs - Date.parse(since));
  if (Number.isNaN(spanMs)) return "?";
  if (spanMs < MINUTE_MS) return `${Math.floor(spanMs / SECOND_MS)}s`;
  if (spanMs < HOUR_MS) return `${Math.floor(spanMs / MINUTE_MS)}m`;
  if (spanMs < 2 * DAY_MS) return `${Math.floor(spanMs / HOUR_MS)}h`;
  return `${Math.floor(spanMs / DAY_MS)}d`;
}

/** RFC 3339 text without fractions of a second. */
export function wholeSeconds(time: string): string {
  return time.replace(/\.\d+(?=Z|[+-])/, "");
}

/** A round trip: `0.04 ms`, `0.4 ms`, `12 ms`; three digits at most. */
export function roundTrip(ms: number | null): string {
  if (ms === null) return "-";
  if (ms < 0.1) return `${ms.toFixed(2)} ms`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
