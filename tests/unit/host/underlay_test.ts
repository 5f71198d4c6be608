/** Which device and address the overlay uses, by flags and by default. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { ConfigError, UserError } from "../../../mod/base/errors.ts";
import type { HostDevice, HostRoute, RouteTo } from "../../../mod/host/host_network.ts";
import {
  chooseUnderlay,
  type UnderlayChoice,
  underlayProblem,
} from "../../../mod/host/underlay.ts";
import { hostAddress, hostDevice, hostRoute } from "../../support/host_network.ts";

const LOOPBACK = hostDevice(1, "lo", [hostAddress("127.0.0.1/8", { isGlobal: false })]);
const ETH0 = hostDevice(2, "eth0", ["192.168.100.1/24"]);
const ETH1 = hostDevice(3, "eth1", ["172.16.5.1/16"], { mtu: 9000 });
const DEVICES = [LOOPBACK, ETH0, ETH1];
const ROUTES = [
  hostRoute("0.0.0.0/0", 3, { metric: 200 }),
  hostRoute("0.0.0.0/0", 2, { metric: 100 }),
  hostRoute("192.168.100.0/24", 2),
];

interface Scene {
  readonly devices?: readonly HostDevice[];
  readonly routes?: readonly HostRoute[];
  readonly reach?: RouteTo | null;
}

function choose(choice: Partial<UnderlayChoice>, scene: Scene = {}) {
  const { devices = DEVICES, routes = ROUTES, reach = null } = scene;
  return chooseUnderlay(
    { hostNetwork: () => ({ devices, routes }), routeTo: () => reach },
    { interfaces: [], interfacePatterns: [], interfaceCanReach: null, ...choice },
  );
}

Deno.test("without a flag the default route of the lowest metric decides", () => {
  deepStrictEqual(choose({}), {
    device: "eth0",
    index: 2,
    address: "192.168.100.1",
    mtu: 1500,
  });
});

Deno.test("the source address that the default route prefers is used", () => {
  const eth0 = hostDevice(2, "eth0", ["192.168.100.1/24", "192.168.100.2/24"]);
  const routes = [hostRoute("0.0.0.0/0", 2, { preferredSource: "192.168.100.2" })];
  strictEqual(choose({}, { devices: [eth0], routes }).address, "192.168.100.2");
});

Deno.test("--iface takes a name or an address; the first that fits wins", () => {
  strictEqual(choose({ interfaces: ["eth1"] }).device, "eth1");
  strictEqual(choose({ interfaces: ["eth7", "172.16.5.1", "eth0"] }).device, "eth1");
  strictEqual(choose({ interfaces: ["eth1"] }).mtu, 9000);
});

Deno.test("an address asked for by --iface is used even when it is a secondary one", () => {
  const second = hostAddress("192.168.100.9/24", { isSecondary: true });
  const eth0 = hostDevice(2, "eth0", ["192.168.100.1/24", second]);
  strictEqual(
    choose({ interfaces: ["192.168.100.9"] }, { devices: [eth0] }).address,
    "192.168.100.9",
  );
  strictEqual(choose({ interfaces: ["eth0"] }, { devices: [eth0] }).address, "192.168.100.1");
});

Deno.test("--iface-regex comes after --iface and tries addresses before names", () => {
  strictEqual(choose({ interfacePatterns: ["^172\\."] }).device, "eth1");
  strictEqual(choose({ interfacePatterns: ["^wg", "^eth"] }).device, "eth0");
  strictEqual(choose({ interfaces: ["eth1"], interfacePatterns: ["^eth0$"] }).device, "eth1");
  strictEqual(choose({ interfaces: ["wg0"], interfacePatterns: ["^eth0$"] }).device, "eth0");
});

Deno.test("--iface-can-reach asks the kernel for device and source address", () => {
  const eth1 = hostDevice(3, "eth1", ["172.16.5.1/16", "172.17.5.1/16"]);
  const reach = { index: 3, preferredSource: "172.17.5.1" };
  const found = choose({ interfaceCanReach: "172.17.9.9" }, { devices: [ETH0, eth1], reach });
  deepStrictEqual([found.device, found.address], ["eth1", "172.17.5.1"]);
});

Deno.test("of several addresses the one that stays and is this host's own is chosen", () => {
  const order = [
    hostAddress("10.0.0.1/24"),
    hostAddress("10.0.0.2/24", { isDynamic: true }),
    hostAddress("10.0.0.3/32"),
    hostAddress("10.0.0.4/32", { isDynamic: true }),
    hostAddress("10.0.0.5/24", { isSecondary: true }),
    hostAddress("169.254.0.6/16", { isGlobal: false }),
  ];
  for (let best = 0; best < order.length; best++) {
    const addresses = order.slice(best).reverse();
    const device = hostDevice(2, "eth0", addresses);
    const chosen = choose({ interfaces: ["eth0"] }, { devices: [device] });
    strictEqual(chosen.address, order[best]?.address);
  }
});

Deno.test("a deprecated address is never chosen", () => {
  const old = hostAddress("10.0.0.1/24", { isDeprecated: true });
  const device = hostDevice(2, "eth0", [old, hostAddress("10.0.0.2/24", { isDynamic: true })]);
  strictEqual(choose({ interfaces: ["eth0"] }, { devices: [device] }).address, "10.0.0.2");
  throws(
    () => choose({ interfaces: ["eth0"] }, { devices: [hostDevice(2, "eth0", [old])] }),
    UserError,
  );
});

Deno.test("our own devices, loopback, and devices that are down cannot be the underlay", () => {
  for (
    const unfit of [
      hostDevice(9, "flannel.1", ["10.244.7.0/32"], { isOwn: true }),
      hostDevice(9, "eth9", ["10.9.0.1/24"], { up: false }),
      hostDevice(9, "eth9", []),
      LOOPBACK,
    ]
  ) {
    throws(() => choose({ interfaces: [unfit.name] }, { devices: [unfit, ETH0] }), UserError);
  }
});

Deno.test("when nothing matches, the error says what was asked for and what there is", () => {
  const down = hostDevice(4, "eth2", ["10.2.0.1/24"], { up: false });
  throws(
    () => choose({ interfaces: ["wlan0"] }, { devices: [...DEVICES, down] }),
    {
      message: "No device matches --iface wlan0; there is eth0 (192.168.100.1), " +
        "eth1 (172.16.5.1), eth2 (down)",
      remedy: "name one of these with --iface, or its address",
    },
  );
});

Deno.test("without a default route, the error names the devices there are", () => {
  throws(() => choose({}, { routes: [] }), /no default route .* eth0 \(192\.168\.100\.1\), eth1/);
  throws(() => choose({}, { devices: [LOOPBACK], routes: [] }), /there is no device at all/);
});

Deno.test("a regular expression or address that is none is a configuration error", () => {
  throws(() => choose({ interfacePatterns: ["["] }), ConfigError);
  throws(() => choose({ interfaceCanReach: "h2.example" }), ConfigError);
});

Deno.test("an underlay that is no longer what was chosen is a problem that says what happened", () => {
  const chosen = choose({});
  strictEqual(underlayProblem(chosen, ETH0), null);
  strictEqual(underlayProblem(chosen, { ...ETH0, mtu: 1400 }), null);
  const moved = hostDevice(2, "eth0", ["192.168.100.9/24"]);
  const texts = [null, { ...ETH0, up: false }, moved]
    .map((now) => underlayProblem(chosen, now)?.text ?? "");
  deepStrictEqual(texts.map((text) => text.replace(/^.*others, /, "")), [
    "is gone",
    "is down",
    "has lost the address 192.168.100.1",
  ]);
});
