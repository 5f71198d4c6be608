/** Reads the packets of simulated hosts, sealed or not; each is read once, by whoever looks at it first. */
import { Envelope } from "../wire/envelope.ts";
import { decodeMessage, type Message } from "../wire/messages.ts";
import { splitParts } from "../wire/parts.ts";
import { readRefusal } from "../wire/refusal.ts";
import { clearPayload } from "./clear_cipher.ts";
import { SIMULATED_LABEL } from "./membership_cluster.ts";

const envelope = new Envelope(SIMULATED_LABEL, null);
const packets = new WeakMap<Uint8Array, readonly Message[]>();

/** The messages of a datagram. Throws WireError: our own hosts send nothing that cannot be read. */
export function readPacket(bytes: Uint8Array): readonly Message[] {
  let messages = packets.get(bytes);
  if (messages === undefined) {
    messages = splitParts(payloadOf(bytes)).map(decodeMessage);
    packets.set(bytes, messages);
  }
  return messages;
}

/** The message of a frame on a stream; null when it is a refusal. */
export function readFrame(bytes: Uint8Array): Message | null {
  if (readRefusal(bytes) !== null) return null;
  return decodeMessage(payloadOf(bytes));
}

/** First byte of a sealed packet; see wire/envelope.ts. */
const SEALED = 2;

function payloadOf(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === SEALED) return clearPayload(bytes, SIMULATED_LABEL.length);
  return envelope.open(bytes).payload;
}
