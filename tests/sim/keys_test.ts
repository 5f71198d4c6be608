/** Gossip keys changed on a whole cluster in virtual time: with loss, dead hosts, full disks, and what must be refused. */
import assert from "node:assert/strict";
import type { KeyOutcome } from "../../mod/swim/key_outcome.ts";
import { encodeAlive } from "../../mod/wire/news_messages.ts";
import { Envelope } from "../../mod/wire/envelope.ts";
import type { KeyOperation } from "../../mod/wire/key_messages.ts";
import { fingerprintOf } from "../../mod/wire/keyring.ts";
import { joinParts } from "../../mod/wire/parts.ts";
import { Random } from "../../mod/base/random.ts";
import { testKey, testKeyring } from "../support/test_cipher.ts";
import { peer, sealedFor } from "../unit/swim/stage.ts";
import {
  allSee,
  bootHosts,
  statusOf,
  type SwimCluster,
  swimCluster,
  type SwimHost,
  withKeys,
} from "./swim_hosts.ts";

const OLD = fingerprintOf(testKey(1));
const NEW = fingerprintOf(testKey(2));
const INSTALL: KeyOperation = { kind: "install", key: testKey(2) };
const USE: KeyOperation = { kind: "use", fingerprint: NEW };
const REMOVE: KeyOperation = { kind: "remove", fingerprint: OLD };

/** Hosts that all have the old key, and the one from which keys are changed. */
function formed(seed: number, count: number, lossRate = 0) {
  const cluster = swimCluster(seed);
  const hosts = bootHosts(cluster, count);
  cluster.runUntil("all alive", () => allSee(cluster, hosts, "alive"), 10_000);
  cluster.runFor(5000);
  cluster.network.configure({ lossRate });
  const [operator, ...others] = hosts;
  const last = others.at(-1);
  assert(operator !== undefined && last !== undefined);
  return { cluster, hosts, operator, last };
}

let requests = 0;

/** Gives the command and waits for its end. */
function change(
  cluster: SwimCluster,
  host: SwimHost,
  operation: KeyOperation,
  force = false,
): KeyOutcome {
  const request = ++requests;
  cluster.command(host, { kind: "keys", request, operation, force });
  const outcome = () => {
    for (const { event } of host.events) {
      if (event.kind === "keys-done" && event.request === request) return event.outcome;
    }
    return undefined;
  };
  cluster.runUntil(`${operation.kind} ends`, () => outcome() !== undefined, 30_000);
  const ended = outcome();
  assert(ended !== undefined);
  return ended;
}

/** `h3: 1a2b3c4d` or `h3: timed out`. */
function failures({ hosts }: KeyOutcome): string[] {
  return hosts.flatMap(({ name, failure }) => failure === null ? [] : [`${name}: ${failure}`]);
}

function fingerprints(host: SwimHost): readonly string[] | undefined {
  return host.snapshot().encryption?.fingerprints;
}

function events(hosts: readonly SwimHost[], kind: string): number {
  return hosts.flatMap((host) => host.events).filter(({ event }) => event.kind === kind).length;
}

withKeys("a key is replaced on every host under loss, and nobody is lost", () => {
  const { cluster, hosts, operator } = formed(1, 10, 0.1);
  const suspectedBefore = events(hosts, "member-failed");
  for (const operation of [INSTALL, USE, REMOVE]) {
    const outcome = change(cluster, operator, operation);
    assert.deepEqual(failures(outcome), []);
    assert.equal(outcome.isComplete, true);
    cluster.runFor(20_000);
  }
  for (const host of hosts) assert.deepEqual(fingerprints(host), [NEW]);
  assert.equal(events(hosts, "member-failed"), suspectedBefore);
  assert.equal(events(hosts, "keys-changed"), 3 * hosts.length);
  const { keys } = change(cluster, operator, { kind: "list" });
  assert.deepEqual(keys, [{ fingerprint: NEW, holders: 10, primaries: 10 }]);
  // What is on disk is what is used after a restart.
  for (const host of hosts) {
    cluster.kill(host);
    cluster.boot(host);
    assert.deepEqual(fingerprints(host), [NEW]);
  }
  cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 10_000);
});

withKeys("after a key was removed, nothing that is sealed with it is opened", () => {
  const { cluster, operator, last } = formed(2, 3);
  for (const operation of [INSTALL, USE, REMOVE]) change(cluster, operator, operation);
  const stranger = peer(66);
  const { instance } = last.snapshot().self;
  const send = (byte: number) => {
    const keys = testKeyring(new Random(1), byte);
    const envelope = new Envelope("test", { keys, instance: stranger.instance });
    const bytes = envelope.seal(joinParts([encodeAlive(stranger)]), sealedFor(instance));
    cluster.inject(last, stranger.endpoint, bytes);
  };
  send(1);
  assert.equal(last.snapshot().members.length, 3);
  assert.equal(last.snapshot().counters.refusedAs["other-key"], 1);
  send(2);
  assert.equal(last.snapshot().members.length, 4);
});

withKeys("a dead member is asked as well; without it no key is used or removed", () => {
  const { cluster, hosts, operator, last } = formed(3, 5);
  cluster.kill(last);
  cluster.runUntil("dead", () => allSee(cluster, [last], "dead"), 60_000);
  const installed = change(cluster, operator, INSTALL);
  assert.deepEqual(failures(installed), ["h5: connection refused"]);
  assert.equal(installed.isComplete, false);
  assert.deepEqual(installed.keys, [
    { fingerprint: OLD, holders: 4, primaries: 4 },
    { fingerprint: NEW, holders: 4, primaries: 0 },
  ]);
  const used = change(cluster, operator, USE);
  assert.equal(
    used.refusal?.text,
    `Using key ${NEW} would cut off h5 (connection refused)`,
  );
  assert.match(used.refusal?.remedy ?? "", /^Start the hosts that do not answer, forget those/);
  const removed = change(cluster, operator, { kind: "remove", fingerprint: NEW });
  assert.match(removed.refusal?.text ?? "", /would cut off h5/);
  for (const host of hosts.slice(0, -1)) assert.deepEqual(fingerprints(host), [OLD, NEW]);
  // It comes back, gets the key, and nothing is in the way any more.
  cluster.boot(last);
  cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 60_000);
  for (const operation of [INSTALL, USE, REMOVE]) {
    assert.equal(change(cluster, operator, operation).isComplete, true);
  }
});

withKeys(
  "force leaves a dead member behind; it gets back in as long as somebody has its key",
  () => {
    const { cluster, hosts, operator, last } = formed(4, 5);
    cluster.runFor(10_000); // its members document is on disk
    cluster.kill(last);
    cluster.runUntil("dead", () => allSee(cluster, [last], "dead"), 60_000);
    change(cluster, operator, INSTALL);
    const used = change(cluster, operator, USE, true);
    assert.equal(used.refusal, null);
    assert.deepEqual(failures(used), ["h5: connection refused"]);
    cluster.boot(last);
    cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 60_000);
    assert.deepEqual(fingerprints(last), [OLD]);
    // Removing the old key would cut it off for good: refused, until it has the new one.
    assert.match(change(cluster, operator, REMOVE).refusal?.text ?? "", /h5 \(seals with it\)/);
    for (const operation of [INSTALL, USE, REMOVE]) {
      assert.equal(change(cluster, operator, operation).isComplete, true, operation.kind);
    }
    assert.deepEqual(fingerprints(last), [NEW]);
  },
);

withKeys("who comes back with a removed key is refused, and told why", () => {
  const { cluster, operator, last } = formed(5, 3);
  cluster.kill(last);
  cluster.runUntil("dead", () => allSee(cluster, [last], "dead"), 60_000);
  for (const operation of [INSTALL, USE, REMOVE]) change(cluster, operator, operation, true);
  cluster.boot(last);
  cluster.runFor(120_000);
  assert.equal(statusOf(operator, last), "dead");
  assert.equal(last.snapshot().seeds[0]?.reason, "10.0.0.1:7947: gossip keys differ");
  assert.deepEqual(last.snapshot().members.map(({ name }) => name), ["h3"]);
});

withKeys("a key counts on a host only when it is on its disk", () => {
  const { cluster, operator, last } = formed(6, 3);
  last.diskError = "no space left on device";
  const outcome = change(cluster, operator, INSTALL);
  assert.deepEqual(failures(outcome), ["h3: it cannot save its keys: no space left on device"]);
  assert.deepEqual(fingerprints(last), [OLD]);
  assert.match(change(cluster, operator, USE).refusal?.text ?? "", /h3 \(does not have it\)/);
  // The operator's own disk stops everything.
  last.diskError = null;
  operator.diskError = "read-only file system";
  const own = change(cluster, operator, { kind: "install", key: testKey(3) });
  assert.match(own.refusal?.text ?? "", /^This host refused, so no other was asked: .*read-only/);
  assert.deepEqual(fingerprints(last), [OLD]);
});

withKeys("a key that hosts seal with is not removed, even by force", () => {
  const { cluster, operator, hosts } = formed(7, 3);
  const refused = change(cluster, operator, REMOVE);
  assert.match(refused.refusal?.text ?? "", /h1 \(seals with it\), h2 .*, h3/);
  assert.equal(refused.refusal?.remedy, "Have every host use another key first");
  assert.match(
    change(cluster, operator, REMOVE, true).refusal?.text ?? "",
    /use another one first/,
  );
  for (const host of hosts) assert.deepEqual(fingerprints(host), [OLD]);
});

withKeys("a key that this host does not have is not used", () => {
  const { cluster, operator } = formed(8, 2);
  assert.equal(change(cluster, operator, USE).refusal?.text, `No host has the key ${NEW}`);
  assert.match(change(cluster, operator, USE, true).refusal?.text ?? "", /not have/);
});

withKeys("who left does not count", () => {
  const { cluster, operator, last } = formed(9, 4);
  cluster.command(last, { kind: "leave" });
  cluster.runFor(2000);
  cluster.kill(last);
  for (const operation of [INSTALL, USE, REMOVE]) {
    const outcome = change(cluster, operator, operation);
    assert.equal(outcome.isComplete, true);
    assert.deepEqual(outcome.hosts.map(({ name }) => name), ["h1", "h2", "h3"]);
  }
});

withKeys("who joins while others are asked is asked as well", () => {
  const { cluster, operator, last } = formed(14, 4);
  change(cluster, operator, INSTALL);
  // One that cannot be reached holds the question up for seconds.
  cluster.network.block(operator.endpoint, last.endpoint);
  cluster.command(operator, { kind: "keys", request: 1000, operation: USE, force: false });
  cluster.runFor(100);
  cluster.boot(cluster.add("h5"));
  cluster.runFor(30_000);
  const texts = operator.events.map(({ event }) =>
    event.kind === "keys-done" && event.request === 1000 ? event.outcome.refusal?.text : ""
  );
  assert.match(texts.join(""), /h4 \(timed out\), h5 \(does not have it\)/);
});

withKeys("one operation at a time", () => {
  const { cluster, operator, last } = formed(10, 3);
  cluster.kill(last);
  cluster.network.block(operator.endpoint, last.endpoint);
  cluster.command(operator, { kind: "keys", request: 2001, operation: INSTALL, force: false });
  assert.match(change(cluster, operator, USE).refusal?.text ?? "", /under way/);
  cluster.runFor(15_000);
  assert.match(change(cluster, operator, USE).refusal?.text ?? "", /cut off h3/);
});

withKeys("nonsense from the operator is refused", () => {
  const { cluster, operator } = formed(11, 2);
  const wrong: KeyOperation[] = [
    { kind: "install", key: new Uint8Array(16) },
    { kind: "use", fingerprint: "xyz" },
    { kind: "remove", fingerprint: "ABCDEF01" },
  ];
  for (const operation of wrong) {
    const { refusal, hosts } = change(cluster, operator, operation);
    assert.ok(refusal !== null);
    assert.deepEqual(hosts, []);
  }
});

withKeys("no event and no snapshot holds a key", () => {
  const { cluster, operator, hosts } = formed(12, 3);
  for (const operation of [INSTALL, USE, REMOVE]) change(cluster, operator, operation);
  for (const host of hosts) {
    const text = JSON.stringify([host.events, host.snapshot()]);
    for (const key of [testKey(1), testKey(2)]) {
      for (const form of [key.toBase64(), key.toHex(), JSON.stringify(key), [...key].join()]) {
        assert.equal(text.includes(form), false);
      }
    }
  }
});

Deno.test("a cluster without keys has none to change", () => {
  const { cluster, operator } = formed(13, 2);
  const outcome = change(cluster, operator, INSTALL);
  assert.match(outcome.refusal?.text ?? "", /no gossip keys/);
  assert.match(outcome.refusal?.remedy ?? "", /--key-file/);
});
