/** The choice of the underlay and the overlap check, on what the real kernel says. */
import { strict as assert } from "node:assert";
import { addressAdd, IFA_F } from "../../../ffi/route/address.ts";
import { bridgeAdd } from "../../../ffi/route/bridge.ts";
import { routeAdd } from "../../../ffi/route/route.ts";
import { makePool } from "../../../mod/address/pool.ts";
import { ConfigError, UserError } from "../../../mod/base/errors.ts";
import { readIpv6Addresses } from "../../../mod/host/host_network.ts";
import { onlyIpv6 } from "../../../mod/host/ipv6_of_host.ts";
import { checkPoolOverlap } from "../../../mod/host/pool_overlap.ts";
import { chooseUnderlay, type UnderlayChoice } from "../../../mod/host/underlay.ts";
import { claims, DEVICE } from "../../support/overlay.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const DEFAULT: UnderlayChoice = { interfaces: [], interfacePatterns: [], interfaceCanReach: null };

kernelTest("the default route of the lowest metric chooses the underlay", async () => {
  const host = new OverlayHost();
  const { transport } = host.host;
  assert.throws(() => chooseUnderlay(host.kernel, DEFAULT), UserError);
  const other = bridgeAdd(transport, { name: "br0", up: true }).index;
  addressAdd(transport, { index: other, address: "172.16.5.1", prefixLength: 16 });
  const way = (index: number, gateway: string, priority: number) =>
    routeAdd(transport, { destination: "0.0.0.0/0", index, gateway, priority });
  way(other, "172.16.0.254", 200);
  assert.equal(chooseUnderlay(host.kernel, DEFAULT).device, "br0");
  way(host.underlayIndex, "192.168.100.254", 100);
  assert.deepEqual(chooseUnderlay(host.kernel, DEFAULT), {
    device: "eth0",
    index: host.underlayIndex,
    address: "192.168.100.1",
    mtu: 1500,
  });
  await host.close();
});

kernelTest(
  "secondary addresses are told from first ones, and the way to a host is asked",
  async () => {
    const host = new OverlayHost();
    const { transport } = host.host;
    const index = host.underlayIndex;
    addressAdd(transport, { index, address: "192.168.100.9", prefixLength: 24 });
    addressAdd(transport, { index, address: "192.168.100.8", prefixLength: 32 });
    const choose = (choice: Partial<UnderlayChoice>) =>
      chooseUnderlay(host.kernel, { ...DEFAULT, ...choice }).address;
    assert.equal(choose({ interfaces: ["eth0"] }), "192.168.100.1");
    assert.equal(choose({ interfaces: ["192.168.100.9"] }), "192.168.100.9");
    const reach = { ...DEFAULT, interfaceCanReach: "192.168.100.77" };
    assert.equal(chooseUnderlay(host.kernel, reach).address, "192.168.100.1");
    assert.throws(
      () => chooseUnderlay(host.kernel, { ...DEFAULT, interfaceCanReach: "203.0.113.1" }),
      UserError,
    );
    await host.close();
  },
);

kernelTest(
  "a running overlay with its containers' bridge overlaps nothing; a LAN in the pool does",
  async () => {
    const host = new OverlayHost();
    const { transport } = host.host;
    const pool = makePool({ network: "10.244.0.0/16" });
    const check = () => checkPoolOverlap(host.kernel, pool, DEVICE, host.config.underlay);
    assert.deepEqual(host.apply(host.desire(claims(1, 2, 3))), []);
    const bridge = bridgeAdd(transport, { name: "cni0", up: true }).index;
    addressAdd(transport, { index: bridge, address: "10.244.1.1", prefixLength: 24 });
    check();
    const destination = "10.244.200.0/24";
    routeAdd(transport, { destination, index: host.underlayIndex, gateway: "192.168.100.254" });
    assert.throws(
      check,
      (error) => error instanceof ConfigError && /10\.244\.200/.test(error.message),
    );
    await host.close();
  },
);

kernelTest("another IPv6 address is none to move to: the oldest comes first", async () => {
  const host = new OverlayHost();
  const { transport } = host.host;
  const add = (address: string) =>
    addressAdd(transport, {
      index: host.underlayIndex,
      address,
      prefixLength: 64,
      flags: IFA_F.NODAD,
    });
  for (const address of ["fd00:100::1", "fd00:100::2", "fd00:9::3"]) add(address);
  const addresses = readIpv6Addresses(transport).map(({ address }) => address);
  assert.deepEqual(addresses, ["fd00:100::1", "fd00:100::2", "fd00:9::3"]);
  const underlay = chooseUnderlay(
    { hostNetwork: () => onlyIpv6(host.kernel.hostNetwork(true)), routeTo: () => null },
    { ...DEFAULT, interfaces: ["eth0"] },
  );
  assert.equal(underlay.address, "fd00:100::1");
  await host.close();
});
