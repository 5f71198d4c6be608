/** Clusters of IPv6 alone: the protocol of claims sees subnets and nothing else, so that all goes as with IPv4. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { makePool, poolDigest } from "../../mod/address/pool.ts";
import { HostCluster } from "../../mod/sim/host_cluster.ts";
import {
  claimOf,
  eventsOf,
  firstSeed,
  hostAt,
  identitiesWanting,
  subnetsHeld,
} from "./claim_hosts.ts";

const POOL = makePool({ network: "fd00:10:244::/56" });
const WANTED = "fd00:10:244:4d::/64";
/** Three subnets that may be claimed. */
const THREE_SUBNETS = makePool({ network: "fd00::/124" });
const HEAL_MS = 60_000;

Deno.test("hosts that all want one IPv6 subnet first and start at once hold different ones", () => {
  const wanting = identitiesWanting(WANTED, 6, POOL);
  for (let seed = 1; seed <= 6; seed++) {
    const network = { jitterMs: 2, duplicateRate: 0.1 };
    const hosts = new HostCluster({ seed, pool: POOL, network });
    hosts.grow(2);
    const newcomers = wanting.slice(0, 2 + seed % 5).map((identity) =>
      hosts.start({ seeds: [hostAt(hosts, seed % 2).endpoint], identity })
    );
    hosts.untilHeld(newcomers, 10_000);
    equal(new Set(subnetsHeld(newcomers)).size, newcomers.length);
    ok(subnetsHeld(newcomers).includes(WANTED), "one of them has what all wanted");
    hosts.cluster.runFor(10_000);
    hosts.checkQuiescent();
    ok(newcomers.every((host) => eventsOf(host, "renumbered").length === 0));
  }
});

Deno.test("two holders of one IPv6 subnet end in one renumbering when the partition heals", () => {
  for (let seed = 1; seed <= 3; seed++) {
    const hosts = new HostCluster({ seed, pool: POOL });
    const all = hosts.grow(5);
    hosts.cluster.runFor(10_000);
    const sides = [all.slice(0, 3), all.slice(3)];
    hosts.cluster.network.partition(
      ...sides.map((side, index) => [
        ...side.map(({ endpoint }) => endpoint),
        `10.0.0.${all.length + 1 + index}:7947`,
      ]),
    );
    hosts.invariants.allowDoubles = true;
    hosts.cluster.runFor(120_000);
    const identities = identitiesWanting(WANTED, 2, POOL);
    const pair = sides.map((side, index) =>
      hosts.start({ seeds: [side[0]?.endpoint ?? ""], identity: identities[index] ?? "" })
    );
    hosts.untilHeld(pair, 30_000);
    deepEqual(subnetsHeld(pair), [WANTED, WANTED]);
    hosts.cluster.network.heal();
    hosts.cluster.runFor(HEAL_MS);
    hosts.checkQuiescent();
    equal(hosts.cluster.hosts.flatMap((host) => eventsOf(host, "renumbered")).length, 1);
  }
});

Deno.test("who waits for a free IPv6 subnet gets one of a network that is added, and restarts keep all", () => {
  const hosts = new HostCluster({ seed: 1, pool: THREE_SUBNETS });
  const [first, ...others] = hosts.grow(3);
  ok(first !== undefined);
  const late = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runFor(10_000);
  equal(claimOf(late).state, "waiting");
  hosts.cluster.command(first, {
    kind: "set-pool",
    record: {
      version: 2,
      base: poolDigest(THREE_SUBNETS),
      added: ["fd00::10/125"],
      reserved: [],
      pins: [],
    },
  });
  hosts.untilHeld([late], 5_000);
  equal(claimOf(late).subnet, "fd00::14/126");
  const before = subnetsHeld([...others, late]);
  for (const host of [...others, late]) {
    hosts.kill(host);
    hosts.restart(host);
  }
  hosts.cluster.runFor(10_000);
  deepEqual(subnetsHeld([...others, late]), before);
  hosts.checkQuiescent();
});
