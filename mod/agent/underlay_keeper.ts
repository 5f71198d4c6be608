/**
 * Keeps this host on its underlay: chooses again, by the rules of the start, whenever a device, an address or a route
 * changed, and says when it has become another one. Nothing is remembered of the changes themselves: each look compares
 * what is with what is used.
 */
import { networksOf, type Pool, poolFamily } from "../address/pool.ts";
import { reasonOf, UserError } from "../base/errors.ts";
import type { Underlay } from "../base/kernel_objects.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import type { HostDevice, HostNetwork } from "../host/host_network.ts";
import { checkIpv6Overlap, onlyIpv6 } from "../host/ipv6_of_host.ts";
import { checkPoolOverlap } from "../host/pool_overlap.ts";
import { startTimer } from "../host/timer.ts";
import { underlayProblem, type UnderlaySource } from "../host/underlay.ts";
import type { OverlayConfig } from "../overlay/desired.ts";
import type { LinkRoute } from "../overlay/adjacency.ts";
import { dataPort, halfOverheadOf, overheadOf } from "../overlay/backend.ts";
import { ipv6OverlayMtu, mtuProblem, overlayMtuOn } from "../overlay/underlay_mtu.ts";
import { overlapProblem } from "./problems.ts";
import { ipv6LinkRoutesIn, linkRoutesIn, refuseElsewhere } from "./underlay_link.ts";
import { decideUnderlay } from "./underlay_plan.ts";
import {
  findFirstUnderlay,
  findUnderlay,
  overlayDeviceName,
  type UnderlaySettings,
} from "./underlay_rules.ts";

export type { UnderlaySettings } from "./underlay_rules.ts";

/** An address, its routes and the device's MTU come one after the other: so long nothing may change any more. */
const URGENT_MS = 100;
/** Where the present one still works: a default route that comes and goes does not send the host back and forth. */
const STEADY_MS = 5_000;
/** How often it is looked at although nothing is known to have changed, as rules of routing do without a word. */
const AUDIT_INTERVAL_MS = 60_000;
/** How soon after the kernel could not be read it is asked again. */
const RETRY_MS = 1_000;
/** Looking takes at most a fifth of the time: with many containers and peers one takes 10 ms. */
const PAUSE_FACTOR = 4;
/** And while containers come and go, which changes devices and routes all the time, a few hundredths. */
const PAUSE_MS_MIN = 50;

/** HostKernel has these methods. */
export interface WatchedSource extends UnderlaySource {
  /** See HostKernel. */
  hostDevice(index: number, family?: 4 | 6): HostDevice | null;
  /** See HostKernel. */
  hostNetwork(ipv6?: boolean): HostNetwork;
  /** See HostKernel. */
  watchDevices(changed: () => void, ipv6?: boolean): () => void;
}

/** Time, as tests play it. */
export interface UnderlayClock {
  nowMs(): number;
  /** See host/timer.ts. */
  startTimer(callback: () => void, delayMs: number): () => void;
}

const REAL_CLOCK: UnderlayClock = { nowMs: () => performance.now(), startTimer };

export class UnderlayKeeper {
  readonly #source: WatchedSource;
  #settings: UnderlaySettings;
  readonly #clock: UnderlayClock;
  #pool: Pool;
  #present: Underlay;
  /** Who is on its link; see linkRoutes. */
  #linkRoutes: readonly LinkRoute[] = [];
  #ipv6LinkRoutes: readonly LinkRoute[] = [];
  #overlap: Problem | null = null;
  /** What the rules said when nothing fitted them. */
  #unfit: UserError | null = null;
  /** Since when the present one carries nothing, as far as was seen; Infinity while it does. */
  #lostSinceMs = Infinity;
  /** Whether that was told: what comes back at once, or is replaced, is not worth a word. */
  #isLost = false;
  /** What is to be moved to when it stays as it is, and when. */
  #next: { readonly underlay: Underlay; readonly atMs: number } | null = null;
  #log: Log | null = null;
  #moved: () => void = () => {};
  #earliestMs = 0;
  #stopWatching: () => void = () => {};
  #cancelTimer: () => void = () => {};
  #timerAtMs = Infinity;
  #stopped = false;

  /** Throws ConfigError for a flag that makes no sense, UserError when nothing fits; both say what there is. */
  constructor(
    source: WatchedSource,
    settings: UnderlaySettings,
    clock: UnderlayClock = REAL_CLOCK,
  ) {
    this.#source = source;
    this.#settings = settings;
    this.#clock = clock;
    this.#pool = settings.pool;
    const network = this.#read();
    this.#present = findFirstUnderlay(source, network, settings);
    this.#linkRoutes = linkRoutesIn(network, this.#present, this.#settings);
    this.#ipv6LinkRoutes = ipv6LinkRoutesIn(network, this.#present, this.#settings);
    if (settings.backend === "host-gw") refuseElsewhere(network, this.#present, this.#settings);
  }

  /** Another MTU of the overlay is wanted; null for what the underlay leaves. Throws UserError where it does not fit. */
  setMtu(mtu: number | null): void {
    const { backend } = this.#settings;
    overlayMtuOn(this.#present, mtu, backend);
    if (this.#present.ipv6 !== undefined) {
      ipv6OverlayMtu(this.#present, mtu, halfOverheadOf(backend));
    }
    this.#settings = { ...this.#settings, mtu };
  }

  get present(): Underlay {
    return this.#present;
  }

  /** What the overlay stands on now. */
  overlay(mac: string): OverlayConfig {
    const { backend, vni, mtu } = this.#settings;
    const { ipv6, ...underlay } = this.#present;
    const adoptsFlannel = this.#settings.adoptFlannel === true;
    const common = { backend, vni, port: dataPort(this.#settings), mac, adoptsFlannel };
    const half = this.#pool.ipv6;
    const ipv6Config = half === undefined || ipv6 === undefined ? {} : {
      ipv6: {
        ...common,
        networks: [half.cidr],
        linkRoutes: this.#ipv6LinkRoutes,
        mtu: ipv6OverlayMtu(underlay, mtu, halfOverheadOf(backend)),
        underlay: { ...underlay, address: ipv6 },
      },
    };
    return {
      ...common,
      ...ipv6Config,
      networks: networksOf(this.#pool),
      linkRoutes: this.#linkRoutes,
      mtu: overlayMtuOn(underlay, mtu, backend),
      underlay,
    };
  }

  /** What this host has now, of IPv6 as well where that is used, and of nothing else where nothing else is used. */
  #read(): HostNetwork {
    const network = this.#source.hostNetwork(this.#usesIpv6);
    return this.#family === 6 ? onlyIpv6(network) : network;
  }

  /** What gossip and the overlay's packets travel in; with dual stack the claims' part of it. */
  get #family(): 4 | 6 {
    return poolFamily(this.#settings.pool);
  }

  get #usesIpv6(): boolean {
    return this.#family === 6 || this.#settings.pool.ipv6 !== undefined;
  }

  /** The underlay's device as it is now. */
  #device(): HostDevice | null {
    return this.#source.hostDevice(this.#present.index, this.#family);
  }

  /**
   * Before the start: the pool with what operators added to it earlier, as this host remembers it. Containers hang on addresses
   * of all its networks, so it is chosen anew; where nothing else fits, what was chosen stays.
   */
  beginWith(pool: Pool): void {
    this.#pool = pool;
    const network = this.#read();
    this.#present = this.#choose(network) ?? this.#present;
    this.#linkRoutes = linkRoutesIn(network, this.#present, this.#settings);
    this.#ipv6LinkRoutes = ipv6LinkRoutesIn(network, this.#present, this.#settings);
  }

  /** Operators changed the pool. */
  followPool(pool: Pool): void {
    this.#pool = pool;
    if (this.#log !== null) this.#lookSoon();
  }

  /**
   * Looks for the overlay's network among what this host uses for something else. Throws ConfigError when it is a newcomer;
   * a host that has a subnet goes on and shows the problem.
   */
  checkOverlap(hasSubnet: boolean): void {
    const { pool } = this.#settings;
    this.#overlap = overlapProblem(hasSubnet, () => {
      const seen = { hostNetwork: () => this.#read() };
      const device = overlayDeviceName(this.#settings, this.#family);
      checkPoolOverlap(seen, pool, device, this.#present);
      if (pool.ipv6 === undefined) return;
      checkIpv6Overlap(this.#read(), pool, overlayDeviceName(this.#settings, 6), this.#present);
    });
  }

  /** What this host uses of a network that is or shall be in the pool for something else; null when nothing. */
  overlapWith(cidr: string): Problem | null {
    const { pool } = this.#settings;
    return overlapProblem(true, () => {
      const seen = { hostNetwork: () => this.#read() };
      const device = overlayDeviceName(this.#settings, this.#family);
      checkPoolOverlap(seen, { ...pool, cidr }, device, this.#present, "pool");
    });
  }

  /**
   * Listens to the kernel from now on, and looks once at what happened before.
   *
   * @param moved is called when the underlay is another one, or carries packets again.
   */
  start(log: Log, moved: () => void): void {
    this.#log = log;
    this.#moved = moved;
    this.#stopWatching = this.#source.watchDevices(
      () => this.#lookSoon(),
      this.#usesIpv6,
    );
    this.#lookSoon();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#stopWatching();
  }

  /**
   * Whether the device is there on which the overlay's stands: the kernel takes that one along when it goes. Routes through
   * the underlay itself stand on its address as well.
   */
  isThere(): boolean {
    const device = this.#device();
    if (this.#settings.backend === "vxlan") return device !== null;
    return underlayProblem(this.#present, device) === null;
  }

  /** Looked up when somebody asks. */
  problems(): Problem[] {
    const device = this.#device();
    const lost = underlayProblem(this.#present, device);
    return [
      lost,
      lost === null ? this.#unfitProblem() : null,
      mtuProblem(
        this.#present,
        this.#settings.mtu,
        overheadOf(this.#settings.backend, this.#family),
      ),
      this.#overlap,
    ].filter((problem) => problem !== null);
  }

  #lookSoon(): void {
    if (this.#stopped) return;
    if (this.#clock.nowMs() >= this.#earliestMs) this.#look();
    else this.#schedule(this.#earliestMs);
  }

  #look(): void {
    const startMs = this.#clock.nowMs();
    let againMs = AUDIT_INTERVAL_MS;
    try {
      this.#compare(startMs);
    } catch (error) {
      againMs = RETRY_MS;
      this.#log?.error("the underlay could not be looked at", { reason: reasonOf(error) });
    }
    const endMs = this.#clock.nowMs();
    this.#earliestMs = endMs + Math.max(PAUSE_MS_MIN, PAUSE_FACTOR * (endMs - startMs));
    const lostAtMs = this.#isLost ? Infinity : this.#lostSinceMs + URGENT_MS;
    this.#schedule(Math.min(this.#next?.atMs ?? Infinity, lostAtMs, endMs + againMs));
  }

  #compare(nowMs: number): void {
    const network = this.#read();
    const device = network.devices.find(({ index }) => index === this.#present.index);
    const problem = underlayProblem(this.#present, device ?? null);
    const decision = decideUnderlay(this.#present, problem, this.#choose(network));
    if (decision.kind !== "move") {
      this.#next = null;
      this.#note(nowMs, problem);
      return this.#followLink(network, problem);
    }
    const { underlay, isUrgent, words } = decision;
    if (this.#next === null || !isSame(this.#next.underlay, underlay)) {
      this.#next = { underlay, atMs: nowMs + (isUrgent ? URGENT_MS : STEADY_MS) };
    } else if (isUrgent) {
      const atMs = Math.min(this.#next.atMs, nowMs + URGENT_MS);
      this.#next = { underlay, atMs };
    }
    if (nowMs < this.#next.atMs) return;
    this.#next = null;
    this.#lostSinceMs = Infinity;
    this.#isLost = false;
    this.#log?.warning("the underlay changed", { device: underlay.device, now: words });
    this.#present = underlay;
    this.#linkRoutes = linkRoutesIn(network, this.#present, this.#settings);
    this.#ipv6LinkRoutes = ipv6LinkRoutesIn(network, this.#present, this.#settings);
    this.#moved();
    this.checkOverlap(true);
  }

  /** Another netmask, or a route that leads past the link: peers are judged anew. While nothing is carried, they are not. */
  #followLink(network: HostNetwork, problem: Problem | null): void {
    if (problem !== null) return;
    const routes = linkRoutesIn(network, this.#present, this.#settings);
    const ipv6Routes = ipv6LinkRoutesIn(network, this.#present, this.#settings);
    if (isEqual(routes, this.#linkRoutes) && isEqual(ipv6Routes, this.#ipv6LinkRoutes)) return;
    this.#linkRoutes = routes;
    this.#ipv6LinkRoutes = ipv6Routes;
    const onLink = [...routes, ...ipv6Routes].filter(({ isOnLink }) => isOnLink);
    this.#log?.info("who is on the underlay's link is decided anew", {
      device: this.#present.device,
      networks: onLink.map(({ destination }) => destination).join(",") || "none",
    });
    this.#moved();
  }

  /** What the rules choose now, if anything that can carry the overlay. */
  #choose(network: HostNetwork): Underlay | null {
    try {
      const found = this.#findIn(network);
      this.#unfit = null;
      return found;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#unfit = error;
      return null;
    }
  }

  /** Throws UserError when nothing fits. */
  #findIn(network: HostNetwork): Underlay {
    const used = this.#log === null ? null : this.#present;
    return findUnderlay(this.#source, network, this.#settings, { pool: this.#pool, used });
  }

  /** Nothing to move to: says once that the present one is lost, and that it is back. */
  #note(nowMs: number, problem: Problem | null): void {
    const wasLost = this.#isLost;
    if (problem !== null) {
      this.#lostSinceMs = Math.min(this.#lostSinceMs, nowMs);
      this.#isLost = nowMs >= this.#lostSinceMs + URGENT_MS;
      if (wasLost || !this.#isLost) return;
      return this.#log?.error("the underlay is lost", {
        reason: problem.text,
        remedy: problem.remedy,
      });
    }
    this.#lostSinceMs = Infinity;
    this.#isLost = false;
    if (!wasLost) return;
    this.#log?.info("the underlay is back", { device: this.#present.device });
    this.#moved();
  }

  #unfitProblem(): Problem | null {
    if (this.#unfit === null) return null;
    const { device, address } = this.#present;
    return {
      code: "underlay-not-chosen",
      severity: "warning",
      text: `${device} (${address}) is used as before, but after a restart the agent would not ` +
        `find it: ${this.#unfit.message}`,
      remedy: this.#unfit.remedy ?? "Name the underlay device with --iface, or its address",
    };
  }

  #schedule(atMs: number): void {
    if (this.#stopped || atMs >= this.#timerAtMs) return;
    this.#cancelTimer();
    this.#timerAtMs = atMs;
    this.#cancelTimer = this.#clock.startTimer(() => {
      this.#timerAtMs = Infinity;
      this.#lookSoon();
    }, Math.max(0, Math.ceil(atMs - this.#clock.nowMs())));
  }
}

function isSame(one: Underlay, other: Underlay): boolean {
  return one.index === other.index && one.address === other.address && one.mtu === other.mtu &&
    one.device === other.device && one.ipv6 === other.ipv6;
}

function isEqual(one: readonly LinkRoute[], other: readonly LinkRoute[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
