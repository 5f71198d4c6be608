/**
 * The outer form of every packet and frame:
 *
 *     plain   01 | label length | label | CRC-32 of all before and after | payload
 *     sealed  02 | label length | label | nonce (12) | AES-256-GCM ciphertext | tag (16)
 *
 * The label names the cluster, so that two clusters on one network never merge by accident; sealed, it
 * is associated data. With keys, plain packets are refused, and without keys, sealed ones.
 */
import { assert } from "../base/assert.ts";
import { WireError } from "../base/errors.ts";
import { crc32 } from "./checksum.ts";
import { NONCE_BYTES, TAG_BYTES } from "./aead.ts";
import type { Keyring } from "./keyring.ts";

const PLAIN = 1;
const SEALED = 2;

const CRC_BYTES = 4;
/** The format and the label's length. */
const PREFIX_BYTES = 2;

/** Bytes of UTF-8: the label's length is one byte, and each packet carries the label. */
export const LABEL_BYTES_MAX = 64;

/** Bytes that are not for this host, with the reason that an asker may be told. */
export class EnvelopeError extends WireError {
  readonly reason: "other-cluster" | "other-key" | "malformed";

  constructor(reason: EnvelopeError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

export class Envelope {
  /** Bytes that sealing adds to a payload. */
  readonly overheadBytes: number;
  readonly #keys: Keyring | null;
  /** Format, length and label: what each of our packets begins with. */
  readonly #header: Uint8Array;

  constructor(label: string, keys: Keyring | null) {
    const labelBytes = new TextEncoder().encode(label);
    assert(labelBytes.length <= LABEL_BYTES_MAX, `a label has at most ${LABEL_BYTES_MAX} bytes`);
    this.#keys = keys;
    this.#header = new Uint8Array(PREFIX_BYTES + labelBytes.length);
    this.#header.set([keys === null ? PLAIN : SEALED, labelBytes.length]);
    this.#header.set(labelBytes, PREFIX_BYTES);
    const extraBytes = keys === null ? CRC_BYTES : NONCE_BYTES + TAG_BYTES;
    this.overheadBytes = this.#header.length + extraBytes;
  }

  /** Wraps a payload into bytes of their own. */
  seal(payload: Uint8Array): Uint8Array<ArrayBuffer> {
    const sealed = new Uint8Array(this.overheadBytes + payload.length);
    sealed.set(this.#header);
    if (this.#keys === null) this.#sealPlain(sealed, payload);
    else this.#sealSecret(sealed, payload, this.#keys);
    return sealed;
  }

  /** The payload, which may alias `bytes`. Throws {@linkcode EnvelopeError} when it is not for us. */
  open(bytes: Uint8Array): Uint8Array {
    const header = this.#header;
    // A short packet may still say that it belongs elsewhere, which is the better answer.
    this.#checkHeader(bytes);
    if (bytes.length < this.overheadBytes) {
      throw new EnvelopeError("malformed", `packet: ${bytes.length} bytes are too few`);
    }
    const body = bytes.subarray(header.length);
    return this.#keys === null ? this.#openPlain(bytes) : this.#openSecret(body, this.#keys);
  }

  #checkHeader(bytes: Uint8Array): void {
    const header = this.#header;
    const format = bytes[0];
    if (format !== header[0]) {
      if (format === PLAIN) {
        throw new EnvelopeError("other-key", "packet: plain, but this host has a gossip key");
      }
      if (format === SEALED) {
        throw new EnvelopeError("other-key", "packet: sealed, but this host has no gossip key");
      }
      throw new EnvelopeError("malformed", `packet: unknown format ${format}`);
    }
    for (let index = 1; index < header.length; index++) {
      if (bytes[index] === header[index]) continue;
      throw new EnvelopeError("other-cluster", "packet: label of another cluster");
    }
  }

  #sealPlain(sealed: Uint8Array, payload: Uint8Array): void {
    const checksumAt = this.#header.length;
    sealed.set(payload, checksumAt + CRC_BYTES);
    const checksum = crc32(payload, 0, payload.length, crc32(this.#header));
    new DataView(sealed.buffer).setUint32(checksumAt, checksum);
  }

  #openPlain(bytes: Uint8Array): Uint8Array {
    const checksumAt = this.#header.length;
    const payload = bytes.subarray(checksumAt + CRC_BYTES);
    const checksum = crc32(payload, 0, payload.length, crc32(this.#header));
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (view.getUint32(checksumAt) === checksum) return payload;
    throw new EnvelopeError("malformed", "packet: damaged (checksum)");
  }

  #sealSecret(sealed: Uint8Array, payload: Uint8Array, keys: Keyring): void {
    const nonce = keys.aead.nonce();
    assert(nonce.length === NONCE_BYTES, `a nonce has ${NONCE_BYTES} bytes`);
    const secret = keys.aead.seal(keys.primary.bytes, nonce, this.#header, payload);
    sealed.set(nonce, this.#header.length);
    sealed.set(secret, this.#header.length + NONCE_BYTES);
  }

  #openSecret(body: Uint8Array, keys: Keyring): Uint8Array {
    const nonce = body.subarray(0, NONCE_BYTES);
    const secret = body.subarray(NONCE_BYTES);
    for (const key of keys.keys) {
      const payload = keys.aead.open(key.bytes, nonce, this.#header, secret);
      if (payload !== null) return payload;
    }
    throw new EnvelopeError("other-key", "packet: no gossip key opens it");
  }
}
