/**
 * Claims byte for byte, and the orders made by hash: hosts of different versions must agree on all of these, so they
 * change only together with the version number of the record.
 */
import { deepEqual, equal } from "node:assert/strict";
import { vtepMac } from "../../../mod/address/mac.ts";
import { makePool, poolDigest, subnetsOf } from "../../../mod/address/pool.ts";
import { sha256Hex } from "../../../mod/base/hash.ts";
import { Ledger } from "../../../mod/claim/ledger.ts";
import { decodeClaimMemory, encodeClaimMemory } from "../../../mod/claim/memory.ts";
import type { RestoredClaim } from "../../../mod/claim/options.ts";
import {
  encodeAnswer,
  encodeFencePush,
  encodePush,
  encodeRequest,
  seal,
} from "../../../mod/claim/messages.ts";
import { tieHash } from "../../../mod/claim/order.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { encodeRecord } from "../../../mod/claim/record_codec.ts";
import { encodeClaimSync } from "../../../mod/claim/sync_messages.ts";
import { BucketSet } from "../../../mod/wire/bucket_set.ts";
import { guardiansOf, rendezvousOrder } from "../../../mod/claim/rendezvous.ts";
import { member } from "../../unit/claim/samples.ts";

const HELD: ClaimRecord = {
  hostId: "000102030405060708090a0b0c0d0e0f",
  instance: "1011121314151617",
  generation: 3,
  sequence: 2,
  poolVersion: 1,
  poolDigest: "2021222324252627",
  subnet: "10.244.7.0/24",
  state: "held",
  epoch: 4,
  strength: 2,
  stamp: 1_000,
  vtep: { address: "192.168.100.1", port: 8472, mac: "02:11:22:33:44:55" },
  absenceTtlHours: 24,
};
const TENTATIVE: ClaimRecord = { ...HELD, sequence: 1, state: "tentative", strength: 0 };
const RECORD_HEX =
  "910150000102030405060708090a0b0c0d0e0f481011121314151617030201482021222324252627" +
  "1a0af4070018180104021903e844c0a864011921184602112233445518" + "18";

const TENTATIVE_HEX = RECORD_HEX.replace("030201482021", "030101482021").replace(
  "18180104021903e8",
  "18180004001903e8",
);

/** Computed by an independent program. */
const GOLDEN = {
  "order": ["10.244.193.0/24", "10.244.247.0/24", "10.244.199.0/24"],
  "orderHash": "b6a1fb5b1ee27c3712738b41970cc8d45ec03dece4992eac848989bfc84006b0",
  "otherCluster": "10.244.109.0/24",
  "guardians": ["h9", "h84", "h6", "h28", "h14"],
  "tie": "a77664e3fabfe14bb80348c404ea24980b8e7f7411c6d4af9dc6cfca0d591a4f",
  "digest": "8a9a7e93daf1de73",
  "mac": "6a:d4:7b:5e:46:c5",
};

Deno.test("a held record has these bytes", () => {
  equal(encodeRecord(HELD).toHex(), RECORD_HEX);
});

Deno.test("a record says how else it takes packets behind the rest, and an IPv6 address behind that", () => {
  const body = RECORD_HEX.slice(2);
  const hex = (vtep: Partial<ClaimRecord["vtep"]>) =>
    encodeRecord({ ...HELD, vtep: { ...HELD.vtep, ...vtep } }).toHex();
  const ipv6 = "fd00:100::1";
  const ipv6Hex = "50fd000100000000000000000000000001";
  equal(hex({ backend: "host-gw" }), `92${body}02`);
  equal(hex({ ipv6 }), `93${body}00${ipv6Hex}`);
  equal(hex({ backend: "host-gw", ipv6 }), `93${body}02${ipv6Hex}`);
});

Deno.test("requests, pushes and answers have these bytes", () => {
  equal(encodeRecord(TENTATIVE).toHex(), TENTATIVE_HEX);
  const length = (RECORD_HEX.length / 2).toString(16);
  equal(encodeRequest(seal(TENTATIVE)).toHex(), `830158${length}${TENTATIVE_HEX}00`);
  equal(encodeRequest(seal(TENTATIVE), true).toHex(), `830158${length}${TENTATIVE_HEX}01`);
  equal(
    encodeFencePush([{ subnet: "10.244.9.0/24", epoch: 5 }]).toHex(),
    "8204831a0af40900181805",
  );
  equal(encodePush([seal(HELD)]).toHex(), `82038158${length}${RECORD_HEX}`);
  const answer = encodeAnswer({
    kind: "answer",
    sender: "303132333435363738393a3b3c3d3e3f",
    claimant: HELD.hostId,
    generation: 3,
    sequence: 1,
    verdict: { kind: "busy", claim: seal(HELD) },
    members: ["4041424344454647", "5051525354555657"],
    tentative: [seal(TENTATIVE)],
  }, 1_000);
  equal(
    answer.toHex(),
    "880250303132333435363738393a3b3c3d3e3f50000102030405060708090a0b0c0d0e0f0301" +
      `58${length}${RECORD_HEX}5040414243444546475051525354555657` +
      `8158${length}${TENTATIVE_HEX}`,
  );
});

Deno.test("the messages of a sync have these bytes", () => {
  const ledger = new Ledger();
  ledger.merge(0, HELD, encodeRecord(HELD));
  ledger.mergeFence(0, "10.244.9.0/24", 5);
  const length = (RECORD_HEX.length / 2).toString(16);
  const entries = ledger.entries().map(({ bytes }) => ({ bytes, ageMs: 0 }));
  const fence = [{ subnet: "10.244.9.0/24", epoch: 5 }];
  const pool = { version: 3, digest: "f0e1d2c3b4a59687" };
  const head = { lamport: 77, heard: "yes", pool } as const;
  const headHex = "184d010348f0e1d2c3b4a59687";
  equal(
    encodeClaimSync({
      kind: "state",
      ...head,
      records: { kind: "entries", entries },
      fence: { kind: "entries", entries: fence },
      reclaimable: [HELD.hostId],
      poolRecord: null,
      silent: [],
    }).toHex(),
    `8b0102${headHex}8258${length}${RECORD_HEX}00831a0af4090018` + "1805" +
      "50000102030405060708090a0b0c0d0e0f40f6",
  );
  equal(
    encodeClaimSync({
      kind: "compare",
      ...head,
      records: ledger.digest.summary(),
      fence: ledger.fence.digest.summary(),
    }).toHex(),
    `8a0101${headHex}0148a6491dcc4221ceef02489aea54ac1d8bda7f`,
  );
  equal(
    encodeClaimSync({
      kind: "update",
      ...head,
      recordBuckets: BucketSet.of(16, [0, 9]),
      records: entries,
      fenceBuckets: BucketSet.NONE,
      fence,
      poolRecord: Uint8Array.of(7),
    }).toHex(),
    `8b0103${headHex}4201028258${length}${RECORD_HEX}0040831a0af4090018` + "18054107",
  );
});

const MEMORY: RestoredClaim = {
  hostId: HELD.hostId,
  generation: 3,
  lamport: 1_000,
  fence: [{ subnet: "10.244.7.0/24", epoch: 4 }],
  record: HELD,
  previous: "10.244.9.0/24",
  others: [{ record: TENTATIVE, ageMs: 0 }],
};
const MACHINE = "ffeeddccbbaa99887766554433221100";

/** The fields that each version of the document has, without the head of their list. */
const MEMORY_HEX = "50000102030405060708090a0b0c0d0e0f031903e8831a0af40700181804" +
  `58${(RECORD_HEX.length / 2).toString(16)}${RECORD_HEX}821a0af409001818` +
  `8258${(RECORD_HEX.length / 2).toString(16)}${TENTATIVE_HEX}00`;

function documentHex(version: number, body: string): string {
  const head = version === 1 ? "" : `gossamer claim ${version} `;
  const sum = sha256Hex(head, Uint8Array.fromHex(body)).slice(0, 16);
  const length = (body.length / 2).toString(16).padStart(4, "0");
  const blob = body.length / 2 < 256 ? `58${length.slice(2)}` : `59${length}`;
  return `846e676f7373616d657220636c61696d0${version}48${sum}${blob}${body}`;
}

Deno.test("the document on disk has these bytes", () => {
  const bytes = encodeClaimMemory({ ...MEMORY, machine: MACHINE });
  equal(bytes.toHex(), documentHex(2, `89${MEMORY_HEX}50${MACHINE}f6`));
});

Deno.test("a document of the first version is read, and one with fields of later programs", () => {
  const read = (hex: string) => decodeClaimMemory(Uint8Array.fromHex(hex));
  deepEqual(read(documentHex(1, `87${MEMORY_HEX}`)), MEMORY);
  deepEqual(read(documentHex(2, `88${MEMORY_HEX}f6`)), MEMORY);
  deepEqual(read(documentHex(2, `8b${MEMORY_HEX}f6f6f64401020304`)), MEMORY);
});

Deno.test("orders, digests and MACs made by hash are these", () => {
  const pool = makePool({ network: "10.244.0.0/16" });
  const order = rendezvousOrder("", HELD.hostId, subnetsOf(pool));
  deepEqual(order.slice(0, 3), GOLDEN.order);
  equal(sha256Hex(order.join("\n")), GOLDEN.orderHash);
  equal(rendezvousOrder("lab", HELD.hostId, subnetsOf(pool))[0], GOLDEN.otherCluster);
  const members = Array.from({ length: 100 }, (_, index) => member(index + 1));
  deepEqual(guardiansOf("10.244.7.0/24", members).map(({ name }) => name), GOLDEN.guardians);
  equal(tieHash(HELD), GOLDEN.tie);
  equal(poolDigest(pool), GOLDEN.digest);
  equal(vtepMac(HELD.hostId, 1), GOLDEN.mac);
});
