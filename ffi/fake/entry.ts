/**
 * What the fake kernel keeps: a fixed header and attributes, which is the form both of a request
 * and of the answer that later reports it, so an object is stored as it was asked for.
 */
import { viewOf } from "../bytes.ts";
import { errnoName } from "../errno.ts";
import { decodeAttributes, encodePayload } from "../netlink/attribute.ts";
import { NetlinkFormatError } from "../netlink/error.ts";

/** A request the fake kernel refuses. */
export class Refusal extends Error {
  readonly errno: number;
  readonly extack: string | null;

  constructor(errno: number, extack: string | null = null) {
    super(`${errnoName(errno)}${extack === null ? "" : `: ${extack}`}`);
    this.name = "Refusal";
    this.errno = errno;
    this.extack = extack;
  }
}

/** A fixed header with attributes. */
export class Entry {
  readonly header: Uint8Array;
  readonly view: DataView;
  readonly attributes: Map<number, Uint8Array>;

  constructor(header: Uint8Array, attributes: Map<number, Uint8Array>) {
    this.header = header;
    this.view = viewOf(header);
    this.attributes = attributes;
  }

  /** Copies a payload apart. Throws NetlinkFormatError. */
  static parse(payload: Uint8Array, headerBytes: number): Entry {
    if (payload.length < headerBytes) {
      throw new NetlinkFormatError(`${payload.length} bytes where the header has ${headerBytes}`);
    }
    const copy = payload.slice();
    const attributes = decodeAttributes(copy, headerBytes);
    const values = attributes.types().map((type): [number, Uint8Array] => [
      type,
      attributes.bytes(type) ?? new Uint8Array(),
    ]);
    return new Entry(copy.slice(0, headerBytes), new Map(values));
  }

  /** The payload that reports it. */
  encode(): Uint8Array {
    return encodePayload((writer) => {
      const { header } = this;
      writer.header(header.length, (view) => {
        for (const [index, byte] of header.entries()) view.setUint8(index, byte);
      });
      for (const [type, value] of this.attributes) writer.bytes(type, value);
    });
  }

  u32(type: number): number | null {
    const value = this.attributes.get(type);
    return value === undefined || value.length < 4 ? null : viewOf(value).getUint32(0, true);
  }

  setU32(type: number, value: number): void {
    const bytes = new Uint8Array(4);
    viewOf(bytes).setUint32(0, value, true);
    this.attributes.set(type, bytes);
  }

  /** Attribute bytes as a key for comparison; "" when it is absent. */
  key(type: number): string {
    return this.attributes.get(type)?.join(".") ?? "";
  }
}

/** A change of a table, told to monitors. */
export interface Notice {
  /** RTM_NEW* or RTM_DEL*. */
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Whom the tables tell of changes. */
export type Notify = (type: number, entry: Entry) => void;
