/** Many hosts at the same moment: the start of a whole rack after a power cut. */
import assert from "node:assert/strict";
import { startOne, statusOf, waitForMesh } from "./cluster.ts";
import { scenario } from "./scenario.ts";

/** All in the default pool of 255; half of the machine's patience goes into starting processes. */
const HOSTS = 16;

/** Sixteen processes starting on two cores take seconds by themselves. */
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
});
