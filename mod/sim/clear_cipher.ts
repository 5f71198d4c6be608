/**
 * A cipher for simulated clusters that hides nothing: what is sealed stays readable for the rules, and is bound to key, nonce
 * and associated data by a checksum, so that whatever the real cipher would refuse is refused. Drawn from a seed.
 */
import type { Random } from "../base/random.ts";
import { type Aead, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from "../wire/aead.ts";
import { crc32 } from "../wire/checksum.ts";
import { Keyring } from "../wire/keyring.ts";

/** The only key of simulated clusters. */
const KEY = new Uint8Array(KEY_BYTES).fill(1);

/** The keyring of a host of a sealed cluster. */
export function clearKeyring(random: Random): Keyring {
  return new Keyring([KEY], clearCipher(random));
}

/** Where the payload stands in a sealed packet whose label has that many bytes; see wire/envelope.ts. */
export function clearPayload(packet: Uint8Array, labelBytes: number): Uint8Array {
  const start = 2 + labelBytes + DESTINATION_BYTES + NONCE_BYTES;
  return packet.subarray(start, packet.length - TAG_BYTES);
}

const DESTINATION_BYTES = 8;

function clearCipher(random: Random): Aead {
  return {
    draw: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
    seal(key, nonce, associated, plaintext) {
      const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
      sealed.set(plaintext);
      new DataView(sealed.buffer).setUint32(
        plaintext.length,
        check(key, nonce, associated, plaintext),
      );
      return sealed;
    },
    open(key, nonce, associated, sealed) {
      const length = sealed.length - TAG_BYTES;
      if (length < 0) return null;
      const plaintext = sealed.slice(0, length);
      const tag = new DataView(sealed.buffer, sealed.byteOffset).getUint32(length);
      return tag === check(key, nonce, associated, plaintext) ? plaintext : null;
    },
  };
}

function check(...parts: readonly Uint8Array[]): number {
  return parts.reduce((before, part) => crc32(part, 0, part.length, before), 0);
}
