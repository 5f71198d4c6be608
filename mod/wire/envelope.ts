/**
 * The outer form of every packet and frame:
 *
 *     plain   01 | label length | label | CRC-32 of all before and after | payload
 *     sealed  02 | label length | label | destination (8) | nonce (12) | AES-256-GCM ciphertext | tag (16)
 *
 * The label names the cluster, so that two clusters on one network never merge by accident. What is sealed is for one process:
 * its destination is that process's instance, or a session of its in the answer to what it sent. So nothing can be replayed
 * to another host or to this one after a restart; within its life a process remembers what it heard. Docs: docs/wire-format.md.
 */
import { assert } from "../base/assert.ts";
import { WireError } from "../base/errors.ts";
import { NONCE_BYTES, TAG_BYTES } from "./aead.ts";
import { crc32 } from "./checksum.ts";
import type { GossipKey, Keyring } from "./keyring.ts";
import { Nonces, SESSION_BYTES } from "./nonces.ts";
import { Sessions } from "./sessions.ts";

const PLAIN = 1;
const SEALED = 2;

const CRC_BYTES = 4;
/** An instance or a session. */
export const DESTINATION_BYTES = SESSION_BYTES;

/** Bytes of UTF-8: the label's length is one byte, and each packet carries the label. */
export const LABEL_BYTES_MAX = 64;

/** Why something is not for this host; an asker may be told. */
export type EnvelopeReason =
  | "other-cluster"
  | "other-key"
  | "other-instance"
  | "replayed"
  | "malformed";

/** Bytes that are not for this host. */
export class EnvelopeError extends WireError {
  readonly reason: EnvelopeReason;

  constructor(reason: EnvelopeReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** How something is wrapped for somebody. */
export type Path = "plain" | SealedPath;

export interface SealedPath {
  /** {@linkcode DESTINATION_BYTES} that only the receiving process knows as its own. */
  readonly destination: Uint8Array;
  /** Null for the primary one. */
  readonly key: GossipKey | null;
}

/** Sealed for whoever opens it: only good for asking who is there. */
export const UNBOUND: Uint8Array = new Uint8Array(DESTINATION_BYTES);

/** Bytes of a payload that may be sealed for whoever opens it; a hello has 2. Nobody can make us decrypt 4 MiB in vain. */
export const UNBOUND_PAYLOAD_BYTES_MAX = 64;

/** What the answer to a question must match: its nonce, null when the question was plain. */
export type Question = Uint8Array | null;

export interface Opened {
  /** May alias the bytes that were opened. */
  readonly payload: Uint8Array;
  /** How to answer: in the same form, with the same key, for the very process that sent it. */
  readonly path: Path;
  readonly question: Question;
  /** False when it was sealed for whoever opens it, so that it may be a replay. */
  readonly isBound: boolean;
}

/** What sealing needs. */
export interface Sealing {
  readonly keys: Keyring;
  /** Of this process: 16 hexadecimal digits. */
  readonly instance: string;
  /** Whether plain packets are opened as well. */
  readonly plainGossip?: "refuse" | "allow";
  /** Of a size for tests. */
  readonly sessions?: Sessions;
}

/** Our side of sealing. */
interface Sealer {
  readonly keys: Keyring;
  readonly opensPlain: boolean;
  readonly instance: bigint;
  /** Datagrams and frames have sessions of their own: a frame may be under way for seconds while many datagrams go out. */
  readonly datagrams: Nonces;
  readonly frames: Nonces;
  readonly sessions: Sessions;
}

export class Envelope {
  /** Bytes that sealing adds to a payload, at most. */
  readonly overheadBytes: number;
  readonly #sealer: Sealer | null;
  /** Length and label: what each packet has after its format. */
  readonly #label: Uint8Array;

  constructor(label: string, sealing: Sealing | null) {
    const labelBytes = new TextEncoder().encode(label);
    assert(labelBytes.length <= LABEL_BYTES_MAX, `a label has at most ${LABEL_BYTES_MAX} bytes`);
    this.#label = new Uint8Array([labelBytes.length, ...labelBytes]);
    this.#sealer = sealing === null ? null : makeSealer(sealing);
    const extraBytes = sealing === null ? CRC_BYTES : DESTINATION_BYTES + NONCE_BYTES + TAG_BYTES;
    this.overheadBytes = this.#headerBytes + extraBytes;
  }

  /** Wraps the payload of a datagram into bytes of their own. */
  seal(payload: Uint8Array, path: Path = "plain"): Uint8Array<ArrayBuffer> {
    if (path === "plain") return this.#sealPlain(payload);
    const sealer = this.#secret();
    return this.#sealSecret(sealer, payload, path, sealer.datagrams.next(), null);
  }

  /** Wraps a question; its answer is opened by {@linkcode Envelope.openAnswer}. */
  ask(payload: Uint8Array, path: Path): { frame: Uint8Array<ArrayBuffer>; question: Question } {
    if (path === "plain") return { frame: this.#sealPlain(payload), question: null };
    const sealer = this.#secret();
    const nonce = sealer.frames.next();
    return { frame: this.#sealSecret(sealer, payload, path, nonce, null), question: nonce };
  }

  /** Wraps the answer to a question that was opened here. */
  answer(payload: Uint8Array, asked: Pick<Opened, "path" | "question">): Uint8Array<ArrayBuffer> {
    if (asked.path === "plain") return this.#sealPlain(payload);
    const sealer = this.#secret();
    return this.#sealSecret(sealer, payload, asked.path, sealer.frames.next(), asked.question);
  }

  /** A datagram or question. Throws {@linkcode EnvelopeError} when it is not for us, or was here before. */
  open(bytes: Uint8Array): Opened {
    this.#checkHeader(bytes, this.#sealer === null || this.#sealer.opensPlain);
    if (bytes[0] === PLAIN) {
      return { payload: this.#openPlain(bytes), path: "plain", question: null, isBound: true };
    }
    const sealer = this.#secret();
    const at = this.#headerBytes;
    const destination = eightBytes(bytes, at);
    const isBound = destination !== 0n;
    if (isBound && !isOwn(sealer, destination)) {
      throw new EnvelopeError("other-instance", "packet: sealed for another process");
    }
    const nonce = bytes.subarray(at + DESTINATION_BYTES, at + DESTINATION_BYTES + NONCE_BYTES);
    const session = eightBytes(nonce, 0);
    const counter = new DataView(nonce.buffer, nonce.byteOffset).getUint32(SESSION_BYTES);
    if (isBound && sealer.sessions.isReplay(session, counter)) {
      throw new EnvelopeError("replayed", "packet: it was here before");
    }
    const associated = bytes.subarray(0, at + DESTINATION_BYTES);
    const secret = bytes.subarray(at + DESTINATION_BYTES + NONCE_BYTES);
    if (!isBound && secret.length > UNBOUND_PAYLOAD_BYTES_MAX + TAG_BYTES) {
      throw new EnvelopeError("malformed", "packet: too long to be sealed for whoever opens it");
    }
    const last = sealer.sessions.get(session)?.key;
    const { payload, key } = openSecret(sealer.keys, last, nonce, associated, secret);
    if (isBound) sealer.sessions.heard(session, counter, key);
    const question = nonce.slice();
    const path = { destination: question.subarray(0, SESSION_BYTES), key };
    return { payload, path, question, isBound };
  }

  /** The answer to a question of ours. Throws {@linkcode EnvelopeError} when it is no answer to this one. */
  openAnswer(bytes: Uint8Array, question: Question): Uint8Array {
    this.#checkHeader(bytes, question === null);
    if (question === null) {
      if (bytes[0] === PLAIN) return this.#openPlain(bytes);
      throw new EnvelopeError("malformed", "packet: a sealed answer to a plain question");
    }
    const at = this.#headerBytes;
    if (eightBytes(bytes, at) !== eightBytes(question, 0)) {
      throw new EnvelopeError("other-instance", "packet: the answer to another question");
    }
    const nonce = bytes.subarray(at + DESTINATION_BYTES, at + DESTINATION_BYTES + NONCE_BYTES);
    const header = bytes.subarray(0, at + DESTINATION_BYTES);
    const secret = bytes.subarray(at + DESTINATION_BYTES + NONCE_BYTES);
    const { keys } = this.#secret();
    return openSecret(keys, undefined, nonce, concat(header, question), secret).payload;
  }

  /** Whether this process itself sent what was opened. */
  isOwn(opened: Pick<Opened, "path">): boolean {
    if (this.#sealer === null || opened.path === "plain") return false;
    return isOwn(this.#sealer, eightBytes(opened.path.destination, 0));
  }

  /** Somebody takes what we ask for a replay: they forgot our session. */
  renewSession(): void {
    this.#secret().frames.renew();
    this.#secret().datagrams.renew();
  }

  get #headerBytes(): number {
    return 1 + this.#label.length;
  }

  #secret(): Sealer {
    assert(this.#sealer !== null, "only a host with keys seals");
    return this.#sealer;
  }

  /** A short packet may still say that it belongs elsewhere, which is the better answer. */
  #checkHeader(bytes: Uint8Array, isPlainFine: boolean): void {
    const format = bytes[0];
    if (format !== PLAIN && format !== SEALED) {
      throw new EnvelopeError("malformed", `packet: unknown format ${format ?? "(it is empty)"}`);
    }
    if (format === SEALED && this.#sealer === null) {
      throw new EnvelopeError("other-key", "packet: sealed, but this host has no gossip key");
    }
    if (format === PLAIN && !isPlainFine) {
      throw new EnvelopeError("other-key", "packet: plain, but this host has a gossip key");
    }
    for (let index = 0; index < this.#label.length; index++) {
      if (bytes[1 + index] === this.#label[index]) continue;
      throw new EnvelopeError("other-cluster", "packet: label of another cluster");
    }
    const extraBytes = format === PLAIN ? CRC_BYTES : DESTINATION_BYTES + NONCE_BYTES + TAG_BYTES;
    if (bytes.length >= this.#headerBytes + extraBytes) return;
    throw new EnvelopeError("malformed", `packet: ${bytes.length} bytes are too few`);
  }

  #makePacket(format: number, extraBytes: number): Uint8Array<ArrayBuffer> {
    const packet = new Uint8Array(this.#headerBytes + extraBytes);
    packet[0] = format;
    packet.set(this.#label, 1);
    return packet;
  }

  #sealPlain(payload: Uint8Array): Uint8Array<ArrayBuffer> {
    assert(this.#sealer?.opensPlain !== false, "a host that refuses plain packets sends none");
    const packet = this.#makePacket(PLAIN, CRC_BYTES + payload.length);
    const checksumAt = this.#headerBytes;
    packet.set(payload, checksumAt + CRC_BYTES);
    new DataView(packet.buffer).setUint32(checksumAt, this.#checksum(packet));
    return packet;
  }

  #openPlain(bytes: Uint8Array): Uint8Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (view.getUint32(this.#headerBytes) === this.#checksum(bytes)) {
      return bytes.subarray(this.#headerBytes + CRC_BYTES);
    }
    throw new EnvelopeError("malformed", "packet: damaged (checksum)");
  }

  #checksum(packet: Uint8Array): number {
    const header = crc32(packet, 0, this.#headerBytes);
    return crc32(packet, this.#headerBytes + CRC_BYTES, packet.length, header);
  }

  #sealSecret(
    sealer: Sealer,
    payload: Uint8Array,
    path: SealedPath,
    nonce: Uint8Array,
    question: Question,
  ): Uint8Array<ArrayBuffer> {
    const extraBytes = DESTINATION_BYTES + NONCE_BYTES + payload.length + TAG_BYTES;
    const packet = this.#makePacket(SEALED, extraBytes);
    const nonceAt = this.#headerBytes + DESTINATION_BYTES;
    packet.set(path.destination, this.#headerBytes);
    packet.set(nonce, nonceAt);
    const header = packet.subarray(0, nonceAt);
    const associated = question === null ? header : concat(header, question);
    const key = path.key ?? sealer.keys.primary;
    packet.set(
      sealer.keys.aead.seal(key.bytes, nonce, associated, payload),
      nonceAt + NONCE_BYTES,
    );
    return packet;
  }
}

function makeSealer(sealing: Sealing): Sealer {
  const { keys, instance, plainGossip, sessions } = sealing;
  const own = Uint8Array.fromHex(instance);
  assert(own.length === DESTINATION_BYTES, `an instance has ${DESTINATION_BYTES} bytes`);
  return {
    keys,
    opensPlain: plainGossip === "allow",
    instance: eightBytes(own, 0),
    datagrams: new Nonces(keys.aead),
    frames: new Nonces(keys.aead),
    sessions: sessions ?? new Sessions(),
  };
}

function isOwn({ instance, datagrams, frames }: Sealer, destination: bigint): boolean {
  return destination === instance || datagrams.has(destination) || frames.has(destination);
}

/** Tries the key that opened the sender's last packet first, so that a rotation costs one attempt a sender. */
function openSecret(
  { keys, aead }: Keyring,
  last: GossipKey | undefined,
  nonce: Uint8Array,
  associated: Uint8Array,
  secret: Uint8Array,
): { payload: Uint8Array; key: GossipKey } {
  const isThere = last !== undefined && keys.includes(last);
  const inOrder = isThere ? [last, ...keys.filter((key) => key !== last)] : keys;
  for (const key of inOrder) {
    const payload = aead.open(key.bytes, nonce, associated, secret);
    if (payload !== null) return { payload, key };
  }
  throw new EnvelopeError("other-key", "packet: no gossip key opens it");
}

function eightBytes(bytes: Uint8Array, at: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at);
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
