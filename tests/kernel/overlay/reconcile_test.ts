/** The overlay on the real kernel: applied, drifted, restored, cleaned up. */
import { strict as assert } from "node:assert";
import { addressAdd, addressDelete } from "../../../ffi/route/address.ts";
import { fdbDelete, fdbReplace } from "../../../ffi/route/fdb.ts";
import { linkDelete, linkGet, linkSet } from "../../../ffi/route/link.ts";
import { neighbourDelete, neighbourReplace } from "../../../ffi/route/neighbour.ts";
import { routeAdd, routeDelete, routeReplace } from "../../../ffi/route/route.ts";
import { vxlanAdd } from "../../../ffi/route/vxlan.ts";
import { planCleanup } from "../../../mod/overlay/cleanup.ts";
import { diffState, programmedPeers } from "../../../mod/overlay/diff.ts";
import { claim, claims, CONFIG, DEVICE, programmed } from "../../support/overlay.ts";
import { sortedState } from "../../support/sorted_state.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const PEERS = claims(1, 2, 3);

/** A host with two peers programmed, for a test. */
async function withOverlay(run: (host: OverlayHost) => void): Promise<void> {
  const host = new OverlayHost();
  try {
    assert.deepEqual(host.apply(host.desire(PEERS)), []);
    run(host);
  } finally {
    await host.close();
  }
}

/** After `harm`, one pass must bring back exactly what was there. */
function healsAfter(name: string, harm: (host: OverlayHost) => void): void {
  kernelTest(`healed in one pass: ${name}`, () =>
    withOverlay((host) => {
      const desired = host.desire(PEERS);
      const before = sortedState(host.dump());
      harm(host);
      assert.notDeepEqual(sortedState(host.dump()), before, "the harm was done");
      assert.deepEqual(host.apply(desired), []);
      assert.deepEqual(sortedState(host.dump()), before);
      assert.deepEqual(host.plan(desired).operations, []);
    }));
}

kernelTest(
  "what was applied is what a dump shows, and nothing is left to do",
  () =>
    withOverlay((host) => {
      const desired = host.desire(PEERS);
      assert.deepEqual(sortedState(host.dump()), sortedState(programmed(desired)));
      assert.deepEqual(host.plan(desired), { operations: [], problems: [] });
      assert.equal(programmedPeers(desired, host.dump()), 2);
    }),
);

healsAfter("a route deleted", ({ host, index }) => {
  routeDelete(host.transport, { destination: "10.244.2.0/24", index });
});
healsAfter("a route replaced by hand", ({ host, index }) => {
  const destination = "10.244.2.0/24";
  routeReplace(host.transport, { destination, index, gateway: "10.244.3.0", onlink: true });
});
healsAfter("a neighbour deleted", ({ host, index }) => {
  neighbourDelete(host.transport, { index, address: "10.244.2.0" });
});
healsAfter("a neighbour with another MAC", ({ host, index }) => {
  const address = "10.244.2.0";
  neighbourReplace(host.transport, { index, address, linkAddress: "02:00:00:00:00:99" });
});
healsAfter("a forwarding entry deleted", ({ host, index }) => {
  fdbDelete(host.transport, { index, linkAddress: "02:00:00:00:00:02" });
});
healsAfter("a forwarding entry that leads elsewhere", ({ host, index }) => {
  const linkAddress = "02:00:00:00:00:02";
  fdbReplace(host.transport, { index, linkAddress, destination: "192.168.100.99" });
});
healsAfter("the address deleted", ({ host, index }) => {
  addressDelete(host.transport, { index, address: "10.244.1.0", prefixLength: 32 });
});
healsAfter("the device set down", ({ host, index }) => {
  linkSet(host.transport, index, { up: false });
});
healsAfter("the device set down and up", ({ host, index }) => {
  linkSet(host.transport, index, { up: false });
  linkSet(host.transport, index, { up: true });
});
healsAfter("the device deleted", ({ host, index }) => linkDelete(host.transport, index));
healsAfter("the device's MTU changed", ({ host, index }) => {
  linkSet(host.transport, index, { mtu: 1400 });
});
healsAfter("the device's MAC changed", ({ host, index }) => {
  linkSet(host.transport, index, { address: "02:00:00:00:00:99" });
});
healsAfter("the device replaced by one of ours on another port", ({ host, index }) => {
  linkDelete(host.transport, index);
  const alias = "gossamer";
  vxlanAdd(host.transport, { name: DEVICE, alias, up: true, vxlan: { id: 1, port: 4789 } });
});
healsAfter("the device left unmarked by an agent that was killed", ({ host, index }) => {
  linkDelete(host.transport, index);
  const { mac, underlay } = CONFIG;
  const link = linkGet(host.transport, "eth0")?.index ?? 0;
  const vxlan = { id: 1, port: 8472, local: underlay.address, link };
  vxlanAdd(host.transport, { name: DEVICE, address: mac, mtu: 1450, vxlan });
});

kernelTest(
  "a new MTU leaves routes, neighbours and forwarding entries in place",
  () =>
    withOverlay((host) => {
      const before = host.dump();
      const plan = host.plan(host.desire(PEERS, { mtu: 1400 }));
      assert.deepEqual(plan.operations.map(({ kind }) => kind), ["link-set"]);
      assert.deepEqual(host.kernel.apply(plan.operations), []);
      assert.deepEqual(
        sortedState({ ...host.dump(), link: null }),
        sortedState({ ...before, link: null }),
      );
    }),
);

kernelTest(
  "a peer that changed address and MAC leaves no entry behind",
  () =>
    withOverlay((host) => {
      const vtep = { address: "192.168.100.77", port: 4789, mac: "02:00:00:00:00:77" };
      const desired = host.desire([claim(1), claim(2), claim(3, { vtep })]);
      assert.deepEqual(host.apply(desired), []);
      assert.deepEqual(sortedState(host.dump()), sortedState(programmed(desired)));
    }),
);

kernelTest("a device of that name made by somebody else is not touched", async () => {
  const host = new OverlayHost();
  const { transport } = host.host;
  vxlanAdd(transport, { name: DEVICE, up: true, vxlan: { id: 1, port: 8472 } });
  const before = host.dump();
  const plan = host.plan(host.desire(PEERS));
  assert.deepEqual(plan.operations, []);
  assert.equal(plan.problems[0]?.code, "foreign-device");
  assert.deepEqual(host.dump(), before);
  await host.close();
});

kernelTest(
  "a VXLAN device that holds our VNI and port is told, and nothing else is tried",
  async () => {
    const host = new OverlayHost();
    vxlanAdd(host.host.transport, { name: "other", up: true, vxlan: { id: 1, port: 8472 } });
    const failures = host.apply(host.desire(PEERS));
    assert.equal(failures.length, 1);
    assert.deepEqual([failures[0]?.operation.kind, failures[0]?.code], ["link-add", "EEXIST"]);
    await host.close();
  },
);

kernelTest("somebody else's route to a peer's subnet is reported and stays", async () => {
  const host = new OverlayHost();
  const { transport } = host.host;
  const index = host.underlayIndex;
  routeAdd(transport, { destination: "10.244.2.0/24", gateway: "192.168.100.254", index });
  const failures = host.apply(host.desire(PEERS));
  assert.deepEqual(failures.map(({ code }) => code), ["EEXIST"]);
  assert.match(failures[0]?.message ?? "", /10\.244\.2\.0\/24 via 192\.168\.100\.254 on eth0/);
  // The other peer is not held up by it.
  assert.equal(programmedPeers(host.desire(PEERS), host.dump()), 1);
  await host.close();
});

kernelTest("a plan applied twice is no failure", () =>
  withOverlay((host) => {
    const empty = { link: null, addresses: [], neighbours: [], forwarding: [], routes: [] };
    const plan = diffState(host.desire(PEERS), empty).operations
      .filter(({ kind }) => kind !== "link-add");
    assert.deepEqual(host.kernel.apply(plan), []);
    const removal = planCleanup(DEVICE, CONFIG.networks, host.dump()).operations;
    assert.deepEqual(host.kernel.apply(removal), []);
    assert.deepEqual(host.kernel.apply(removal), []);
  }));

kernelTest("cleanup removes everything of ours", () =>
  withOverlay((host) => {
    const plan = planCleanup(DEVICE, CONFIG.networks, host.dump());
    assert.deepEqual(plan.problems, []);
    assert.deepEqual(host.kernel.apply(plan.operations), []);
    assert.equal(host.dump().link, null);
    assert.deepEqual(host.dump().routes, []);
    assert.deepEqual(host.kernel.ownDevices(), []);
  }));

kernelTest(
  "a foreign route and address on our device survive cleanup, and so does the device",
  () =>
    withOverlay((host) => {
      const { transport } = host.host;
      const { index } = host;
      addressAdd(transport, { index, address: "198.51.100.1", prefixLength: 24 });
      routeAdd(transport, { destination: "172.20.0.0/16", index });
      routeAdd(transport, { destination: "172.21.0.0/16", index, table: 100 });
      const plan = planCleanup(DEVICE, CONFIG.networks, host.dump());
      assert.equal(plan.problems[0]?.code, "device-kept");
      assert.deepEqual(host.kernel.apply(plan.operations), []);
      const left = host.dump();
      assert.deepEqual(left.routes.map(({ destination }) => destination).sort(), [
        "172.20.0.0/16",
        "172.21.0.0/16",
      ]);
      assert.deepEqual(left.addresses.map(({ address }) => address), ["198.51.100.1/24"]);
      assert.deepEqual([left.neighbours, left.forwarding], [[], []]);
      // And up again on the same device.
      assert.deepEqual(host.apply(host.desire(PEERS)), []);
      assert.equal(programmedPeers(host.desire(PEERS), host.dump()), 2);
      assert.equal(host.dump().routes.length, 5, "two peers, two of others, and the rest");
    }),
);

kernelTest("our own subnet may change under running peers", () =>
  withOverlay((host) => {
    const renumbered = {
      ...host.desire(PEERS),
      address: { device: DEVICE, address: "10.244.99.0/32", protocol: 71 },
    };
    assert.deepEqual(host.apply(renumbered), []);
    assert.deepEqual(host.dump().addresses.map(({ address }) => address), ["10.244.99.0/32"]);
    assert.equal(programmedPeers(renumbered, host.dump()), 2);
  }));

kernelTest("five hundred peers come, are found unchanged, and go", async () => {
  const host = new OverlayHost();
  const many = Array.from({ length: 500 }, (_, number) => {
    const [high, low] = [2 + (number >> 8), number & 255];
    const octet = (value: number) => value.toString(16).padStart(2, "0");
    return claim(2, {
      hostId: `${octet(high)}${octet(low)}`.repeat(8),
      subnet: `10.${high}.${low}.0/24`,
      vtep: {
        address: `172.16.${high}.${low + 1 & 255}`,
        port: 8472,
        mac: `02:00:00:01:${octet(high)}:${octet(low)}`,
      },
    });
  });
  const desired = host.desire(many, { networks: ["10.0.0.0/8"] });
  assert.deepEqual(desired.problems, []);
  assert.deepEqual(host.apply(desired), []);
  assert.deepEqual(host.plan(desired).operations, []);
  assert.equal(programmedPeers(desired, host.dump()), 500);
  assert.deepEqual(host.apply(host.desire([], { networks: ["10.0.0.0/8"] })), []);
  const left = host.dump();
  assert.deepEqual(left.routes.map(({ destination }) => destination), ["10.0.0.0/8"]);
  assert.deepEqual(left.forwarding, []);
  await host.close();
});
