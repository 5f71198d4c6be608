/** The IPv6 address of the underlay while the agent runs: another one is followed, none is waited for. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { makeIpv6Pool } from "../../../mod/address/dual_stack.ts";
import { makePool, type Pool } from "../../../mod/address/pool.ts";
import { UnderlayKeeper, type WatchedSource } from "../../../mod/agent/underlay_keeper.ts";
import { placeOf } from "../../../mod/agent/options.ts";
import { UserError } from "../../../mod/base/errors.ts";
import { Log } from "../../../mod/base/log.ts";
import type { HostDevice, HostNetwork } from "../../../mod/host/host_network.ts";
import { hostAddress, hostDevice, hostRoute } from "../../support/host_network.ts";

const IPV4 = makePool({ network: "10.244.0.0/16" });
const POOL = { ...IPV4, ipv6: makeIpv6Pool(IPV4, { network: "fd00:244::/56" }) };
const MAC = "02:00:00:00:00:01";

class Bench implements WatchedSource {
  nowMs = 0;
  mtu = 1500;
  moves = 0;
  readonly asked: (boolean | undefined)[] = [];
  readonly keeper: UnderlayKeeper;
  addresses: readonly string[];
  #changed = () => {};
  #timers: { atMs: number; callback: () => void }[] = [];

  constructor(
    addresses: readonly string[],
    pool: Pool = POOL,
    backend: "vxlan" | "vxlan-direct" = "vxlan",
  ) {
    this.addresses = addresses;
    this.keeper = new UnderlayKeeper(this, {
      interfaces: [],
      interfacePatterns: [],
      interfaceCanReach: null,
      pool,
      backend,
      vni: 1,
      vxlanPort: 8472,
      udpPort: 8285,
      mtu: null,
      publicIp: null,
    }, {
      nowMs: () => this.nowMs,
      startTimer: (callback, delayMs) => {
        const timer = { atMs: this.nowMs + delayMs, callback };
        this.#timers.push(timer);
        return () => this.#timers = this.#timers.filter((other) => other !== timer);
      },
    });
    const log = new Log({ level: "error", format: "text", write: () => {}, now: () => "" });
    this.keeper.start(log, () => this.moves++);
    this.runFor(1_000);
  }

  hostNetwork(ipv6?: boolean): HostNetwork {
    this.asked.push(ipv6);
    const devices = [hostDevice(2, "eth0", ["192.168.100.1/24"], { mtu: this.mtu })];
    const network = { devices, routes: [hostRoute("0.0.0.0/0", 2)] };
    if (ipv6 !== true) return network;
    const addresses = this.addresses.map((address) => ({ ...hostAddress(address), index: 2 }));
    return { ...network, ipv6: { addresses, routes: [hostRoute("fd00:100::/64", 2)] } };
  }

  hostDevice(index: number): HostDevice | null {
    return this.hostNetwork().devices.find((device) => device.index === index) ?? null;
  }

  routeTo(): null {
    return null;
  }

  watchDevices(changed: () => void): () => void {
    this.#changed = changed;
    return () => {};
  }

  becomes(...addresses: readonly string[]): void {
    this.addresses = addresses;
    this.#changed();
    this.runFor(1_000);
  }

  runFor(ms: number): void {
    const endMs = this.nowMs + ms;
    while (true) {
      const next = this.#timers.toSorted((one, other) => one.atMs - other.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
    }
    this.nowMs = endMs;
  }

  codes(): string[] {
    return this.keeper.problems().map(({ code }) => code);
  }
}

Deno.test("both halves stand on one device, each on its own address, with its own MTU and link", () => {
  const bench = new Bench(["fd00:100::1/64"], POOL, "vxlan-direct");
  const { ipv6, ...ipv4 } = bench.keeper.overlay(MAC);
  equal(ipv4.mtu, 1450);
  equal(ipv4.underlay.address, "192.168.100.1");
  deepEqual(ipv6, {
    ...ipv4,
    networks: ["fd00:244::/56"],
    mtu: 1430,
    linkRoutes: [
      { destination: "fd00:100::1/128", isOnLink: false },
      { destination: "fd00:100::/64", isOnLink: true },
    ],
    underlay: { ...ipv4.underlay, address: "fd00:100::1" },
  });
  const ports = { gossipPort: 7947, vxlanPort: 8472, udpPort: 8285 };
  const config = { publicIp: null, ...ports, backend: "vxlan", mtu: null } as const;
  equal(placeOf(config, bench.keeper.present, MAC).vtep.ipv6, "fd00:100::1");
});

Deno.test("another address is followed at once, none is waited for with a problem", () => {
  const bench = new Bench(["fd00:100::1/64"]);
  bench.becomes("fd00:100::2/64");
  equal(bench.moves, 1);
  equal(bench.keeper.overlay(MAC).ipv6?.underlay.address, "fd00:100::2");
  bench.becomes();
  equal(bench.moves, 1);
  deepEqual(bench.codes(), ["underlay-not-chosen"]);
  ok(bench.keeper.isThere(), "IPv4 goes on");
  bench.becomes("fd00:100::3/64");
  equal(bench.moves, 2);
  deepEqual(bench.codes(), []);
});

Deno.test("without an address, or with too small an MTU, a host does not start", () => {
  throws(() => new Bench([]), UserError);
  class Small extends Bench {
    override hostNetwork(ipv6?: boolean): HostNetwork {
      this.mtu = 1349;
      return super.hostNetwork(ipv6);
    }
  }
  throws(
    () => new Small(["fd00:100::1/64"]),
    /less than the 1280 that IPv6 takes|which leaves 1279/,
  );
});

Deno.test("an IPv6 network that the host uses for something else is told as IPv4's", () => {
  const bench = new Bench(["fd00:100::1/64", "fd00:244:0:7::1/64"]);
  throws(() => bench.keeper.checkOverlap(false), /--ipv6-network: fd00:244::\/56 overlaps/);
});

Deno.test("without dual stack nobody reads IPv6", () => {
  const bench = new Bench(["fd00:100::1/64"], IPV4);
  equal(bench.keeper.overlay(MAC).ipv6, undefined);
  equal(bench.keeper.present.ipv6, undefined);
  ok(!bench.asked.includes(true));
});
