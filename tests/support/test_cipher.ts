/**
 * Authenticated encryption for simulated clusters: as cheap as a checksum and drawn from a seed, so that runs repeat. It hides
 * and binds what the real one does (key, nonce, associated data, ciphertext), but from nobody who tries.
 */
import type { Random } from "../../mod/base/random.ts";
import { type Aead, TAG_BYTES } from "../../mod/wire/aead.ts";
import { crc32 } from "../../mod/wire/checksum.ts";
import { Keyring } from "../../mod/wire/keyring.ts";

/** A key whose bytes are all alike. */
export function testKey(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

/** A keyring of such keys, the primary first. */
export function testKeyring(random: Random, ...bytes: number[]): Keyring {
  return new Keyring(bytes.map(testKey), testCipher(random));
}

export function testCipher(random: Random): Aead {
  return {
    draw: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
    seal(key, nonce, associated, plaintext) {
      const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
      sealed.set(masked(plaintext, key, nonce));
      sealed.set(tag(key, nonce, associated, sealed, plaintext.length), plaintext.length);
      return sealed;
    },
    open(key, nonce, associated, sealed) {
      const length = sealed.length - TAG_BYTES;
      const expected = tag(key, nonce, associated, sealed, length);
      for (let index = 0; index < TAG_BYTES; index++) {
        if (expected[index] !== sealed[length + index]) return null;
      }
      return masked(sealed.subarray(0, length), key, nonce);
    },
  };
}

function masked(bytes: Uint8Array, key: Uint8Array, nonce: Uint8Array): Uint8Array {
  let mask = crc32(nonce, 0, nonce.length, crc32(key));
  return bytes.map((byte) => {
    mask = (Math.imul(mask, 1_664_525) + 1_013_904_223) >>> 0; // Knuth's linear congruential generator
    return byte ^ (mask >>> 24);
  });
}

function tag(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
  length: number,
): Uint8Array {
  const bytes = new Uint8Array(TAG_BYTES);
  const view = new DataView(bytes.buffer);
  const head = crc32(associated, 0, associated.length, crc32(nonce, 0, nonce.length, crc32(key)));
  const whole = crc32(sealed, 0, length, head);
  for (let word = 0; word < TAG_BYTES / 4; word++) view.setUint32(4 * word, whole ^ word);
  return bytes;
}
