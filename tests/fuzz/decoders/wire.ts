/** Decoders of gossip: envelopes, parts, messages, frames. */
import { WireError } from "../../../mod/base/errors.ts";
import { AES_GCM } from "../../../mod/host/aes_gcm.ts";
import { readFrame } from "../../../mod/host/frames.ts";
import { decode, encode, type WireValue } from "../../../mod/wire/codec.ts";
import {
  addressFromBytes,
  addressToBytes,
  endpointFromBytes,
  endpointToBytes,
} from "../../../mod/wire/endpoint_bytes.ts";
import { Envelope, UNBOUND } from "../../../mod/wire/envelope.ts";
import * as hello from "../../../mod/wire/hello_messages.ts";
import * as keys from "../../../mod/wire/key_messages.ts";
import { Keyring } from "../../../mod/wire/keyring.ts";
import { decodeMessage, type Message } from "../../../mod/wire/messages.ts";
import * as news from "../../../mod/wire/news_messages.ts";
import { joinParts, splitParts } from "../../../mod/wire/parts.ts";
import * as probes from "../../../mod/wire/probe_messages.ts";
import { readRefusal } from "../../../mod/wire/refusal.ts";
import * as riders from "../../../mod/wire/rider_messages.ts";
import * as syncs from "../../../mod/wire/sync_messages.ts";
import * as who from "../../../mod/wire/who_messages.ts";
import { byteStream, framed } from "../byte_stream.ts";
import { checkPrintable, type Decoder } from "../decoder.ts";
import { LABEL } from "../live_hosts.ts";
import { ENDPOINTS, FRAMES, messages, PACKETS, PAYLOADS } from "../samples.ts";

const plain = new Envelope(LABEL, null);
const sealed = new Envelope(LABEL, {
  keys: new Keyring([new Uint8Array(32).fill(7)], AES_GCM),
  instance: "0123456789abcdef",
});
/** Whoever opens it may do so again: no replays are remembered of it. */
const TO_ANYBODY = { destination: UNBOUND, key: null };

function row<T>(
  name: string,
  decode: (bytes: Uint8Array) => T,
  samples: readonly Uint8Array[],
  encode?: (value: Awaited<T>) => Uint8Array,
): Decoder {
  const decoder = { name, decode, samples, refusals: [WireError] };
  return encode === undefined ? decoder : { ...decoder, encode };
}

/** A decoder of one kind of message, behind the CBOR that it comes in and the choice by its type. */
function message<M extends Message>(
  name: string,
  decodeFields: (value: WireValue) => M,
  kinds: readonly Message["kind"][],
  encode: (message: M) => Uint8Array,
  samples = messages(...kinds),
): Decoder {
  const decodeOne = (bytes: Uint8Array): M => {
    const message = decodeFields(decode(bytes));
    const { kind } = decodeMessage(bytes);
    if (!kinds.includes(kind)) throw new WireError(`a message of the kind ${kind}`);
    checkPrintable(message);
    return message;
  };
  return row(name, decodeOne, samples, encode);
}

/** Why a request was refused, in words that a person may read; null when it was not. */
function refusalText(frame: Uint8Array): string | null {
  const refusal = readRefusal(frame);
  if (refusal !== null) throw new WireError(refusal.text);
  return null;
}

const NEWS = "mod/wire/news_messages.ts";
const PROBE = "mod/wire/probe_messages.ts";
const RIDER = "mod/wire/rider_messages.ts";
const KEYS = "mod/wire/key_messages.ts";
const SYNC = "mod/wire/sync_messages.ts";
const HELLO = "mod/wire/hello_messages.ts";
const WHO = "mod/wire/who_messages.ts";

const TARGET = "0f".repeat(16);
const FINGERPRINT = "0123abcd";
const NAMESAKE = {
  nonce: "fedcba9876543210",
  id: TARGET,
  instance: "0123456789abcdef",
  endpoint: "10.0.0.1:7947",
};
const KEYS_REQUESTS = [
  keys.encodeKeysRequest(TARGET, { kind: "list" }),
  keys.encodeKeysRequest(TARGET, { kind: "install", key: new Uint8Array(32).fill(9) }),
  keys.encodeKeysRequest(TARGET, { kind: "use", fingerprint: FINGERPRINT }),
  keys.encodeKeysRequest(TARGET, { kind: "remove", fingerprint: FINGERPRINT }),
];
const KEYS_ANSWERS = [
  keys.encodeKeysAnswer([FINGERPRINT, "89abcdef"], null),
  keys.encodeKeysAnswer([FINGERPRINT], "the disk is full"),
];

// deno-fmt-ignore -- one decoder a line
export const WIRE_DECODERS: readonly Decoder[] = [
  // Text of invalid UTF-8 is taken with a replacement character, which the checks of messages refuse.
  { ...row("mod/wire/codec.ts decode", decode, messages(), encode), hasManyForms: true },
  row("mod/wire/envelope.ts open (plain)", (bytes) => plain.open(bytes).payload, PACKETS, (payload) => plain.seal(payload)),
  row("mod/wire/envelope.ts open (sealed)", (bytes) => sealed.open(bytes).payload, PAYLOADS.map((payload) => sealed.seal(payload, TO_ANYBODY))),
  row("mod/wire/parts.ts splitParts", splitParts, PAYLOADS, joinParts),
  row("mod/wire/parts.ts splitParts (and messages)", (bytes) => splitParts(bytes).map(decodeMessage), PAYLOADS),
  row("mod/wire/messages.ts decodeMessage", decodeMessage, messages()),
  row("mod/wire/endpoint_bytes.ts endpointFromBytes", (bytes) => endpointFromBytes(bytes, "fuzz"), ENDPOINTS, endpointToBytes),
  row("mod/wire/endpoint_bytes.ts addressFromBytes", (bytes) => addressFromBytes(bytes, "fuzz"), ENDPOINTS, addressToBytes),
  row("mod/wire/refusal.ts readRefusal", refusalText, [new Uint8Array([0, 1]), new Uint8Array([0, 2]), new Uint8Array([1, 2])]),
  // What follows a frame on its stream is not read.
  { ...row("mod/host/frames.ts readFrame", (bytes) => readFrame(byteStream(bytes)), FRAMES.map(framed), framed), hasManyForms: true },
  message<probes.Ping>(`${PROBE} decodePing`, probes.decodePing, ["ping"], ({ sequence, target, source }) => probes.encodePing(sequence, target, source)),
  message<probes.IndirectPing>(`${PROBE} decodeIndirectPing`, probes.decodeIndirectPing, ["indirect-ping"], ({ sequence, target }) => probes.encodeIndirectPing(sequence, target)),
  message<probes.Ack>(`${PROBE} decodeAck`, probes.decodeAck, ["ack"], ({ sequence }) => probes.encodeAck(sequence)),
  message<probes.Nack>(`${PROBE} decodeNack`, probes.decodeNack, ["nack"], ({ sequence }) => probes.encodeNack(sequence)),
  message<probes.Reach>(`${PROBE} decodeReach`, probes.decodeReach, ["reach"], ({ sequence, target, source }) => probes.encodeReach(sequence, target, source)),
  message<news.Alive>(`${NEWS} decodeAlive`, news.decodeAlive, ["alive"], ({ record }) => news.encodeAlive(record)),
  message<news.Suspect>(`${NEWS} decodeSuspect`, news.decodeSuspect, ["suspect"], ({ incarnation, id, accuser }) => news.encodeSuspect(incarnation, id, accuser)),
  message<news.Dead>(`${NEWS} decodeDead`, news.decodeDead, ["dead"], ({ incarnation, id, accuser }) => news.encodeDead(incarnation, id, accuser)),
  message<news.Left>(`${NEWS} decodeLeft`, news.decodeLeft, ["left"], ({ incarnation, id, instance, isForgotten }) => news.encodeLeft(incarnation, id, instance, isForgotten)),
  message<syncs.Compare>(`${SYNC} decodeCompare`, syncs.decodeCompare, ["compare"], syncs.encodeSync),
  message<syncs.Compared>(`${SYNC} decodeCompared`, syncs.decodeCompared, ["compared"], syncs.encodeSync),
  message<syncs.Update>(`${SYNC} decodeUpdate`, syncs.decodeUpdate, ["update"], syncs.encodeSync),
  message<syncs.Updated>(`${SYNC} decodeUpdated`, syncs.decodeUpdated, ["updated"], syncs.encodeSync),
  message<riders.RiderItem>(`${RIDER} decodeRiderItem`, riders.decodeRiderItem, ["rider-item"], ({ bytes }) => riders.encodeRiderItem(bytes)),
  message<riders.RiderLetter>(`${RIDER} decodeRiderLetter`, riders.decodeRiderLetter, ["rider-letter"], ({ bytes }) => riders.encodeRiderLetter(bytes)),
  message<keys.KeysRequest>(`${KEYS} decodeKeysRequest`, keys.decodeKeysRequest, ["keys"], ({ target, operation }) => keys.encodeKeysRequest(target, operation), KEYS_REQUESTS),
  message<keys.KeysAnswer>(`${KEYS} decodeKeysAnswer`, keys.decodeKeysAnswer, ["keys-answer"], ({ fingerprints, failure }) => keys.encodeKeysAnswer(fingerprints, failure), KEYS_ANSWERS),
  message<hello.Hello>(`${HELLO} decodeHello`, hello.decodeHello, ["hello"], hello.encodeHello, [hello.encodeHello()]),
  message<hello.Helloed>(`${HELLO} decodeHelloed`, hello.decodeHelloed, ["helloed"], ({ id, instance }) => hello.encodeHelloed(id, instance), [hello.encodeHelloed("0f".repeat(16), "0123456789abcdef")]),
  message<who.Who>(`${WHO} decodeWho`, who.decodeWho, ["who"], who.encodeWho, [who.encodeWho(NAMESAKE)]),
  message<who.WhoAnswer>(`${WHO} decodeWhoAnswer`, who.decodeWhoAnswer, ["who-answer"], who.encodeWhoAnswer, [who.encodeWhoAnswer(NAMESAKE)]),
];
