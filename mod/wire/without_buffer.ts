/**
 * Hides the global `Buffer` while the CBOR library loads. Merely looking at it makes Deno load Node's buffer module, 6 to 12 ms
 * of each start; without it the library works on Uint8Array, which is what we hand it and want back.
 */
// deno-lint-ignore-file gossamer/pure-globals -- hiding a global is all that this file does
const hidden = Object.getOwnPropertyDescriptor(globalThis, "Buffer");
Reflect.deleteProperty(globalThis, "Buffer");

/** Puts it back; to be called once the library is loaded. */
export function restoreBuffer(): void {
  if (hidden !== undefined) Object.defineProperty(globalThis, "Buffer", hidden);
}
