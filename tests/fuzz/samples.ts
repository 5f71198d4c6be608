/** Good inputs for every kind of decoder: what living hosts said, the wire samples, recorded answers of the kernel. */
import { Envelope } from "../../mod/wire/envelope.ts";
import { decodeMessage, type Message } from "../../mod/wire/messages.ts";
import { endpointToBytes } from "../../mod/wire/endpoint_bytes.ts";
import { splitParts } from "../../mod/wire/parts.ts";
import { REPLIES } from "../golden/ffi/reply_table.ts";
import { fromHex } from "../golden/ffi/message_text.ts";
import { datagramOf, done, verdict } from "../unit/ffi/scripted_datagrams.ts";
import { SAMPLES } from "../unit/wire/samples.ts";
import { LABEL, talkativeHosts } from "./live_hosts.ts";

/** Samples of one kind: more only make the drawing of one less even. */
const SAMPLES_MAX = 40;

const live = talkativeHosts();
const plain = new Envelope(LABEL, null);

/** Distinct ones, from the first to the last, since what is said changes with time. */
function spread(samples: readonly Uint8Array[]): Uint8Array[] {
  const distinct = [...new Map(samples.map((bytes) => [bytes.toHex(), bytes])).values()];
  const step = Math.max(1, distinct.length / SAMPLES_MAX);
  const chosen: Uint8Array[] = [];
  for (let at = 0; at < distinct.length; at += step) {
    const bytes = distinct[Math.floor(at)];
    if (bytes !== undefined) chosen.push(bytes);
  }
  return chosen;
}

export function bytesOf(...texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => new TextEncoder().encode(text));
}

/** Datagrams as they were sent. */
export const PACKETS = spread(live.traffic.packets);
const packetPayloads = live.traffic.packets.map((bytes) => plain.open(bytes).payload);
/** The payloads of datagrams. */
export const PAYLOADS = spread(packetPayloads);
/** Frames as they were sent, both ways. */
export const FRAMES = spread([...live.traffic.requests, ...live.traffic.answers]);

function read(bytes: Uint8Array): { bytes: Uint8Array; message: Message } {
  return { bytes, message: decodeMessage(bytes) };
}

/** All messages that the hosts exchanged. */
const said = [
  ...packetPayloads.flatMap(splitParts),
  ...[...live.traffic.requests, ...live.traffic.answers].map((bytes) => plain.open(bytes).payload),
].map(read);

/** Encoded messages of these kinds, of all kinds when none is named. */
export function messages(...kinds: readonly Message["kind"][]): Uint8Array[] {
  const all = [...SAMPLES.map(({ bytes }) => read(bytes)), ...said];
  const wanted = all.filter(({ message }) => kinds.length === 0 || kinds.includes(message.kind));
  return spread(wanted.map(({ bytes }) => bytes));
}

function parts<Kind extends Message["kind"]>(kind: Kind): Extract<Message, { kind: Kind }>[] {
  const isKind = (message: Message): message is Extract<Message, { kind: Kind }> =>
    message.kind === kind;
  return said.map(({ message }) => message).filter(isKind);
}

/** What claimants said. */
export const CLAIM_MESSAGES = spread([
  ...parts("rider-item").map(({ bytes }) => bytes),
  ...parts("rider-letter").map(({ bytes }) => bytes),
]);

/** What claimants say in syncs. */
export function claimSyncs(): Uint8Array[] {
  const messages = [
    ...parts("compare"),
    ...parts("compared"),
    ...parts("update"),
    ...parts("updated"),
  ];
  return spread(messages.map(({ rider }) => rider).filter(({ length }) => length > 4));
}

/** Where members are. */
export const ENDPOINTS = spread(
  ["192.0.2.1:7947", "[2001:db8::2]:7948", "192.0.2.3:1"].map(endpointToBytes).flatMap(
    (bytes) => [bytes, bytes.subarray(0, -2)],
  ),
);

/** Documents as they were written. */
export function documents(name: string): Uint8Array[] {
  return spread(live.traffic.documents.get(name) ?? []);
}

/** Its verdicts: an acknowledgement, an error, one with words, the end of a dump. */
export const KERNEL_VERDICTS = [
  datagramOf([verdict(7, 0)]),
  datagramOf([verdict(7, 17), verdict(8, 2)]),
  datagramOf([done(9)]),
  // ENODEV with extended acknowledgement: NLMSGERR_ATTR_MSG "no device", NLMSGERR_ATTR_OFFS 24.
  fromHex(
    "3c000000020000020700000000000000edffffff100000001000050007000000000000000e0001006e6f206465766963650000000800020018000000",
  ),
];

/** Datagrams of the kernel. */
export const KERNEL_REPLIES = REPLIES.map(({ bytes }) => fromHex(bytes));
