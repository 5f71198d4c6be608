/** What configurations and subnet files mean, and what other plugins are told. Cases of the delegate are flannel's. */
import assert from "node:assert/strict";
import { delegateConfig } from "../../../mod/cni/delegate_config.ts";
import { CniError } from "../../../mod/cni/errors.ts";
import { parseHostSubnet } from "../../../mod/cni/host_subnet.ts";
import { bridgeConfigOf, parseNetworkConfig } from "../../../mod/cni/network_config.ts";

const V4 = "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\n";
const V6 = "FLANNEL_IPV6_NETWORK=fc00::/48\nFLANNEL_IPV6_SUBNET=fc00::1/64\n";
const REST = "FLANNEL_MTU=1472\nFLANNEL_IPMASQ=true\n";

function configOf(more: Record<string, unknown> = {}) {
  const base = { cniVersion: "1.0.0", name: "cbr0", type: "flannel" };
  return parseNetworkConfig(JSON.stringify({ ...base, ...more }));
}

function subnetOf(text: string) {
  return parseHostSubnet(text, "subnet.env");
}

function codeOf(run: () => unknown): number {
  try {
    run();
  } catch (error) {
    if (error instanceof CniError) return error.code;
    throw error;
  }
  return 0;
}

Deno.test("the subnet file is read with host bits, several networks, and both families", () => {
  const { families, networks, mtu, ipMasq } = subnetOf(
    V4.replace("/16", "/16,10.2.0.0/16,10.1.0.0/16") + V6 + REST,
  );
  assert.deepEqual(
    families.map(({ network, gateway }) => [network, gateway]),
    [["10.1.17.0/24", "10.1.17.1"], ["fc00::/64", "fc00::1"]],
  );
  assert.deepEqual(networks, ["10.1.0.0/16", "10.2.0.0/16", "fc00::/48"]);
  assert.deepEqual([mtu, ipMasq], [1472, true]);
});

Deno.test("a subnet file that is not complete means try again, one that makes no sense does not", () => {
  assert.equal(codeOf(() => subnetOf("")), 11);
  assert.equal(codeOf(() => subnetOf(V4)), 11);
  assert.equal(codeOf(() => subnetOf(V4.replace("FLANNEL_SUBNET", "OTHER") + REST)), 11);
  assert.equal(codeOf(() => subnetOf(V4.replace("10.1.17.1", "10.1.17.x") + REST)), 6);
  assert.equal(codeOf(() => subnetOf(V4 + REST.replace("1472", "many"))), 6);
  assert.equal(codeOf(() => subnetOf(V6 + REST)), 0);
});

Deno.test("as flannel it delegates, as gossamer only to a plugin that is named", () => {
  const delegate = { hairpinMode: true, isDefaultGateway: true };
  assert.deepEqual(configOf().delegate, {});
  assert.deepEqual(configOf({ delegate }).delegate, delegate);
  assert.equal(configOf({ type: "gossamer" }).delegate, null);
  assert.equal(configOf({ type: "gossamer", delegate }).delegate, null);
  const named = { type: "ptp" };
  assert.deepEqual(configOf({ type: "gossamer", delegate: named }).delegate, named);
  assert.equal(configOf().dataDir, "/var/lib/cni/flannel");
  assert.equal(configOf({ type: "gossamer" }).dataDir, "/run/cni/gossamer");
});

Deno.test("name and ipam of the delegate are not for the operator to set", () => {
  for (const delegate of [{ name: "x" }, { ipam: {} }, { type: 1 }, { type: "../sh" }, []]) {
    assert.equal(codeOf(() => configOf({ delegate })), 7, JSON.stringify(delegate));
  }
});

Deno.test("the bridge plugin is told what flannel's plugin tells it", () => {
  assert.deepEqual(delegateConfig(configOf(), subnetOf(V4 + REST)), {
    type: "bridge",
    name: "cbr0",
    cniVersion: "1.0.0",
    ipMasq: false,
    mtu: 1472,
    isGateway: true,
    ipam: {
      type: "host-local",
      ranges: [[{ subnet: "10.1.17.0/24" }]],
      routes: [{ dst: "10.1.0.0/16" }],
    },
  });
});

Deno.test("what the operator says of the delegate counts, and masquerading is one side's alone", () => {
  const delegate = { type: "ipvlan", mtu: 1000, ipMasq: false, master: "eth0" };
  const ipam = { type: "other", routes: [{ dst: "192.168.0.0/16", gw: "10.1.17.9" }], keep: 1 };
  const runtimeConfig = { portMappings: [] };
  const text = V4 + V6 + REST.replace("true", "false");
  assert.deepEqual(delegateConfig(configOf({ delegate, ipam, runtimeConfig }), subnetOf(text)), {
    ...delegate,
    name: "cbr0",
    cniVersion: "1.0.0",
    runtimeConfig,
    ipam: {
      type: "other",
      keep: 1,
      ranges: [[{ subnet: "10.1.17.0/24" }], [{ subnet: "fc00::/64" }]],
      routes: [ipam.routes[0], { dst: "10.1.0.0/16" }, { dst: "fc00::/48" }],
    },
  });
  assert.equal(delegateConfig(configOf(), subnetOf(text)).ipMasq, true);
  assert.equal(
    codeOf(() => delegateConfig(configOf({ ipam: { routes: [1] } }), subnetOf(text))),
    7,
  );
});

Deno.test("flannel's stock delegate means the same to the built-in bridge", () => {
  const delegate = { hairpinMode: false, isDefaultGateway: false, forceAddress: true, mtu: 900 };
  const config = configOf({ type: "gossamer", delegate });
  const { bridge, isNamed, hairpin, isDefaultGateway, mtu } = bridgeConfigOf(config, true);
  assert.deepEqual(
    { bridge, isNamed, hairpin, isDefaultGateway, mtu },
    { bridge: "cni0", isNamed: false, hairpin: false, isDefaultGateway: false, mtu: 900 },
  );
});

Deno.test("what the built-in bridge cannot do is refused by name", () => {
  const codeFor = (more: Record<string, unknown>, ipMasq = true) =>
    codeOf(() => bridgeConfigOf(configOf({ type: "gossamer", ...more }), ipMasq));
  assert.equal(codeFor({}), 0);
  assert.equal(codeFor({ delegate: { promiscMode: true } }), 2);
  assert.equal(codeFor({ ipam: { type: "dhcp" } }), 2);
  assert.equal(codeFor({ ipMasq: true }, false), 2);
  assert.equal(codeFor({ ipMasq: true }, true), 0);
  assert.equal(codeFor({ mtu: 20 }), 7);
  assert.equal(codeFor({ bridge: "a b" }), 7);
  assert.equal(codeFor({ runtimeConfig: { mac: "no" } }), 7);
  assert.equal(codeFor({ ipam: { routes: [{}] } }), 7);
  for (
    const route of [{ dst: "here" }, { dst: "10.0.0.0" }, { dst: "10.0.0.0/8", gw: "there" }, {
      dst: "10.0.0.0/8",
      gw: "10.0.0.1/8",
    }]
  ) assert.equal(codeFor({ ipam: { routes: [route] } }), 7, JSON.stringify(route));
  assert.equal(codeFor({ ipam: { routes: [{ dst: "fd00::/8", gw: "fe80::1" }] } }), 0);
  for (const mac of ["01:00:5e:00:00:01", "00:00:00:00:00:00"]) {
    assert.equal(codeFor({ runtimeConfig: { mac } }), 7, mac);
  }
});
