/** Lets faults happen to a cluster, whatever its hosts run. */
import { unreachable } from "../base/assert.ts";
import type { Cluster } from "./cluster.ts";
import type { Fault, HostName, LinkOptions } from "./fault.ts";
import type { SimHost } from "./sim_host.ts";

/** How hosts of one kind are told what faults mean to them. */
export interface FaultCommands<Command, Event, Snapshot> {
  /** The next start of this host is one of another identity. */
  replace(host: SimHost<Command, Event, Snapshot>): void;
  leave(host: SimHost<Command, Event, Snapshot>): Command;
  join(host: SimHost<Command, Event, Snapshot>): Command;
  /** Null when the host knows nobody of that name. */
  forget(host: SimHost<Command, Event, Snapshot>, other: HostName): Command | null;
  /** Whatever is about claims: see {@linkcode ClaimFault}. Hosts without claims do without. */
  readonly claimFault?: (host: SimHost<Command, Event, Snapshot>, fault: ClaimFault) => boolean;
  /** What a host loses that starts as `reinstall`; all documents unless said. */
  readonly reinstall?: (host: SimHost<Command, Event, Snapshot>) => void;
}

/** Faults that mean something only to hosts with claims. */
export type ClaimFault = Extract<
  Fault,
  {
    kind:
      | "release"
      | "wipe"
      | "rollback"
      | "clone"
      | "pool"
      | "move"
      | "swap"
      | "flood"
      | "garbage";
  }
>;

export class FaultPlayer<Command, Event, Snapshot> {
  readonly #cluster: Cluster<Command, Event, Snapshot>;
  readonly #commands: FaultCommands<Command, Event, Snapshot>;
  readonly #byName = new Map<HostName, SimHost<Command, Event, Snapshot>>();
  /** What the network is like when all is over. */
  readonly #calm: LinkOptions;

  constructor(
    cluster: Cluster<Command, Event, Snapshot>,
    commands: FaultCommands<Command, Event, Snapshot>,
  ) {
    this.#cluster = cluster;
    this.#commands = commands;
    this.#calm = cluster.network.options;
  }

  /** Does it; false when it does not fit, or names a host that there is not. */
  play(fault: Fault): boolean {
    const { network } = this.#cluster;
    switch (fault.kind) {
      case "partition":
        network.partition(...fault.groups.map((group) => this.#homes(group)));
        return true;
      case "cut":
      case "mend":
      case "link": {
        const [from, to] = this.#homes([fault.from, fault.to]);
        if (from === undefined || to === undefined) return false;
        if (fault.kind === "cut") network.block(from, to);
        else if (fault.kind === "mend") network.unblock(from, to);
        else network.configureLink(from, to, fault.options);
        return true;
      }
      case "network":
        network.configure(fault.options);
        return true;
      case "heal":
        network.heal();
        return true;
      default: {
        const host = this.#find(fault.host);
        return host !== undefined && this.#playOn(host, fault);
      }
    }
  }

  /** Ends everything that has an end: the network is whole, nobody stands still, all disks work. */
  calm(): void {
    const { network, hosts } = this.#cluster;
    network.heal();
    network.configure(this.#calm);
    for (const host of hosts) {
      this.#move(host);
      host.diskError = null;
      host.diskDelayMs = 0;
    }
  }

  #playOn(
    host: SimHost<Command, Event, Snapshot>,
    fault: Extract<Fault, { host: HostName }>,
  ): boolean {
    const cluster = this.#cluster;
    switch (fault.kind) {
      case "kill":
        if (!host.isRunning) return false;
        cluster.kill(host);
        return true;
      case "boot":
      case "reinstall":
      case "replace":
        if (host.isRunning) return false;
        if (fault.kind === "reinstall" && this.#commands.reinstall !== undefined) {
          this.#commands.reinstall(host);
        } else if (fault.kind !== "boot") host.documents.clear();
        if (fault.kind === "replace") this.#commands.replace(host);
        cluster.boot(host);
        return true;
      case "pause":
      case "freeze":
        if (!host.isRunning || host.gait !== "running") return false;
        if (fault.kind === "pause") cluster.pause(host);
        else cluster.freeze(host);
        return true;
      case "resume":
      case "thaw":
        return this.#move(host);
      case "jump":
        cluster.jumpClock(host, fault.byMs);
        return true;
      case "drift":
        cluster.driftClock(host, fault.rate);
        return true;
      case "disk":
        host.diskError = fault.error;
        return true;
      case "slow-disk":
        host.diskDelayMs = fault.delayMs;
        return true;
      case "leave":
      case "join":
      case "forget":
        return this.#tell(host, fault);
      case "release":
      case "wipe":
      case "rollback":
      case "clone":
      case "move":
      case "swap":
      case "flood":
      case "garbage":
      case "pool":
        return this.#commands.claimFault?.(host, fault) ?? false;
      default:
        return unreachable(fault);
    }
  }

  #tell(
    host: SimHost<Command, Event, Snapshot>,
    fault: Extract<Fault, { kind: "leave" | "join" | "forget" }>,
  ): boolean {
    if (!host.isRunning) {
      if (fault.kind !== "join") return false;
      this.#cluster.boot(host);
      return true;
    }
    const command = fault.kind === "forget"
      ? this.#commands.forget(host, fault.other)
      : this.#commands[fault.kind](host);
    if (command === null) return false;
    this.#cluster.command(host, command);
    return true;
  }

  /** Lets a host go on that stands still or is frozen. */
  #move(host: SimHost<Command, Event, Snapshot>): boolean {
    if (host.gait === "paused") this.#cluster.resume(host);
    else if (host.gait === "frozen") this.#cluster.thaw(host);
    else return false;
    return true;
  }

  #find(name: HostName): SimHost<Command, Event, Snapshot> | undefined {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const host = this.#cluster.hosts.find((one) => one.name === name);
    if (host !== undefined) this.#byName.set(name, host);
    return host;
  }

  #homes(names: readonly HostName[]): string[] {
    return names.flatMap((name) => this.#find(name)?.home ?? []);
  }
}
