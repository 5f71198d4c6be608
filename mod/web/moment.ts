/** Moments and spans on the page: read as they are, and by machines. */
import { type Html, html } from "./html.ts";

/** `14:03:22`, with the whole moment for machines; the script turns it into the reader's own time. */
export function clockTime(time: string): Html {
  return html`<time datetime="${time}" data-as="clock">${time.slice(11, 19)} UTC</time>`;
}

/** `3 min`. */
export function age(since: string, now: string): Html {
  const text = spanText(Date.parse(now) - Date.parse(since));
  return html`<time datetime="${since}" data-as="age">${text}</time>`;
}

/** One unit, rounded down. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (Number.isNaN(seconds)) return "?";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
