/**
 * The pool record as bytes, the same on the wire and on disk: a CBOR array of format version, version, digest of the
 * configured pool, added networks, reserved networks and pins. Networks are two numbers each, pins an id and two numbers.
 */
import { formatNetwork, networkOf } from "../address/network.ts";
import { parseNetwork } from "../address/parse.ts";
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

const FORMAT = 1;
const BYTE_MAX = 255;
const BASE_BYTES = 8;
const HOST_ID_BYTES = 16;
const UINT32_MAX = 0xffff_ffff;
const LENGTH_MAX = 32;
/** Heads and numbers 40; 16 + 256 networks of 7; pins of 25. */
export const POOL_BYTES_MAX = 40 + (ADDED_MAX + RESERVED_MAX) * 7 + PINS_MAX * 25;

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

export function encodePool({ version, base, added, reserved, pins }: PoolRecord): Uint8Array {
  return encode([
    FORMAT,
    version,
    Uint8Array.fromHex(base),
    added.flatMap(flatNetwork),
    reserved.flatMap(flatNetwork),
    pins.flatMap(({ hostId, subnet }) => [Uint8Array.fromHex(hostId), ...flatNetwork(subnet)]),
  ]);
}

/** Throws WireError. What the record means for a pool is checked elsewhere: see whyNotPool. */
export function decodePool(bytes: Uint8Array): PoolRecord {
  if (bytes.length > POOL_BYTES_MAX) throw new WireError(`pool record: ${bytes.length} bytes`);
  const fields = checkArray(decode(bytes), 6, "pool record");
  if (checkUint(fields[0], BYTE_MAX, "pool record format") !== FORMAT) {
    throw new WireError("pool record: its format is not known here");
  }
  const version = checkUint(fields[1], UINT32_MAX, "pool record version");
  if (version <= NO_POOL_RECORD.version) {
    throw new WireError(`pool record: version ${version} is that of no record`);
  }
  return {
    version,
    base: checkHex(fields[2], BASE_BYTES, "pool record base"),
    added: networksFrom(fields[3], ADDED_MAX, "pool record added networks"),
    reserved: networksFrom(fields[4], RESERVED_MAX, "pool record reserved networks"),
    pins: pinsFrom(fields[5]),
  };
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

function flatNetwork(cidr: string): WireValue[] {
  const { address, length } = parseNetwork(cidr);
  return [address, length];
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

function networkFrom(
  first: WireValue | undefined,
  second: WireValue | undefined,
  where: string,
): string {
  const address = checkUint(first, UINT32_MAX, where);
  const network = networkOf(address, checkUint(second, LENGTH_MAX, where));
  if (network.address !== address) throw new WireError(`${where}: host bits are set`);
  return formatNetwork(network);
}
