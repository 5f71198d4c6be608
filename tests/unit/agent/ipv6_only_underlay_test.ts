/** The underlay of a host whose cluster is of IPv6 alone: what is chosen, told to others, followed, and refused. */
import { deepEqual, equal, match, throws } from "node:assert/strict";
import { makePool } from "../../../mod/address/pool.ts";
import { placeOf } from "../../../mod/agent/options.ts";
import { UnderlayKeeper, type UnderlaySettings } from "../../../mod/agent/underlay_keeper.ts";
import { ConfigError, UserError } from "../../../mod/base/errors.ts";
import { Log } from "../../../mod/base/log.ts";
import type {
  HostDevice,
  HostNetwork,
  HostRoute,
  Ipv6Address,
  RouteTo,
} from "../../../mod/host/host_network.ts";
import { hostAddress, hostDevice, hostRoute } from "../../support/host_network.ts";

const POOL = makePool({ network: "fd00:10:244::/56" });
const MAC = "02:00:00:00:00:01";
const SETTINGS: UnderlaySettings = {
  interfaces: [],
  interfacePatterns: [],
  interfaceCanReach: null,
  pool: POOL,
  backend: "vxlan",
  vni: 1,
  vxlanPort: 8472,
  udpPort: 8285,
  mtu: null,
  publicIp: null,
};

function on(index: number, cidr: string, changes: Partial<Ipv6Address> = {}): Ipv6Address {
  return { ...hostAddress(cidr), index, ...changes };
}

const STATIC = on(2, "fd00:100::1/64");
const TEMPORARY = on(2, "2001:db8::aaaa/64", { isSecondary: true, isDynamic: true });
const OTHER = on(3, "fd00:200::1/64");
const DEFAULT_ROUTES = [hostRoute("::/0", 3, { metric: 1024 }), hostRoute("::/0", 2)];

/** A host with two devices, on which every IPv4 address is a trap. */
class Scene {
  addresses: readonly Ipv6Address[] = [STATIC, OTHER];
  routes: readonly HostRoute[] = DEFAULT_ROUTES;
  reach: RouteTo | null = null;
  mtu = 1500;
  nowMs = 0;
  moves = 0;
  #timers: { atMs: number; callback: () => void }[] = [];
  #changed: () => void = () => {};

  hostNetwork(ipv6?: boolean): HostNetwork {
    equal(ipv6, true, "IPv6 is asked for");
    const devices = [
      hostDevice(1, "lo", []),
      hostDevice(2, "eth0", ["192.168.100.1/24"], { mtu: this.mtu }),
      hostDevice(3, "eth1", ["10.9.0.1/24"]),
      hostDevice(4, "eth2", ["10.8.0.1/24"]),
    ];
    return {
      devices,
      routes: [hostRoute("0.0.0.0/0", 4)],
      ipv6: { addresses: this.addresses, routes: this.routes },
    };
  }

  hostDevice(index: number, family?: 4 | 6): HostDevice | null {
    equal(family, 6, "its IPv6 addresses are asked for");
    const device = this.hostNetwork(true).devices.find((one) => one.index === index);
    if (device === undefined) return null;
    return { ...device, addresses: this.addresses.filter((one) => one.index === index) };
  }

  routeTo(): RouteTo | null {
    return this.reach;
  }

  watchDevices(changed: () => void, ipv6?: boolean): () => void {
    equal(ipv6, true, "changes of IPv6 are listened to");
    this.#changed = changed;
    return () => {};
  }

  keeper(changes: Partial<UnderlaySettings> = {}): UnderlayKeeper {
    return new UnderlayKeeper(this, { ...SETTINGS, ...changes }, {
      nowMs: () => this.nowMs,
      startTimer: (callback, delayMs) => {
        const timer = { atMs: this.nowMs + delayMs, callback };
        this.#timers.push(timer);
        return () => this.#timers = this.#timers.filter((other) => other !== timer);
      },
    });
  }

  chosen(changes: Partial<UnderlaySettings> = {}): string {
    const { device, address } = this.keeper(changes).present;
    return `${device} ${address}`;
  }

  becomes(...addresses: readonly Ipv6Address[]): void {
    this.addresses = addresses;
    this.#changed();
    const endMs = this.nowMs + 10_000;
    while (true) {
      const [next] = this.#timers.toSorted((one, other) => one.atMs - other.atMs);
      if (next === undefined || next.atMs > endMs) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
    }
    this.nowMs = endMs;
  }
}

function sceneOf(...addresses: Ipv6Address[]): Scene {
  const scene = new Scene();
  scene.addresses = addresses;
  return scene;
}

Deno.test("without a flag the IPv6 default route of the lowest metric decides, whatever IPv4 says", () => {
  equal(new Scene().chosen(), "eth0 fd00:100::1");
});

Deno.test("a name, an address, a pattern or a destination leads to a device", () => {
  const scene = new Scene();
  equal(scene.chosen({ interfaces: ["eth9", "eth1"] }), "eth1 fd00:200::1");
  equal(scene.chosen({ interfaces: ["fd00:200::1"] }), "eth1 fd00:200::1");
  equal(scene.chosen({ interfacePatterns: ["^fd00:2"] }), "eth1 fd00:200::1");
  scene.reach = { index: 3, preferredSource: null };
  equal(scene.chosen({ interfaceCanReach: "fd00:200::9" }), "eth1 fd00:200::1");
  throws(() => scene.chosen({ interfaceCanReach: "10.0.0.1" }), /is not an IPv6 address/);
  throws(() => scene.chosen({ interfaces: ["10.9.0.1"] }), /No device matches --iface 10\.9\.0\.1/);
});

Deno.test("of several addresses the one that stays is told to others", () => {
  const dynamic = on(2, "2001:db8::2/64", { isDynamic: true });
  const tentative = on(2, "fd00:100::7/64", { isTentative: true });
  const deprecated = on(2, "fd00:100::8/64", { isDeprecated: true });
  const all = [TEMPORARY, tentative, deprecated, dynamic, STATIC];
  equal(sceneOf(...all).chosen(), "eth0 fd00:100::1");
  equal(sceneOf(TEMPORARY, tentative, deprecated, dynamic).chosen(), "eth0 2001:db8::2");
  equal(sceneOf(TEMPORARY, tentative).chosen(), "eth0 2001:db8::aaaa");
  equal(sceneOf(tentative).chosen(), "eth0 fd00:100::7", "it will be there in a moment");
  throws(() => sceneOf(deprecated).chosen(), UserError);
});

Deno.test("a temporary address is not told to others though the kernel sends from it", () => {
  const scene = sceneOf(TEMPORARY, STATIC);
  scene.reach = { index: 2, preferredSource: "2001:db8::aaaa" };
  equal(scene.chosen({ interfaceCanReach: "2001:db8::9" }), "eth0 fd00:100::1");
  scene.routes = [hostRoute("::/0", 2, { preferredSource: "2001:db8::aaaa" })];
  equal(scene.chosen(), "eth0 fd00:100::1");
});

Deno.test("a host of IPv4 alone is told what it lacks", () => {
  const scene = sceneOf();
  throws(() => scene.chosen({ interfaces: ["eth0"] }), (error: unknown) => {
    match(String(error), /eth0 \(no IPv6 address but link-local ones\)/);
    return error instanceof UserError;
  });
  scene.routes = [];
  throws(() => scene.chosen(), /There is no IPv6 default route to tell the underlay device by/);
});

Deno.test("others are told IPv6, for gossip and for packets", () => {
  const config = { ...SETTINGS, gossipPort: 7947 };
  const { present } = new Scene().keeper();
  deepEqual(placeOf(config, present, MAC), {
    endpoint: "[fd00:100::1]:7947",
    vtep: { address: "fd00:100::1", port: 8472, mac: MAC },
  });
  const behind = placeOf({ ...config, publicIp: "2001:db8::7" }, present, MAC);
  equal(behind.endpoint, "[2001:db8::7]:7947");
  equal(behind.vtep.address, "2001:db8::7");
});

Deno.test("the overlay is one, of IPv6, with the MTU that its headers leave", () => {
  const overlay = new Scene().keeper().overlay(MAC);
  deepEqual([overlay.networks, overlay.mtu, overlay.ipv6], [[POOL.cidr], 1430, undefined]);
  equal(overlay.underlay.address, "fd00:100::1");
  equal(new Scene().keeper({ backend: "host-gw" }).overlay(MAC).mtu, 1500);
  const small = new Scene();
  small.mtu = 1349;
  throws(() => small.keeper(), (error: unknown) => {
    match(String(error), /--iface: eth0 has an MTU of 1349 bytes, which leaves 1279 for the IPv6/);
    return error instanceof ConfigError;
  });
});

Deno.test("who is on the link is told by the IPv6 routes", () => {
  const scene = new Scene();
  scene.routes = [...DEFAULT_ROUTES, hostRoute("fd00:100::/64", 2)];
  deepEqual(scene.keeper({ backend: "host-gw" }).overlay(MAC).linkRoutes, [
    { destination: "fd00:100::1/128", isOnLink: false },
    { destination: "fd00:100::/64", isOnLink: true },
  ]);
});

Deno.test("another address is followed; one that is lost is a problem until it is back", () => {
  const scene = new Scene();
  const keeper = scene.keeper();
  const log = new Log({ level: "error", format: "text", write: () => {}, now: () => "" });
  keeper.start(log, () => scene.moves++);
  scene.becomes(on(2, "fd00:100::5/64"), OTHER);
  deepEqual([keeper.present.address, scene.moves], ["fd00:100::5", 1]);
  scene.becomes(TEMPORARY, on(2, "fd00:100::5/64"), OTHER);
  equal(scene.moves, 1, "a temporary address beside it is no reason");
  scene.becomes();
  equal(keeper.present.address, "fd00:100::5");
  const [problem] = keeper.problems();
  match(problem?.text ?? "", /eth0, .* has lost the address fd00:100::5/);
  scene.becomes(on(2, "fd00:100::5/64"), OTHER);
  deepEqual(keeper.problems(), []);
  keeper.stop();
});

Deno.test("a pool that this host's own network lies in is refused to a newcomer", () => {
  const scene = new Scene();
  scene.routes = [...DEFAULT_ROUTES, hostRoute("fd00:100::/64", 2, { protocol: 2 })];
  const keeper = scene.keeper({ pool: makePool({ network: "fd00:100::/56" }) });
  throws(() => keeper.checkOverlap(false), /--network: fd00:100::\/56 overlaps the address/);
  keeper.checkOverlap(true);
  equal(keeper.problems().length, 1);
});
