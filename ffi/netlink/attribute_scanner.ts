/**
 * The attributes of one message at a time, for dumps of thousands: notes where each begins and how
 * long it is, and makes nothing but the values asked for. What is read is what attribute.ts reads,
 * with the same checks.
 */
import { bytesToAddress, bytesToMac } from "../inet.ts";
import { ATTRIBUTE_HEADER_BYTES, NLA_TYPE_MASK } from "./attribute.ts";
import { NetlinkFormatError } from "./error.ts";
import { align } from "./message.ts";

/** Types of routes, neighbours and forwarding entries are below 32; others are not noted. */
const TYPES = 64;
const ABSENT = -1;

export class AttributeScanner {
  readonly #offsets = new Int32Array(TYPES);
  readonly #lengths = new Int32Array(TYPES);
  #bytes: Uint8Array = new Uint8Array();

  /**
   * Takes in the attributes from byte `offset` on; what was scanned before is forgotten. Throws
   * NetlinkFormatError on impossible lengths.
   */
  scan(bytes: Uint8Array, offset: number): void {
    this.#bytes = bytes;
    this.#offsets.fill(ABSENT);
    let at = offset;
    while (bytes.length - at >= ATTRIBUTE_HEADER_BYTES) {
      const length = this.#u16At(at);
      if (length < ATTRIBUTE_HEADER_BYTES || length > bytes.length - at) {
        throw new NetlinkFormatError(
          `attribute of ${length} bytes at byte ${at} of ${bytes.length}`,
        );
      }
      const type = this.#u16At(at + 2) & NLA_TYPE_MASK;
      if (type < TYPES) {
        this.#offsets[type] = at + ATTRIBUTE_HEADER_BYTES;
        this.#lengths[type] = length - ATTRIBUTE_HEADER_BYTES;
      }
      at += align(length);
    }
  }

  has(type: number): boolean {
    return this.#offsets[type] !== ABSENT;
  }

  u8(type: number): number | null {
    return this.has(type) ? this.#bytes[this.#sized(type, 1)] ?? 0 : null;
  }

  be16(type: number): number | null {
    if (!this.has(type)) return null;
    const at = this.#sized(type, 2);
    return ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0);
  }

  u32(type: number): number | null {
    if (!this.has(type)) return null;
    const at = this.#sized(type, 4);
    return (this.#u16At(at) | (this.#u16At(at + 2) << 16)) >>> 0;
  }

  /** Canonical text; null when it is absent or neither IPv4 nor IPv6. */
  address(type: number): string | null {
    if (!this.has(type)) return null;
    const at = this.#offsets[type] ?? 0;
    const length = this.#lengths[type] ?? 0;
    const bytes = this.#bytes;
    if (length === 4) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
    return bytesToAddress(bytes.subarray(at, at + length));
  }

  /** `aa:bb:cc:dd:ee:ff`; null when it is absent. */
  mac(type: number): string | null {
    if (!this.has(type)) return null;
    const at = this.#offsets[type] ?? 0;
    return bytesToMac(this.#bytes, at, at + (this.#lengths[type] ?? 0));
  }

  /** Where the value begins, which has that many bytes at least. */
  #sized(type: number, length: number): number {
    const has = this.#lengths[type] ?? 0;
    if (has < length) {
      throw new NetlinkFormatError(`attribute ${type} has ${has} bytes, not ${length}`);
    }
    return this.#offsets[type] ?? 0;
  }

  #u16At(at: number): number {
    return (this.#bytes[at] ?? 0) | ((this.#bytes[at + 1] ?? 0) << 8);
  }
}
