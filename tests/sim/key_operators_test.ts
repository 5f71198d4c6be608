/**
 * Several people change keys at once, from several hosts, while hosts crash and disks fill up: not kept apart, but whatever
 * comes of it, no two hosts are left without a common key, and one orderly change brings everybody to one key again.
 */
import assert from "node:assert/strict";
import type { KeyOperation } from "../../mod/wire/key_messages.ts";
import { fingerprintOf } from "../../mod/wire/keyring.ts";
import { Random } from "../../mod/base/random.ts";
import { testKey } from "../support/test_cipher.ts";
import { allSee, bootHosts, swimCluster, type SwimHost, withKeys } from "./swim_hosts.ts";

const HOSTS = 5;
const SEEDS = 12;
const STEPS = 40;
/** Keys that the operators juggle with; the first is there from the beginning. */
const KEYS = [1, 2, 3];
const FINAL = 9;

function operationOf(random: Random): KeyOperation {
  const number = KEYS[random.below(KEYS.length)] ?? 1;
  const fingerprint = fingerprintOf(testKey(number));
  const kinds = ["install", "install", "use", "use", "remove", "remove"] as const;
  const kind = kinds[random.below(kinds.length)] ?? "use";
  return kind === "install" ? { kind, key: testKey(number) } : { kind, fingerprint };
}

function keysOf(host: SwimHost): readonly string[] {
  return host.snapshot().encryption?.fingerprints ?? [];
}

function juggle(seed: number): { used: number; removed: number } {
  const random = new Random(seed);
  const cluster = swimCluster(seed);
  const hosts = bootHosts(cluster, HOSTS);
  cluster.runUntil("all alive", () => allSee(cluster, hosts, "alive"), 10_000);
  cluster.runFor(5_000);
  cluster.network.configure({ lossRate: 0.05 });
  for (let step = 0; step < STEPS; step++) {
    const host = hosts[random.below(HOSTS)];
    assert(host !== undefined);
    const dice = random.unit();
    if (!host.isRunning) cluster.boot(host);
    else if (dice < 0.05) cluster.kill(host);
    else if (dice < 0.1) host.diskError = host.diskError === null ? "disk full" : null;
    else {
      const operation = operationOf(random);
      cluster.command(host, { kind: "keys", request: step, operation, force: false });
    }
    cluster.runFor(random.below(20) === 0 ? 15_000 : random.below(40));
  }
  cluster.network.configure({ lossRate: 0 });
  for (const host of hosts) {
    host.diskError = null;
    if (!host.isRunning) cluster.boot(host);
  }
  cluster.runFor(60_000); // what is under way ends, and who was away is back
  for (const one of hosts) {
    for (const other of hosts) {
      const common = keysOf(one).filter((key) => keysOf(other).includes(key));
      assert.ok(common.length > 0, `seed ${seed}: ${one.name} and ${other.name} share no key`);
    }
  }
  cluster.runUntil("all back", () => allSee(cluster, hosts, "alive"), 120_000);
  const [operator] = hosts;
  assert(operator !== undefined);
  const final = fingerprintOf(testKey(FINAL));
  const known = new Set(hosts.flatMap(keysOf));
  const orderly: KeyOperation[] = [
    { kind: "install", key: testKey(FINAL) },
    { kind: "use", fingerprint: final },
    ...[...known].map((fingerprint): KeyOperation => ({ kind: "remove", fingerprint })),
  ];
  orderly.forEach((operation, at) => {
    cluster.command(operator, { kind: "keys", request: 1000 + at, operation, force: false });
    cluster.runFor(15_000);
  });
  for (const host of hosts) assert.deepEqual(keysOf(host), [final], `seed ${seed}: ${host.name}`);
  assert(allSee(cluster, hosts, "alive"), `seed ${seed}: somebody was lost`);
  const changes = hosts.flatMap(({ events }) => events).map(({ event }) =>
    event.kind === "keys-changed" ? event.change : null
  );
  const countOf = (change: string) => changes.filter((one) => one === change).length;
  return { used: countOf("used"), removed: countOf("removed") };
}

withKeys("operators who change keys at once, from several hosts, strand nobody", () => {
  let [used, removed] = [0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const changes = juggle(seed);
    used += changes.used;
    removed += changes.removed;
  }
  // Beyond the orderly change at the end: it did come to something.
  assert.ok(used > SEEDS * HOSTS && removed > 2 * SEEDS * HOSTS, `${used} ${removed}`);
});
