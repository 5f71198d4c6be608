/**
 * Hosts move from flannel to gossamer one after the other: subnets, devices and their MACs stay, and no packet between containers is
 * lost on the way. What flannel leaves in the kernel when its daemon has stopped is made by the test, with flannel's own settings.
 */
import assert from "node:assert/strict";
import { ContinuousPing, pingUntilAnswered } from "../../mod/lab/ping.ts";
import { hasProgram } from "../support/programs.ts";
import { assertKernels, overlayMac, untilStatus, waitForMesh } from "./cluster.ts";
import { FLANNEL_NETWORK, type FlannelHost, makeFlannelHosts } from "./flannel_hosts.ts";
import { scenario } from "./scenario.ts";

const PING_INTERVAL_MS = 5;
const MISSING = ["ip", "bridge"].filter((program) => !hasProgram(program));

scenario(import.meta, "hosts of flannel move to gossamer one by one without a lost packet", {
  hosts: 3,
  leftOut: MISSING.length === 0 ? undefined : `needs ${MISSING.join(" and ")} of iproute2`,
}, async ({ lab: { hosts }, step, note }) => {
  let flannels: readonly FlannelHost[] = [];
  const pings: ContinuousPing[] = [];
  await step("the cluster of flannel works", async () => {
    flannels = await makeFlannelHosts(hosts);
    const containers = await Promise.all(hosts.map((host) => host.addContainer()));
    for (const from of containers) {
      for (const to of containers) {
        if (from === to) continue;
        pings.push(new ContinuousPing(from.namespace, to.address, PING_INTERVAL_MS));
      }
    }
  });
  await step("each host says who has not moved yet", async () => {
    for (const [index, { host, number, mac }] of flannels.entries()) {
      const seed = hosts[0];
      assert.ok(seed !== undefined);
      const join = index === 0 ? [] : [`--join=${seed.address}`];
      const before = host.subnetText();
      host.start(`--network=${FLANNEL_NETWORK}`, "--adopt-flannel", ...join);
      const left = hosts.length - 1 - index;
      const { claim, problems } = await untilStatus(
        host,
        "the host has moved",
        ({ ready, overlay, problems }) =>
          ready && overlay.peersProgrammed === index && problems.length === Math.min(left, 1),
      );
      assert.equal(claim.subnet, `10.5.${number}.0/24`);
      assert.equal(overlayMac(host), mac);
      assert.equal(host.subnetText(), before);
      const [problem] = problems;
      assert.equal(problem?.code, left === 0 ? undefined : "flannel-hosts");
      if (left > 0) assert.ok(problem?.text.startsWith(`${left} host`), problem?.text);
    }
  });
  await step("in the end every kernel holds gossamer's objects alone", async () => {
    await waitForMesh(hosts);
    assertKernels(hosts);
    for (const host of hosts) {
      const { problems, overlay } = await untilStatus(
        host,
        "no problem",
        (status) => status.problems.length === 0,
      );
      assert.deepEqual([problems, overlay.repairs], [[], 0]);
    }
  });
  await step("no packet was lost", async () => {
    const counts = await Promise.all(pings.map((ping) => ping.stop()));
    note(`${counts.reduce((sum, { sent }) => sum + sent, 0)} pings, ${counts.length} ways`);
    for (const { sent, lost, refusals } of counts) {
      assert.ok(sent > 50, `${sent} pings are too few to tell`);
      assert.deepEqual([lost, refusals], [0, []]);
    }
  });
  await step("and it lasts without the flag, with a MAC of its own", async () => {
    for (const { host, number, mac } of flannels) {
      await host.stop();
      host.start(`--network=${FLANNEL_NETWORK}`);
      const { claim } = await untilStatus(
        host,
        "ready again, without a problem",
        ({ ready, overlay, problems }) =>
          ready && overlay.peersProgrammed === hosts.length - 1 && problems.length === 0,
      );
      assert.equal(claim.subnet, `10.5.${number}.0/24`);
      assert.notEqual(overlayMac(host), mac);
    }
    for (const from of hosts) {
      for (const { containers: [to] } of hosts) {
        if (to === undefined || to.address === from.containers[0]?.address) continue;
        const outcome = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5_000 });
        assert.equal(outcome.kind, "answered");
      }
    }
  });
});
