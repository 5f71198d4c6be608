/** Hosts that start again with other flags than before, and hosts whose disks are slow: who ends with what. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { makePool } from "../../mod/address/pool.ts";
import { HostCluster } from "../../mod/sim/host_cluster.ts";
import {
  claimOf,
  eventsOf,
  firstSeed,
  hostAt,
  isRouted,
  statesOf,
  subnetsHeld,
} from "./claim_hosts.ts";

Deno.test("two hosts that are started again with each other's subnet swap theirs", () => {
  const hosts = new HostCluster({ seed: 1 });
  const all = hosts.grow(4);
  hosts.cluster.runFor(20_000);
  const one = hostAt(hosts, 1);
  const other = hostAt(hosts, 2);
  const [before, after] = [subnetsHeld([one, other]), subnetsHeld([other, one])];
  for (const [index, host] of [one, other].entries()) {
    hosts.kill(host);
    hosts.cluster.runFor(1_000);
    hosts.configure(host, { seeds: firstSeed(hosts), pin: after[index] ?? null });
    hosts.restart(host);
    hosts.cluster.runFor(5_000);
  }
  deepEqual(subnetsHeld([one, other]), after);
  deepEqual(eventsOf(one, "renumbered"), [
    { kind: "renumbered", old: before[0], new: before[1] },
  ]);
  deepEqual(statesOf(all), all.map(() => "held"));
  hosts.cluster.runFor(60_000);
  hosts.checkQuiescent();
});

Deno.test("who is started again with another network by mistake draws no packets, and has its subnet when it is corrected", () => {
  const hosts = new HostCluster({ seed: 2 });
  const all = hosts.grow(4);
  hosts.cluster.runFor(20_000);
  const host = hostAt(hosts, 3);
  const [subnet] = subnetsHeld([host]);
  hosts.kill(host);
  const pool = makePool({ network: "10.99.0.0/16" });
  hosts.configure(host, { seeds: firstSeed(hosts), pool });
  hosts.restart(host);
  hosts.cluster.runFor(60_000);
  equal(claimOf(host).state, "waiting");
  equal(claimOf(host).record?.state, "yielding");
  for (const witness of all.slice(0, 3)) ok(!isRouted(witness, host), witness.name);
  hosts.kill(host);
  hosts.configure(host, { seeds: firstSeed(hosts) });
  hosts.restart(host);
  hosts.cluster.runFor(60_000);
  deepEqual(subnetsHeld([host]), [subnet]);
  deepEqual(eventsOf(host, "renumbered"), []);
  hosts.checkQuiescent();
});

Deno.test("a disk that takes seconds for each write keeps nobody from a subnet; one that takes longer is said", () => {
  const hosts = new HostCluster({ seed: 3 });
  hosts.grow(3);
  hosts.cluster.runFor(20_000);
  const late = hosts.cluster.add();
  late.diskDelayMs = 4_000;
  hosts.configure(late, { seeds: firstSeed(hosts) });
  hosts.cluster.boot(late);
  hosts.untilHeld([late], 15_000);
  const never = hosts.cluster.add();
  never.diskDelayMs = 20_000;
  hosts.configure(never, { seeds: firstSeed(hosts) });
  hosts.cluster.boot(never);
  hosts.cluster.runFor(120_000);
  equal(claimOf(never).state, "tentative");
  match(claimOf(never).reason ?? "", /^The state directory takes seconds/);
  never.diskDelayMs = 0;
  hosts.untilHeld([never], 60_000);
  deepEqual(claimOf(never).problems, []);
});
