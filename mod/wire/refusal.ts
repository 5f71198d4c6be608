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
  "other-instance": { code: 6, text: "it was started anew meanwhile" },
  "replayed": { code: 7, text: "it takes the request for a replay of an earlier one" },
  "other-protocol": {
    code: 8,
    text: "it speaks no protocol version that this host speaks: upgrade the older of the two",
  },
  "other-family": {
    code: 9,
    text: "its cluster talks over IPv6 alone, the family of its --network",
  },
} as const;

export type RefusalReason = keyof typeof REASONS;

/** The frame that says no. */
export function encodeRefusal(reason: RefusalReason): Uint8Array<ArrayBuffer> {
  return new Uint8Array([REFUSAL, REASONS[reason].code]);
}

/** Why somebody refused us; `reason` is null when a later version has reasons that we do not know. */
export interface Refusal {
  readonly reason: RefusalReason | null;
  readonly text: string;
}

/** Reads a refusal; null when the frame is something else. */
export function readRefusal(frame: Uint8Array): Refusal | null {
  if (frame[0] !== REFUSAL) return null;
  for (const reason of Object.keys(REASONS) as RefusalReason[]) {
    if (REASONS[reason].code === frame[1]) return { reason, text: REASONS[reason].text };
  }
  const code = frame[1] ?? "(there is none)";
  return { reason: null, text: `refused with the unknown reason ${code}` };
}
