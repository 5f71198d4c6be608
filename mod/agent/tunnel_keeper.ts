/**
 * Keeps the UDP backend's data path running: an engine on a thread of its own moves the packets; here it is told who has
 * which subnet, started again when it ends, and asked what it carried. Gossip waits for none of it.
 */
import { isIpv6Text } from "../address/ipv6.ts";
import { reasonOf } from "../base/errors.ts";
import { MEMBERS_MAX } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import { isSame } from "../base/same.ts";
import type { DropName } from "../dataplane/drop_reason.ts";
import type { TableSpec } from "../dataplane/forwarding_table.ts";
import { Statistics, statisticsBuffer, type Traffic } from "../dataplane/statistics.ts";
import type { DesiredPeer } from "../overlay/desired.ts";
import { startTimer } from "../host/timer.ts";
import { tunAlias, UDP_DEVICE } from "../overlay/udp.ts";
import { Slots } from "./slots.ts";

/** How soon an engine that ended is started again: the first time, and twice as long each time up to the last. */
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 5_000;
/** So long is waited for one that is to end: a thread that hangs shall hang alone. */
const CLOSE_MS_MAX = 2_000;
/** One that ran for so long has done its work: what ends it then is another matter. */
const PROVEN_MS = 10_000;

/** What moves the packets. */
export interface TunnelEngine {
  /** Takes effect between two packets. */
  update(table: TableSpec): void;
  /** Settles when it no longer touches device and socket. */
  close(): Promise<void>;
  /** Settles with the reason when it ends without having been told to. */
  readonly ended: Promise<string>;
  /** Settles when the kernel sends packets one by one alone from now on, which is several times slower. */
  readonly sendsApart: Promise<void>;
}

/** What an engine is started with. */
export interface EngineStart {
  readonly device: string;
  /** Which proves it ours. */
  readonly alias: string;
  /** Of the underlay. Bound to it, datagrams leave with the address that peers know this host by. */
  readonly address: string;
  readonly port: number;
  readonly statistics: SharedArrayBuffer;
  readonly table: TableSpec;
}

/** What this host holds. */
export interface OwnSubnets {
  readonly subnet: string;
  /** With dual stack: the half of it, and those of others; undefined for hosts that take no IPv6 packets. */
  readonly ipv6: {
    readonly subnet: string;
    readonly subnetOf: (hostId: string) => string | undefined;
  } | null;
}

export interface TunnelPorts {
  readonly log: Log;
  readonly device: string;
  readonly alias: string;
  readonly port: number;
  /** Settles when packets are carried; rejects with the reason why they cannot be. */
  readonly open: (start: EngineStart) => Promise<TunnelEngine>;
  /** The engine runs now, with the last table. */
  readonly ready: () => void;
  nowMs(): number;
  startTimer(callback: () => void, delayMs: number): () => void;
}

export interface TunnelStatus {
  readonly isRunning: boolean;
  readonly port: number;
  /** How often the engine had to be started again. */
  readonly restarts: number;
  /** By host id. */
  readonly peers: ReadonlyMap<string, Traffic>;
  readonly drops: Readonly<Record<DropName, number>>;
}

export class TunnelKeeper {
  readonly #ports: TunnelPorts;
  readonly #statistics = new Statistics(statisticsBuffer(MEMBERS_MAX));
  readonly #slots = new Slots((slot) => this.#statistics.clear(slot));
  #table: TableSpec | null = null;
  #address = "";
  #isDeviceMade = false;
  #engine: TunnelEngine | null = null;
  /** Whether one is being started, or closed. */
  #isBusy = false;
  #stopped = false;
  #startedMs = 0;
  #failures = 0;
  #restarts = 0;
  #reason: string | null = null;
  #cancelTimer: () => void = () => {};

  constructor(ports: TunnelPorts) {
    this.#ports = ports;
  }

  /**
   * Who has which subnet from now on; the engine is started if there is none, and again for another address.
   *
   * @param own of this host.
   * @param underlay with the address of this host.
   * @param isNewDevice whether the device was made just now: an engine that runs has another one, deleted or renamed.
   */
  follow(
    own: OwnSubnets,
    peers: readonly DesiredPeer[],
    { address }: { readonly address: string },
    isNewDevice = false,
  ): void {
    if (this.#stopped) return;
    const isNew = isNewDevice || this.#isDeviceMade;
    this.#isDeviceMade = false;
    if (isNew && this.#engine !== null) this.#restarts++;
    if (isNew || address !== this.#address) this.pause();
    this.#address = address;
    const table = this.#tableOf(own, peers);
    if (this.#table !== null && isSame(table, this.#table)) return;
    this.#table = table;
    if (this.#engine !== null) this.#engine.update(table);
    else if (this.#failures === 0) void this.#start();
  }

  /** Somebody else of this agent made the device anew: the same, with the next call of follow. */
  deviceMade(): void {
    this.#isDeviceMade = true;
  }

  /** Whether packets are carried, to those who were told last. */
  get isReady(): boolean {
    return this.#engine !== null;
  }

  /** Ends the engine, which may be started again; the device stays. */
  pause(): void {
    this.#table = null;
    this.#cancelTimer();
    this.#failures = 0;
    const engine = this.#engine;
    this.#engine = null;
    if (engine !== null) void this.#close(engine);
  }

  stop(): void {
    this.#stopped = true;
    this.pause();
  }

  status(): TunnelStatus {
    const peers = [...this.#slots.entries()].map(([hostId, slot]) =>
      [hostId, this.#statistics.trafficOf(slot)] as const
    );
    return {
      isRunning: this.#engine !== null,
      port: this.#ports.port,
      restarts: this.#restarts,
      peers: new Map(peers),
      drops: this.#statistics.drops(),
    };
  }

  problems(): Problem[] {
    if (this.#reason === null || this.#engine !== null) return [];
    return [{
      code: "udp-stopped",
      severity: "error",
      text: `Packets of the overlay are not carried: ${this.#reason}`,
      remedy: "The agent tries again by itself; see its log, and whether another program has " +
        `${this.#ports.device} or UDP port ${this.#ports.port}`,
    }];
  }

  #tableOf({ subnet, ipv6 }: OwnSubnets, peers: readonly DesiredPeer[]): TableSpec {
    const reachable = peers.flatMap(({ hostId, subnet: theirs, tunnel }) =>
      tunnel === null || isIpv6Text(theirs) !== isIpv6Text(subnet)
        ? []
        : { hostId, subnet: theirs, ...tunnel }
    );
    this.#slots.follow(reachable.map(({ hostId }) => hostId));
    return {
      subnet,
      ...(ipv6 === null ? {} : { ipv6Subnet: ipv6.subnet }),
      peers: reachable.map((peer) => {
        const ipv6Subnet = ipv6?.subnetOf(peer.hostId);
        const slot = this.#slots.of(peer.hostId);
        return { ...peer, ...(ipv6Subnet === undefined ? {} : { ipv6Subnet }), slot };
      }),
    };
  }

  async #start(): Promise<void> {
    const table = this.#table;
    if (this.#isBusy || this.#stopped || table === null) return;
    this.#isBusy = true;
    try {
      const { device, alias, port } = this.#ports;
      const { buffer: statistics } = this.#statistics;
      const address = this.#address;
      const engine = await this.#ports.open({ device, alias, address, port, statistics, table });
      this.#isBusy = false;
      const now = address === this.#address && !this.#stopped ? this.#table : null;
      if (now === null) return void this.#close(engine);
      this.#runs(engine);
      if (now !== table) engine.update(now);
      this.#ports.ready();
    } catch (error) {
      this.#isBusy = false;
      this.#failed(reasonOf(error));
    }
  }

  #runs(engine: TunnelEngine): void {
    this.#engine = engine;
    this.#startedMs = this.#ports.nowMs();
    if (this.#reason !== null) this.#ports.log.info("packets of the overlay are carried again");
    this.#reason = null;
    void engine.sendsApart.then(() =>
      this.#ports.log.warning("the kernel sends packets of the overlay one by one alone", {
        remedy: "expect less throughput; it is so above IPsec, and with devices without checksums",
      })
    );
    void engine.ended.then((reason) => {
      if (this.#engine !== engine) return;
      this.#engine = null;
      if (this.#ports.nowMs() - this.#startedMs >= PROVEN_MS) this.#failures = 0;
      this.#failed(reason);
    });
  }

  /** Said once for each reason. */
  #failed(reason: string): void {
    if (this.#stopped || this.#table === null) return;
    if (this.#reason !== reason) {
      this.#ports.log.error("packets of the overlay are not carried", { reason });
    }
    this.#reason = reason;
    const delayMs = Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** this.#failures);
    this.#failures++;
    this.#restarts++;
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.startTimer(() => void this.#start(), delayMs);
  }

  /** The next one may have device and port only when this one is done with them. */
  async #close(engine: TunnelEngine): Promise<void> {
    this.#isBusy = true;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#ports.startTimer(resolve, CLOSE_MS_MAX);
    try {
      await Promise.race([engine.close(), late]);
    } catch (error) {
      this.#ports.log.warning("the data path did not end well", { reason: reasonOf(error) });
    }
    cancel();
    this.#isBusy = false;
    void this.#start();
  }
}

/** @param ready is called whenever an engine begins to carry packets. */
export function tunnelOf(
  { vni, port }: { readonly vni: number; readonly port: number },
  log: Log,
  ready: () => void,
): TunnelKeeper {
  return new TunnelKeeper({
    log,
    device: UDP_DEVICE,
    alias: tunAlias(vni),
    port,
    open: openTunnel,
    ready,
    nowMs: () => performance.now(),
    startTimer,
  });
}

/** The real one, whose code is loaded only where it is used. */
async function openTunnel(start: EngineStart): Promise<TunnelEngine> {
  const { openEngine } = await import("../host/tunnel/engine.ts");
  return await openEngine(start);
}
