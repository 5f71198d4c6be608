/** Copied disks: two or three live hosts with one identity sort themselves out, in seconds, and one of them stays as it was. */
import { equal, ok } from "node:assert/strict";
import { decodeClaimMemory } from "../../mod/claim/memory.ts";
import { HostCluster, type SimulatedHost } from "../../mod/sim/host_cluster.ts";
import { testKeyring } from "../support/test_cipher.ts";
import { firstSeed, subnetsHeld } from "./claim_hosts.ts";

/** Three questions 200 ms apart, a second for the new listening, and some lost packets. */
const RESOLVED_MS = 10_000;
/** Writes of the identity that stays: the war of the first second, and one above the last word of who gave up. */
const GENERATIONS_MAX = 8;

interface Kind {
  readonly name: string;
  readonly isSealed: boolean;
  readonly lossRate: number;
}

const KINDS: readonly Kind[] = [
  { name: "plain", isSealed: false, lossRate: 0 },
  { name: "sealed", isSealed: true, lossRate: 0 },
  { name: "plain, 10 % loss", isSealed: false, lossRate: 0.1 },
  { name: "sealed, 10 % loss", isSealed: true, lossRate: 0.1 },
];

function clusterOf({ isSealed, lossRate }: Kind, seed: number): HostCluster {
  const hosts = new HostCluster({
    seed,
    network: { lossRate },
    ...(isSealed ? { keyring: (random) => testKeyring(random, 1) } : {}),
  });
  hosts.invariants.allowRollbacks = true;
  hosts.invariants.allowDoubles = true;
  return hosts;
}

/** Another host with the disk of that one; not started. */
function copyOf(hosts: HostCluster, original: SimulatedHost): SimulatedHost {
  const copy = hosts.cluster.add();
  hosts.configure(copy, { seeds: hosts.seedsOf(original) });
  for (const [document, bytes] of original.documents) hosts.cluster.write(copy, document, bytes);
  return copy;
}

function boot(hosts: HostCluster, host: SimulatedHost): void {
  hosts.cluster.boot(host);
}

function idOf(host: SimulatedHost): string {
  return host.snapshot().swim.self.id;
}

function losses(host: SimulatedHost): number {
  return host.events.filter(({ event }) => event.kind === "identity-lost").length;
}

function incarnationOf(host: SimulatedHost): number {
  return host.snapshot().swim.self.incarnation;
}

function generationOf(host: SimulatedHost): number {
  const claim = host.documents.get("claim");
  return claim === undefined ? 0 : decodeClaimMemory(claim).generation;
}

/** All have identities and subnets of their own, one of the clones the old ones, and nothing goes on. */
function assertResolved(
  hosts: HostCluster,
  clones: readonly SimulatedHost[],
  before: { readonly id: string; readonly subnet: string | null; readonly generation: number },
  isQuiet: boolean,
): void {
  const { cluster } = hosts;
  const isResolved = () => {
    const running = cluster.running;
    const ids = new Set(running.map(idOf));
    return ids.size === running.length &&
      running.every((host) => host.snapshot().claim.state === "held") && isRoutedToKeeper();
  };
  /** Who gave up may have had the last word so far. */
  const isRoutedToKeeper = () => {
    const address = clones.find((host) => idOf(host) === before.id)?.endpoint.split(":")[0];
    return cluster.running.every((host) => {
      const owner = host.snapshot().claim.owners.find(({ hostId }) => hostId === before.id);
      return owner?.subnet === before.subnet && owner.vtep.address === address;
    });
  };
  cluster.runUntil("every clone but one has a new identity", isResolved, RESOLVED_MS);
  cluster.runFor(15_000);
  const keepers = clones.filter((host) => idOf(host) === before.id);
  equal(keepers.length, 1);
  const [keeper] = keepers;
  ok(keeper !== undefined);
  equal(keeper.snapshot().claim.subnet, before.subnet);
  equal(losses(keeper), 0);
  for (const host of clones) if (host !== keeper) equal(losses(host), 1);
  equal(new Set(subnetsHeld(cluster.running)).size, cluster.running.length);
  ok(generationOf(keeper) <= before.generation + GENERATIONS_MAX, `${generationOf(keeper)}`);
  for (const host of cluster.running) {
    if (!clones.includes(host)) equal(losses(host), 0);
    const { members } = host.snapshot().swim;
    const there = members.filter(({ status }) => status === "alive").length;
    equal(there, cluster.running.length, host.name);
  }
  hosts.invariants.allowDoubles = false;
  hosts.checkQuiescent();
  const generations = cluster.running.map(generationOf);
  const incarnations = cluster.running.map(incarnationOf);
  cluster.runFor(120_000);
  equal(`${cluster.running.map(generationOf)}`, `${generations}`);
  // Where packets are lost, hosts are suspected now and then.
  if (isQuiet) equal(`${cluster.running.map(incarnationOf)}`, `${incarnations}`);
}

function noteOf(host: SimulatedHost) {
  const { claim, swim } = host.snapshot();
  return { id: swim.self.id, subnet: claim.subnet, generation: generationOf(host) };
}

for (const kind of KINDS) {
  const seeds = kind.lossRate === 0 ? [1, 2, 3, 4] : [5, 6];
  Deno.test(`${kind.name}: a clone that is started beside its original`, () => {
    for (const seed of seeds) {
      const hosts = clusterOf(kind, seed);
      const original = hosts.grow(4)[2];
      ok(original !== undefined);
      const before = noteOf(original);
      const copy = copyOf(hosts, original);
      boot(hosts, copy);
      assertResolved(hosts, [original, copy], before, kind.lossRate === 0);
    }
  });

  Deno.test(`${kind.name}: a clone that ran while its original was off`, () => {
    for (const seed of seeds) {
      const hosts = clusterOf(kind, seed);
      const original = hosts.grow(4)[2];
      ok(original !== undefined);
      const before = noteOf(original);
      hosts.kill(original);
      const copy = copyOf(hosts, original);
      boot(hosts, copy);
      hosts.cluster.runFor(60_000);
      equal(copy.snapshot().claim.subnet, before.subnet);
      boot(hosts, original);
      assertResolved(hosts, [original, copy], before, kind.lossRate === 0);
    }
  });

  Deno.test(`${kind.name}: three hosts start at once from one disk`, () => {
    for (const seed of seeds) {
      const hosts = clusterOf(kind, seed);
      const original = hosts.grow(4)[2];
      ok(original !== undefined);
      const before = noteOf(original);
      hosts.kill(original);
      const clones = [original, copyOf(hosts, original), copyOf(hosts, original)];
      for (const host of clones) boot(hosts, host);
      assertResolved(hosts, clones, before, kind.lossRate === 0);
    }
  });

  Deno.test(`${kind.name}: the only host of its cluster is cloned, and the copy joins through it`, () => {
    for (const seed of seeds) {
      const hosts = clusterOf(kind, seed);
      const [original] = hosts.grow(1);
      ok(original !== undefined);
      const before = noteOf(original);
      const copy = copyOf(hosts, original);
      hosts.configure(copy, { seeds: firstSeed(hosts) });
      boot(hosts, copy);
      assertResolved(hosts, [original, copy], before, kind.lossRate === 0);
    }
  });
}

Deno.test("a snapshot that was rolled back has nobody to answer, and stays who it is", () => {
  for (const seed of [1, 2, 3]) {
    const hosts = clusterOf({ name: "plain", isSealed: false, lossRate: 0 }, seed);
    const host = hosts.grow(4)[2];
    ok(host !== undefined);
    const disk = new Map(host.documents);
    const before = noteOf(host);
    for (let count = 0; count < 3; count++) {
      hosts.restart(host);
      hosts.cluster.runFor(5_000);
    }
    hosts.kill(host);
    for (const [document, bytes] of disk) hosts.cluster.write(host, document, bytes);
    boot(hosts, host);
    hosts.cluster.runFor(20_000);
    equal(idOf(host), before.id);
    equal(host.snapshot().claim.subnet, before.subnet);
    equal(losses(host), 0);
    hosts.checkQuiescent();
  }
});
