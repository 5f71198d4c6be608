/** From plain gossip to sealed on a running cluster: two rolling restarts, and nobody is ever in doubt. */
import assert from "node:assert/strict";
import { SILENT_RIDER } from "../../mod/sim/membership_cluster.ts";
import type { Endpoint } from "../../mod/base/core.ts";
import { Feature, hasFeature } from "../../mod/wire/features.ts";
import { Swim } from "../../mod/swim/swim.ts";
import { testKeyring } from "../support/test_cipher.ts";
import { allSee, bootHosts, swimCluster, type SwimHost, swimOptions } from "./swim_hosts.ts";

/** `foreign` has a key of its own. */
type Form = "plain" | "allow" | "sealed" | "foreign";

const PLAIN_FORMAT = 1;

/** Hosts whose form of gossip is set before each start; what they send is looked at. */
function mixed(seed: number, count: number) {
  const forms = new Map<string, Form>();
  const sent = { plain: 0, sealed: 0 };
  const cluster = swimCluster(seed, {
    start: (boot) => {
      const form = forms.get(boot.name) ?? "plain";
      const seeds: Endpoint[] = boot.name === "h1" ? [] : ["10.0.0.1:7947"];
      const options = swimOptions(boot, seeds);
      if (form === "plain") return new Swim(options, boot.random, SILENT_RIDER);
      const keys = testKeyring(boot.random, form === "foreign" ? 9 : 1);
      const plainGossip = form === "allow" ? "allow" : "refuse";
      return new Swim({ ...options, keys, plainGossip }, boot.random, SILENT_RIDER);
    },
    afterStep: (_host, actions) => {
      for (const action of actions) {
        if (action.kind !== "send" && action.kind !== "request") continue;
        sent[action.bytes[0] === PLAIN_FORMAT ? "plain" : "sealed"]++;
      }
    },
  });
  const hosts = bootHosts(cluster, count);
  cluster.runUntil("all alive", () => allSee(cluster, hosts, "alive"), 10_000);
  cluster.runFor(10_000);
  const restart = (host: SwimHost, form: Form) => {
    forms.set(host.name, form);
    cluster.kill(host);
    cluster.runFor(500);
    cluster.boot(host);
    cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 10_000);
    cluster.runFor(3000);
  };
  return { cluster, hosts, forms, sent, restart };
}

function plainMembers(host: SwimHost): number {
  const { members } = host.snapshot();
  return members.filter(({ features }) => !hasFeature(features, Feature.opensSealed)).length;
}

for (const seed of [1, 2, 3]) {
  Deno.test(`ten hosts go from plain to sealed one by one, and nobody is ever suspected (seed ${seed})`, () => {
    const { cluster, hosts, sent, restart } = mixed(seed, 10);
    assert.equal(sent.sealed, 0);
    for (const [index, host] of hosts.entries()) {
      assert.equal(plainMembers(host), hosts.length - index);
      restart(host, "allow");
    }
    cluster.runFor(60_000);
    assert.equal(hosts.every((host) => plainMembers(host) === 0), true);
    sent.plain = 0;
    cluster.runFor(60_000);
    assert.equal(sent.plain, 0, "all can open sealed packets, so none is plain");
    for (const host of cluster.random.shuffle([...hosts])) restart(host, "sealed");
    cluster.runFor(60_000);
    assert.equal(sent.plain, 0);
    for (const host of hosts) {
      const doubts = host.events.filter(({ event }) =>
        event.kind === "member-suspected" || event.kind === "member-failed"
      );
      assert.deepEqual(doubts, []);
      assert.deepEqual(host.snapshot().encryption?.plainGossip, "refuse");
    }
  });
}

Deno.test("the way back from sealed to plain works as well", () => {
  const { cluster, hosts, sent, restart } = mixed(4, 5);
  for (const host of hosts) restart(host, "allow");
  for (const host of hosts) restart(host, "plain");
  sent.sealed = 0;
  cluster.runFor(60_000);
  assert.equal(sent.sealed, 0);
  for (const host of hosts) {
    assert.equal(host.events.some(({ event }) => event.kind === "member-failed"), false);
  }
});

Deno.test("plain and lenient hosts keep each other alive for as long as it takes", () => {
  const { cluster, hosts, restart } = mixed(5, 6);
  for (const host of hosts.slice(0, 3)) restart(host, "allow");
  cluster.network.configure({ lossRate: 0.1 });
  cluster.runFor(300_000);
  for (const host of hosts) {
    assert.equal(host.events.some(({ event }) => event.kind === "member-failed"), false);
  }
  // One that dies is noticed by all, and one that comes back as well.
  const last = hosts.at(-1);
  assert(last !== undefined);
  cluster.kill(last);
  cluster.runUntil("dead", () => allSee(cluster, [last], "dead"), 60_000);
  cluster.boot(last);
  cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 60_000);
});

const STRANGERS: [string, Form][] = [["without the key", "plain"], ["with another key", "foreign"]];

for (const [what, form] of STRANGERS) {
  Deno.test(`a host ${what} learns nothing of a sealed cluster and changes nothing in it`, () => {
    const { cluster, hosts, forms, restart } = mixed(6, 5);
    for (const host of hosts) restart(host, "allow");
    for (const host of hosts) restart(host, "sealed");
    cluster.runFor(30_000);
    const stateOf = (host: SwimHost) => JSON.stringify(host.snapshot().members);
    const before = hosts.map(stateOf);
    const eventsBefore = hosts.map((host) => host.events.length);
    const stranger = cluster.add("h9");
    forms.set(stranger.name, form);
    cluster.boot(stranger);
    cluster.runFor(120_000);
    const { members, seeds, joined } = stranger.snapshot();
    assert.deepEqual(members.map(({ name }) => name), ["h9"]);
    assert.equal(joined, false);
    assert.equal(seeds[0]?.reason, "10.0.0.1:7947: gossip keys differ");
    assert.deepEqual(hosts.map(stateOf), before);
    assert.deepEqual(hosts.map((host) => host.events.length), eventsBefore);
    const [first] = hosts;
    assert(first !== undefined);
    assert.ok(first.snapshot().counters.refusedAs["other-key"] > 3);
  });
}
