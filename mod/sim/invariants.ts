/**
 * What must hold in every simulated run, checked after each step: the safety properties S0, S2, S3, S6, S7, S11 and S12 of
 * the claim protocol and the rule that nothing is announced before it is on disk; S1 and S9 once all is quiet.
 */
import { cidrsOverlap } from "../address/network.ts";
import type { HostCommand, HostEvent, HostSnapshot } from "../claim/host_core.ts";
import { decodeClaimMemory } from "../claim/memory.ts";
import { compareClaims } from "../claim/order.ts";
import { type ClaimRecord, isNewer, wasHeld } from "../claim/record.ts";
import { encodeRecord } from "../claim/record_codec.ts";
import type { MemberId } from "../swim/member.ts";
import { InvariantError } from "./invariant_error.ts";
import type { SimHost } from "./sim_host.ts";

type Host = SimHost<HostCommand, HostEvent, HostSnapshot>;

/** How long a holder may stay below an epoch it knows of (S6): a write to disk, with room for a refusing one. */
const BELOW_FENCE_MS_MAX = 10_000;

export class ClaimInvariants {
  /** Whether two hosts may hold one subnet now (S3): set while a test cuts the network or forces a conflict. */
  allowDoubles = false;
  /** Whether disks may have been rolled back or copied, so that a record may be newer than its host's disk. */
  allowRollbacks = false;
  /** Bytes of each write, by host, generation and sequence. */
  readonly #writes = new Map<string, string>();
  readonly #seen = new WeakSet<ClaimRecord>();
  readonly #lastHeld = new Map<MemberId, ClaimRecord>();
  readonly #fenceSizes = new Map<string, number>();
  readonly #belowSinceMs = new Map<string, number>();
  readonly #lastRecords = new Map<string, readonly ClaimRecord[]>();
  readonly #lastOwners = new Map<string, readonly ClaimRecord[]>();
  readonly #writers = new Map<MemberId, Host>();
  readonly #onDisk = new WeakMap<Uint8Array, ClaimRecord | null>();
  readonly #holding = new Map<string, string>();
  #nowMs = 0;

  /** Checks the host that has just made a step, against itself and against all others. */
  check(nowMs: number, hosts: readonly Host[], host: Host): void {
    this.#nowMs = nowMs;
    const { swim, claim } = host.snapshot();
    this.#checkRank(host, claim.record, claim.state);
    this.#checkSingleHolder(hosts, host);
    // The rest is about records and routes only, and most steps bring none.
    const isUnchanged = this.#lastRecords.get(host.name) === claim.records &&
      this.#lastOwners.get(host.name) === claim.owners && !this.#belowSinceMs.has(bootOf(host));
    if (isUnchanged) return;
    this.#lastRecords.set(host.name, claim.records);
    this.#lastOwners.set(host.name, claim.owners);
    for (const record of claim.records) {
      if (this.#seen.has(record)) continue;
      this.#seen.add(record);
      this.#checkOneWriter(record);
      if (!this.allowRollbacks) this.#checkOnDisk(hosts, record);
    }
    const own = claim.record;
    if (own !== null) {
      this.#expect(own.hostId === swim.self.id, "S12", host, "its record is foreign");
    }
    this.#checkRouting(host);
    this.#checkFence(host);
  }

  /**
   * Checks what must hold when nothing has happened for long enough: all running hosts know the same owners, every holder
   * is the owner of its subnet everywhere, and no two hold overlapping subnets.
   */
  checkQuiescent(hosts: readonly Host[]): void {
    // Who has left hears nothing any more.
    const running = hosts.filter((host) =>
      host.isRunning && host.snapshot().swim.self.status !== "left"
    );
    const [first] = running;
    if (first === undefined) return;
    const expected = ownersText(first);
    for (const host of running) {
      const text = ownersText(host);
      this.#expect(text === expected, "S1", host, `owners ${text}, elsewhere ${expected}`);
      const { claim, swim } = host.snapshot();
      if (claim.state !== "held") continue;
      const isOwner = claim.owners.some(({ hostId }) => hostId === swim.self.id);
      this.#expect(isOwner, "S9", host, `holds ${claim.subnet} without being its owner`);
    }
    const wasAllowed = this.allowDoubles;
    this.allowDoubles = false;
    for (const host of running) this.#checkSingleHolder(hosts, host, true);
    this.allowDoubles = wasAllowed;
  }

  /** S0: equal (host, generation, sequence) means equal bytes. */
  #checkOneWriter(record: ClaimRecord): void {
    const key = `${record.hostId} ${record.generation} ${record.sequence}`;
    const bytes = encodeRecord(record).toHex();
    const known = this.#writes.get(key);
    if (known === undefined) this.#writes.set(key, bytes);
    else if (known !== bytes) this.#fail("S0", `two different records are called ${key}`);
  }

  /** Persisted before announced: whatever anybody knows of a host, that host's disk knows. */
  #checkOnDisk(hosts: readonly Host[], record: ClaimRecord): void {
    const writer = this.#writers.get(record.hostId) ??
      hosts.find((host) => host.isRunning && host.snapshot().swim.self.id === record.hostId);
    if (writer !== undefined) this.#writers.set(record.hostId, writer);
    const written = writer === undefined ? null : this.#diskRecord(writer);
    if (written === null || isNewer(record, written)) {
      this.#fail("persisted before announced", `${record.hostId} ${record.state} ${record.subnet}`);
    }
  }

  /** S2 and S7: one subnet a host, and only held ones are routed. */
  #checkRouting(host: Host): void {
    const { swim, claim } = host.snapshot();
    const routed = new Set<MemberId>();
    for (const owner of claim.owners) {
      this.#expect(owner.state === "held", "S7", host, `routes a ${owner.state} claim`);
      this.#expect(!routed.has(owner.hostId), "S2", host, `routes two subnets of ${owner.hostId}`);
      routed.add(owner.hostId);
    }
    const routesItself = routed.has(swim.self.id);
    this.#expect(
      !routesItself || claim.record?.state === "held",
      "S7",
      host,
      "routes its lost claim",
    );
    if (claim.state === "held") {
      this.#expect(claim.record?.state === "held", "S7", host, "holds without a held record");
    }
  }

  /** S11: while a host holds a subnet, its claim's rank never falls. */
  #checkRank(host: Host, own: ClaimRecord | null, state: string): void {
    if (own === null) return;
    if (state !== "held" || own.state !== "held") {
      this.#lastHeld.delete(own.hostId);
      return;
    }
    const last = this.#lastHeld.get(own.hostId);
    if (last?.subnet === own.subnet) {
      this.#expect(compareClaims(own, last) >= 0, "S11", host, `rank fell on ${own.subnet}`);
    }
    this.#lastHeld.set(own.hostId, own);
  }

  /** S6: a fence never falls, and a holder below it does not stay held. */
  #checkFence(host: Host): void {
    const { claim } = host.snapshot();
    const key = bootOf(host);
    const size = this.#fenceSizes.get(key) ?? 0;
    this.#expect(claim.fenceSize >= size, "S6", host, "the fence lost an entry");
    this.#fenceSizes.set(key, claim.fenceSize);
    const own = claim.record;
    const isBelow = own !== null && claim.state === "held" &&
      claim.records.some((record) =>
        wasHeld(record) && record.epoch > own.epoch && cidrsOverlap(record.subnet, own.subnet)
      );
    if (!isBelow) this.#belowSinceMs.delete(key);
    else {
      const sinceMs = this.#belowSinceMs.get(key) ?? this.#nowMs;
      this.#belowSinceMs.set(key, sinceMs);
      const isBrief = this.#nowMs - sinceMs <= BELOW_FENCE_MS_MAX;
      this.#expect(isBrief, "S6", host, "stays held below the fence");
    }
  }

  /** S3: two hosts never hold overlapping subnets, unless the network was cut. */
  #checkSingleHolder(hosts: readonly Host[], host: Host, always = false): void {
    const { claim } = host.snapshot();
    const subnet = claim.state === "held" ? claim.subnet : null;
    if (subnet === null) {
      this.#holding.delete(host.name);
      return;
    }
    if (!always && this.#holding.get(host.name) === subnet) return;
    this.#holding.set(host.name, subnet);
    if (this.allowDoubles) return;
    for (const other of hosts) {
      if (other === host || !other.isRunning) continue;
      const theirs = other.snapshot().claim;
      if (theirs.state !== "held" || theirs.subnet === null) continue;
      const isDouble = cidrsOverlap(subnet, theirs.subnet);
      this.#expect(!isDouble, "S3", host, `holds ${subnet}, which ${other.name} holds too`);
    }
  }

  /** The claim on a host's disk; null when there is none. Each document is decoded once. */
  #diskRecord(host: Host): ClaimRecord | null {
    const bytes = host.documents.get("claim");
    if (bytes === undefined) return null;
    let record = this.#onDisk.get(bytes);
    if (record === undefined) {
      record = decodeClaimMemory(bytes).record;
      this.#onDisk.set(bytes, record);
    }
    return record;
  }

  #expect(condition: boolean, rule: string, host: Host, what: string): void {
    if (!condition) this.#fail(rule, `${host.name} ${what}`);
  }

  #fail(rule: string, what: string): never {
    throw new InvariantError(rule, this.#nowMs, what);
  }
}

/** One life of a host. */
function bootOf(host: Host): string {
  return `${host.name} ${host.boots}`;
}

/** Whom a host routes to, as text that is equal exactly when the routes are. */
function ownersText(host: Host): string {
  const { owners } = host.snapshot().claim;
  return owners.map(({ hostId, subnet, vtep }) => `${hostId.slice(0, 6)}=${subnet}@${vtep.address}`)
    .join(" ");
}
