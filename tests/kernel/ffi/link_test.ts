/** Devices on the real kernel: made, read back, compared with what `ip -d link` says, deleted. */
import { strict as assert } from "node:assert";
import { bridgeAdd } from "../../../ffi/route/bridge.ts";
import { linkDelete, linkDump, linkGet, linkSet } from "../../../ffi/route/link.ts";
import { vethAdd } from "../../../ffi/route/veth.ts";
import { vxlanAdd } from "../../../ffi/route/vxlan.ts";
import { cable, Host, kernelTest } from "./namespace.ts";

kernelTest("a vxlan device is made as flannel makes it", () => {
  using host = new Host();
  using other = new Host();
  const underlay = cable(host, other).near;
  const made = vxlanAdd(host.transport, {
    name: "flannel.1",
    address: "02:11:22:33:44:55",
    mtu: 1450,
    txQueueLength: 0,
    alias: "ours",
    up: true,
    vxlan: { id: 1, link: underlay, local: "192.168.1.1", port: 8472 },
  });
  assert.deepEqual(linkGet(host.transport, "flannel.1"), made);
  const { name, kind, up, mtu, address, alias, txQueueLength } = made;
  assert.deepEqual(
    { name, kind, up, mtu, address, alias, txQueueLength },
    {
      name: "flannel.1",
      kind: "vxlan",
      up: true,
      mtu: 1450,
      address: "02:11:22:33:44:55",
      alias: "ours",
      txQueueLength: 0,
    },
  );
  assert.deepEqual(made.vxlan, {
    id: 1,
    link: underlay,
    local: "192.168.1.1",
    group: null,
    ttl: 0,
    tos: 0,
    learning: false,
    proxy: false,
    rsc: false,
    l2miss: false,
    l3miss: false,
    udpCsum: true,
    udpZeroCsum6Tx: false,
    udpZeroCsum6Rx: false,
    gbp: false,
    port: 8472,
  });
  const text = host.text("ip -d link show dev flannel.1");
  if (text === null) return;
  assert.match(
    text,
    /vxlan id 1 local 192\.168\.1\.1 dev eth0 srcport 0 0 dstport 8472 nolearning/,
  );
  assert.match(text, /udpcsum noudp6zerocsumtx noudp6zerocsumrx/);
  assert.match(text, /mtu 1450 .*alias ours/s);
});

kernelTest("a vxlan device over IPv6 with group policy is read back", () => {
  using host = new Host();
  const made = vxlanAdd(host.transport, {
    name: "flannel-v6.1",
    vxlan: { id: 16_777_215, local: "fd00::1", gbp: true, learning: true, port: 4789, ttl: 7 },
  });
  assert.equal(made.vxlan?.local, "fd00::1");
  assert.equal(made.vxlan?.id, 16_777_215);
  assert.equal(made.vxlan?.gbp, true);
  assert.equal(made.vxlan?.learning, true);
  assert.equal(made.vxlan?.port, 4789);
  assert.equal(made.vxlan?.ttl, 7);
  assert.equal(made.up, false);
});

kernelTest("a vxlan device without a port gets the kernel's", () => {
  using host = new Host();
  const made = vxlanAdd(host.transport, { name: "x", vxlan: { id: 5, port: 0 } });
  assert.equal(made.vxlan?.port, 8472);
});

kernelTest("a second vxlan device with the same id is refused in the kernel's words", () => {
  using host = new Host();
  vxlanAdd(host.transport, { name: "a", vxlan: { id: 1 } });
  assert.throws(
    () => vxlanAdd(host.transport, { name: "b", vxlan: { id: 1 } }),
    { code: "EEXIST", extack: "A VXLAN device with the specified VNI already exists" },
  );
});

kernelTest("a name that is taken is EEXIST and leaves the other device alone", () => {
  using host = new Host();
  const other = bridgeAdd(host.transport, { name: "flannel.1", alias: "somebody's" });
  assert.throws(
    () => vxlanAdd(host.transport, { name: "flannel.1", alias: "ours", vxlan: { id: 1 } }),
    { code: "EEXIST" },
  );
  assert.deepEqual(linkGet(host.transport, "flannel.1"), other);
});

kernelTest("a device that cannot be marked is deleted again", () => {
  using host = new Host();
  assert.throws(
    () => bridgeAdd(host.transport, { name: "br0", alias: "x".repeat(300) }),
    { name: "NetlinkError" },
  );
  assert.equal(linkGet(host.transport, "br0"), null);
});

kernelTest("a veth pair reaches into another namespace", () => {
  using host = new Host();
  using other = new Host();
  const near = vethAdd(host.transport, {
    name: "v1",
    mtu: 1400,
    peer: {
      name: "eth7",
      address: "02:00:00:00:00:07",
      mtu: 1300,
      namespaceFd: other.namespace,
    },
  });
  const far = linkGet(other.transport, "eth7");
  assert(far !== null);
  assert.equal(far.index, near.link);
  assert.equal(far.link, near.index);
  assert.notEqual(near.linkNamespaceId, null);
  assert.equal(far.address, "02:00:00:00:00:07");
  assert.equal(far.mtu, 1300);
  assert.equal(near.mtu, 1400);
});

kernelTest("a device moves to another namespace and is renamed", () => {
  using host = new Host();
  using other = new Host();
  vethAdd(host.transport, { name: "v1", peer: { name: "v2" } });
  const index = linkGet(host.transport, "v2")?.index ?? 0;
  linkSet(host.transport, index, { namespaceFd: other.namespace, name: "eth0" });
  assert.equal(linkGet(host.transport, "v2"), null);
  assert.equal(linkGet(other.transport, "eth0")?.kind, "veth");
});

kernelTest("a bridge takes ports and lets them go", () => {
  using host = new Host();
  const bridge = bridgeAdd(host.transport, {
    name: "br0",
    up: true,
    bridge: { stp: false, forwardDelayCs: 0, multicastSnooping: false },
  });
  const port = vethAdd(host.transport, { name: "v1", up: true, peer: { name: "v2" } });
  linkSet(host.transport, port.index, { master: bridge.index });
  assert.equal(linkGet(host.transport, port.index)?.master, bridge.index);
  const text = host.text("ip -d link show dev br0");
  if (text !== null) {
    assert.match(text, /bridge forward_delay 0 .*stp_state 0 .*mcast_snooping 0/s);
  }
  linkSet(host.transport, port.index, { master: 0 });
  assert.equal(linkGet(host.transport, port.index)?.master, null);
});

kernelTest("settings change, and an empty alias takes it away", () => {
  using host = new Host();
  const link = bridgeAdd(host.transport, { name: "br0", alias: "ours" });
  linkSet(host.transport, link.index, {
    name: "br1",
    up: true,
    mtu: 1280,
    address: "02:00:00:00:00:ab",
    txQueueLength: 7,
    alias: "",
  });
  const changed = linkGet(host.transport, link.index);
  assert.equal(changed?.name, "br1");
  assert.equal(changed?.up, true);
  assert.equal(changed?.mtu, 1280);
  assert.equal(changed?.address, "02:00:00:00:00:ab");
  assert.equal(changed?.txQueueLength, 7);
  assert.equal(changed?.alias, null);
});

kernelTest("a deleted device is gone, and deleting it again is ENODEV", () => {
  using host = new Host();
  const link = bridgeAdd(host.transport, { name: "br0" });
  linkDelete(host.transport, link.index);
  assert.deepEqual(linkDump(host.transport).map(({ name }) => name), ["lo"]);
  assert.throws(() => linkDelete(host.transport, link.index), { code: "ENODEV" });
});
