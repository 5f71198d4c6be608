/** The claim document: round trips, and garbage of all kinds answered in words. */
import { deepEqual, match, ok, throws } from "node:assert/strict";
import {
  DamagedClaimError,
  decodeClaimMemory,
  encodeClaimMemory,
  NewerClaimError,
} from "../../../mod/claim/memory.ts";
import type { RestoredClaim } from "../../../mod/claim/options.ts";
import { sha256 } from "../../../mod/base/hash.ts";
import { decode, encode, type WireValue } from "../../../mod/wire/codec.ts";
import { hostId, record } from "./samples.ts";

const MEMORY: RestoredClaim = {
  hostId: hostId(1),
  generation: 7,
  lamport: 42,
  fence: [{ subnet: "10.244.7.0/24", epoch: 3 }, { subnet: "10.244.8.0/24", epoch: 1 }],
  record: record({ generation: 7 }),
  previous: "10.244.9.0/24",
  others: [
    { record: record({ hostId: hostId(2), subnet: "10.244.11.0/24" }), ageMs: 0 },
    { record: record({ hostId: hostId(3), state: "released" }), ageMs: 61_000 },
  ],
};

function fieldsOf(bytes: Uint8Array): WireValue[] {
  const fields = decode(bytes);
  ok(Array.isArray(fields));
  return [...fields];
}

Deno.test("the document gives back what was written", () => {
  deepEqual(decodeClaimMemory(encodeClaimMemory(MEMORY)), MEMORY);
  const bare = { ...MEMORY, fence: [], record: null, previous: null, others: [] };
  deepEqual(decodeClaimMemory(encodeClaimMemory(bare)), bare);
  const further = { ...MEMORY, machine: "ab".repeat(16) };
  deepEqual(decodeClaimMemory(encodeClaimMemory(further)), further);
});

Deno.test("subnets of IPv6 make it a document that older programs take for newer, wherever they stand", () => {
  const { fence, others, ...bare } = { ...MEMORY, record: null, previous: null };
  const nothing: RestoredClaim = { ...bare, fence: [], others: [] };
  const subnet = "fd00:10:244:7::/64";
  const pool = { version: 2, base: "00".repeat(8), added: [], reserved: [], pins: [] };
  const documents: RestoredClaim[] = [
    { ...nothing, fence: [...fence, { subnet, epoch: 3 }] },
    { ...nothing, record: record({ subnet }) },
    { ...nothing, previous: subnet },
    { ...nothing, others: [...others ?? [], { record: record({ subnet }), ageMs: 0 }] },
    { ...nothing, pool: { ...pool, reserved: [subnet] } },
    { ...nothing, pool: { ...pool, pins: [{ hostId: hostId(2), subnet }] } },
  ];
  for (const document of documents) {
    const bytes = encodeClaimMemory(document);
    deepEqual(decodeClaimMemory(bytes), document);
    deepEqual(fieldsOf(bytes)[1], 3);
  }
  deepEqual(fieldsOf(encodeClaimMemory(MEMORY))[1], 2);
  const [magic = null, , , body] = fieldsOf(encodeClaimMemory(MEMORY));
  ok(body instanceof Uint8Array);
  const sum = sha256("gossamer claim 3 ", body).slice(0, 8);
  throws(() => decodeClaimMemory(encode([magic, 3, sum, body])), /3 does not go with its subnets/);
});

Deno.test("every single changed byte is noticed", () => {
  const bytes = encodeClaimMemory(MEMORY);
  for (let at = 0; at < bytes.length; at++) {
    const changed = new Uint8Array(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    throws(() => decodeClaimMemory(changed), DamagedClaimError, `byte ${at}`);
  }
});

Deno.test("every cut is noticed", () => {
  const bytes = encodeClaimMemory(MEMORY);
  for (let length = 0; length < bytes.length; length++) {
    throws(() => decodeClaimMemory(bytes.subarray(0, length)), DamagedClaimError);
  }
});

Deno.test("a previous subnet with host bits is refused, not made into another subnet", () => {
  const [magic, version, , body] = fieldsOf(encodeClaimMemory(MEMORY));
  ok(body instanceof Uint8Array);
  const fields = fieldsOf(body);
  deepEqual(fields[5], [0x0af4_0900, 24]);
  fields[5] = [0x0af4_0901, 24];
  const changed = encode(fields);
  const sum = sha256(`${magic} ${version} `, changed).slice(0, 8);
  throws(
    () => decodeClaimMemory(encode(["gossamer claim", 2, sum, changed])),
    /previous subnet: host bits are set/,
  );
});

Deno.test("an error says where, what and what to do", () => {
  const where = "/var/lib/gossamer/claim.state";
  throws(() => decodeClaimMemory(new TextEncoder().encode("hello"), where), (error: unknown) => {
    ok(error instanceof DamagedClaimError);
    match(error.message, /^\/var\/lib\/gossamer\/claim\.state is not a usable claim document: /);
    match(error.remedy ?? "", /restore it from a backup; or move claim\.state and/);
    return true;
  });
});

Deno.test("another document is told apart from damage", () => {
  const fields = fieldsOf(encodeClaimMemory(MEMORY));
  throws(() => decodeClaimMemory(encode(["other", ...fields.slice(1)])), /some other document/);
});

Deno.test("a newer version is refused only when it is whole", () => {
  const body = encode([1, 2, 3]);
  const sum = sha256("gossamer claim 4 ", body).slice(0, 8);
  const where = "/state/claim.state";
  throws(
    () => decodeClaimMemory(encode(["gossamer claim", 4, sum, body]), where),
    (error: unknown) => {
      ok(error instanceof NewerClaimError);
      ok(!(error instanceof DamagedClaimError));
      match(error.message, /^\/state\/claim\.state was written by a newer gossamer \(version 4/);
      match(error.remedy ?? "", /install the newer gossamer again/);
      return true;
    },
  );
  const fields = fieldsOf(encodeClaimMemory(MEMORY));
  for (const version of [0, 1, 3, 4, 65_535]) {
    throws(
      () => decodeClaimMemory(encode([fields[0] ?? null, version, ...fields.slice(2)])),
      DamagedClaimError,
    );
  }
});

Deno.test("a record of another host is refused", () => {
  const foreign = { ...MEMORY, record: record({ hostId: hostId(2) }) };
  throws(() => decodeClaimMemory(encodeClaimMemory(foreign)), /the record is another host's/);
});
