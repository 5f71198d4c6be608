/** Decoders of claims and of the documents on disk. */
import { WireError } from "../../../mod/base/errors.ts";
import { sha256 } from "../../../mod/base/hash.ts";
import {
  DamagedClaimError,
  decodeClaimMemory,
  encodeClaimMemory,
} from "../../../mod/claim/memory.ts";
import {
  type ClaimMessage,
  decodeClaimMessage,
  encodeAnswer,
  encodeFencePush,
  encodePoolPush,
  encodePush,
  encodeRequest,
} from "../../../mod/claim/messages.ts";
import type { RestoredClaim } from "../../../mod/claim/options.ts";
import { decodePool, encodePool } from "../../../mod/claim/pool_codec.ts";
import { decodeRecord, encodeRecord } from "../../../mod/claim/record_codec.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { decodeClaimSync, encodeClaimSync } from "../../../mod/claim/sync_messages.ts";
import { decodeMembers, encodeMembers } from "../../../mod/swim/memory.ts";
import { decode, encode } from "../../../mod/wire/codec.ts";
import { checkList } from "../../../mod/wire/shape.ts";
import { POOLS, RARE_CLAIM_MESSAGES, RARE_CLAIM_SYNCS, RARE_DOCUMENTS } from "../claim_samples.ts";
import type { Decoder } from "../decoder.ts";
import { CLAIM_MESSAGES, claimSyncs, documents } from "../samples.ts";

/** Bytes of SHA-256 that guard the body of a document. */
const CHECKSUM_BYTES = 8;

const DOCUMENTS = [...documents("claim"), ...RARE_DOCUMENTS];
const MESSAGES = [...CLAIM_MESSAGES, ...RARE_CLAIM_MESSAGES];
const SYNCS = [...claimSyncs(), ...RARE_CLAIM_SYNCS];
const BODIES = DOCUMENTS.map((bytes) => blobIn(bytes, 3));

/** Of the body that is written at present. */
const FIELDS = 9;

/** The byte string at that place of an encoded array. */
function blobIn(bytes: Uint8Array, index: number): Uint8Array {
  const fields = decode(bytes);
  const blob = Array.isArray(fields) ? fields[index] : undefined;
  if (blob instanceof Uint8Array) return blob;
  throw new Error(`a sample has no byte string at ${index}`);
}

/** A claim document with this body and a checksum that fits. */
function documentOf(body: Uint8Array, version = 2): Uint8Array {
  const sum = sha256(`gossamer claim ${version} `, body).slice(0, CHECKSUM_BYTES);
  return encode(["gossamer claim", version, sum, body]);
}

/** With the version that goes with it, if one does. */
function memoryOf(body: Uint8Array): RestoredClaim {
  try {
    return ownMemory(documentOf(body));
  } catch (error) {
    if (!(error instanceof DamagedClaimError) || !/with its subnets/.test(error.message)) {
      throw error;
    }
    return ownMemory(documentOf(body, 3));
  }
}

/** A memory with no other fields than are known here: more are passed over, and so are not written again. */
function bareMemory(body: Uint8Array): RestoredClaim {
  const memory = memoryOf(body);
  const fields = decode(body);
  if (Array.isArray(fields) && fields.length === FIELDS) return memory;
  throw new DamagedClaimError("it has fields of a later program");
}

/** A host's memory of its own claim, never another's. */
function ownMemory(bytes: Uint8Array): RestoredClaim {
  const memory = decodeClaimMemory(bytes);
  if (memory.record !== null && memory.record.hostId !== memory.hostId) {
    throw new TypeError("it took the claim of another host for the host's own");
  }
  return memory;
}

function recordsIn(message: ClaimMessage): Uint8Array[] {
  switch (message.kind) {
    case "request":
      return [message.claim.bytes];
    case "push":
      return message.claims.map(({ bytes }) => bytes);
    case "answer":
      return message.tentative.map(({ bytes }) => bytes);
    case "fence":
    case "pool":
      return [];
  }
}

const RECORDS = MESSAGES.flatMap((bytes) => recordsIn(decodeClaimMessage(bytes)));

function encodeClaimMessage(message: ClaimMessage): Uint8Array {
  switch (message.kind) {
    case "request":
      return encodeRequest(message.claim, message.isLastResort);
    case "fence":
      return encodeFencePush(message.entries);
    case "push":
      return encodePush(message.claims);
    case "pool":
      return encodePoolPush(message);
    case "answer":
      return encodeAnswer(message, Infinity);
  }
}

/** Encodes a record from its fields: the bytes that one was decoded from are remembered with the object. */
function encodeAnew(record: ClaimRecord): Uint8Array {
  return encodeRecord({ ...record });
}

function encodeMemoryAnew(memory: RestoredClaim): Uint8Array {
  const record = memory.record === null ? null : { ...memory.record };
  const others = memory.others?.map((other) => ({ ...other, record: { ...other.record } })) ?? [];
  return encodeClaimMemory({ ...memory, record, others });
}

/** As programs before wrote it: no checksum keeps a changed one from being looked into. */
function formerMembers(bytes: Uint8Array): Uint8Array {
  const [_, incarnation, members] = checkList(decode(bytes), 4, "members document");
  return encode([1, incarnation ?? null, members ?? null]);
}

// deno-fmt-ignore -- one decoder a line
export const CLAIM_DECODERS: readonly Decoder[] = [
  { name: "mod/claim/record_codec.ts decodeRecord", decode: decodeRecord, samples: RECORDS, refusals: [WireError], encode: encodeAnew },
  { name: "mod/claim/messages.ts decodeClaimMessage", decode: (bytes) => decodeClaimMessage(bytes), samples: MESSAGES, refusals: [WireError], encode: encodeClaimMessage },
  { name: "mod/claim/sync_messages.ts decodeClaimSync", decode: decodeClaimSync, samples: SYNCS, refusals: [WireError], encode: encodeClaimSync },
  { name: "mod/claim/memory.ts decodeClaimMemory", decode: ownMemory, samples: DOCUMENTS, refusals: [DamagedClaimError], encode: encodeMemoryAnew },
  { name: "mod/claim/memory.ts decodeClaimMemory (body)", decode: bareMemory, samples: BODIES, refusals: [DamagedClaimError], encode: (memory: RestoredClaim) => blobIn(encodeMemoryAnew(memory), 3) },
  { name: "mod/claim/pool_codec.ts decodePool", decode: decodePool, samples: POOLS, refusals: [WireError], encode: encodePool },
  { name: "mod/swim/memory.ts decodeMembers", decode: decodeMembers, samples: [...documents("members"), ...documents("members").map(formerMembers)], refusals: [WireError], encode: encodeMembers, hasManyForms: true },
];
