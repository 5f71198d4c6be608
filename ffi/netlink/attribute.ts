/**
 * Netlink attributes (linux/netlink.h struct nlattr): length, type, value, padded to four bytes,
 * possibly nested. The writer builds a request's payload, the reader takes a reply's apart and
 * checks every length, so that no reply can make it read outside its bytes.
 */
import { viewOf } from "../bytes.ts";
import { writeAddress, writeMac } from "../inet.ts";
import { NetlinkFormatError } from "./error.ts";
import { align } from "./message.ts";

/** Bytes of struct nlattr. */
export const ATTRIBUTE_HEADER_BYTES = 4;
const NLA_F_NESTED = 0x8000;
/** The type without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
export const NLA_TYPE_MASK = 0x3fff;
const LONGEST_ATTRIBUTE_BYTES = 0xffff;
/** Most payloads of ours are under 150 bytes; the writer grows when one is not. */
const INITIAL_WRITER_BYTES = 1024;
/** Longer values are copied by a call, shorter ones faster without. */
const SHORT_VALUE_BYTES = 32;
/** Payloads lie together in blocks: thousands of small buffers would keep the collector busy. */
const BLOCK_BYTES = 32 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

let block = new ArrayBuffer(0);
let blockUsed = 0;

/** Fresh bytes, of a block that many payloads share and that goes with the last of them. */
function blockSpace(length: number): Uint8Array {
  if (length > BLOCK_BYTES >> 3) return new Uint8Array(length);
  if (blockUsed + length > block.byteLength) {
    block = new ArrayBuffer(BLOCK_BYTES);
    blockUsed = 0;
  }
  const space = new Uint8Array(block, blockUsed, length);
  blockUsed += align(length);
  return space;
}

/** Builds the payload of a request: a fixed header, then attributes. */
export class AttributeWriter {
  #bytes = new Uint8Array(INITIAL_WRITER_BYTES);
  #view = viewOf(this.#bytes);
  #length = 0;

  #reserve(length: number): number {
    const offset = this.#length;
    const needed = offset + align(length);
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = viewOf(larger);
    }
    // The buffer is used again and again: padding must not leak an earlier request.
    if (needed - offset > SHORT_VALUE_BYTES) this.#bytes.fill(0, offset, needed);
    else for (let at = offset; at < needed; at++) this.#bytes[at] = 0;
    this.#length = needed;
    return offset;
  }

  #attribute(type: number, valueLength: number): number {
    const length = ATTRIBUTE_HEADER_BYTES + valueLength;
    if (length > LONGEST_ATTRIBUTE_BYTES) {
      throw new Error(`Attribute ${type} of ${length} bytes: netlink allows 65535`);
    }
    const offset = this.#reserve(length);
    this.#view.setUint16(offset, length, true);
    this.#view.setUint16(offset + 2, type, true);
    return offset + ATTRIBUTE_HEADER_BYTES;
  }

  /** Empties the writer, so that one buffer serves many requests. */
  reset(): void {
    this.#length = 0;
  }

  /** Reserves a zeroed fixed header (struct ifinfomsg and the like) and hands out its view. */
  header(length: number, fill: (view: DataView) => void): this {
    const offset = this.#reserve(length);
    fill(new DataView(this.#bytes.buffer, offset, length));
    return this;
  }

  /**
   * Reserves a zeroed fixed header and returns where it begins: for requests made by the thousand,
   * which fill it with {@linkcode setU8} and {@linkcode setU32}.
   */
  space(length: number): number {
    return this.#reserve(length);
  }

  setU8(offset: number, value: number): void {
    this.#bytes[offset] = value;
  }

  setU16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true);
  }

  setU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** An attribute without a value, whose presence is the statement. */
  flag(type: number): this {
    this.#attribute(type, 0);
    return this;
  }

  u8(type: number, value: number): this {
    const offset = this.#attribute(type, 1); // may grow the buffer: look at #view only after it
    this.#view.setUint8(offset, value);
    return this;
  }

  u16(type: number, value: number): this {
    const offset = this.#attribute(type, 2);
    this.#view.setUint16(offset, value, true);
    return this;
  }

  /** A 16-bit number in network byte order, as ports are. */
  be16(type: number, value: number): this {
    const offset = this.#attribute(type, 2);
    this.#view.setUint16(offset, value, false);
    return this;
  }

  u32(type: number, value: number): this {
    const offset = this.#attribute(type, 4);
    this.#view.setUint32(offset, value, true);
    return this;
  }

  u64(type: number, value: bigint): this {
    const offset = this.#attribute(type, 8);
    this.#view.setBigUint64(offset, value, true);
    return this;
  }

  bytes(type: number, value: Uint8Array): this {
    const offset = this.#attribute(type, value.length);
    this.#bytes.set(value, offset);
    return this;
  }

  /** An IPv4 or IPv6 address in network order. Throws on anything else. */
  address(type: number, text: string): this {
    const offset = this.#attribute(type, text.includes(":") ? 16 : 4);
    writeAddress(this.#bytes, offset, text);
    return this;
  }

  /** An Ethernet address. Throws on anything else. */
  mac(type: number, text: string): this {
    const offset = this.#attribute(type, 6);
    writeMac(this.#bytes, offset, text);
    return this;
  }

  /** A string with its terminating zero, as the kernel's NLA_NUL_STRING wants it. */
  string(type: number, value: string): this {
    if (value.includes("\0")) {
      throw new Error(`Attribute ${type}: ${JSON.stringify(value)} holds a NUL`);
    }
    return this.bytes(type, encoder.encode(`${value}\0`));
  }

  /** An attribute that holds what `fill` writes: further attributes, or a header and some. */
  nested(type: number, fill: (writer: AttributeWriter) => void, flags = 0): this {
    const offset = this.#attribute(type | flags, 0) - ATTRIBUTE_HEADER_BYTES;
    fill(this);
    const length = this.#length - offset;
    if (length > LONGEST_ATTRIBUTE_BYTES) {
      throw new Error(`Attribute ${type} of ${length} bytes: netlink allows 65535`);
    }
    this.#view.setUint16(offset, length, true);
    return this;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    const copy = blockSpace(this.#length);
    if (this.#length > BLOCK_BYTES >> 8) copy.set(this.#bytes.subarray(0, this.#length));
    else for (let at = 0; at < this.#length; at++) copy[at] = this.#bytes[at] ?? 0;
    return copy;
  }
}

/** Flag for nested() where the kernel's strict parsing demands the NLA_F_NESTED bit. */
export const NESTED = NLA_F_NESTED;

/** Idle writer, lent to one encodePayload at a time. */
let spareWriter: AttributeWriter | null = null;

/** Runs `fill` on an empty writer and returns the payload it wrote. */
export function encodePayload(fill: (writer: AttributeWriter) => void): Uint8Array {
  const writer = spareWriter ?? new AttributeWriter();
  spareWriter = null;
  writer.reset();
  fill(writer);
  const payload = writer.finish();
  spareWriter = writer;
  return payload;
}

/** The attributes of one level, by type. A type that occurs twice keeps its last value. */
export class Attributes {
  readonly #values: ReadonlyMap<number, Uint8Array>;

  constructor(values: ReadonlyMap<number, Uint8Array>) {
    this.#values = values;
  }

  has(type: number): boolean {
    return this.#values.has(type);
  }

  types(): number[] {
    return [...this.#values.keys()];
  }

  bytes(type: number): Uint8Array | null {
    return this.#values.get(type) ?? null;
  }

  #sized(type: number, length: number): DataView | null {
    const value = this.#values.get(type);
    if (value === undefined) return null;
    if (value.length < length) {
      throw new NetlinkFormatError(`attribute ${type} has ${value.length} bytes, not ${length}`);
    }
    return viewOf(value);
  }

  u8(type: number): number | null {
    return this.#sized(type, 1)?.getUint8(0) ?? null;
  }

  u16(type: number): number | null {
    return this.#sized(type, 2)?.getUint16(0, true) ?? null;
  }

  be16(type: number): number | null {
    return this.#sized(type, 2)?.getUint16(0, false) ?? null;
  }

  u32(type: number): number | null {
    return this.#sized(type, 4)?.getUint32(0, true) ?? null;
  }

  i32(type: number): number | null {
    return this.#sized(type, 4)?.getInt32(0, true) ?? null;
  }

  u64(type: number): bigint | null {
    return this.#sized(type, 8)?.getBigUint64(0, true) ?? null;
  }

  /** A string up to its first zero byte. */
  string(type: number): string | null {
    const value = this.#values.get(type);
    if (value === undefined) return null;
    const end = value.indexOf(0);
    return decoder.decode(end < 0 ? value : value.subarray(0, end));
  }

  nested(type: number): Attributes | null {
    const value = this.#values.get(type);
    return value === undefined ? null : decodeAttributes(value);
  }
}

/** The attributes from byte `offset` on. Throws NetlinkFormatError on impossible lengths. */
export function decodeAttributes(bytes: Uint8Array, offset = 0): Attributes {
  const values = new Map<number, Uint8Array>();
  const view = viewOf(bytes);
  let at = offset;
  // Fewer than four bytes behind the last attribute are padding that nlmsg_len counted.
  while (bytes.length - at >= ATTRIBUTE_HEADER_BYTES) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_BYTES || length > bytes.length - at) {
      throw new NetlinkFormatError(
        `attribute of ${length} bytes at byte ${at} of ${bytes.length}`,
      );
    }
    const type = view.getUint16(at + 2, true) & NLA_TYPE_MASK;
    values.set(type, bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length));
    at += align(length);
  }
  return new Attributes(values);
}

/** A view of the fixed header a payload begins with. Throws NetlinkFormatError when it is cut. */
export function fixedHeader(payload: Uint8Array, length: number, name: string): DataView {
  if (payload.length < length) {
    throw new NetlinkFormatError(`${payload.length} bytes where struct ${name} has ${length}`);
  }
  return new DataView(payload.buffer, payload.byteOffset, length);
}
