/** What must hold once nothing has happened for long enough: everybody knows the same, all is told, and quiet returns. */
import type { Input } from "../base/core.ts";
import type { Member, MemberId } from "../swim/member.ts";
import { decodeMembers } from "../swim/memory.ts";
import { InvariantError } from "./invariant_error.ts";
import type { MemberHost, MembershipCluster } from "./membership_cluster.ts";
import { readFrame } from "./packet_reader.ts";
import { bytesSent } from "./traffic.ts";

/**
 * What a host sends in a second when there is nothing to say: a ping of its own and an ack of another's, about 40 B each,
 * a sync of digests of 200 B each half minute, and attempts to reach who is dead.
 */
const QUIET_BYTES_PER_SECOND = 180;
/** Sealing adds 36 B to each packet. */
const SEALED_BYTES_PER_SECOND = 250;

export class SettledRules {
  readonly #membership: MembershipCluster;

  constructor(membership: MembershipCluster) {
    this.#membership = membership;
  }

  /** Why the cluster is not of one and the right mind yet; null when it is. */
  whyUnsettled(): string | null {
    for (const part of this.#parts()) {
      const why = this.#whyPartUnsettled(part);
      if (why !== null) return why;
    }
    return null;
  }

  #whyPartUnsettled(part: readonly MemberHost[]): string | null {
    const running = new Set(part.map(({ name }) => this.#membership.idOf(name)));
    for (const host of part) {
      let seen = 0;
      for (const member of host.snapshot().members) {
        if (running.has(member.id)) {
          seen++;
          if (member.status !== "alive") return `${host.name} sees ${say(member)}, which runs`;
        } else if (member.status === "alive" || member.status === "suspect") {
          return `${host.name} sees ${say(member)}, which is gone`;
        }
      }
      if (seen < running.size) return `${host.name} sees ${seen} of ${running.size} hosts that run`;
    }
    return whyDifferent(part);
  }

  /**
   * Hosts that run, by who can find whom: through a seed, or because one remembers the other and has not heard a goodbye.
   * A host that left, lost its disk, and finds all its seeds down is on its own: nobody can know better.
   */
  #parts(): MemberHost[][] {
    const unplaced = new Set(this.#present());
    const parts: MemberHost[][] = [];
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

  #finds(host: MemberHost, other: MemberHost): boolean {
    if (this.#membership.seeds().includes(other.endpoint)) return true;
    const { members, missing } = host.snapshot();
    const id = this.#membership.idOf(other.name);
    return members.some((member) => member.id === id && member.status !== "left") ||
      missing.some((member) => member.id === id);
  }

  /** Checks what must have come to rest, some while after {@linkcode whyUnsettled} said null. */
  checkQuiet(): void {
    const why = this.whyUnsettled();
    if (why !== null) this.#fail("stays-settled", why);
    for (const part of this.#parts()) this.#checkPartQuiet(part);
  }

  #checkPartQuiet(part: readonly MemberHost[]): void {
    for (const host of part) {
      const { queueLength, healthScore, joined } = host.snapshot();
      if (part.length > 1 && queueLength > 0) {
        this.#fail("queue-drains", `${host.name} still has ${queueLength} items of news`);
      }
      // Alone there is nobody to show that all is well.
      if (healthScore !== 0 && part.length > 1) {
        this.#fail("health-returns", `${host.name} has the health score ${healthScore}`);
      }
      // Who was found by others knows so when its own next sync is over.
      const lastStartMs = Math.max(...part.map(({ startedAtMs }) => startedAtMs));
      const sinceMs = this.#membership.cluster.nowMs - lastStartMs;
      const isNew = sinceMs < 1.5 * this.#membership.timings.syncIntervalMs;
      if (!joined && !isNew && part.length > 1) {
        this.#fail("joined", `${host.name} says that it has not joined`);
      }
      this.#checkDisk(host);
    }
  }

  /** Hosts of one mind have equal digests, and tell each other nothing. */
  checkSync(host: MemberHost, input: Input<unknown>): void {
    if (input.kind !== "answer") return;
    const answer = readFrame(input.bytes);
    if (answer?.kind !== "compared") return;
    const { members } = answer;
    if (members.kind === "digests" && members.digests.length === 0) return;
    this.#fail("equal-digests", `${host.name} and ${answer.sender.record.name} find a difference`);
  }

  /** Bytes that each host has sent so far. */
  sent(): ReadonlyMap<MemberHost, number> {
    return new Map(this.#present().map((host) => [host, bytesSent(host.traffic)]));
  }

  /** Checks what hosts have sent since then: little, when there is nothing to say. */
  checkTraffic(before: ReadonlyMap<MemberHost, number>, seconds: number): void {
    let total = 0;
    let hosts = 0;
    for (const [host, bytes] of before) {
      total += bytesSent(host.traffic) - bytes;
      hosts++;
    }
    const isSealed = this.#present()[0]?.snapshot().encryption !== null;
    const bound = isSealed ? SEALED_BYTES_PER_SECOND : QUIET_BYTES_PER_SECOND;
    const rate = total / Math.max(1, hosts) / seconds;
    if (rate <= bound) return;
    this.#fail("quiet-traffic", `a host sends ${rate.toFixed(0)} B/s; ${bound} are enough`);
  }

  /** The disk knows whom a restart must find again. */
  #checkDisk(host: MemberHost): void {
    const bytes = host.documents.get("members");
    const { self, members } = host.snapshot();
    if (bytes === undefined) {
      // A host of a cluster that began formed has had no reason to write yet.
      return;
    }
    const memory = decodeMembers(bytes);
    if (memory.incarnation > self.incarnation) {
      this.#fail("members-on-disk", `${host.name} wrote down an incarnation that it never had`);
    }
    const written = new Set<MemberId>(memory.members.map(({ id }) => id));
    for (const { id, status, name } of members) {
      if (id === self.id) continue;
      if (status === "alive" && !written.has(id)) {
        this.#fail("members-on-disk", `${host.name} did not write down ${name}`);
      }
      if (status === "left" && written.has(id)) {
        this.#fail("members-on-disk", `${host.name} wrote down ${name}, which has left`);
      }
    }
  }

  /** Hosts that run and take part. */
  #present(): MemberHost[] {
    return this.#membership.cluster.hosts.filter((host) =>
      host.isRunning && host.snapshot().self.status !== "left"
    );
  }

  #fail(rule: string, what: string): never {
    throw new InvariantError(rule, this.#membership.cluster.nowMs, what);
  }
}

/** Whether two hosts believe different things of anybody. Whoever has left may be unknown to those who came later. */
function whyDifferent(part: readonly MemberHost[]): string | null {
  const [first, ...others] = part;
  if (first === undefined) return null;
  const present = first.snapshot().members.filter(hasNotLeft);
  const wanted = new Map(present.map((member) => [member.id, member]));
  for (const host of others) {
    const members = host.snapshot().members.filter(hasNotLeft);
    if (members.length !== wanted.size) {
      return `${host.name} knows ${members.length} members that have not left, ` +
        `${first.name} ${wanted.size}`;
    }
    for (const member of members) {
      const other = wanted.get(member.id);
      const isSame = other !== undefined && other.status === member.status &&
        other.incarnation === member.incarnation && other.instance === member.instance &&
        other.endpoint === member.endpoint;
      if (!isSame) {
        return `${host.name} sees ${say(member)}, ${first.name} sees ${
          other === undefined ? "nobody" : say(other)
        }`;
      }
    }
  }
  return null;
}

function hasNotLeft({ status }: Member): boolean {
  return status !== "left";
}

function say({ name, status, incarnation }: Member): string {
  return `${name} ${status}@${incarnation}`;
}
