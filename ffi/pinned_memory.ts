/**
 * Memory that the kernel reads and writes by its address while JavaScript looks at it: one explicit buffer, its address as a
 * number, and views of it. It must be kept by whoever lets the kernel use it (docs/adr/0037).
 */
import { pinnedBytes } from "./bytes.ts";

export class PinnedMemory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly address: number;
  /** The same, as libc is called with it. */
  readonly pointer: bigint;

  constructor(length: number) {
    this.bytes = pinnedBytes(length);
    this.view = new DataView(this.bytes.buffer);
    // User space ends below 2^47 on x86-64 and 2^48 on arm64: a number holds that exactly.
    this.pointer = Deno.UnsafePointer.value(Deno.UnsafePointer.of(this.bytes));
    this.address = Number(this.pointer);
  }
}

/** Of struct iovec: base, length. */
export const IOVEC_BYTES = 16;
/** Of struct msghdr on 64-bit systems: name, length of name, vectors, their number, control, its length, flags. */
export const MSGHDR_BYTES = 56;
/** Of struct mmsghdr: struct msghdr, and how much came. */
export const MMSGHDR_BYTES = 64;

/** Writes a struct iovec. */
export function putVector(view: DataView, at: number, address: number, length: number): void {
  putAddress(view, at, address);
  view.setUint32(at + 8, length, true);
  view.setUint32(at + 12, 0, true);
}

/** Writes a pointer or size of eight bytes without making a BigInt. */
export function putAddress(view: DataView, at: number, address: number): void {
  view.setUint32(at, address >>> 0, true);
  view.setUint32(at + 4, Math.floor(address / 0x1_0000_0000), true);
}
