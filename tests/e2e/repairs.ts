/** Everything of the overlay broken by hand, one after the other, and back within the time that the project promises. */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import { pingUntilAnswered } from "../../mod/lab/ping.ts";
import {
  actualKernel,
  assertKernels,
  deviceOf,
  overlayMac,
  startCluster,
  statusOf,
  until,
} from "./cluster.ts";
import { DAMAGES, deleteDevice } from "./damages.ts";
import type { Stage } from "./scenario.ts";

/** The bound that the project promises. */
const HEALED_WITHIN_MS = 1000;

/** Of a cluster whose agents are started with those flags. */
export async function heals(stage: Stage, ...flags: string[]): Promise<void> {
  const { hosts } = stage.lab;
  await startCluster(hosts, ...flags);
  await Promise.all(hosts.map((host) => host.addContainer()));
  for (const [what, damage] of DAMAGES) {
    await stage.step(what, () => healAfter(stage, what, damage));
  }
  await stage.step("the same again, on all hosts at the same moment", async () => {
    const before = hosts.map(actualKernel);
    const began = performance.now();
    for (const host of hosts) deleteDevice(host);
    await until(
      "healed everywhere",
      hosts,
      () => JSON.stringify(hosts.map(actualKernel)) === JSON.stringify(before),
    );
    const ms = performance.now() - began;
    stage.note(
      `the device deleted on ${hosts.length} hosts at once: healed after ${ms.toFixed(1)} ms`,
    );
    assert(ms < HEALED_WITHIN_MS, `${ms} ms`);
    assertKernels(hosts);
  });
}

async function healAfter(
  { lab, note }: Stage,
  what: string,
  damage: (host: Host) => void,
): Promise<void> {
  const host = lab.host(2);
  const before = { kernel: actualKernel(host), device: deviceState(host) };
  const { overlay } = await statusOf(host);
  const began = performance.now();
  damage(host);
  await until(
    `${what}, healed`,
    [host],
    () =>
      JSON.stringify({ kernel: actualKernel(host), device: deviceState(host) }) ===
        JSON.stringify(before),
  );
  const ms = performance.now() - began;
  note(`${what}: healed after ${ms.toFixed(1)} ms`);
  assert(ms < HEALED_WITHIN_MS, `${what}: healed after ${ms} ms`);
  assertKernels(lab.hosts);
  const after = await statusOf(host);
  assert(after.overlay.repairs > overlay.repairs, "status counts the repair");
  assert.equal(after.overlay.inSync, true);
  for (const peer of lab.hosts) {
    if (peer === host) continue;
    const [from, to] = [host.containers[0], peer.containers[0]];
    assert(from !== undefined && to !== undefined);
    const outcome = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5000 });
    assert.equal(outcome.kind, "answered", `${host.name} -> ${peer.name} after: ${what}`);
  }
}

/** What a repair must restore of the device itself; a new device has a new index. */
function deviceState(host: Host) {
  return { mac: overlayMac(host), mtu: host.deviceMtu(deviceOf(host)) };
}
