/**
 * The document "claim": what a host must remember of itself across restarts. Versioned and checksummed, since a disk may
 * give back something else than was written.
 */
import { UserError, WireError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { isIpv6Text } from "../address/ipv6.ts";
import { decode, encode, type WireValue } from "../wire/codec.ts";
import {
  checkArray,
  checkBlob,
  checkBytes,
  checkHex,
  checkList,
  checkText,
  checkUint,
} from "../wire/shape.ts";
import { fenceFromFlat, flatFence, flatRecords, recordsFromFlat } from "./flat_state.ts";
import { networkFields, networkFrom } from "./network_codec.ts";
import type { FurtherMemory, RestoredClaim } from "./options.ts";
import { decodePool, encodePool, POOL_BYTES_MAX } from "./pool_codec.ts";
import {
  decodeRecord,
  encodeRecord,
  GENERATION_MAX,
  RECORD_BYTES_MAX,
  STAMP_MAX,
} from "./record_codec.ts";

const MAGIC = "gossamer claim";
const VERSION = 2;
/** Of documents that speak of IPv6 subnets: programs that know nothing of such take them for newer, not for damaged. */
const VERSION_IPV6 = 3;
/** The checksum of version 1 does not cover the version; its body has no further fields. */
const VERSION_WITHOUT_FURTHER = 1;
const VERSION_MAX = 65_535;
const CHECKSUM_BYTES = 8;
const HOST_ID_BYTES = 16;
/** Of the SHA-256 over what tells machines apart. */
const MACHINE_BYTES = 16;
/** 65,536 fence entries of 24 bytes (IPv6) and 20,000 records of 168 with their age: 4.9 MB. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;
const FIELDS = 7;
/** Fields that version 2 has more, see furtherFields. */
const FURTHER = 1;
/** With those that a later program of this version may add; what is not known here is passed over. */
const FIELDS_MAX = 32;

/** A document that cannot be used as it is. */
export class DamagedClaimError extends UserError {}

/** A whole document that a later program wrote: an older copy of it would take back what was announced since. */
export class NewerClaimError extends UserError {}

export function encodeClaimMemory(memory: RestoredClaim): Uint8Array {
  const body = encode([
    Uint8Array.fromHex(memory.hostId),
    memory.generation,
    memory.lamport,
    flatFence(memory.fence),
    memory.record === null ? null : encodeRecord(memory.record),
    subnetFields(memory.previous),
    flatRecords(
      (memory.others ?? []).map(({ record, ageMs }) => ({ bytes: encodeRecord(record), ageMs })),
    ),
    ...furtherFields(memory),
  ]);
  const version = hasIpv6(memory) ? VERSION_IPV6 : VERSION;
  return encode([MAGIC, version, checksum(version, body), body]);
}

function hasIpv6({ fence, record, previous, others = [], pool }: RestoredClaim): boolean {
  const records = record === null ? [] : [record];
  const pinned = pool?.pins.map(({ subnet }) => subnet) ?? [];
  const subnets = [...fence, ...records, ...others.map((other) => other.record)]
    .map(({ subnet }) => subnet);
  return [...subnets, previous ?? "", ...pool?.added ?? [], ...pool?.reserved ?? [], ...pinned]
    .some(isIpv6Text);
}

/**
 * Reads the document, also one of an older version; `where` names it in errors, best by its path. Throws
 * {@linkcode NewerClaimError} when it is whole, but of a newer version, and {@linkcode DamagedClaimError} when it is cut,
 * changed or no such document at all.
 */
export function decodeClaimMemory(
  bytes: Uint8Array,
  where = "The document",
): RestoredClaim {
  try {
    return memoryFrom(bytes, where);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new DamagedClaimError(`${where} is not a usable claim document: ${error.message}`, {
      remedy: "restore it from a backup; or move claim.state and claim.previous away: the host " +
        "then gets a new identity, and a new subnet if others still respect the old one",
      cause: error,
    });
  }
}

function memoryFrom(bytes: Uint8Array, where: string): RestoredClaim {
  const fields = checkArray(decode(bytes), 4, "document");
  if (checkText(fields[0], MAGIC.length, "document kind") !== MAGIC) {
    throw new WireError("it is some other document");
  }
  const version = checkUint(fields[1], VERSION_MAX, "document version");
  const body = checkBlob(fields[3], BODY_BYTES_MAX, "document body");
  const written = checkBytes(fields[2], CHECKSUM_BYTES, "document checksum");
  if (checksum(version, body).some((byte, index) => byte !== written[index])) {
    throw new WireError("the checksum does not match, so something changed it");
  }
  if (version > VERSION_IPV6) throw newerError(version, where);
  const values = checkList(decode(body), FIELDS_MAX, "body");
  if (version === VERSION_WITHOUT_FURTHER) checkArray(values, FIELDS, "body");
  else if (values.length < FIELDS + FURTHER) {
    throw new WireError(`body: ${values.length} fields instead of ${FIELDS + FURTHER}`);
  }
  const memory = bodyFrom(values);
  if (hasIpv6(memory) === (version === VERSION_IPV6)) return memory;
  throw new WireError(`version ${version} does not go with its subnets`);
}

function newerError(version: number, where: string): NewerClaimError {
  return new NewerClaimError(
    `${where} was written by a newer gossamer (version ${version} of the document; this one ` +
      `knows ${VERSION_IPV6})`,
    {
      remedy: "install the newer gossamer again; to go back for good, run leave --release with " +
        "it first, then remove the state directory",
    },
  );
}

function bodyFrom(fields: readonly WireValue[]): RestoredClaim {
  const hostId = checkHex(fields[0], HOST_ID_BYTES, "host id");
  const record = fields[4] === null
    ? null
    : decodeRecord(checkBlob(fields[4], RECORD_BYTES_MAX, "record"));
  if (record !== null && record.hostId !== hostId) {
    throw new WireError("the record is another host's");
  }
  return {
    hostId,
    generation: checkUint(fields[1], GENERATION_MAX, "generation"),
    lamport: checkUint(fields[2], STAMP_MAX, "clock"),
    fence: fenceFromFlat(fields[3], "fence"),
    record,
    previous: subnetFrom(fields[5]),
    others: recordsFromFlat(fields[6], "others").map(({ bytes, ageMs }) => ({
      record: decodeRecord(bytes),
      ageMs,
    })),
    ...furtherFrom(fields.slice(FIELDS)),
  };
}

/** What came later than version 1: one value each, null when there is nothing, in an order that never changes. */
function furtherFields({ machine, pool }: RestoredClaim): WireValue[] {
  return [
    machine === undefined ? null : Uint8Array.fromHex(machine),
    pool === undefined ? null : encodePool(pool),
  ];
}

function furtherFrom([machine = null, pool = null]: readonly WireValue[]): FurtherMemory {
  return {
    ...(machine === null ? {} : { machine: checkHex(machine, MACHINE_BYTES, "machine") }),
    ...(pool === null ? {} : { pool: decodePool(checkBlob(pool, POOL_BYTES_MAX, "pool")) }),
  };
}

function subnetFields(subnet: string | null): WireValue {
  if (subnet === null) return null;
  return networkFields(subnet);
}

function subnetFrom(value: WireValue | undefined): string | null {
  if (value === null) return null;
  const fields = checkArray(value, 2, "previous subnet");
  return networkFrom(fields[0], fields[1], "previous subnet");
}

/** Over the version as well, so that a damaged one is not taken for a newer one. */
function checksum(version: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = version === VERSION_WITHOUT_FURTHER ? "" : `${MAGIC} ${version} `;
  return sha256(head, body).slice(0, CHECKSUM_BYTES);
}
