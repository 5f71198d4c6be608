/** The UDP backend's device and routes on the real kernel: made, repaired, kept without an agent, switched, cleaned up. */
import { strict as assert } from "node:assert";
import { closeDescriptor } from "../../../ffi/socket.ts";
import { linkGet, linkSet } from "../../../ffi/route/link.ts";
import { openTun } from "../../../ffi/tun_device.ts";
import type { Operation } from "../../../mod/base/kernel_objects.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { DeviceLock } from "../../../mod/host/device_lock.ts";
import { planCleanup } from "../../../mod/overlay/cleanup.ts";
import type { Desired } from "../../../mod/overlay/desired.ts";
import { diffState } from "../../../mod/overlay/diff.ts";
import type { OwnBackend } from "../../../mod/overlay/path.ts";
import { planText } from "../../../mod/overlay/text.ts";
import { withRetired } from "../../../mod/overlay/retired.ts";
import { claim } from "../../support/overlay.ts";
import { Host, kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const UDP = { backend: "udp", mtu: 1472, port: 8285 } as const;
const UDP_DEVICE = "flannel0";

async function onHost(run: (host: OverlayHost) => void | Promise<void>): Promise<void> {
  const host = new OverlayHost();
  try {
    await run(host);
  } finally {
    await host.close();
  }
}

/** One comparison as the agent makes it. */
function plan(host: OverlayHost, wanted: Desired): readonly Operation[] {
  const dump = (device: string) => host.kernel.dump(device, host.underlayIndex);
  return withRetired(diffState(wanted, dump(wanted.device)), wanted, dump).operations;
}

function apply(host: OverlayHost, wanted: Desired): void {
  const failures = host.host.run(() => host.kernel.apply(plan(host, wanted)));
  assert.deepEqual(failures, []);
  assert.deepEqual(plan(host, wanted), [], "nothing is left to do");
}

function peers(backend: OwnBackend): ClaimRecord[] {
  return [2, 3].map((number) => {
    const { vtep } = claim(number);
    return claim(number, { vtep: backend === "vxlan" ? vtep : { ...vtep, backend } });
  });
}

kernelTest(
  "the device stays when nobody has it open, and everything on it",
  () =>
    onHost((host) => {
      const wanted = host.desire(peers("udp"), UDP);
      apply(host, wanted);
      const link = linkGet(host.host.transport, UDP_DEVICE);
      assert.deepEqual(link?.tun, {
        isTun: true,
        hasVnetHeader: true,
        isPersistent: true,
        isMultiQueue: false,
      });
      assert.deepEqual([link?.mtu, link?.alias, link?.up], [1472, "gossamer 1", true]);
      // An agent comes and goes.
      closeDescriptor(host.host.run(() => openTun(UDP_DEVICE, false)));
      assert.deepEqual(plan(host, wanted), []);
      assert.equal(linkGet(host.host.transport, UDP_DEVICE)?.index, link?.index);
    }),
);

kernelTest("what somebody changed on the device is put back", () =>
  onHost((host) => {
    const wanted = host.desire(peers("udp"), UDP);
    apply(host, wanted);
    const index = linkGet(host.host.transport, UDP_DEVICE)?.index ?? 0;
    linkSet(host.host.transport, index, { up: false });
    linkSet(host.host.transport, index, { mtu: 1300 });
    assert.notDeepEqual(plan(host, wanted), []);
    apply(host, wanted);
    assert.equal(linkGet(host.host.transport, UDP_DEVICE)?.index, index, "it is the same one");
  }));

kernelTest(
  "a device that goes with its user, such as flannel's, is not ours",
  () =>
    onHost((host) => {
      const fd = host.host.run(() => openTun(UDP_DEVICE, false));
      const wanted = host.desire(peers("udp"), UDP);
      const { operations, problems } = diffState(wanted, host.kernel.dump(UDP_DEVICE));
      assert.deepEqual([operations, problems.map(({ code }) => code)], [[], ["foreign-device"]]);
      closeDescriptor(fd);
      apply(host, wanted);
    }),
);

for (const other of ["vxlan", "vxlan-direct", "host-gw"] as const) {
  kernelTest(`from ${other} to udp and back nothing is left`, () =>
    onHost((host) => {
      const before = host.desire(peers(other), { backend: other });
      const udp = host.desire(peers("udp"), UDP);
      apply(host, before);
      apply(host, udp);
      assert.equal(linkGet(host.host.transport, "flannel.1"), null);
      assert.deepEqual(
        host.kernel.dump(UDP_DEVICE).routes.map(({ device }) => device).sort(),
        ["", UDP_DEVICE],
      );
      apply(host, before);
      assert.equal(linkGet(host.host.transport, UDP_DEVICE), null);
    }));
}

kernelTest("cleaning up leaves nothing of it", () =>
  onHost((host) => {
    const wanted = host.desire(peers("udp"), UDP);
    apply(host, wanted);
    assert.deepEqual(host.kernel.ownDevices(), [UDP_DEVICE]);
    const { networks, alias } = wanted;
    const { operations } = planCleanup(UDP_DEVICE, networks, host.kernel.dump(UDP_DEVICE), alias);
    assert.deepEqual(host.kernel.apply(operations), []);
    assert.equal(linkGet(host.host.transport, UDP_DEVICE), null);
    assert.deepEqual(host.kernel.dump(UDP_DEVICE).routes, []);
  }));

kernelTest("one agent of a host has the UDP backend's device", () => {
  using host = new Host();
  const take = (vni: number) => host.run(() => DeviceLock.take(vni, `flannel.${vni}`));
  const takeUdp = (lock: DeviceLock) => host.run(() => lock.takeUdp(UDP_DEVICE));
  const [first, second] = [take(1), take(2)];
  takeUdp(first);
  assert.throws(() => takeUdp(second), /another agent on this host has flannel0/);
  take(2).release(); // who was refused holds nothing
  first.release();
  const third = take(3);
  takeUdp(third);
  third.release();
});

kernelTest("its commands do in a shell what the plan does", () =>
  onHost((host) => {
    const wanted = host.desire(peers("udp"), UDP);
    const commands = planText(plan(host, wanted)).split("\n").slice(0, -1);
    for (const command of commands) {
      if (host.host.shell(command) === null) return; // without iproute2 there is nobody to ask
    }
    assert.deepEqual(plan(host, wanted), [], "the agent has nothing to add");
    const { networks, alias } = wanted;
    const { operations } = planCleanup(UDP_DEVICE, networks, host.kernel.dump(UDP_DEVICE), alias);
    for (const command of planText(operations).split("\n").slice(0, -1)) host.host.shell(command);
    assert.equal(linkGet(host.host.transport, UDP_DEVICE), null);
  }));
