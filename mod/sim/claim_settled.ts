/**
 * Whether whole hosts are of one mind: all that can find each other know each other and the same claims, and each holds a
 * subnet of its own or waits for a reason that stands. The end of every run (S1, S9, L7).
 */
import { cidrsOverlap } from "../address/network.ts";
import { subnetsOf } from "../address/pool.ts";
import { objectionWaitMs } from "../claim/dissemination_time.ts";
import { type ClaimRecord, isSameWrite, occupies } from "../claim/record.ts";
import { stands } from "../claim/standing.ts";
import type { MemberId } from "../swim/member.ts";
import { LAN_TIMINGS } from "../swim/timings.ts";
import type { HostCluster, SimulatedHost } from "./host_cluster.ts";
import { InvariantError } from "./invariant_error.ts";
import { settleBoundMs } from "./settle_bound.ts";

/** After contact a host may lose its subnet, listen, ask, and be unlucky: so many slow waits in a row. */
const WAITS = 4;
/** A question of somebody who is gone stands in the way until it is that old, and is looked at again a while later. */
const QUESTION_TTL_MS = 11 * 60_000;

export class ClaimSettled {
  readonly #hosts: HostCluster;

  constructor(hosts: HostCluster) {
    this.#hosts = hosts;
  }

  /** How long it may take after the last fault. */
  boundMs(): number {
    const count = this.#hosts.cluster.hosts.length;
    const timings = LAN_TIMINGS;
    const waitMs = objectionWaitMs(count, timings.gossipIntervalMs, 0);
    return settleBoundMs(timings, count) + 2 * timings.syncIntervalMs + WAITS * waitMs +
      QUESTION_TTL_MS;
  }

  /** Why the cluster is not settled; null when it is. */
  whyUnsettled(): string | null {
    for (const part of this.parts()) {
      const why = whyNotWhole(part) ?? this.#whyDifferent(part) ??
        this.#whyUnclaimed(part);
      if (why !== null) return why;
    }
    return null;
  }

  /** Why some host that runs has not heard of another one, or of its claim; null when all have. */
  whyNotWhole(): string | null {
    for (const part of this.parts()) {
      const why = whyNotWhole(part);
      if (why !== null) return why;
    }
    return null;
  }

  /** Throws InvariantError when what was settled is not so any more. */
  check(): void {
    for (const part of this.parts()) {
      const why = whyNotWhole(part);
      if (why !== null) this.#fail("L7", why);
      const different = this.#whyDifferent(part);
      if (different !== null) this.#fail("S1", different);
      const unclaimed = this.#whyUnclaimed(part);
      if (unclaimed !== null) this.#fail("S9", unclaimed);
    }
  }

  /**
   * Hosts that run, by who can find whom: through a seed, or because one remembers the other and has not heard a goodbye.
   * A host that left, lost its disk, and finds all its seeds down is on its own, and so is one that moved while it was down
   * and remembers nobody: nobody can know better.
   */
  parts(): SimulatedHost[][] {
    const unplaced = new Set(this.present());
    const parts: SimulatedHost[][] = [];
    for (const first of unplaced) {
      unplaced.delete(first);
      const part = [first];
      for (const host of part) {
        for (const other of unplaced) {
          if (!this.#finds(host, other) && !this.#finds(other, host)) continue;
          unplaced.delete(other);
          part.push(other);
        }
      }
      parts.push(part);
    }
    return parts;
  }

  /** Hosts that run and take part. */
  present(): SimulatedHost[] {
    return this.#hosts.cluster.hosts.filter((host) =>
      host.isRunning && host.snapshot().swim.self.status !== "left"
    );
  }

  #finds(host: SimulatedHost, other: SimulatedHost): boolean {
    if (this.#hosts.seedsOf(host).includes(other.endpoint)) return true;
    const { members, missing } = host.snapshot().swim;
    const id = this.#hosts.idOf(other.name);
    const { endpoint } = other;
    return members.some((member) =>
      member.id === id && member.endpoint === endpoint && member.status !== "left"
    ) || missing.some((member) => member.id === id && member.endpoint === endpoint);
  }

  /** S1: hosts that know the same know the same owners, and by now all know the same. */
  #whyDifferent(part: readonly SimulatedHost[]): string | null {
    const [first, ...others] = part;
    if (first === undefined) return null;
    const running = new Set(this.present().map(({ name }) => this.#hosts.idOf(name) ?? ""));
    const pools = part.filter((host) => !this.#hosts.hasOwnPool(host)).map((host) =>
      host.snapshot().claim.poolRecord?.version ?? 1
    );
    if (new Set(pools).size > 1) return `hosts know the pools ${pools.join(", ")}`;
    // A host that may claim nothing has nothing to say, also of what it said before its disk was set back.
    const silent = new Set(
      part.filter((host) => host.snapshot().claim.state === "waiting")
        .map(({ name }) => this.#hosts.idOf(name) ?? ""),
    );
    const wanted = stateOf(first, running, silent);
    for (const host of others) {
      const state = stateOf(host, running, silent);
      if (isEqual(state.claims, wanted.claims) && isEqual(state.routes, wanted.routes)) continue;
      return `${host.name} knows ${stateText(state)}; ${first.name} knows ${stateText(wanted)}`;
    }
    return null;
  }

  /** Each host holds a subnet that nobody else holds, is its owner everywhere, or has a reason to wait. */
  #whyUnclaimed(part: readonly SimulatedHost[]): string | null {
    const held: { readonly name: string; readonly subnet: string }[] = [];
    for (const host of part) {
      const { claim, swim } = host.snapshot();
      if (claim.state !== "held" || claim.subnet === null) {
        const why = this.whyIdle(host, part.length);
        if (why !== null) return why;
        continue;
      }
      const { subnet } = claim;
      if (!claim.owners.some(({ hostId }) => hostId === swim.self.id)) {
        return `${host.name} holds ${subnet} without being its owner`;
      }
      const pin = claim.poolRecord?.pins.find((one) => one.subnet === subnet);
      if (pin !== undefined && pin.hostId !== swim.self.id) {
        return `${host.name} holds ${subnet}, which is pinned to ${pin.hostId.slice(0, 8)}`;
      }
      const other = held.find((one) => cidrsOverlap(one.subnet, subnet));
      if (other !== undefined) return `${host.name} and ${other.name} both hold ${subnet}`;
      held.push({ name: host.name, subnet });
    }
    return null;
  }

  /** Why a host should hold a subnet; null when it does, or has a reason to wait. */
  whyIdle(host: SimulatedHost, partSize: number): string | null {
    const { claim, swim } = host.snapshot();
    if (claim.state === "held") return null;
    const text = `${host.name} is ${claim.state} (${claim.reason ?? "no reason"})`;
    if (claim.state !== "waiting") return text;
    if (claim.problems.some(({ code }) => code === "pool-mismatch")) return null;
    if (partSize === 1) return null; // it knows of others, and finds none
    if (this.#isUncertain(host)) return null;
    const pin = this.#hosts.pinOf(host);
    const taken = claim.records.filter((record) =>
      occupies(record) && record.hostId !== swim.self.id
    );
    const isTaken = (subnet: string) => taken.some((one) => cidrsOverlap(one.subnet, subnet));
    const pins = claim.poolRecord?.pins ?? [];
    const isPinned = pins.some(({ hostId, subnet }) => subnet === pin && hostId !== swim.self.id);
    if (pin !== null) return isTaken(pin) || isPinned ? null : `${text} for ${pin}, which is free`;
    const pinned = new Set(pins.map(({ subnet }) => subnet));
    const free = subnetsOf(claim.pool).find((subnet) => !isTaken(subnet) && !pinned.has(subnet));
    return free === undefined ? null : `${text}, and ${free} is free`;
  }

  /** Nobody here has heard the cluster, and not more than half of its own seeds are there to begin one with. */
  #isUncertain(host: SimulatedHost): boolean {
    const present = this.present();
    if (host.snapshot().claim.complete) return false;
    const isHeard = (other: SimulatedHost) =>
      other !== host && other.snapshot().claim.complete && this.#hosts.seedsOf(other).length > 0;
    if (present.some(isHeard)) return false;
    const seeds = this.#hosts.seedsOf(host);
    const there = seeds.filter((seed) => present.some(({ endpoint }) => endpoint === seed));
    return 2 * there.length <= seeds.length;
  }

  #fail(rule: string, what: string): never {
    throw new InvariantError(rule, this.#hosts.cluster.nowMs, what);
  }
}

/** All see each other alive, nobody else, and know what each of them claims. */
function whyNotWhole(part: readonly SimulatedHost[]): string | null {
  const own = new Map(part.map((host) => {
    const { swim, claim } = host.snapshot();
    // Who gave up a subnet long ago may have forgotten that itself; who may claim nothing has nothing to say.
    const isSilent = claim.record?.state === "released" || claim.state === "waiting";
    return [swim.self.id, isSilent ? null : claim.record];
  }));
  for (const host of part) {
    const { swim, claim } = host.snapshot();
    let seen = 0;
    for (const { id, name, status } of swim.members) {
      if (own.has(id)) {
        seen++;
        if (status !== "alive") return `${host.name} sees ${name} ${status}, which runs`;
      } else if (status === "alive" || status === "suspect") {
        return `${host.name} sees ${name} ${status}, which is gone`;
      }
    }
    if (seen < own.size) return `${host.name} sees ${seen} of ${own.size} hosts that run`;
    let known = 0;
    for (const record of claim.records) {
      const theirs = record.hostId === swim.self.id ? undefined : own.get(record.hostId);
      if (theirs !== undefined && theirs !== null && isSameWrite(record, theirs)) known++;
    }
    const isOther = ([id, record]: [MemberId, ClaimRecord | null]) =>
      record !== null && id !== swim.self.id;
    const wanted = [...own].filter(isOther).length;
    if (known < wanted) return `${host.name} knows ${known} of ${wanted} claims of hosts that run`;
  }
  return null;
}

/** Claims and routes of a host, in lines that are equal exactly when they are, in one order. */
interface KnownState {
  readonly claims: readonly string[];
  readonly routes: readonly string[];
}

/** What a record says of claims and of routes: hosts of large clusters are compared often. */
interface RecordText {
  readonly claim: string;
  readonly route: string;
  /** Prefix length of the subnet. */
  readonly length: string;
}

const textOfRecord = new WeakMap<ClaimRecord, RecordText>();

/**
 * Claims and routes of a host. Tombstones end at each host's own time, and what was overtaken stays known to some when it
 * comes back from an old disk; neither means anything. A route to one of several holders that are all gone stays with whom
 * it was, since nobody is left to yield.
 */
function stateOf(
  host: SimulatedHost,
  running: ReadonlySet<MemberId>,
  silent: ReadonlySet<MemberId>,
): KnownState {
  const { records, owners, fenceOf } = host.snapshot().claim;
  const present = records.filter((record) =>
    stands(record, fenceOf(record.subnet)) && !silent.has(record.hostId)
  );
  const held = new HeldIndex(present.filter(({ state }) => state === "held"));
  const routes: string[] = [];
  let hasOpen = false;
  for (const owner of owners) {
    const { hostId, subnet } = owner;
    if (silent.has(hostId)) continue;
    const rivals = running.has(hostId) ? [] : held.rivalsOf(owner);
    const isOpen = rivals.length > 0 && rivals.every((rival) => !running.has(rival.hostId));
    hasOpen ||= isOpen;
    routes.push(isOpen ? `${subnet}=?` : textOf(owner).route);
  }
  // Owners come in the order of their ids, which an open route does not tell.
  if (hasOpen) routes.sort();
  return { claims: present.map((record) => textOf(record).claim), routes };
}

/** Held claims by subnet. Nearly always all have one prefix length, and only equal subnets overlap. */
class HeldIndex {
  readonly #held: readonly ClaimRecord[];
  readonly #bySubnet = new Map<string, ClaimRecord[]>();
  readonly #lengths = new Set<string>();

  constructor(held: readonly ClaimRecord[]) {
    this.#held = held;
    for (const record of held) {
      const same = this.#bySubnet.get(record.subnet);
      if (same === undefined) this.#bySubnet.set(record.subnet, [record]);
      else same.push(record);
      this.#lengths.add(textOf(record).length);
    }
  }

  /** Claims of others on what overlaps that host's subnet. */
  rivalsOf(owner: ClaimRecord): readonly ClaimRecord[] {
    const { hostId, subnet } = owner;
    const hasOneLength = this.#lengths.size === 1 && this.#lengths.has(textOf(owner).length);
    const near = hasOneLength
      ? this.#bySubnet.get(subnet) ?? []
      : this.#held.filter((one) => cidrsOverlap(one.subnet, subnet));
    return near.filter((one) => one.hostId !== hostId);
  }
}

function textOf(record: ClaimRecord): RecordText {
  let text = textOfRecord.get(record);
  if (text === undefined) {
    const { hostId, generation, sequence, state, subnet, vtep } = record;
    const id = hostId.slice(0, 6);
    text = {
      claim: `${id} ${state} ${subnet} ${generation}.${sequence}`,
      route: `${subnet}=${id}@${vtep.address}:${vtep.port}`,
      length: subnet.slice(subnet.indexOf("/")),
    };
    textOfRecord.set(record, text);
  }
  return text;
}

function isEqual(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, index) => line === other[index]);
}

function stateText({ claims, routes }: KnownState): string {
  return `[${claims.join(" ")}] routes [${routes.join(" ")}]`;
}
