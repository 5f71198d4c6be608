/**
 * Bytes for C: buffers whose address the kernel may use, and integers in host order.
 * gossamer runs on x86-64 and arm64, both little-endian, so host order is little-endian;
 * the first use on anything else fails loudly rather than programming swapped numbers.
 */

/**
 * V8 keeps typed arrays of at most 64 bytes on its moving heap, so an address taken from one goes
 * stale at the next collection. Larger, explicit ArrayBuffers stay where they are.
 */
const SMALLEST_PINNED_BYTES = 128;

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * A zeroed buffer of `length` bytes whose address is stable. The caller must keep it reachable
 * for as long as the kernel may use it.
 */
export function pinnedBytes(length: number): Uint8Array<ArrayBuffer> {
  if (!LITTLE_ENDIAN) {
    throw new Error(
      "Cannot talk to this kernel: the host is big-endian, gossamer is little-endian",
    );
  }
  return new Uint8Array(new ArrayBuffer(Math.max(length, SMALLEST_PINNED_BYTES)), 0, length);
}

/** A zero-terminated C string in a pinned buffer; refuses a NUL inside, which would cut it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new Error(`Cannot pass ${JSON.stringify(text)} to C: it holds a NUL`);
  }
  const encoded = new TextEncoder().encode(text);
  const bytes = pinnedBytes(encoded.length + 1);
  bytes.set(encoded);
  return bytes;
}

/** A pinned `int`. */
export function cInt(value: number): Uint8Array<ArrayBuffer> {
  const bytes = pinnedBytes(4);
  viewOf(bytes).setInt32(0, value, true);
  return bytes;
}

/** A view for reading and writing numbers in `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** "0a f4 …" for messages and tests. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
