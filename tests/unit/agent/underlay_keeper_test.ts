/** The keeper of the underlay on an invented host, with time played by hand. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { makePool, type Pool } from "../../../mod/address/pool.ts";
import { ConfigError, UserError } from "../../../mod/base/errors.ts";
import { Log } from "../../../mod/base/log.ts";
import {
  UnderlayKeeper,
  type UnderlaySettings,
  type WatchedSource,
} from "../../../mod/agent/underlay_keeper.ts";
import type { HostDevice, HostNetwork, HostRoute } from "../../../mod/host/host_network.ts";
import { hostDevice, hostRoute } from "../../support/host_network.ts";

const SETTINGS: UnderlaySettings = {
  interfaces: [],
  interfacePatterns: [],
  interfaceCanReach: null,
  pool: makePool({ network: "10.244.0.0/16" }),
  backend: "vxlan",
  vni: 1,
  vxlanPort: 8472,
  udpPort: 8285,
  mtu: null,
  publicIp: null,
};
const MAC = "02:00:00:00:00:01";

function eth0(address = "192.168.100.1/24", changes: Partial<HostDevice> = {}): HostDevice {
  return hostDevice(2, "eth0", [address], changes);
}

Deno.test("an overlay network that is the underlay's own is named, also where the underlay looks like a container's", () => {
  const eth = hostDevice(2, "eth0", ["10.244.3.1/24"], { kind: "veth" });
  const source = {
    hostNetwork: () => ({
      devices: [eth],
      routes: [hostRoute("0.0.0.0/0", 2), hostRoute("10.244.3.0/24", 2, { protocol: 2 })],
    }),
    routeTo: () => null,
    hostDevice: () => eth,
    watchDevices: () => () => {},
  };
  throws(() => new UnderlayKeeper(source, SETTINGS), (error) => {
    ok(error instanceof ConfigError);
    strictEqual(error.path, "--network");
    match(error.message, /10\.244\.0\.0\/16 overlaps the address 10\.244\.3\.1\/24 on eth0/);
    return true;
  });
});

/** A host that changes as the test says, and a keeper that watches it. */
class Bench implements WatchedSource {
  nowMs = 0;
  devices: HostDevice[] = [eth0(), hostDevice(3, "eth1", ["172.16.5.1/16"])];
  routes: HostRoute[] = [hostRoute("0.0.0.0/0", 2)];
  isBroken = false;
  looks = 0;
  moves: string[] = [];
  readonly lines: string[] = [];
  readonly keeper: UnderlayKeeper;
  #changed = () => {};
  #timers: { atMs: number; callback: () => void }[] = [];

  constructor(settings: Partial<UnderlaySettings> = {}) {
    this.keeper = new UnderlayKeeper(this, { ...SETTINGS, ...settings }, {
      nowMs: () => this.nowMs,
      startTimer: (callback, delayMs) => {
        const timer = { atMs: this.nowMs + delayMs, callback };
        this.#timers.push(timer);
        return () => this.#timers = this.#timers.filter((other) => other !== timer);
      },
    });
    const write = (line: string) => void this.lines.push(line);
    const log = new Log({ level: "info", format: "text", write, now: () => "" });
    this.keeper.start(log, () => this.moves.push(this.place()));
    this.runFor(1_000);
  }

  hostNetwork(): HostNetwork {
    this.looks++;
    if (this.isBroken) throw new Error("no buffer");
    return { devices: this.devices, routes: this.routes };
  }

  hostDevice(index: number): HostDevice | null {
    return this.devices.find((device) => device.index === index) ?? null;
  }

  routeTo(): null {
    return null;
  }

  watchDevices(changed: () => void): () => void {
    this.#changed = changed;
    return () => this.#changed = () => {};
  }

  /** Something happens to the host, and the kernel says so. */
  becomes(devices: HostDevice[], routes = this.routes): void {
    this.devices = devices;
    this.routes = routes;
    this.#changed();
  }

  runFor(ms: number): void {
    const endMs = this.nowMs + ms;
    while (true) {
      const [next] = this.#timers.sort((one, other) => one.atMs - other.atMs);
      if (next === undefined || next.atMs > endMs) break;
      this.#timers.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
    }
    this.nowMs = endMs;
  }

  place(): string {
    const { mtu, underlay } = this.keeper.overlay(MAC);
    return `${underlay.device} ${underlay.index} ${underlay.address} ${mtu}`;
  }

  problems(): string[] {
    return this.keeper.problems().map(({ code }) => code);
  }
}

Deno.test("nothing changes, nothing happens, and it is looked at once a minute", () => {
  const bench = new Bench();
  const { looks } = bench;
  bench.runFor(600_000);
  deepStrictEqual(bench.moves, []);
  strictEqual(bench.looks, looks + 10);
  deepStrictEqual(bench.problems(), []);
});

Deno.test("a new address in place of the old one is followed within a fraction of a second", () => {
  const bench = new Bench();
  bench.becomes([eth0("192.168.100.7/24")]);
  bench.runFor(500);
  deepStrictEqual(bench.moves, ["eth0 2 192.168.100.7 1450"]);
  match(bench.lines.join(), /address 192\.168\.100\.7 instead of 192\.168\.100\.1/);
});

Deno.test("without an address it waits with a problem, and goes on when one comes", () => {
  const bench = new Bench();
  bench.becomes([hostDevice(2, "eth0", [])]);
  deepStrictEqual(bench.problems(), ["underlay-changed"]);
  bench.runFor(3_600_000);
  deepStrictEqual(bench.moves, []);
  strictEqual(bench.lines.length, 1);
  strictEqual(bench.place(), "eth0 2 192.168.100.1 1450", "what it had");
  bench.becomes([eth0("192.168.100.7/24")]);
  bench.runFor(500);
  deepStrictEqual(bench.moves, ["eth0 2 192.168.100.7 1450"]);
  deepStrictEqual(bench.problems(), []);
});

Deno.test("an address that is taken and given back at once is not worth a word", () => {
  const bench = new Bench();
  bench.becomes([hostDevice(2, "eth0", [])]);
  bench.runFor(60);
  bench.becomes([eth0()]);
  bench.runFor(60_000);
  deepStrictEqual([bench.moves, bench.lines], [[], []]);
});

Deno.test("the same address again is told as well, for nobody could be reached meanwhile", () => {
  const bench = new Bench();
  bench.becomes([eth0("192.168.100.1/24", { up: false })]);
  bench.runFor(60_000);
  bench.becomes([eth0()]);
  deepStrictEqual(bench.moves, ["eth0 2 192.168.100.1 1450"]);
});

Deno.test("a device made anew is another one, and the kernel took the overlay's along", () => {
  const bench = new Bench();
  strictEqual(bench.keeper.isThere(), true);
  bench.becomes([]);
  strictEqual(bench.keeper.isThere(), false);
  bench.becomes([hostDevice(9, "eth0", ["192.168.100.1/24"])], [hostRoute("0.0.0.0/0", 9)]);
  bench.runFor(500);
  deepStrictEqual(bench.moves, ["eth0 9 192.168.100.1 1450"]);
  strictEqual(bench.keeper.isThere(), true);
});

Deno.test("changes that come one after the other are followed once, when they are over", () => {
  const bench = new Bench();
  bench.becomes([]);
  for (const [address, mtu] of [["192.168.100.7/24", 1500], ["192.168.100.8/24", 1400]] as const) {
    bench.runFor(60);
    bench.becomes([hostDevice(9, "eth0", [address], { mtu })], [hostRoute("0.0.0.0/0", 9)]);
  }
  bench.runFor(90);
  deepStrictEqual(bench.moves, []);
  bench.runFor(100);
  deepStrictEqual(bench.moves, ["eth0 9 192.168.100.8 1350"]);
});

Deno.test("a default route that flickers moves nobody; one that stays elsewhere does in the end", () => {
  const bench = new Bench();
  const before = bench.routes;
  const preferred = [...before, hostRoute("0.0.0.0/0", 3, { metric: -1 })];
  for (let flicker = 0; flicker < 10; flicker++) {
    bench.becomes(bench.devices, preferred);
    bench.runFor(1_000);
    bench.becomes(bench.devices, before);
    bench.runFor(1_000);
  }
  deepStrictEqual(bench.moves, []);
  bench.becomes(bench.devices, preferred);
  bench.runFor(10_000);
  deepStrictEqual(bench.moves, ["eth1 3 172.16.5.1 1450"]);
});

Deno.test("a container bridge is no underlay, whatever a pattern says of its address", () => {
  const bridge = hostDevice(8, "cni0", ["10.244.7.1/24"], { kind: "bridge" });
  const bench = new Bench({ interfacePatterns: ["^10\\.", "^192\\."] });
  bench.becomes([eth0(), bridge]);
  bench.runFor(60_000);
  bench.becomes([hostDevice(2, "eth0", []), bridge]);
  bench.runFor(60_000);
  deepStrictEqual(bench.moves, []);
  deepStrictEqual(bench.problems(), ["underlay-changed"]);
});

Deno.test("what was only preferred is moved to at once when the present one is lost", () => {
  const bench = new Bench();
  const preferred = [hostRoute("0.0.0.0/0", 3), ...bench.routes];
  bench.becomes(bench.devices, preferred);
  bench.runFor(200);
  bench.becomes(bench.devices.filter(({ name }) => name === "eth1"), preferred);
  bench.runFor(500);
  deepStrictEqual(bench.moves, ["eth1 3 172.16.5.1 1450"]);
});

Deno.test("another MTU is followed at once; one that leaves nothing for the overlay is not", () => {
  const bench = new Bench();
  bench.becomes([eth0("192.168.100.1/24", { mtu: 1400 })]);
  bench.runFor(500);
  deepStrictEqual(bench.moves, ["eth0 2 192.168.100.1 1350"]);
  bench.becomes([eth0("192.168.100.1/24", { mtu: 100 })]);
  bench.runFor(60_000);
  strictEqual(bench.moves.length, 1);
  deepStrictEqual(bench.problems(), ["underlay-not-chosen"]);
});

Deno.test("a configured MTU is a problem where it does not fit, and what fits is used", () => {
  const bench = new Bench({ mtu: 1450 });
  bench.becomes([eth0("192.168.100.1/24", { mtu: 1400 })]);
  bench.runFor(500);
  deepStrictEqual(bench.moves, ["eth0 2 192.168.100.1 1350"]);
  deepStrictEqual(bench.problems(), ["mtu-too-large"]);
  bench.becomes([eth0()]);
  bench.runFor(500);
  deepStrictEqual([bench.place(), bench.problems()], ["eth0 2 192.168.100.1 1450", []]);
});

Deno.test("a device that is renamed away from --iface is kept, with a word of warning", () => {
  const bench = new Bench({ interfaces: ["eth0"] });
  bench.becomes([hostDevice(2, "lan0", ["192.168.100.1/24"])]);
  bench.runFor(60_000);
  deepStrictEqual(bench.moves, []);
  const [problem] = bench.keeper.problems();
  strictEqual(problem?.code, "underlay-not-chosen");
  match(problem.text, /No device matches --iface eth0; there is lan0 \(192\.168\.100\.1\)$/);
});

Deno.test("a device that is renamed is followed where the rules still find it", () => {
  const bench = new Bench();
  bench.becomes([hostDevice(2, "lan0", ["192.168.100.1/24"])]);
  bench.runFor(500);
  deepStrictEqual(bench.moves, ["lan0 2 192.168.100.1 1450"]);
  deepStrictEqual(bench.problems(), []);
});

Deno.test("an underlay that moves into the overlay's network is a problem, as at the start", () => {
  const bench = new Bench();
  bench.becomes([eth0("10.244.7.9/24")]);
  bench.runFor(500);
  deepStrictEqual(bench.problems(), ["network-overlap"]);
  bench.becomes([eth0()]);
  bench.runFor(500);
  deepStrictEqual(bench.problems(), []);
});

Deno.test("where containers come and go all the time it is looked at some times a second", () => {
  const bench = new Bench();
  const { looks } = bench;
  for (let ms = 0; ms < 10_000; ms++) {
    bench.becomes(bench.devices);
    bench.runFor(1);
  }
  const rate = (bench.looks - looks) / 10;
  ok(rate >= 10 && rate <= 21, `${rate} times a second`);
});

Deno.test("a kernel that cannot be read is asked again soon", () => {
  const bench = new Bench();
  bench.isBroken = true;
  bench.becomes([eth0("192.168.100.7/24")]);
  match(bench.lines.join(), /could not be looked at.*no buffer/);
  bench.isBroken = false;
  bench.runFor(2_000);
  deepStrictEqual(bench.moves, ["eth0 2 192.168.100.7 1450"]);
});

Deno.test("after a stop nothing is followed any more", () => {
  const bench = new Bench();
  bench.devices = [eth0("192.168.100.7/24")];
  bench.keeper.stop();
  bench.becomes(bench.devices);
  bench.runFor(600_000);
  deepStrictEqual(bench.moves, []);
});

Deno.test("a host without an underlay does not start, nor a newcomer in the overlay's network", () => {
  const open = (devices: HostDevice[], mtu: number | null = null) =>
    new UnderlayKeeper(
      {
        hostNetwork: () => ({ devices, routes: [hostRoute("0.0.0.0/0", 2)] }),
        hostDevice: () => null,
        routeTo: () => null,
        watchDevices: () => () => {},
      },
      { ...SETTINGS, mtu },
    );
  throws(() => open([]), UserError);
  throws(() => open([eth0()], 1), ConfigError);
  const inside = open([eth0("10.244.7.9/24")]);
  throws(() => inside.checkOverlap(false), ConfigError);
  inside.checkOverlap(true);
});

const ON_LINK = hostRoute("192.168.100.0/24", 2, { protocol: 2 });
const DETOUR = hostRoute("192.168.100.7/32", 2, { gateway: "192.168.100.254" });

/** Networks on the link, and holes in them with a bar before, but for addresses that are nobody's. */
function link(bench: Bench): string[] {
  return bench.keeper.overlay(MAC).linkRoutes
    .filter(({ destination }) => !/^192\.168\.100\.(1|255)\/32$/.test(destination))
    .map(({ destination, isOnLink }) => (isOnLink ? "" : "|") + destination);
}

/** A host whose packets may travel bare, on a network of its own. */
function directBench(backend: UnderlaySettings["backend"] = "vxlan-direct"): Bench {
  const bench = new Bench({ backend });
  bench.becomes(bench.devices, [...bench.routes, ON_LINK]);
  bench.runFor(1_000);
  bench.moves = [];
  return bench;
}

Deno.test("who is on the link is decided anew when a route leads past it, and when it is gone", () => {
  const bench = directBench();
  deepStrictEqual(link(bench), ["192.168.100.0/24"]);
  const { routes } = bench;
  bench.becomes(bench.devices, [...routes, DETOUR]);
  bench.runFor(100);
  deepStrictEqual(link(bench), ["|192.168.100.7/32", "192.168.100.0/24"]);
  bench.becomes(bench.devices, routes);
  bench.runFor(100);
  deepStrictEqual(link(bench), ["192.168.100.0/24"]);
  strictEqual(bench.moves.length, 2);
  match(bench.lines.join("\n"), /who is on the underlay's link is decided anew .*192\.168\.100\.0/);
});

Deno.test("routes to peers' subnets and elsewhere decide nothing", () => {
  const bench = directBench();
  const ours = hostRoute("192.168.100.128/25", 2, { gateway: "192.168.100.9", protocol: 71 });
  const far = hostRoute("172.20.0.0/16", 2, { gateway: "192.168.100.254" });
  bench.becomes(bench.devices, [...bench.routes, ours, far]);
  bench.runFor(100);
  deepStrictEqual(bench.moves, []);
});

Deno.test("while the underlay carries nothing, nobody is judged anew, and nothing can stand on it", () => {
  for (const backend of ["vxlan", "vxlan-direct", "host-gw"] as const) {
    const bench = directBench(backend);
    const before = link(bench);
    bench.becomes([hostDevice(2, "eth0", [])], [hostRoute("0.0.0.0/0", 2)]);
    bench.runFor(10_000);
    deepStrictEqual(link(bench), before);
    strictEqual(bench.keeper.isThere(), backend === "vxlan", backend);
  }
});

Deno.test("no neighbours: on a point-to-point underlay, behind a translation, with VXLAN alone", () => {
  const tunnel = new Bench({ backend: "vxlan-direct" });
  const devices = [eth0("192.168.100.1/24", { hasNeighbours: false })];
  tunnel.becomes(devices, [...tunnel.routes, ON_LINK]);
  tunnel.runFor(1_000);
  deepStrictEqual(link(tunnel), []);
  const translated = new Bench({ backend: "vxlan-direct", publicIp: "203.0.113.9" });
  translated.becomes(translated.devices, [...translated.routes, ON_LINK]);
  deepStrictEqual(link(translated), []);
  deepStrictEqual(link(directBench("vxlan")), []);
});

Deno.test("host-gw has the underlay's MTU, and tells others an address of its link alone", () => {
  strictEqual(directBench("host-gw").place(), "eth0 2 192.168.100.1 1500");
  new Bench({ backend: "host-gw", publicIp: "192.168.100.1" });
  new Bench({ backend: "vxlan-direct", publicIp: "203.0.113.9" });
  throws(
    () => new Bench({ backend: "host-gw", publicIp: "203.0.113.9" }),
    (error) => error instanceof ConfigError && /^--public-ip: .*own link$/.test(error.message),
  );
});

const GROWN: Pool = { ...SETTINGS.pool, version: 2, added: ["10.245.0.0/16"] };
/** Of containers, in a network that was added to the pool. */
const BRIDGE = hostDevice(9, "cni0", ["10.245.7.1/24"], { kind: "bridge" });
const ANY_TEN: Partial<UnderlaySettings> = { interfacePatterns: ["^10\\."] };

Deno.test("a bridge in a network that was added to the pool is no underlay, at the start and later", () => {
  const source = {
    hostNetwork: () => ({ devices: [BRIDGE, eth0("10.0.0.5/24")], routes: [] }),
    routeTo: () => null,
    hostDevice: () => null,
    watchDevices: () => () => {},
  };
  const keeper = new UnderlayKeeper(source, { ...SETTINGS, ...ANY_TEN });
  strictEqual(keeper.present.device, "cni0");
  keeper.beginWith(GROWN);
  strictEqual(keeper.present.device, "eth0");
  deepStrictEqual(keeper.overlay(MAC).networks, ["10.244.0.0/16", "10.245.0.0/16"]);

  const running = new Bench({ interfacePatterns: ["^10\\.", "^192\\."] });
  running.keeper.followPool(GROWN);
  running.becomes([BRIDGE, eth0()]);
  running.runFor(10_000);
  deepStrictEqual([running.moves, running.problems()], [[], []]);
  deepStrictEqual(running.keeper.overlay(MAC).networks, ["10.244.0.0/16", "10.245.0.0/16"]);
});

Deno.test("an underlay whose own network is added to the pool stays in use, bridge or not", () => {
  const bridged = eth0("10.245.3.5/24", { kind: "bridge" });
  const bench = new Bench();
  bench.becomes([bridged]);
  bench.runFor(10_000);
  deepStrictEqual(bench.moves, ["eth0 2 10.245.3.5 1450"]);
  bench.keeper.followPool(GROWN);
  bench.runFor(10_000);
  bench.becomes([bridged, hostDevice(3, "eth1", ["172.16.5.1/16"])]);
  bench.runFor(10_000);
  deepStrictEqual([bench.moves.length, bench.problems()], [1, []]);
  strictEqual(bench.keeper.overlapWith("10.245.0.0/16")?.code, "network-overlap");
  bench.keeper.beginWith(GROWN); // as after a restart: nothing else fits
  strictEqual(bench.keeper.present.address, "10.245.3.5");
});
