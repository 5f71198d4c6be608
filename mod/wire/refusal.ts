/**
 * The answer to a request that this host will not answer: two bytes outside of any envelope, since
 * the asker may not share our label or keys. It tells people why a seed does not let them in.
 */

const REFUSAL = 0;

/** Why a request is refused, and what the other side shows for it. Codes are never used again. */
const REASONS = {
  "other-cluster": { code: 1, text: "it belongs to another cluster (cluster labels differ)" },
  "other-key": { code: 2, text: "gossip keys differ" },
  "malformed": { code: 3, text: "it could not read the request (damaged, or another version)" },
  "other-host": { code: 4, text: "another host has that address now" },
  "own-host": { code: 5, text: "that is this host itself" },
} as const;

export type RefusalReason = keyof typeof REASONS;

/** The frame that says no. */
export function encodeRefusal(reason: RefusalReason): Uint8Array<ArrayBuffer> {
  return new Uint8Array([REFUSAL, REASONS[reason].code]);
}

/** The words of a refusal; null when the frame is not one. */
export function readRefusal(frame: Uint8Array): string | null {
  if (frame[0] !== REFUSAL) return null;
  const found = Object.values(REASONS).find(({ code }) => code === frame[1]);
  return found?.text ?? `refused with the unknown reason ${frame[1]}`;
}
