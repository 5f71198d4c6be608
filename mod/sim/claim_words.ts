/** Claims in the words of a story: messages and events, one phrase each. */
import { unreachable } from "../base/assert.ts";
import type { HostEvent } from "../claim/host_core.ts";
import { decodeClaimMessage, type SealedRecord, unseal, type Verdict } from "../claim/messages.ts";
import type { ClaimRecord } from "../claim/record.ts";

type Name = (id: string) => string;

/** A record in brief: `h3 held 10.9.4.0/24 e2 s1 #5.1` with epoch, strength, generation and sequence. */
export function sayRecord(record: ClaimRecord, name: Name): string {
  const { hostId, state, subnet, epoch, strength, generation, sequence } = record;
  return `${name(hostId)} ${state} ${subnet} e${epoch} s${strength} #${generation}.${sequence}`;
}

function sayVerdict(verdict: Verdict, name: Name): string {
  switch (verdict.kind) {
    case "yes":
      return "yes";
    case "busy":
      return `busy (${sayRecord(verdict.claim.record, name)})`;
    case "resting":
      return `resting for ${verdict.seconds} s`;
    case "fenced":
      return `fenced at ${verdict.epoch}`;
    default:
      return unreachable(verdict);
  }
}

/** Throws WireError when it is none. */
export function sayClaimMessage(bytes: Uint8Array, name: Name): string {
  const message = decodeClaimMessage(bytes, unseal);
  switch (message.kind) {
    case "request":
      return `may I${message.isLastResort ? ", at the last resort" : ""}: ${
        sayRecord(message.claim.record, name)
      }?`;
    case "answer":
      return `${sayVerdict(message.verdict, name)} #${message.generation}.${message.sequence}`;
    case "fence":
      return `fence [${
        message.entries.map(({ subnet, epoch }) => `${subnet} at ${epoch}`).join(", ")
      }]`;
    case "push":
      return `claims [${sayRecords(message.claims, name)}]`;
    default:
      return "another word about claims";
  }
}

export function sayClaimEvent(event: HostEvent, name: Name): string {
  switch (event.kind) {
    case "claim-changed":
      return `CLAIM ${event.from} -> ${event.to.state} ${event.to.subnet ?? ""}`.trim();
    case "conflict":
      return `CONFLICT ${event.subnet}: ${name(event.winner)} WINS AGAINST ${
        name(event.loser)
      } (${event.why})`;
    case "renumbered":
      return `RENUMBERED ${event.old} -> ${event.new}`;
    case "warning":
      return `WARNING ${event.code}: ${event.text}`;
    default:
      return event.kind.toUpperCase();
  }
}

function sayRecords(records: readonly SealedRecord[], name: Name): string {
  return records.map(({ record }) => sayRecord(record, name)).join(", ");
}
