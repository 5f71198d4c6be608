/**
 * The pool record as bytes, the same on the wire and on disk: a CBOR array of format version, version, digest of the
 * configured pool, added networks, reserved networks and pins. Networks are two values each, pins an id and two values.
 */
import { isIpv6Text } from "../address/ipv6.ts";
import {
  ADDED_MAX,
  PINS_MAX,
  type PoolPin,
  type PoolRecord,
  RESERVED_MAX,
} from "../address/pool_record.ts";
import { WireError } from "../base/errors.ts";
import { sha256Hex } from "../base/hash.ts";
import { decode, encode, type WireValue } from "../wire/codec.ts";
import { checkArray, checkHex, checkList, checkUint } from "../wire/shape.ts";
import { NETWORK_BYTES_MAX, networkFields, networkFrom } from "./network_codec.ts";

const FORMAT = 1;
/** Of records that speak of IPv6 networks. */
const FORMAT_IPV6 = 2;
const BYTE_MAX = 255;
const BASE_BYTES = 8;
const HOST_ID_BYTES = 16;
const UINT32_MAX = 0xffff_ffff;
/** Heads and numbers 40; networks; pins with an id of 17 before. */
export const POOL_BYTES_MAX = 40 + (ADDED_MAX + RESERVED_MAX) * NETWORK_BYTES_MAX +
  PINS_MAX * (17 + NETWORK_BYTES_MAX);

/** Which record a host has, in a few bytes: the higher version wins, and of equal versions the higher digest. */
export interface PoolSummary {
  /** 1 when nothing was ever changed. */
  readonly version: number;
  /** First 8 bytes of SHA-256 over the record's bytes, 16 hexadecimal digits; zeros when there is none. */
  readonly digest: string;
}

export const NO_POOL_RECORD: PoolSummary = { version: 1, digest: "0".repeat(2 * BASE_BYTES) };

/** Whether what `one` stands for replaces what `other` stands for; a total order, so that all end with the same record. */
export function replaces(one: PoolSummary, other: PoolSummary): boolean {
  return one.version === other.version ? one.digest > other.digest : one.version > other.version;
}

export function summaryOf(bytes: Uint8Array, { version }: PoolRecord): PoolSummary {
  return { version, digest: sha256Hex(bytes).slice(0, 2 * BASE_BYTES) };
}

export function encodePool(record: PoolRecord): Uint8Array {
  const { version, base, added, reserved, pins } = record;
  return encode([
    formatOf(record),
    version,
    Uint8Array.fromHex(base),
    added.flatMap(networkFields),
    reserved.flatMap(networkFields),
    pins.flatMap(({ hostId, subnet }) => [Uint8Array.fromHex(hostId), ...networkFields(subnet)]),
  ]);
}

/** Throws WireError. What the record means for a pool is checked elsewhere: see whyNotPool. */
export function decodePool(bytes: Uint8Array): PoolRecord {
  if (bytes.length > POOL_BYTES_MAX) throw new WireError(`pool record: ${bytes.length} bytes`);
  const fields = checkArray(decode(bytes), 6, "pool record");
  const format = checkUint(fields[0], BYTE_MAX, "pool record format");
  if (format !== FORMAT && format !== FORMAT_IPV6) {
    throw new WireError("pool record: its format is not known here");
  }
  const version = checkUint(fields[1], UINT32_MAX, "pool record version");
  if (version <= NO_POOL_RECORD.version) {
    throw new WireError(`pool record: version ${version} is that of no record`);
  }
  const record: PoolRecord = {
    version,
    base: checkHex(fields[2], BASE_BYTES, "pool record base"),
    added: networksFrom(fields[3], ADDED_MAX, "pool record added networks"),
    reserved: networksFrom(fields[4], RESERVED_MAX, "pool record reserved networks"),
    pins: pinsFrom(fields[5]),
  };
  if (formatOf(record) === format) return record;
  throw new WireError(`pool record: format ${format} does not go with its networks`);
}

function formatOf({ added, reserved, pins }: PoolRecord): number {
  const hasIpv6 = [...added, ...reserved].some(isIpv6Text) ||
    pins.some(({ subnet }) => isIpv6Text(subnet));
  return hasIpv6 ? FORMAT_IPV6 : FORMAT;
}

export function summaryFields({ version, digest }: PoolSummary): WireValue[] {
  return [version, Uint8Array.fromHex(digest)];
}

/** Throws WireError. */
export function summaryFrom(
  version: WireValue | undefined,
  digest: WireValue | undefined,
  where: string,
): PoolSummary {
  return {
    version: checkUint(version, UINT32_MAX, `${where} pool version`),
    digest: checkHex(digest, BASE_BYTES, `${where} pool digest`),
  };
}

function networksFrom(value: WireValue | undefined, max: number, where: string): string[] {
  const flat = checkList(value, 2 * max, where);
  if (flat.length % 2 !== 0) throw new WireError(`${where}: one has no prefix length`);
  const networks: string[] = [];
  for (let at = 0; at < flat.length; at += 2) {
    networks.push(networkFrom(flat[at], flat[at + 1], where));
  }
  return networks;
}

function pinsFrom(value: WireValue | undefined): PoolPin[] {
  const where = "pool record pins";
  const flat = checkList(value, 3 * PINS_MAX, where);
  if (flat.length % 3 !== 0) throw new WireError(`${where}: one is incomplete`);
  const pins: PoolPin[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const hostId = checkHex(flat[at], HOST_ID_BYTES, where);
    pins.push({ hostId, subnet: networkFrom(flat[at + 1], flat[at + 2], where) });
  }
  return pins;
}
