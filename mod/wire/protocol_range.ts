/**
 * Versions of what hosts say to each other. Each host tells the range that it speaks; two hosts get
 * along if their ranges meet. A new message that others may skip needs no new version; a changed
 * meaning does.
 */

export interface ProtocolRange {
  readonly protocolMin: number;
  readonly protocolMax: number;
}

/** The range of this program. */
export const PROTOCOL_RANGE: ProtocolRange = { protocolMin: 1, protocolMax: 1 };

/** One byte, as memberlist's: at a version a year it is enough. */
export const PROTOCOL_VERSION_MAX = 255;

/** Whether there is a version that both speak. */
export function protocolsMeet(one: ProtocolRange, other: ProtocolRange): boolean {
  return one.protocolMin <= other.protocolMax && other.protocolMin <= one.protocolMax;
}

/** `1`, or `1 to 3`. */
export function protocolText({ protocolMin, protocolMax }: ProtocolRange): string {
  return protocolMin === protocolMax ? `${protocolMin}` : `${protocolMin} to ${protocolMax}`;
}
