/** The kernel port over a kernel in memory: what a real one does only on bad days. */
import { strict as assert } from "node:assert";
import { ERRNO } from "../../../ffi/errno.ts";
import { FakeKernel } from "../../../ffi/fake_kernel.ts";
import { addressAdd } from "../../../ffi/route/address.ts";
import { bridgeAdd } from "../../../ffi/route/bridge.ts";
import { RTM } from "../../../ffi/route/family.ts";
import { routeAdd } from "../../../ffi/route/route.ts";
import { vxlanAdd } from "../../../ffi/route/vxlan.ts";
import { HostKernel } from "../../../mod/host/kernel.ts";
import { planCleanup } from "../../../mod/overlay/cleanup.ts";
import { diffState } from "../../../mod/overlay/diff.ts";
import { claims, CONFIG, desire, DEVICE, programmed } from "../../support/overlay.ts";
import { sortedState } from "../../support/sorted_state.ts";

const UNDERLAY = { ...CONFIG.underlay };
const DESIRED = desire(claims(1, 2, 3));

/** A host whose underlay is device 2. */
function scene(): { fake: FakeKernel; kernel: HostKernel } {
  const fake = new FakeKernel();
  const { index } = bridgeAdd(fake, { name: UNDERLAY.device, up: true });
  assert.equal(index, UNDERLAY.index);
  addressAdd(fake, { index, address: UNDERLAY.address, prefixLength: 24 });
  return { fake, kernel: new HostKernel(fake) };
}

/** The same with two peers programmed. */
function running() {
  const { fake, kernel } = scene();
  assert.deepEqual(kernel.apply(diffState(DESIRED, kernel.dump(DEVICE)).operations), []);
  return { fake, kernel };
}

Deno.test("what is applied is what a dump shows", () => {
  const { kernel } = running();
  assert.deepEqual(sortedState(kernel.dump(DEVICE)), sortedState(programmed(DESIRED)));
  assert.deepEqual(kernel.ownDevices(), [DEVICE]);
});

Deno.test("a dump whose replies are lost is made again, but not for ever", () => {
  const { fake, kernel } = running();
  const before = kernel.dump(DEVICE);
  fake.loseReplies(3);
  assert.deepEqual(kernel.dump(DEVICE), before);
  fake.loseReplies(4);
  assert.throws(() => kernel.dump(DEVICE), { code: "ENOBUFS" });
});

Deno.test("a dump during which the device goes is made again", () => {
  const { fake, kernel } = running();
  const before = kernel.dump(DEVICE);
  fake.failRequest({ errno: ERRNO.ENODEV, matches: ({ type }) => type === RTM.GETADDR });
  assert.deepEqual(kernel.dump(DEVICE), before);
});

Deno.test("any other refusal of a dump is thrown", () => {
  const { fake, kernel } = running();
  fake.failRequest({ errno: ERRNO.EPERM, matches: ({ type }) => type === RTM.GETROUTE });
  assert.throws(() => kernel.dump(DEVICE), { code: "EPERM" });
});

Deno.test("a refused operation is told by itself and holds up no other", () => {
  const { fake, kernel } = scene();
  const { operations } = diffState(DESIRED, kernel.dump(DEVICE));
  const isNewNeighbour = ({ type }: { type: number }) => type === RTM.NEWNEIGH;
  // The third of neighbour, forwarding entry, neighbour, forwarding entry: the second peer's neighbour.
  fake.failRequest({ errno: ERRNO.ENOMEM, extack: "full", nth: 3, matches: isNewNeighbour });
  const failures = kernel.apply(operations);
  assert.equal(failures.length, 1);
  const [failure] = failures;
  assert(failure?.operation.kind === "neighbour-replace");
  assert.equal(failure.operation.neighbour.address, "10.244.3.0");
  assert.equal(failure.code, "ENOMEM");
  assert.match(failure.message, /full/);
  assert.deepEqual(diffState(DESIRED, kernel.dump(DEVICE)).operations, [failure.operation]);
});

Deno.test("without a device nothing is tried on it", () => {
  const { fake, kernel } = scene();
  const { operations } = diffState(DESIRED, kernel.dump(DEVICE));
  fake.failRequest({ errno: ERRNO.ENOMEM, matches: ({ type }) => type === RTM.NEWLINK });
  const failures = kernel.apply(operations);
  assert.deepEqual(failures.map(({ operation, code }) => [operation.kind, code]), [
    ["link-add", "ENOMEM"],
  ]);
});

Deno.test("on a device that is gone additions fail and removals succeed", () => {
  const { kernel } = running();
  const state = kernel.dump(DEVICE);
  const removals = planCleanup(DEVICE, CONFIG.networks, state).operations;
  assert.deepEqual(kernel.apply(removals), []);
  assert.deepEqual(kernel.apply(removals), []);
  const [peer] = DESIRED.peers;
  const neighbour = peer?.neighbour ?? null;
  assert(neighbour !== null);
  const failures = kernel.apply([{ kind: "neighbour-replace", neighbour }]);
  assert.deepEqual(failures.map(({ code }) => code), ["ENODEV"]);
});

Deno.test("lost replies while applying are thrown, and the next comparison settles it", () => {
  const { fake, kernel } = running();
  const fewer = desire(claims(1, 2));
  const { operations } = diffState(fewer, kernel.dump(DEVICE));
  fake.loseReplies(1);
  assert.throws(() => kernel.apply(operations), { code: "ENOBUFS" });
  assert.deepEqual(kernel.apply(diffState(fewer, kernel.dump(DEVICE)).operations), []);
  assert.deepEqual(sortedState(kernel.dump(DEVICE)), sortedState(programmed(fewer)));
});

Deno.test("a stranger's route in our place is named; our own there already is success", () => {
  const { fake, kernel } = scene();
  const gateway = "192.168.100.254";
  routeAdd(fake, { destination: "10.244.2.0/24", gateway, index: UNDERLAY.index });
  const { operations } = diffState(DESIRED, kernel.dump(DEVICE));
  const [failure, ...others] = kernel.apply(operations);
  assert.deepEqual(others, []);
  assert.match(failure?.message ?? "", /10\.244\.2\.0\/24 via 192\.168\.100\.254 on eth0/);
  const again = operations.filter(({ kind }) => kind === "route-add" || kind === "address-add");
  assert.equal(kernel.apply(again).length, 1);
});

Deno.test("devices of other kinds and makes are read as foreign or as what they are", () => {
  const { fake, kernel } = scene();
  bridgeAdd(fake, { name: DEVICE, alias: "gossamer" });
  assert.deepEqual(kernel.dump(DEVICE).link, { name: DEVICE, kind: "bridge", alias: "gossamer" });
  vxlanAdd(fake, { name: "flannel.7", vxlan: { id: 7, port: 4789, learning: true } });
  const link = kernel.dump("flannel.7").link;
  assert(link !== null && "vni" in link);
  assert.deepEqual(
    [link.vni, link.port, link.local, link.underlayIndex, link.learning, link.alias],
    [7, 4789, "", 0, true, ""],
  );
});

Deno.test("routes of ours on another device are part of the state, strangers' are not", () => {
  const { fake, kernel } = scene();
  const { index } = UNDERLAY;
  routeAdd(fake, { destination: "10.244.2.0/24", index, protocol: 71 });
  routeAdd(fake, { destination: "10.244.3.0/24", index });
  const { routes } = kernel.dump(DEVICE);
  assert.deepEqual(routes.map(({ destination, device }) => [destination, device]), [
    ["10.244.2.0/24", "eth0"],
  ]);
});
