/** Who is let into a cluster, and how everybody else hears of it. */
import assert from "node:assert/strict";
import { SILENT_RIDER } from "../../mod/sim/membership_cluster.ts";
import { AES_GCM } from "../../mod/host/aes_gcm.ts";
import { Swim, type SwimOptions } from "../../mod/swim/swim.ts";
import { Keyring } from "../../mod/wire/keyring.ts";
import {
  allSee,
  bootHosts,
  idOf,
  statusOf,
  swimCluster,
  type SwimHost,
  swimOptions,
} from "./swim_hosts.ts";

/** A ring of one key, of bytes all alike. */
function ring(byte: number): Keyring {
  return new Keyring([new Uint8Array(32).fill(byte)], AES_GCM);
}

/** A cluster in which a host may be of its own kind, by its name. */
function mixedCluster(seed: number, kinds: Readonly<Record<string, Partial<SwimOptions>>>) {
  return swimCluster(seed, {
    start: (boot) => {
      const seeds = boot.name === "h1" ? [] : ["10.0.0.1:7947"];
      const options = { ...swimOptions(boot, seeds), ...kinds[boot.name] };
      return new Swim(options, boot.random, SILENT_RIDER);
    },
  });
}

/** Why a host is not in, as it tells its operator. */
function reasonOf(host: SwimHost): string | undefined {
  return host.snapshot().seeds[0]?.reason;
}

/** The options of h4, but for the protocols that it speaks. */
function withProtocols(protocolMin: number, protocolMax: number): Partial<SwimOptions> {
  const self = { id: idOf("h4"), name: "h4", endpoint: "10.0.0.4:7947", instance: "04".repeat(8) };
  return { self: { ...self, version: "9.0.0", protocolMin, protocolMax } };
}

/** What hosts of a kind may be like, and whether one of another kind gets in. */
const STRANGERS: readonly {
  readonly what: string;
  readonly cluster: Partial<SwimOptions>;
  readonly stranger: Partial<SwimOptions>;
  readonly reason: RegExp;
}[] = [
  {
    what: "another label",
    cluster: { label: "blue" },
    stranger: { label: "green" },
    reason: /cluster labels differ/,
  },
  {
    what: "no label",
    cluster: { label: "blue" },
    stranger: { label: "" },
    reason: /cluster labels differ/,
  },
  {
    what: "another key",
    cluster: { keys: ring(1) },
    stranger: { keys: ring(2) },
    reason: /gossip keys differ/,
  },
  { what: "no key", cluster: { keys: ring(1) }, stranger: {}, reason: /gossip keys differ/ },
  { what: "a key among hosts without", cluster: {}, stranger: { keys: ring(1) }, reason: /keys/ },
  {
    what: "a later protocol",
    cluster: {},
    stranger: withProtocols(2, 3),
    reason: /no protocol version that this host speaks: upgrade the older of the two/,
  },
  {
    what: "the same key and another label",
    cluster: { keys: ring(1), label: "blue" },
    stranger: { keys: ring(1), label: "green" },
    reason: /cluster labels differ/,
  },
];

for (const { what, cluster: kind, stranger: other, reason } of STRANGERS) {
  Deno.test(`a host with ${what} is not let in, changes nothing, and says why`, () => {
    const cluster = mixedCluster(31, { h1: kind, h2: kind, h3: kind, h4: other });
    const hosts = bootHosts(cluster, 3);
    cluster.runUntil("formed", () => allSee(cluster, hosts, "alive"), 5000);
    cluster.runFor(5000);
    const stranger = cluster.add();
    cluster.boot(stranger);
    cluster.runFor(30_000);
    for (const host of hosts) assert.equal(host.snapshot().members.length, 3);
    assert.equal(stranger.snapshot().members.length, 1);
    assert.equal(stranger.snapshot().joined, false);
    assert.match(reasonOf(stranger) ?? "none", reason);
  });
}

Deno.test("a host of another protocol is warned of once, with both versions and what to do", () => {
  const cluster = mixedCluster(34, { h4: withProtocols(2, 3) });
  const hosts = bootHosts(cluster, 4);
  cluster.runFor(120_000);
  const [seed, , , stranger] = hosts;
  const warnings = (host: SwimHost | undefined) =>
    (host?.events ?? []).flatMap(({ event }) => event.kind === "warning" ? [event] : []);
  assert.deepEqual(warnings(seed).map(({ code, text }) => `${code}: ${text}`), [
    "protocol-mismatch: h4 (10.0.0.4:7947) runs gossamer 9.0.0, which speaks protocol 2 to 3; this " +
    "host runs 0.1.0 and speaks 1: they cannot be members of one cluster",
  ]);
  assert.match(warnings(seed)[0]?.remedy ?? "", /upgrade the older one/);
  assert.ok((seed?.snapshot().counters.protocolMismatches ?? 0) > 1);
  assert.equal(stranger?.snapshot().members.length, 1);
});

Deno.test("a host that speaks the old protocol and the new one is let in", () => {
  const cluster = mixedCluster(35, { h4: withProtocols(0, 7) });
  const hosts = bootHosts(cluster, 4);
  cluster.runUntil("formed", () => allSee(cluster, hosts, "alive"), 5000);
});

const KINDS: readonly (readonly [what: string, kind: Partial<SwimOptions>])[] = [
  ["one label", { label: "blue" }],
  ["one key", { keys: ring(1) }],
  ["one label and one key", { label: "blue", keys: ring(1) }],
];

for (const [what, kind] of KINDS) {
  Deno.test(`hosts of ${what} join each other`, () => {
    const cluster = mixedCluster(32, { h1: kind, h2: kind, h3: kind, h4: kind });
    const hosts = bootHosts(cluster, 4);
    cluster.runUntil("formed", () => allSee(cluster, hosts, "alive"), 5000);
  });
}

Deno.test("who did not take part in a join hears of it by gossip, long before the next sync", () => {
  const cluster = swimCluster(33);
  const hosts = bootHosts(cluster, 5);
  cluster.runUntil("formed", () => allSee(cluster, hosts, "alive"), 5000);
  cluster.runFor(3000);
  const newcomer = cluster.add();
  cluster.boot(newcomer);
  const isKnown = () => hosts.every((host) => statusOf(host, newcomer) === "alive");
  cluster.runUntil("everybody heard of it", isKnown, 1000); // syncs come every 30 s
});

Deno.test("where no datagram gets through, syncs tell everybody of a newcomer", () => {
  const cluster = swimCluster(34);
  const hosts = bootHosts(cluster, 5);
  cluster.runUntil("formed", () => allSee(cluster, hosts, "alive"), 5000);
  cluster.network.configure({ datagramLossRate: 1 });
  const newcomer = cluster.add();
  cluster.boot(newcomer);
  const isKnown = () => hosts.every((host) => statusOf(host, newcomer) === "alive");
  // Each host syncs with somebody every 30 s, and both sides learn: a few rounds.
  cluster.runUntil("everybody heard of it", isKnown, 150_000);
  assert.equal(hosts.every((host) => !host.events.some(isFailure)), true);
});

function isFailure({ event }: SwimHost["events"][number]): boolean {
  return event.kind === "member-failed";
}

Deno.test("a seed that takes a stream and never answers holds nobody up", () => {
  const cluster = swimCluster(35, {
    start: (boot) => {
      const seeds = boot.name === "h1" ? [] : ["10.0.0.9:7947", "10.0.0.1:7947"];
      return new Swim(swimOptions(boot, seeds), boot.random, SILENT_RIDER);
    },
  });
  const hosts = bootHosts(cluster, 3); // nobody is at the first of the seeds: that dial times out
  cluster.runUntil("formed", () => allSee(cluster, hosts, "alive"), 5000);
});

Deno.test("news of who left end, and stay ended, although older and newer ones cross", () => {
  const cluster = swimCluster(36, {
    network: { jitterMs: 300, duplicateRate: 0.2, lossRate: 0.1 },
  });
  const hosts = bootHosts(cluster, 8);
  cluster.runUntil("formed", () => allSee(cluster, hosts, "alive"), 20_000);
  const leaver = hosts.at(-1);
  assert(leaver !== undefined);
  // In and out, faster than gossip gets around.
  for (let turn = 0; turn < 3; turn++) {
    cluster.command(leaver, { kind: "leave" });
    cluster.runFor(300);
    cluster.command(leaver, { kind: "join", seeds: [] });
    cluster.runFor(200);
  }
  cluster.command(leaver, { kind: "leave" });
  cluster.runFor(2000);
  cluster.kill(leaver);
  cluster.runUntil("gone", () => allSee(cluster, [leaver], "left"), 90_000);
  cluster.network.configure({ jitterMs: 0, duplicateRate: 0, lossRate: 0 });
  cluster.runFor(60_000);
  const rest = hosts.slice(0, -1);
  assert.deepEqual(rest.map((host) => host.snapshot().queueLength), rest.map(() => 0));
  const before = rest.map((host) => host.events.length);
  cluster.runFor(120_000);
  assert.deepEqual(rest.map((host) => host.events.length), before);
});
