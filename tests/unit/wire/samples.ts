/** One of each message, with fields that no two messages share by accident. */
import { BucketSet } from "../../../mod/wire/bucket_set.ts";
import type { Message } from "../../../mod/wire/messages.ts";
import type { MemberRecord } from "../../../mod/wire/member_record.ts";
import { encodeHello, encodeHelloed } from "../../../mod/wire/hello_messages.ts";
import {
  encodeKeysAnswer,
  encodeKeysRequest,
  type KeyOperation,
} from "../../../mod/wire/key_messages.ts";
import {
  encodeAlive,
  encodeDead,
  encodeLeft,
  encodeSuspect,
} from "../../../mod/wire/news_messages.ts";
import {
  encodeAck,
  encodeIndirectPing,
  encodeNack,
  encodePing,
  encodeReach,
} from "../../../mod/wire/probe_messages.ts";
import { encodeRiderItem, encodeRiderLetter } from "../../../mod/wire/rider_messages.ts";
import { encodeWho, encodeWhoAnswer } from "../../../mod/wire/who_messages.ts";
import { encodeSync, type Sync, type SyncEntry } from "../../../mod/wire/sync_messages.ts";

export const H1: MemberRecord = {
  id: "000102030405060708090a0b0c0d0e0f",
  instance: "1011121314151617",
  name: "h1",
  endpoint: "192.168.100.1:7947",
  incarnation: 5,
  version: "0.1.0",
  protocolMin: 1,
  protocolMax: 1,
  features: 0,
};

export const H2: MemberRecord = {
  id: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
  instance: "e0e1e2e3e4e5e6e7",
  name: "host-two",
  endpoint: "[2001:db8::2]:7948",
  incarnation: 2 ** 40,
  version: "1.22.333-rc.1",
  protocolMin: 2,
  protocolMax: 255,
  features: 2 ** 32 - 1,
};

const RIDER = new Uint8Array([0xde, 0xad, 0xbe, 0xef]);

/** The messages of a sync, each with all that it may hold. */
const SENDER: SyncEntry = { record: H1, status: "alive" };
const ENTRIES: readonly SyncEntry[] = [
  ...(["alive", "suspect", "dead", "left"] as const).map((status) => ({ record: H2, status })),
  { record: H2, status: "left", isForgotten: true },
];
const DIGESTS = Uint8Array.from({ length: 16 * 8 }, (_, index) => index);
const SYNCS: readonly Sync[] = [
  {
    kind: "compare",
    sender: SENDER,
    members: { count: 5_000, digest: DIGESTS.slice(0, 8) },
    rider: RIDER,
  },
  {
    kind: "compared",
    sender: SENDER,
    members: { kind: "digests", digests: DIGESTS },
    rider: RIDER,
  },
  {
    kind: "compared",
    sender: SENDER,
    members: { kind: "everything", entries: ENTRIES },
    rider: RIDER,
  },
  {
    kind: "update",
    sender: SENDER,
    buckets: BucketSet.of(16, [0, 9]),
    entries: ENTRIES,
    rider: RIDER,
  },
  { kind: "updated", sender: SENDER, entries: ENTRIES, rider: RIDER },
];

/** `list` is left out here: it has no argument that could be of the wrong type. */
const OPERATIONS: readonly KeyOperation[] = [
  { kind: "install", key: new Uint8Array(32).fill(1) },
  { kind: "use", fingerprint: "01020304" },
  { kind: "remove", fingerprint: "a0b0c0d0" },
];

export interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly message: Message;
}

const WHO = {
  nonce: "a0a1a2a3a4a5a6a7",
  id: H1.id,
  instance: H1.instance,
  endpoint: H1.endpoint,
};

export const SAMPLES: readonly Sample[] = [
  {
    name: "ping",
    bytes: encodePing(70_000, H1.id, H2.id),
    message: { kind: "ping", sequence: 70_000, target: H1.id, source: H2.id },
  },
  {
    name: "indirect-ping",
    bytes: encodeIndirectPing(2 ** 32 - 1, H1.id),
    message: { kind: "indirect-ping", sequence: 2 ** 32 - 1, target: H1.id },
  },
  { name: "ack", bytes: encodeAck(0), message: { kind: "ack", sequence: 0 } },
  { name: "nack", bytes: encodeNack(300), message: { kind: "nack", sequence: 300 } },
  {
    name: "suspect",
    bytes: encodeSuspect(5, H1.id, H2.id),
    message: { kind: "suspect", incarnation: 5, id: H1.id, accuser: H2.id },
  },
  {
    name: "dead",
    bytes: encodeDead(2 ** 40, H2.id, H1.id),
    message: { kind: "dead", incarnation: 2 ** 40, id: H2.id, accuser: H1.id },
  },
  {
    name: "left",
    bytes: encodeLeft(6, H1.id, H1.instance),
    message: {
      kind: "left",
      incarnation: 6,
      id: H1.id,
      instance: H1.instance,
      isForgotten: false,
    },
  },
  {
    name: "left, forgotten",
    bytes: encodeLeft(6, H1.id, H1.instance, true),
    message: {
      kind: "left",
      incarnation: 6,
      id: H1.id,
      instance: H1.instance,
      isForgotten: true,
    },
  },
  { name: "alive", bytes: encodeAlive(H1), message: { kind: "alive", record: H1 } },
  { name: "alive of IPv6", bytes: encodeAlive(H2), message: { kind: "alive", record: H2 } },
  ...SYNCS.map((message) => ({ name: nameOf(message), bytes: encodeSync(message), message })),
  {
    name: "reach",
    bytes: encodeReach(24, H2.id, H1.id),
    message: { kind: "reach", sequence: 24, target: H2.id, source: H1.id },
  },
  {
    name: "rider-item",
    bytes: encodeRiderItem(RIDER),
    message: { kind: "rider-item", bytes: RIDER },
  },
  {
    name: "rider-letter",
    bytes: encodeRiderLetter(new Uint8Array(300).fill(1)),
    message: { kind: "rider-letter", bytes: new Uint8Array(300).fill(1) },
  },
  { name: "hello", bytes: encodeHello(), message: { kind: "hello" } },
  {
    name: "helloed",
    bytes: encodeHelloed(H1.id, H1.instance),
    message: { kind: "helloed", id: H1.id, instance: H1.instance },
  },
  ...OPERATIONS.map((operation) => ({
    name: `keys, ${operation.kind}`,
    bytes: encodeKeysRequest(H1.id, operation),
    message: { kind: "keys", target: H1.id, operation } as const,
  })),
  {
    name: "keys answer",
    bytes: encodeKeysAnswer(["01020304", "a0b0c0d0"], "it has no such key"),
    message: {
      kind: "keys-answer",
      fingerprints: ["01020304", "a0b0c0d0"],
      failure: "it has no such key",
    },
  },
  { name: "who", bytes: encodeWho(WHO), message: { kind: "who", ...WHO } },
  {
    name: "who answer",
    bytes: encodeWhoAnswer(WHO),
    message: { kind: "who-answer", nonce: WHO.nonce, id: H1.id, instance: H1.instance },
  },
];

function nameOf(message: Sync): string {
  return message.kind === "compared" ? `compared, ${message.members.kind}` : message.kind;
}
