/**
 * Authenticated encryption as the envelope needs it: AES-256-GCM (NIST SP 800-38D). An interface, because the fast
 * implementation belongs to the runtime and costs start-up time that hosts without gossip keys need not pay.
 */

/** AES-256 (FIPS 197). */
export const KEY_BYTES = 32;

/** 96 bits is what GCM is made for (SP 800-38D section 5.2.1.1). */
export const NONCE_BYTES = 12;

/** The full tag. */
export const TAG_BYTES = 16;

export interface Aead {
  /** Draws that many unpredictable bytes. */
  draw(count: number): Uint8Array;
  /** Ciphertext, as long as the plaintext, followed by the tag. */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    plaintext: Uint8Array,
  ): Uint8Array;
  /** The plaintext; null when key, nonce, associated data, ciphertext and tag do not belong together. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | null;
}
