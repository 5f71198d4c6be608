/** What faults mean to whole hosts: commands of the operator, and what becomes of disks and addresses. */
import { cidrsOverlap } from "../address/network.ts";
import { poolDigest } from "../address/pool.ts";
import { type PoolRecord, whyNotPool } from "../address/pool_record.ts";
import { unreachable } from "../base/assert.ts";
import type { Endpoint, PersistedDocument } from "../base/core.ts";
import type { HostCommand, HostEvent, HostSnapshot } from "../claim/host_core.ts";
import { occupies } from "../claim/record.ts";
import type { MemberId } from "../swim/member.ts";
import type { HostName } from "./fault.ts";
import type { ClaimFault, FaultCommands } from "./fault_player.ts";
import type { HostCluster, SimulatedHost } from "./host_cluster.ts";
import { NOWHERE } from "./nowhere.ts";

/** Of whole hosts. */
const DOCUMENTS: readonly PersistedDocument[] = ["claim", "members", "keys"];
/** Between two changes of a flood. */
const FLOOD_INTERVAL_MS = 1;
/** Ports that a flood's tunnel end points take turns at. */
const FLOOD_PORTS = [4789, 8472] as const;
/** Addresses that hosts move to; the first ones are 10.0.x.y. */
const MOVED_NETWORK = "10.1";
const NOISE_BYTES_MAX = 1400;

export class HostFaults implements FaultCommands<HostCommand, HostEvent, HostSnapshot> {
  readonly #hosts: HostCluster;
  #moves = 0;

  constructor(hosts: HostCluster) {
    this.#hosts = hosts;
  }

  /** An empty disk makes a new identity by itself. */
  replace(host: SimulatedHost): void {
    this.#wipe(host);
  }

  reinstall(host: SimulatedHost): void {
    this.#hosts.cluster.write(host, "members", null);
  }

  leave(): HostCommand {
    return { kind: "leave", release: false };
  }

  join(host: SimulatedHost): HostCommand {
    return { kind: "join", seeds: this.#hosts.seedsOf(host) };
  }

  forget(_host: SimulatedHost, other: HostName): HostCommand | null {
    const id = this.#hosts.idOf(other);
    return id === null ? null : { kind: "forget", id, force: true };
  }

  claimFault(host: SimulatedHost, fault: ClaimFault): boolean {
    const { cluster } = this.#hosts;
    switch (fault.kind) {
      case "release":
        if (!host.isRunning) return false;
        cluster.command(host, { kind: "leave", release: true });
        return true;
      case "wipe":
        if (host.documents.size === 0) return false;
        this.#wipe(host);
        return true;
      case "rollback":
        return this.#rollback(host, fault.backMs);
      case "clone":
        return this.#clone(host, this.#hosts.find(fault.other));
      case "move":
        this.#move(host, `${MOVED_NETWORK}.${this.#moves >> 8}.${this.#moves++ & 255}:7947`);
        return true;
      case "swap":
        return this.#swap(host, this.#hosts.find(fault.other));
      case "flood":
        return this.#flood(host, fault.count);
      case "garbage":
        return this.#garbage(host, fault.count);
      case "pool":
        return this.#pool(host, fault.words);
      default:
        return unreachable(fault);
    }
  }

  #wipe(host: SimulatedHost): void {
    for (const document of [...host.documents.keys()]) {
      this.#hosts.cluster.write(host, document, null);
    }
  }

  /** False when that changes nothing: a disk that was not written since then. */
  #rollback(host: SimulatedHost, backMs: number): boolean {
    const { cluster } = this.#hosts;
    const atMs = cluster.nowMs - backMs;
    if (!host.writes.some((write) => write.atMs > atMs)) return false;
    const wasRunning = host.isRunning;
    if (wasRunning) cluster.kill(host);
    for (const document of DOCUMENTS) {
      const last = host.writes.findLast((write) =>
        write.document === document && write.atMs <= atMs
      );
      cluster.write(host, document, last?.bytes ?? null);
    }
    if (wasRunning) cluster.boot(host);
    return true;
  }

  #clone(host: SimulatedHost, other: SimulatedHost | undefined): boolean {
    const { cluster } = this.#hosts;
    if (other === undefined || other === host || !host.documents.has("claim")) return false;
    if (other.isRunning) cluster.kill(other);
    this.#wipe(other);
    for (const [document, bytes] of host.documents) cluster.write(other, document, bytes);
    cluster.boot(other);
    return true;
  }

  #swap(host: SimulatedHost, other: SimulatedHost | undefined): boolean {
    if (other === undefined || other === host) return false;
    const [one, two] = [host.endpoint, other.endpoint];
    this.#move(host, two);
    this.#move(other, one);
    return true;
  }

  #move(host: SimulatedHost, endpoint: Endpoint): void {
    const { cluster } = this.#hosts;
    cluster.move(host, endpoint);
    if (!host.isRunning) return;
    cluster.command(host, { kind: "move", endpoint });
    cluster.command(host, { kind: "set-vtep", vtep: this.#hosts.vtepOf(host) });
  }

  #flood(host: SimulatedHost, count: number): boolean {
    if (!host.isRunning) return false;
    const { cluster } = this.#hosts;
    const { boots } = host;
    for (let number = 0; number < count; number++) {
      cluster.after(number * FLOOD_INTERVAL_MS, () => {
        if (!host.isRunning || host.boots !== boots) return;
        const port = FLOOD_PORTS[number % FLOOD_PORTS.length] ?? FLOOD_PORTS[0];
        const vtep = { ...this.#hosts.vtepOf(host), port };
        cluster.command(host, { kind: "set-vtep", vtep });
      });
    }
    return true;
  }

  /** False when the command would be refused: what hosts claim is not dropped, nor pinned to two. */
  #pool(host: SimulatedHost, words: readonly string[]): boolean {
    if (!host.isRunning) return false;
    const { poolRecord, records } = host.snapshot().claim;
    const base = this.#hosts.poolOf(host);
    const before: PoolRecord = poolRecord ??
      { version: 1, base: poolDigest(base), added: [], reserved: [], pins: [] };
    const record = changed(before, words, (name) => this.#hosts.idOf(name));
    if (record === null || whyNotPool(base, record) !== null) return false;
    const dropped = before.added.filter((network) => !record.added.includes(network));
    const isClaimed = dropped.some((network) =>
      records.some((claim) => occupies(claim) && cidrsOverlap(claim.subnet, network))
    );
    if (isClaimed) return false;
    this.#hosts.cluster.command(host, { kind: "set-pool", record });
    return true;
  }

  /** Noise, and packets as real ones with one bit changed. */
  #garbage(host: SimulatedHost, count: number): boolean {
    if (!host.isRunning) return false;
    const { cluster } = this.#hosts;
    const { random } = cluster;
    for (let number = 0; number < count; number++) {
      const real = this.#hosts.lastPacket();
      const bytes = real !== null && number % 2 === 0
        ? real.slice()
        : Uint8Array.from({ length: random.below(NOISE_BYTES_MAX) }, () => random.below(256));
      const at = random.below(Math.max(1, bytes.length));
      if (real !== null && number % 2 === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      cluster.inject(host, NOWHERE, bytes);
    }
    return true;
  }
}

/** The next record of the pool; null when the words change nothing. */
function changed(
  before: PoolRecord,
  [verb, one = "", two = ""]: readonly string[],
  idOf: (name: string) => MemberId | null,
): PoolRecord | null {
  const version = before.version + 1;
  const { added, reserved, pins } = before;
  switch (verb) {
    case "add":
      return added.includes(one) ? null : { ...before, version, added: [...added, one] };
    case "drop":
      return added.includes(one)
        ? { ...before, version, added: added.filter((network) => network !== one) }
        : null;
    case "reserve":
      return reserved.includes(one)
        ? null
        : { ...before, version, reserved: [...reserved, one].sort() };
    case "unreserve":
      return reserved.includes(one)
        ? { ...before, version, reserved: reserved.filter((network) => network !== one) }
        : null;
    case "pin":
    case "unpin": {
      const hostId = idOf(one);
      if (hostId === null) return null;
      const others = pins.filter((pin) => pin.hostId !== hostId);
      const own = verb === "pin" ? [{ hostId, subnet: two }] : [];
      const all = [...others, ...own].sort((a, b) => a.hostId < b.hostId ? -1 : 1);
      return { ...before, version, pins: all };
    }
    default:
      return null;
  }
}
