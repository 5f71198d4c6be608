/** Packets and frames since the start, and why some were refused. */
import { EnvelopeError, type EnvelopeReason } from "../wire/envelope.ts";

export interface SwimCounters {
  packetsReceived: number;
  requestsReceived: number;
  /** Not for us or not legible; the sum of {@linkcode SwimCounters.refusedAs}. */
  refused: number;
  /**
   * `other-key` are packets of strangers and forgeries, `replayed` were here before, `other-instance` were sealed for another
   * process: a few at each restart are normal.
   */
  readonly refusedAs: Record<EnvelopeReason, number>;
  /** Of a type that this version does not know. */
  unknownMessages: number;
  /** Evidence whose incarnation jumps too far. */
  incarnationJumps: number;
  /** Records of hosts that speak no protocol version that we speak. */
  protocolMismatches: number;
}

export function newCounters(): SwimCounters {
  return {
    packetsReceived: 0,
    requestsReceived: 0,
    refused: 0,
    refusedAs: {
      "other-cluster": 0,
      "other-key": 0,
      "other-instance": 0,
      "replayed": 0,
      "malformed": 0,
    },
    unknownMessages: 0,
    incarnationJumps: 0,
    protocolMismatches: 0,
  };
}

/** Counts something that was refused; answers why, as an asker may be told. */
export function countRefused(counters: SwimCounters, error: unknown): EnvelopeReason {
  const reason = error instanceof EnvelopeError ? error.reason : "malformed";
  counters.refused++;
  counters.refusedAs[reason]++;
  return reason;
}
