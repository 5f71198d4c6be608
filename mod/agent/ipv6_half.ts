/**
 * The IPv6 overlay of a dual-stack host: a device and a keeper of its own, which does for the IPv6 halves of the claims
 * what the first one does for the claims themselves. It wants what that one wants, at the same time.
 */
import { ipv6HalfOf, type Pool } from "../address/pool.ts";
import { assert } from "../base/assert.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import type { OverlayConfig } from "../overlay/desired.ts";
import { Ipv6Halves, missingHalves } from "../overlay/dual_stack.ts";
import type { SubnetEnv } from "../overlay/subnet_env.ts";
import type { ClaimRecord } from "../claim/record.ts";
import { OverlayKeeper } from "./overlay_keeper.ts";
import type { Ipv6Status, OverlayWish, PatientKernel } from "./overlay_ports.ts";
import type { OwnSubnets } from "./tunnel_keeper.ts";

export interface Ipv6Ports {
  readonly kernel: PatientKernel;
  readonly log: Log;
  nowMs(): number;
  /** What is wanted of IPv4. */
  wish(): OverlayWish;
  /** With what operators changed of it. */
  pool(): Pool;
  nameOf(hostId: string): string;
  /** Called when the kernel is as wanted. */
  up(): void;
  /** Called after it made the device anew. */
  madeDevice(): void;
}

export class Ipv6Half {
  readonly keeper: OverlayKeeper;
  readonly #ports: Ipv6Ports;
  readonly #halves = new Ipv6Halves();
  #config: OverlayConfig;
  #missing: Problem | null = null;

  constructor(config: OverlayConfig, ports: Ipv6Ports) {
    this.#config = config;
    this.#ports = ports;
    this.keeper = new OverlayKeeper(config, {
      ...ports,
      nowMs: () => ports.nowMs(),
      wish: () => this.#wish(),
      wants: (_own, _peers, _underlay, isNewDevice) => {
        if (isNewDevice) ports.madeDevice();
      },
      up: () => {
        ports.up();
        return true;
      },
      down: () => {},
    });
  }

  move(config: OverlayConfig): void {
    this.#config = config;
    this.keeper.move(config);
  }

  /** What subnet.env says of IPv6 beside that IPv4 subnet; nothing where it is none of the pool's. */
  envOf(subnet: string): Pick<SubnetEnv, "ipv6"> {
    const half = this.subnetOf(subnet);
    return half === null ? {} : { ipv6: { network: this.#network, subnet: half } };
  }

  subnetOf(subnet: string): string | null {
    return ipv6HalfOf(this.#ports.pool(), subnet);
  }

  /** What the hosts hold by IPv6, this one and others; null where this one has no half. */
  subnets(own: string, owners: readonly ClaimRecord[]): OwnSubnets["ipv6"] {
    const pool = this.#ports.pool();
    const subnet = ipv6HalfOf(pool, own);
    if (subnet === null) return null;
    const halves = this.#halves.all(pool, owners);
    const byHost = new Map(halves.map((half) => [half.hostId, half.subnet]));
    return { subnet, subnetOf: (hostId) => byHost.get(hostId) };
  }

  status(): Ipv6Status {
    const status = this.keeper.status();
    const { device, mtu, inSync, peersWanted, peersProgrammed, repairs, lastError } = status;
    const network = this.#network;
    return { network, device, mtu, inSync, peersWanted, peersProgrammed, repairs, lastError };
  }

  get #network(): string {
    const [network] = this.#config.networks;
    assert(network !== undefined, "an overlay has a network");
    return network;
  }

  problems(): Problem[] {
    const { problems } = this.keeper.status();
    return this.#missing === null ? [...problems] : [...problems, this.#missing];
  }

  #wish(): OverlayWish {
    const wish = this.#ports.wish();
    if (wish.want !== "up") return wish;
    const pool = this.#ports.pool();
    assert(pool.ipv6 !== undefined, "a host with an IPv6 overlay has an IPv6 pool");
    // The record may have been written before this host had its present address.
    const address = this.#config.underlay.address;
    const own = this.#halves.of(pool, { ...wish.own, vtep: { ...wish.own.vtep, ipv6: address } });
    if (own === null) return { want: "down" }; // its subnet is none of the pool's any more
    this.#missing = missingHalves(pool, wish.own, wish.owners, (id) => this.#ports.nameOf(id));
    return {
      ...wish,
      own,
      owners: this.#halves.all(pool, wish.owners),
      records: this.#halves.all(pool, wish.records),
    };
  }
}
