/**
 * The shadow of faults on claims: since when the network has been whole again in every host's eyes, and whose claims may
 * contradict others because a disk was set back, copied, emptied, or its host forgotten. What the claim protocol promises
 * is checked where no such shadow lies.
 */
import type { HostCommand, HostEvent, HostSnapshot } from "../claim/host_core.ts";
import type { MemberId } from "../swim/member.ts";
import type { ClaimSettled } from "./claim_settled.ts";
import type { Fault, HostName } from "./fault.ts";
import type { HostCluster } from "./host_cluster.ts";
import { ALL_TROUBLES, Shadow } from "./shadow.ts";
import type { SimHost } from "./sim_host.ts";

type Host = SimHost<HostCommand, HostEvent, HostSnapshot>;

/** S3 is promised up to this. */
const LOSS_RATE_MAX = 0.3;
/** Answers come before the shortest wait for objections ends. */
const DELAY_MS_MAX = 500;
const BYTES_PER_MS_MIN = 10;

/** A time in which the network was whole and all knew each other's claims. */
interface Interval {
  readonly fromMs: number;
  toMs: number;
}

export class ClaimShadow {
  /** What excuses two holders of one subnet. */
  readonly #network = new Shadow({
    lossRate: LOSS_RATE_MAX,
    delayMs: DELAY_MS_MAX,
    bytesPerMs: BYTES_PER_MS_MIN,
  });
  /** What excuses slowness. */
  readonly #strict = new Shadow({ lossRate: 0, delayMs: 10, bytesPerMs: 100 });
  readonly #hosts: HostCluster;
  readonly #settled: ClaimSettled;
  /** Times in which nothing excused two holders; the last one is open while its end is Infinity. */
  readonly #clear: Interval[] = [{ fromMs: 0, toMs: Infinity }];
  #calmSinceMs = 0;
  /** When the last trouble of the network ended; Infinity while there is one. */
  #healedAtMs = 0;
  /** Whose claims may contradict others, and why: until all are whole and no two hold one subnet. */
  readonly #odd = new Map<HostName, string>();
  /** Ids under which numbers may have been used twice. */
  readonly #reused = new Set<MemberId>();
  /** When a disk was last emptied or a host began alone: what it knew of others may be lost. */
  #forgotAtMs = -Infinity;
  readonly #disks = new Map<HostName, number>();

  constructor(hosts: HostCluster, settled: ClaimSettled) {
    this.#hosts = hosts;
    this.#settled = settled;
  }

  /** A fault has happened. */
  note(nowMs: number, fault: Fault): void {
    this.#network.note(nowMs, fault);
    this.#strict.note(nowMs, fault);
    if (fault.kind !== "boot" && fault.kind !== "garbage") this.#calmSinceMs = Infinity;
    switch (fault.kind) {
      case "rollback":
        this.#touch(fault.host, "a disk was set back");
        break;
      case "clone":
        this.#touch(fault.host, "a disk was copied");
        this.#touch(fault.other, "a disk was copied");
        break;
      case "forget":
        this.#odd.set(fault.other, "it was forgotten");
        break;
      case "wipe":
      case "replace":
        this.#forget(nowMs);
        break;
      case "disk":
        this.#disks.set(fault.host, fault.error === null ? nowMs : Infinity);
        break;
      case "slow-disk":
        this.#disks.set(fault.host, fault.delayMs === 0 ? nowMs : Infinity);
        break;
      case "move":
      case "swap":
        // Who has moved is not reached until all know; another host may be met at its old address.
        this.#trouble(nowMs);
        break;
    }
    this.#noteNetwork(nowMs);
  }

  /** Everything that has an end has ended. */
  calm(nowMs: number): void {
    this.#network.calm(nowMs);
    this.#strict.calm(nowMs);
    for (const [host, untilMs] of this.#disks) {
      if (untilMs === Infinity) this.#disks.set(host, nowMs);
    }
    this.#noteNetwork(nowMs);
  }

  noteStart(nowMs: number, host: Host): void {
    this.#network.noteStart(nowMs, host.name);
    this.#strict.noteStart(nowMs, host.name);
    const hasClaims = host.documents.has("claim");
    const isFirst = this.#hosts.cluster.hosts.every(({ boots }) => boots === 0);
    if (hasClaims || isFirst) return;
    const { hosts } = this.#hosts.cluster;
    const isSeed = hosts.some((one) => this.#hosts.seedsOf(one).includes(host.home));
    const isAlone = this.#hosts.seedsOf(host).length === 0;
    if (!isAlone && !(isSeed && host.boots > 1)) return;
    // It takes itself for the first host of all; or, with other seeds that lost their disks too, they for the first ones.
    this.#forget(nowMs);
    this.#trouble(nowMs);
  }

  /** Looks whether the consequences of a trouble are over. */
  look(nowMs: number): void {
    const isClear = this.isClear;
    const mayCalm = this.#calmSinceMs === Infinity && !this.#isStrictlyTroubled(nowMs);
    if (isClear && !mayCalm && this.#odd.size === 0) return;
    if (this.#isInTrouble(nowMs) || this.#settled.whyNotWhole() !== null) return;
    if (this.#settled.parts().length > 1) return;
    if (!isClear) this.#clear.push({ fromMs: nowMs, toMs: Infinity });
    if (mayCalm) this.#calmSinceMs = nowMs;
    if (this.#odd.size === 0 || this.#settled.whyUnsettled() !== null) return;
    const { hosts } = this.#hosts.cluster;
    for (const host of hosts) {
      const id = this.#hosts.idOf(host.name);
      // Of two clones one may be down for now.
      const isTwin = hosts.some((one) => one !== host && this.#hosts.idOf(one.name) === id);
      if (host.isRunning && !isTwin) this.#odd.delete(host.name);
    }
  }

  get isClear(): boolean {
    return this.#clear.at(-1)?.toMs === Infinity;
  }

  /** Since when nothing at all has been wrong, and all knew each other; Infinity while something is. */
  get calmSinceMs(): number {
    return this.#calmSinceMs;
  }

  get healedAtMs(): number {
    return this.#healedAtMs;
  }

  /** Why two hosts may hold one subnet although their claims were made since that time; null when they may not. */
  whyDouble(one: Host, other: Host, sinceMs: number): string | null {
    const last = this.#clear.at(-1);
    if (last === undefined || last.toMs < Infinity || last.fromMs > sinceMs) {
      return "the network was not whole";
    }
    return this.#odd.get(one.name) ?? this.#odd.get(other.name) ?? null;
  }

  /** Whether there was a moment in between at which all knew all claims. */
  wasClearBetween(fromMs: number, toMs: number): boolean {
    return this.#clear.some((interval) => interval.fromMs <= toMs && interval.toMs >= fromMs);
  }

  /** Whether a host's disk was set back or copied, or it was forgotten, and all is not settled since. */
  isOdd(host: Host): boolean {
    return this.#odd.has(host.name);
  }

  /** Whether somebody lost what it knew of others since then. */
  hasForgotten(sinceMs: number): boolean {
    return this.#forgotAtMs >= sinceMs;
  }

  /** Whether numbers of that host's records may have been used twice. */
  isReused(id: MemberId): boolean {
    return this.#reused.has(id);
  }

  /** Whether its disk refused or was slow since then. */
  hadDiskTrouble(host: Host, sinceMs: number): boolean {
    return (this.#disks.get(host.name) ?? -Infinity) > sinceMs;
  }

  /** Whether it stood still or was cut off since then, all or in part. */
  hadTrouble(host: Host, sinceMs: number): boolean {
    return this.#strict.isOn(host.name, sinceMs, ALL_TROUBLES);
  }

  #noteNetwork(nowMs: number): void {
    if (this.#isInTrouble(nowMs)) {
      this.#trouble(nowMs);
      this.#healedAtMs = Infinity;
    } else if (this.#healedAtMs === Infinity) this.#healedAtMs = nowMs;
  }

  #isInTrouble(nowMs: number): boolean {
    return this.#isOn(this.#network, nowMs);
  }

  #isOn(shadow: Shadow, nowMs: number): boolean {
    return shadow.isOnNetwork(nowMs) ||
      this.#hosts.cluster.hosts.some(({ name }) => shadow.isOn(name, nowMs, ["network"]));
  }

  #isStrictlyTroubled(nowMs: number): boolean {
    return this.#isOn(this.#strict, nowMs) ||
      this.#hosts.cluster.running.some((host) =>
        this.#strict.isOn(host.name, nowMs, ["late", "frozen"]) ||
        this.hadDiskTrouble(host, nowMs)
      );
  }

  #trouble(nowMs: number): void {
    this.#calmSinceMs = Infinity;
    const last = this.#clear.at(-1);
    if (last !== undefined && last.toMs === Infinity) last.toMs = nowMs;
  }

  #touch(name: HostName, why: string): void {
    this.#odd.set(name, why);
    const id = this.#hosts.idOf(name);
    if (id !== null) this.#reused.add(id);
  }

  /** Whoever is down now may come back to a cluster that does not know it any more. */
  #forget(nowMs: number): void {
    this.#forgotAtMs = nowMs;
    for (const { name, isRunning } of this.#hosts.cluster.hosts) {
      if (!isRunning) this.#odd.set(name, "others may have lost what they knew of it");
    }
  }
}
