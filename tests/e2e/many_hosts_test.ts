/** Many hosts at the same moment: a whole rack from nothing, and again after a power cut. */
import assert from "node:assert/strict";
import { assertKernels, startOne, statusOf, untilStatus, waitForMesh } from "./cluster.ts";
import type { StatusView } from "../../mod/lab/host.ts";
import { scenario } from "./scenario.ts";

/** All in the default pool of 255; half of the machine's patience goes into starting processes. */
const HOSTS = 20;

/** A name that no resolver knows (RFC 6761): after a power cut there is no name server either. */
const UNKNOWN_SEED = "--join=seed.invalid";

/** Twenty processes starting on two cores take seconds by themselves. */
const PATIENCE_MS = 60_000;

scenario(import.meta, `${HOSTS} hosts that start at once all get a subnet and see each other`, {
  hosts: HOSTS,
}, async ({ lab, step, note }) => {
  const { hosts } = lab;
  const began = performance.now();
  await step("every host has a subnet of its own", async () => {
    for (const host of hosts) startOne(host, hosts);
    note(`all ${HOSTS} started within ${Math.round(performance.now() - began)} ms`);
    const subnets = await Promise.all(hosts.map((host) => host.waitForSubnet(PATIENCE_MS)));
    note(`the last one had its subnet after ${Math.round(performance.now() - began)} ms`);
    assert.equal(new Set(subnets.map(({ subnet }) => subnet)).size, HOSTS);
  });
  await step("every kernel holds exactly the entries of all the others", async () => {
    await waitForMesh(hosts, PATIENCE_MS);
    note(`full mesh after ${Math.round(performance.now() - began)} ms`);
  });
  await step("no host takes another for dead", async () => {
    for (const host of hosts) {
      const { cluster } = await statusOf(host);
      assert.deepEqual(
        { alive: cluster.alive, dead: cluster.dead, left: cluster.left },
        { alive: HOSTS, dead: 0, left: 0 },
        host.name,
      );
    }
  });
  await step(
    "killed at once and started again without a seed: each has the subnet it had",
    async () => {
      const before = hosts.map((host) => host.subnetText());
      await Promise.all(hosts.map((host) => host.kill()));
      // What says that containers may start is not what the agent remembers its subnet by.
      for (const host of hosts) Deno.removeSync(host.subnetFile);
      const restarted = performance.now();
      for (const host of hosts) host.start(UNKNOWN_SEED);
      await Promise.all(hosts.map((host) => host.waitForSubnet(PATIENCE_MS)));
      note(`all ${HOSTS} had their subnets ${Math.round(performance.now() - restarted)} ms later`);
      assert.deepEqual(hosts.map((host) => host.subnetText()), before);
      const seesAll = ({ ready, cluster }: StatusView) => ready && cluster.alive === HOSTS;
      for (const host of hosts) {
        const { claim } = await untilStatus(host, `${host.name} sees all`, seesAll, PATIENCE_MS);
        assert.deepEqual([claim.conflicts, claim.renumberings], [0, 0], host.name);
      }
      note(`and saw each other ${Math.round(performance.now() - restarted)} ms later`);
      assert.deepEqual(hosts.map((host) => host.subnetText()), before);
      assertKernels(hosts);
    },
  );
});
