/** Membership over the simulated network: joins, failures, partitions, leaves, all from seeds. */
import assert from "node:assert/strict";
import { allSee, bootHosts, swimCluster } from "./swim_hosts.ts";

for (const count of [5, 20, 100]) {
  Deno.test(`${count} hosts that start at once through one seed all see each other`, () => {
    const cluster = swimCluster(count);
    const hosts = bootHosts(cluster, count);
    const tookMs = cluster.runUntil("all alive", () => allSee(cluster, hosts, "alive"), 10_000);
    console.log(count, tookMs);
    assert.equal(hosts.every((host) => host.snapshot().joined), true);
  });
}
