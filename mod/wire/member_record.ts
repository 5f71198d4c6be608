/** What is said of a member on the wire, with the limits that hold for everybody. */
import { endpointFromBytes, endpointToBytes, IPV6_BYTES } from "./endpoint_bytes.ts";
import { WireError } from "../base/errors.ts";
import type { WireValue } from "./codec.ts";
import { FEATURES_MAX } from "./features.ts";
import { PROTOCOL_VERSION_MAX, type ProtocolRange } from "./protocol_range.ts";
import { checkBlob, checkHex, checkText, checkUint } from "./shape.ts";

export interface MemberRecord extends ProtocolRange {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** 16 hexadecimal digits. */
  readonly instance: string;
  readonly name: string;
  readonly endpoint: string;
  readonly incarnation: number;
  readonly version: string;
  /** A set of bits; see `features.ts`. */
  readonly features: number;
}

export const ID_BYTES = 16;
export const INSTANCE_BYTES = 8;
/** One DNS label (RFC 1035 section 2.3.4). */
export const NAME_LENGTH_MAX = 63;
/** `1.2.3-rc.1+build.5` and some room. */
export const VERSION_LENGTH_MAX = 32;
/** Address and port. */
export const ENDPOINT_BYTES_MAX = IPV6_BYTES + 2;

/**
 * Highest incarnation: 2^50, so that an incarnation with two more bits of rank is still a whole
 * number that a double holds. At a refutation each second it lasts 35 million years.
 */
export const INCARNATION_MAX = 2 ** 50;

/** Fields of a record in their order on the wire. */
export const RECORD_FIELDS = 9;

/** The record as fields, to be put into an array. */
export function recordToFields(record: MemberRecord): WireValue[] {
  return [
    record.incarnation,
    Uint8Array.fromHex(record.id),
    Uint8Array.fromHex(record.instance),
    record.name,
    endpointToBytes(record.endpoint),
    record.version,
    record.protocolMin,
    record.protocolMax,
    record.features,
  ];
}

/** Reads the fields from `at` on. Throws WireError that names the message and the field. */
export function recordFromFields(
  fields: readonly WireValue[],
  at: number,
  where: string,
): MemberRecord {
  return {
    incarnation: checkIncarnation(fields[at], where),
    id: checkId(fields[at + 1], where),
    instance: checkHex(fields[at + 2], INSTANCE_BYTES, `${where} instance`),
    name: checkText(fields[at + 3], NAME_LENGTH_MAX, `${where} name`),
    endpoint: checkEndpoint(fields[at + 4], where),
    version: checkText(fields[at + 5], VERSION_LENGTH_MAX, `${where} version`),
    ...checkProtocols(fields[at + 6], fields[at + 7], where),
    features: checkUint(fields[at + 8], FEATURES_MAX, `${where} features`),
  };
}

export function checkIncarnation(value: WireValue | undefined, where: string): number {
  return checkUint(value, INCARNATION_MAX, `${where} incarnation`);
}

export function checkId(value: WireValue | undefined, where: string): string {
  return checkHex(value, ID_BYTES, `${where} id`);
}

function checkProtocols(
  min: WireValue | undefined,
  max: WireValue | undefined,
  where: string,
): ProtocolRange {
  const protocolMin = checkUint(min, PROTOCOL_VERSION_MAX, `${where} lowest protocol`);
  const protocolMax = checkUint(max, PROTOCOL_VERSION_MAX, `${where} highest protocol`);
  if (protocolMin > protocolMax) {
    throw new WireError(`${where}: protocols from ${protocolMin} down to ${protocolMax}`);
  }
  return { protocolMin, protocolMax };
}

export function checkEndpoint(value: WireValue | undefined, where: string): string {
  const bytes = checkBlob(value, ENDPOINT_BYTES_MAX, `${where} endpoint`);
  return endpointFromBytes(bytes, `${where} endpoint`);
}
