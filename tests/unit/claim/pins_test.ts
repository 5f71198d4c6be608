/** Who holds a subnet that operators pinned: it yields to the pin, or does not yield to one that must. */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { PoolPin, PoolRecord } from "../../../mod/address/pool_record.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { hostId, record, type Staged, stagedHolding } from "./samples.ts";

const S = "10.244.7.0/24";
/** How long a loser must be away before it is overruled. */
const GONE_MS = 60_000;

/** Host 9 holds the same subnet, and ranks higher. */
function rival(changes: Partial<ClaimRecord> = {}): ClaimRecord {
  return record({ hostId: hostId(9), stamp: 50, strength: 6, epoch: 3, ...changes });
}

function pool(...pins: PoolPin[]): PoolRecord {
  return { version: 3, base: record().poolDigest, added: [], reserved: [], pins };
}

function setPool(host: Staged, poolRecord: PoolRecord): void {
  host.claimant.command(host.nowMs, { kind: "set-pool", record: poolRecord });
  host.settle();
}

/** A holder of the subnet that is pinned to it, and that knows the rival as a member. */
function pinned(): Staged {
  const host = stagedHolding();
  host.meet([9]);
  host.sync(9);
  setPool(host, pool({ hostId: hostId(1), subnet: S }));
  return host;
}

Deno.test("who holds what is pinned to another host yields, to nobody", () => {
  const host = stagedHolding();
  host.meet([9]);
  host.sync(9);
  host.events.length = 0;
  setPool(host, pool({ hostId: hostId(9), subnet: S }));
  deepEqual(host.eventsOf("claim-changed").map(({ to }) => to.state), ["yielding", "listening"]);
  deepEqual(host.eventsOf("conflict"), []);
});

Deno.test("who holds what is pinned to it does not yield to one that will learn of it", () => {
  const host = pinned();
  ok((host.snapshot.record?.strength ?? 0) > 4, "it ranks as pinned");
  host.hear(rival({ poolVersion: 2 }));
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.epoch, 1, "it does not go above a host that is there");
});

Deno.test("it yields to one that knows a newer pool, or was configured with another", () => {
  for (const changes of [{ poolVersion: 4 }, { poolDigest: "ff".repeat(8) }]) {
    const host = pinned();
    host.hear(rival(changes));
    equal(host.snapshot.state, "listening", JSON.stringify(changes));
  }
});

Deno.test("it goes above one that was away for a minute, and is routed to again", () => {
  const host = pinned();
  host.hear(rival({ poolVersion: 2 }));
  host.meet([9], "dead");
  host.at(host.nowMs + GONE_MS - 1_000);
  equal(host.snapshot.record?.epoch, 1);
  host.at(host.nowMs + 2_000);
  deepEqual([host.snapshot.state, host.snapshot.record?.epoch], ["held", 4]);
  deepEqual(host.snapshot.owners.map((owner) => owner.hostId), [hostId(1)]);
});
