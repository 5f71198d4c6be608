/**
 * SHA-256 for the pure modules. In plain TypeScript by a library: the runtime's own takes 15 ms to load, which every start of
 * the agent would pay (docs/adr/0011-hash-in-plain-typescript.md).
 */
import { sha256 as hash } from "@noble/hashes/sha2.js";

const UTF8 = new TextEncoder();

/** SHA-256 (FIPS 180-4) of the parts one after another; strings count as UTF-8. 32 bytes. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const state = hash.create();
  for (const part of parts) state.update(typeof part === "string" ? UTF8.encode(part) : part);
  return new Uint8Array(state.digest());
}

/** {@linkcode sha256} as 64 lower-case hexadecimal digits; comparable as text. */
export function sha256Hex(...parts: readonly (Uint8Array | string)[]): string {
  return sha256(...parts).toHex();
}
