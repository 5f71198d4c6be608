/** Claims over sealed gossip: the same, one round trip later, since a newcomer says hello first. */
import { equal, ok } from "node:assert/strict";
import { HostCluster } from "../../mod/sim/host_cluster.ts";
import { testKey, testKeyring } from "../support/test_cipher.ts";
import { firstSeed, subnetsHeld } from "./claim_hosts.ts";

/** There and back over the simulated LAN at its slowest. */
const ROUND_TRIP_MS = 2 * 0.2;

function sealed(seed: number, lossRate = 0): HostCluster {
  return new HostCluster({
    seed,
    persistDelayMs: 0,
    network: { lossRate },
    keyring: (random) => testKeyring(random, 1),
  });
}

Deno.test("sealed: a newcomer holds a subnet one round trip later than with plain gossip", () => {
  const hosts = sealed(2);
  hosts.grow(4);
  const fifth = hosts.start({ seeds: firstSeed(hosts) });
  ok(hosts.untilHeld([fifth], 1_000) <= 4 * ROUND_TRIP_MS);
});

Deno.test("sealed: hosts that start at once, die and come back hold subnets of their own", () => {
  for (const seed of [1, 2, 3]) {
    const hosts = sealed(seed, 0.1);
    hosts.grow(2);
    const newcomers = Array.from({ length: 8 }, () => hosts.start({ seeds: firstSeed(hosts) }));
    hosts.untilHeld(newcomers, 20_000);
    for (const host of newcomers.slice(0, 4)) hosts.kill(host);
    hosts.cluster.runFor(hosts.cluster.random.below(60_000));
    for (const host of newcomers.slice(0, 4)) hosts.restart(host);
    hosts.untilHeld(newcomers, 30_000);
    hosts.cluster.runFor(60_000);
    hosts.checkQuiescent();
    equal(new Set(subnetsHeld(hosts.cluster.hosts)).size, 10);
  }
});

Deno.test("sealed: keys are changed while hosts hold subnets, each write in its own place", () => {
  const hosts = sealed(4);
  const [first] = hosts.grow(3);
  ok(first !== undefined);
  const command = { kind: "keys", request: 1, force: false } as const;
  hosts.cluster.command(first, { ...command, operation: { kind: "install", key: testKey(2) } });
  hosts.cluster.runFor(1_000);
  const done = first.events.map(({ event }) => event).find(({ kind }) => kind === "keys-done");
  ok(done?.kind === "keys-done" && done.outcome.isComplete);
  for (const host of hosts.cluster.hosts) ok(host.documents.has("keys"));
  hosts.checkQuiescent();
});
