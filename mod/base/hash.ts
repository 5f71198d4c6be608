/** SHA-256 for the pure modules: node:crypto is synchronous and deterministic, so it may be used there. */
import { createHash } from "node:crypto";

/** SHA-256 (FIPS 180-4) of the parts one after another; strings count as UTF-8. 32 bytes. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** {@linkcode sha256} as 64 lower-case hexadecimal digits; comparable as text. */
export function sha256Hex(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
