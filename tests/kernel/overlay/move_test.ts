/** The overlay's device when the underlay changes below it: what the real kernel lets us do, and what stays. */
import { strict as assert } from "node:assert";
import { addressAdd, addressDelete } from "../../../ffi/route/address.ts";
import { linkDelete, linkSet } from "../../../ffi/route/link.ts";
import { neighbourReplace } from "../../../ffi/route/neighbour.ts";
import { routeAdd } from "../../../ffi/route/route.ts";
import { vethAdd } from "../../../ffi/route/veth.ts";
import type { Underlay } from "../../../mod/base/kernel_objects.ts";
import { diffState } from "../../../mod/overlay/diff.ts";
import { claims } from "../../support/overlay.ts";
import { sortedState } from "../../support/sorted_state.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const PEERS = claims(1, 2, 3);

/** A second way out. Returns its index. */
function addSecondUnderlay({ host }: OverlayHost, mtu: number): number {
  const eth1 = vethAdd(host.transport, {
    name: "eth1",
    mtu,
    up: true,
    peer: { name: "wire1", mtu },
  });
  assert(eth1.link !== null);
  linkSet(host.transport, eth1.link, { up: true });
  addressAdd(host.transport, { index: eth1.index, address: "172.16.5.1", prefixLength: 16 });
  return eth1.index;
}

function onUnderlay(host: OverlayHost, changes: Partial<Underlay>, mtu = 1450) {
  return host.desire(PEERS, { underlay: { ...host.config.underlay, ...changes }, mtu });
}

/** A neighbour and a route through the overlay's device that somebody else made. */
function addForeign(host: OverlayHost): void {
  const { index } = host;
  neighbourReplace(host.host.transport, {
    index,
    address: "10.99.0.0",
    linkAddress: "02:00:00:00:00:99",
  });
  const route = { destination: "10.99.0.0/24", index, gateway: "10.99.0.0", onlink: true };
  routeAdd(host.host.transport, route);
}

/** Moves, and checks that the device is the same one and that all it carries stayed. */
function moves(host: OverlayHost, changes: Partial<Underlay>, kinds: string[], mtu = 1450): void {
  addForeign(host);
  const before = host.dump();
  const deviceIndex = host.index;
  const desired = onUnderlay(host, changes, mtu);
  const plan = host.plan(desired);
  assert.deepEqual(plan.operations.map(({ kind }) => kind), kinds);
  assert.deepEqual(host.kernel.apply(plan.operations), []);
  assert.equal(host.index, deviceIndex, "the device is the same");
  const after = host.dump();
  assert.deepEqual(after.link, desired.link);
  assert.deepEqual(sortedState({ ...after, link: null }), sortedState({ ...before, link: null }));
  assert.deepEqual(host.plan(desired).operations, []);
}

async function withOverlay(run: (host: OverlayHost) => void): Promise<void> {
  const host = new OverlayHost();
  try {
    assert.deepEqual(host.apply(host.desire(PEERS)), []);
    run(host);
  } finally {
    await host.close();
  }
}

kernelTest(
  "another address moves the device in place, with strangers' entries",
  () =>
    withOverlay((host) => {
      const { transport } = host.host;
      const index = host.underlayIndex;
      addressDelete(transport, { index, address: "192.168.100.1", prefixLength: 24 });
      addressAdd(transport, { index, address: "192.168.100.51", prefixLength: 24 });
      moves(host, { address: "192.168.100.51" }, ["link-move"]);
    }),
);

kernelTest(
  "another underlay device of a larger MTU: moved first, enlarged then",
  () =>
    withOverlay((host) => {
      const index = addSecondUnderlay(host, 9000);
      const place = { device: "eth1", index, address: "172.16.5.1", mtu: 9000 };
      moves(host, place, ["link-move", "link-set"], 8950);
    }),
);

kernelTest("another underlay device of a smaller MTU", () =>
  withOverlay((host) => {
    const index = addSecondUnderlay(host, 1400);
    const place = { device: "eth1", index, address: "172.16.5.1", mtu: 1400 };
    moves(host, place, ["link-move", "link-set"], 1350);
  }));

kernelTest(
  "after a move the device outlives the underlay device that it left",
  () =>
    withOverlay((host) => {
      const index = addSecondUnderlay(host, 1500);
      const place = { device: "eth1", index, address: "172.16.5.1" };
      moves(host, place, ["link-move"]);
      linkDelete(host.host.transport, host.underlayIndex);
      assert.deepEqual(host.plan(onUnderlay(host, place)).operations, []);
    }),
);

kernelTest(
  "the kernel takes the device along with its underlay device; one pass makes it again",
  () =>
    withOverlay((host) => {
      const index = addSecondUnderlay(host, 1500);
      const before = host.dump();
      linkDelete(host.host.transport, host.underlayIndex);
      assert.equal(host.dump().link, null);
      const desired = onUnderlay(host, { device: "eth1", index, address: "172.16.5.1" });
      assert.deepEqual(host.apply(desired), []);
      const after = sortedState({ ...host.dump(), link: null });
      assert.deepEqual(after, sortedState({ ...before, link: null }));
    }),
);

kernelTest(
  "where the kernel moves no device, it is made anew with everything of ours",
  () =>
    withOverlay((host) => {
      const before = host.dump();
      const desired = onUnderlay(host, { address: "192.168.100.51" });
      const { operations } = diffState(desired, host.dump(), { movesDevices: false });
      assert.deepEqual(operations.slice(0, 2).map(({ kind }) => kind), ["link-delete", "link-add"]);
      assert.deepEqual(host.kernel.apply(operations), []);
      const after = host.dump();
      assert.deepEqual(after.link, desired.link);
      assert.deepEqual(
        sortedState({ ...after, link: null }),
        sortedState({ ...before, link: null }),
      );
    }),
);

kernelTest(
  "a move to a device that is gone is refused in the kernel's own words",
  () =>
    withOverlay((host) => {
      const before = host.dump();
      const failures = host.apply(onUnderlay(host, { index: 4711 }));
      assert.deepEqual(failures.map(({ operation, code }) => [operation.kind, code]), [
        ["link-move", "ENODEV"],
      ]);
      assert.deepEqual(host.dump(), before);
    }),
);
