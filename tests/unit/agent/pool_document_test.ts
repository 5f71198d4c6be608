/** What `gossamer pool show` is told, made from a snapshot that the test makes up. */
import { deepEqual, equal } from "node:assert/strict";
import { makePool, poolDigest } from "../../../mod/address/pool.ts";
import { type PoolRecord, poolWith } from "../../../mod/address/pool_record.ts";
import { poolDocument } from "../../../mod/agent/pool_document.ts";
import type { HostSnapshot } from "../../../mod/claim/host_core.ts";
import { hostId, member, record } from "../claim/samples.ts";

const BASE = makePool({ network: "10.244.0.0/16" });
const CHANGED: PoolRecord = {
  version: 5,
  base: poolDigest(BASE),
  added: ["10.246.0.0/22"],
  reserved: ["10.244.4.0/22", "10.246.1.0/24"],
  pins: [
    { hostId: hostId(1), subnet: "10.244.7.0/24" },
    { hostId: hostId(3), subnet: "10.244.9.0/24" },
  ],
};

/** Host 1 holds 10.244.7.0/24, host 2 a subnet of a network that was added, host 3 one of none. */
function snapshot(poolRecord: PoolRecord | null): HostSnapshot {
  return {
    swim: { self: member(1), members: [member(1), member(2)], missing: [] },
    claim: {
      pool: poolWith(BASE, poolRecord),
      poolRecord,
      owners: [
        record(),
        record({ hostId: hostId(2), subnet: "10.246.3.0/24" }),
        record({ hostId: hostId(3), subnet: "10.9.3.0/24" }),
      ],
    },
  } as unknown as HostSnapshot;
}

Deno.test("each network has its subnets without its first one, and how many are held", () => {
  const { networks, used, total, version } = poolDocument(snapshot({
    ...CHANGED,
    added: ["10.246.0.0/22", "10.247.0.0/23"],
  }));
  deepEqual(networks, [
    { network: "10.244.0.0/16", added: false, total: 255, used: 1 },
    { network: "10.246.0.0/22", added: true, total: 3, used: 1 },
    { network: "10.247.0.0/23", added: true, total: 1, used: 0 },
  ]);
  deepEqual([used, total, version], [3, 259, 5]);
});

Deno.test("who holds what is reserved, pinned or outside is named, known as a member or not", () => {
  const { reserved, pins, outside } = poolDocument(snapshot(CHANGED));
  const named = reserved.map((
    { network, holders },
  ) => [network, ...holders.map((one) => one.host)]);
  deepEqual(named, [["10.244.4.0/22", `h1 (${hostId(1).slice(0, 8)})`], ["10.246.1.0/24"]]);
  deepEqual(pins.map(({ subnet, holds }) => [subnet, holds]), [
    ["10.244.7.0/24", "10.244.7.0/24"],
    ["10.244.9.0/24", "10.9.3.0/24"],
  ]);
  deepEqual(outside, [
    { host: `host ${hostId(3).slice(0, 8)}`, hostId: hostId(3), subnet: "10.9.3.0/24" },
  ]);
});

Deno.test("a pool that nobody changed is what this host was configured with", () => {
  const { networks, reserved, pins, version } = poolDocument(snapshot(null));
  equal(version, 1);
  deepEqual(networks.map(({ network }) => network), ["10.244.0.0/16"]);
  deepEqual([reserved, pins], [[], []]);
});
