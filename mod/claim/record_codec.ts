/**
 * Claim records as bytes: a CBOR array of fixed order, the same on the wire and on disk.
 *
 * One record has exactly one encoding; what decodes but would encode differently is refused. Hence equal bytes and equal
 * records are the same thing, and a hash over the bytes is a hash over the record.
 */
import { isIpv6Text } from "../address/ipv6.ts";
import { subnetLengthMax } from "../address/pool_family.ts";
import { assert } from "../base/assert.ts";
import { WireError } from "../base/errors.ts";
import { ABSENCE_TTL_HOURS_MAX } from "../base/limits.ts";
import { decode, encode, type WireValue } from "../wire/codec.ts";
import { addressFromBytes, addressToBytes, IPV6_BYTES } from "../wire/endpoint_bytes.ts";
import { checkArray, checkBlob, checkBytes, checkHex, checkUint } from "../wire/shape.ts";
import { networkFields, networkFrom } from "./network_codec.ts";
import type { Backend, ClaimRecord, ClaimState, Vtep } from "./record.ts";

const VERSION = 1;
/** Of records whose subnet is IPv6: who knows nothing of such says so, and does not take them for damaged. */
const VERSION_IPV6 = 2;
const FIELDS = 17;
/** One more when the host takes packets in another way than VXLAN. */
const FIELDS_WITH_BACKEND = 18;
/** And one more when it takes packets of an IPv6 overlay. */
const FIELDS_WITH_IPV6 = 19;
/** And one more when the overlay's MTU there is not what Ethernet leaves. */
const FIELDS_WITH_MTU = 20;

/**
 * Head 1, version 1, host id 17, instance 9, generation 5, sequence 5, pool version 5, pool digest 9, subnet 17 + 2 (IPv6),
 * state 1, epoch 5, strength 1, stamp 5, VTEP 17 (IPv6) + 3 + 7, TTL 3, backend 2, IPv6 address 17, MTU 3: 135 bytes; the rest
 * is room to grow.
 */
export const RECORD_BYTES_MAX = 160;

const UINT32_MAX = 0xffff_ffff;
/** Generation and sequence together stay a whole number below 2^53: 32 + 20 bits. */
export const GENERATION_MAX = UINT32_MAX;
export const SEQUENCE_MAX = 2 ** 20 - 1;
/** Epochs and stamps rise by one at a time; the sanity rule keeps forged ones from reaching this. */
export const EPOCH_MAX = UINT32_MAX;
export const STAMP_MAX = UINT32_MAX;
const PORT_MAX = 65_535;
/** RFC 791: the least that an IPv4 link may have, and the longest packet. */
const MTU_MIN = 68;
const MTU_MAX = 65_535;
const SUBNET_LENGTHS = { ipv4: subnetLengthMax(4), ipv6: subnetLengthMax(6) };

const HOST_ID_BYTES = 16;
const INSTANCE_BYTES = 8;
const DIGEST_BYTES = 8;
const MAC_BYTES = 6;
const ADDRESS_BYTES_MAX = 16;
const LENGTHS = [FIELDS, FIELDS_WITH_BACKEND, FIELDS_WITH_IPV6, FIELDS_WITH_MTU];

const STATES: readonly ClaimState[] = ["tentative", "held", "yielding", "released"];
/** By their numbers; 0 is VXLAN. */
const BACKENDS: readonly Exclude<Backend, "vxlan">[] = [
  "vxlan-direct",
  "host-gw",
  "udp",
];
const BACKEND_MAX = 255;
const STRENGTHS: ReadonlySet<number> = new Set([1, 2, 5, 6]);

/** Records do not change, and each is written, sent and stored many times. */
const encoded = new WeakMap<ClaimRecord, Uint8Array>();

/**
 * The one encoding of a record that this program made or checked, at most {@linkcode RECORD_BYTES_MAX} bytes. The bytes are
 * shared: copy them before changing them.
 */
export function encodeRecord(record: ClaimRecord): Uint8Array {
  let bytes = encoded.get(record);
  if (bytes === undefined) encoded.set(record, bytes = freshBytes(record));
  return bytes;
}

function freshBytes(record: ClaimRecord): Uint8Array {
  const bytes = encode([
    versionOf(record.subnet),
    Uint8Array.fromHex(record.hostId),
    Uint8Array.fromHex(record.instance),
    record.generation,
    record.sequence,
    record.poolVersion,
    Uint8Array.fromHex(record.poolDigest),
    ...networkFields(record.subnet),
    STATES.indexOf(record.state),
    record.epoch,
    record.strength,
    record.stamp,
    addressToBytes(record.vtep.address),
    record.vtep.port,
    Uint8Array.fromHex(record.vtep.mac.replaceAll(":", "")),
    record.absenceTtlHours,
    ...laterFields(record.vtep),
  ]);
  assert(bytes.length <= RECORD_BYTES_MAX, "a claim record fits its limit");
  return bytes;
}

/** Checks everything about a record from outside. Throws WireError that names the field. */
export function decodeRecord(bytes: Uint8Array): ClaimRecord {
  if (bytes.length > RECORD_BYTES_MAX) {
    throw new WireError(`claim: ${bytes.length} bytes, at most ${RECORD_BYTES_MAX} are allowed`);
  }
  const count = LENGTHS.find((length) => headOf(length) === bytes[0]) ?? FIELDS;
  const fields = checkArray(decode(bytes), count, "claim");
  const version = checkUint(fields[0], UINT32_MAX, "claim version");
  if (version !== VERSION && version !== VERSION_IPV6) {
    throw new WireError(`claim: version ${version} is not known here`);
  }
  const record: ClaimRecord = {
    hostId: checkHex(fields[1], HOST_ID_BYTES, "claim host id"),
    instance: checkHex(fields[2], INSTANCE_BYTES, "claim instance"),
    generation: atLeastOne(fields[3], GENERATION_MAX, "claim generation"),
    sequence: checkUint(fields[4], SEQUENCE_MAX, "claim sequence"),
    poolVersion: atLeastOne(fields[5], UINT32_MAX, "claim pool version"),
    poolDigest: checkHex(fields[6], DIGEST_BYTES, "claim pool digest"),
    subnet: networkFrom(fields[7], fields[8], "claim subnet", SUBNET_LENGTHS),
    state: stateFrom(fields[9]),
    epoch: atLeastOne(fields[10], EPOCH_MAX, "claim epoch"),
    strength: checkUint(fields[11], UINT32_MAX, "claim strength"),
    stamp: checkUint(fields[12], STAMP_MAX, "claim stamp"),
    vtep: {
      ...vtepFrom(fields[13], fields[14], fields[15]),
      ...(count < FIELDS_WITH_BACKEND ? {} : backendFrom(fields[17], count)),
      ...(count < FIELDS_WITH_IPV6 ? {} : ipv6From(fields[18], count)),
      ...(count < FIELDS_WITH_MTU ? {} : { mtu: mtuFrom(fields[19]) }),
    },
    absenceTtlHours: atLeastOne(fields[16], ABSENCE_TTL_HOURS_MAX, "claim absence TTL"),
  };
  if (versionOf(record.subnet) !== version) {
    throw new WireError(`claim: version ${version} does not go with ${record.subnet}`);
  }
  checkStrength(record);
  encoded.set(record, bytes);
  return record;
}

/**
 * The host id of an encoded record without decoding it: head of the array, version, head of a 16-byte string, then the id.
 * Undefined when the bytes do not begin like a record.
 */
export function peekHostId(bytes: Uint8Array): string | undefined {
  const isHead = LENGTHS.some((length) => headOf(length) === bytes[0]);
  const isVersion = bytes[1] === VERSION || bytes[1] === VERSION_IPV6;
  if (!isHead || !isVersion || bytes[2] !== 0x40 + HOST_ID_BYTES) {
    return undefined;
  }
  return bytes.subarray(3, 3 + HOST_ID_BYTES).toHex();
}

function atLeastOne(value: WireValue | undefined, max: number, where: string): number {
  const number = checkUint(value, max, where);
  if (number === 0) throw new WireError(`${where}: 0, at least 1 is needed`);
  return number;
}

function versionOf(subnet: string): number {
  return isIpv6Text(subnet) ? VERSION_IPV6 : VERSION;
}

function stateFrom(value: WireValue | undefined): ClaimState {
  const state = STATES[checkUint(value, STATES.length - 1, "claim state")];
  assert(state !== undefined, "the number of a state was checked");
  return state;
}

function vtepFrom(
  address: WireValue | undefined,
  port: WireValue | undefined,
  mac: WireValue | undefined,
): Vtep {
  const octets = checkBytes(mac, MAC_BYTES, "claim VTEP MAC");
  if (((octets[0] ?? 1) & 1) === 1 || octets.every((octet) => octet === 0)) {
    throw new WireError("claim VTEP MAC: not a host's (group bit set, or all zero)");
  }
  return {
    address: addressFromBytes(
      checkBlob(address, ADDRESS_BYTES_MAX, "claim VTEP address"),
      "claim VTEP address",
    ),
    port: atLeastOne(port, PORT_MAX, "claim VTEP port"),
    mac: Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join(":"),
  };
}

function backendNumber(backend: Exclude<Backend, "vxlan">): number {
  const index = BACKENDS.indexOf(backend);
  return index === -1 ? Number(backend.slice("backend ".length)) : index + 1;
}

/** What only some records have: each field stands behind those before, and none is written for nothing. */
function laterFields({ backend, ipv6, mtu }: Vtep): WireValue[] {
  const number = backend === undefined ? 0 : backendNumber(backend);
  const address = ipv6 === undefined ? null : addressToBytes(ipv6);
  if (mtu !== undefined) return [number, address, mtu];
  if (address !== null) return [number, address];
  return number === 0 ? [] : [number];
}

/** VXLAN is written only where another field follows. */
function backendFrom(value: WireValue | undefined, count: number): Pick<Vtep, "backend"> {
  const where = "claim backend";
  const isLast = count === FIELDS_WITH_BACKEND;
  const number = isLast
    ? atLeastOne(value, BACKEND_MAX, where)
    : checkUint(value, BACKEND_MAX, where);
  return number === 0 ? {} : { backend: BACKENDS[number - 1] ?? `backend ${number}` };
}

/** None is written only where another field follows. */
function ipv6From(value: WireValue | undefined, count: number): Pick<Vtep, "ipv6"> {
  if (value === null && count > FIELDS_WITH_IPV6) return {};
  const where = "claim VTEP IPv6 address";
  return { ipv6: addressFromBytes(checkBytes(value, IPV6_BYTES, where), where) };
}

function mtuFrom(value: WireValue | undefined): number {
  const mtu = checkUint(value, MTU_MAX, "claim MTU");
  if (mtu < MTU_MIN) throw new WireError(`claim MTU: ${mtu}, at least ${MTU_MIN} are needed`);
  return mtu;
}

/** The first byte of a CBOR array of 23 fields or less (RFC 8949 section 3.1). */
function headOf(fields: number): number {
  return 0x80 + fields;
}

/** A released claim of strength 0 is a question withdrawn: the subnet was never held. */
function checkStrength({ state, strength }: ClaimRecord): void {
  const isRight = strength === 0
    ? state === "tentative" || state === "released"
    : state !== "tentative" && STRENGTHS.has(strength);
  if (!isRight) throw new WireError(`claim strength: ${strength} does not go with ${state}`);
}
