/** Everything that a sealed cluster said is said again, to everybody, in this life and the next: nothing may come of it. */
import assert from "node:assert/strict";
import type { Endpoint } from "../../mod/base/core.ts";
import { readRefusal } from "../../mod/wire/refusal.ts";
import { allSee, bootHosts, swimCluster, type SwimHost, withKeys } from "./swim_hosts.ts";

interface Recording {
  readonly kind: "packet" | "request";
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
}

/** A cluster in which somebody listens to everything. */
function tapped(seed: number, count: number) {
  const recordings: Recording[] = [];
  /** By asker's request id and endpoint: answers, for askers who ask again. */
  const answers: Uint8Array[] = [];
  const cluster = swimCluster(seed, {
    afterStep: (host, actions) => {
      for (const action of actions) {
        const from = host.endpoint;
        if (action.kind === "answer") answers.push(action.bytes);
        if (action.kind !== "send" && action.kind !== "request") continue;
        const kind = action.kind === "send" ? "packet" : "request";
        recordings.push({ kind, from, to: action.to, bytes: action.bytes });
      }
    },
  });
  const hosts = bootHosts(cluster, count);
  cluster.runUntil("all alive", () => allSee(cluster, hosts, "alive"), 10_000);
  return { cluster, hosts, recordings, answers };
}

/** What the host believes, as a text; not its counters. */
function stateOf(host: SwimHost): string {
  const { counters: _, path: __, ...state } = host.snapshot();
  return JSON.stringify(state);
}

let requests = 1_000_000;

/** Says all of it to the host again: each packet is refused, each request as well; how many hellos were answered. */
function replay(nowMs: number, host: SwimHost, recordings: readonly Recording[]): number {
  const { core } = host;
  assert(core !== null);
  const before = stateOf(host);
  const { counters } = host.snapshot();
  let greeted = 0;
  for (const { kind, from, bytes } of recordings) {
    const copy = bytes.slice();
    const { refused } = counters;
    if (kind === "packet") {
      assert.deepEqual(core.step(nowMs, { kind, from, bytes: copy }), []);
      assert.equal(counters.refused, refused + 1);
      continue;
    }
    const actions = core.step(nowMs, { kind, id: requests++, from, bytes: copy });
    assert.equal(actions.length, 1);
    const [answer] = actions;
    assert(answer?.kind === "answer");
    if (readRefusal(answer.bytes) === null) greeted++;
  }
  assert.equal(stateOf(host), before);
  return greeted;
}

withKeys("no recorded packet does anything again, to whomever and whenever it is said", () => {
  const { cluster, hosts, recordings } = tapped(1, 5);
  const [, , restarted, victim] = hosts;
  assert(restarted !== undefined && victim !== undefined);
  // A life with everything in it: a restart, a death, a return.
  cluster.runFor(20_000);
  cluster.kill(restarted);
  cluster.boot(restarted);
  cluster.kill(victim);
  cluster.runUntil("dead", () => allSee(cluster, [victim], "dead"), 60_000);
  cluster.boot(victim);
  cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 60_000);
  cluster.runFor(10_000);
  const said = [...recordings];
  assert.ok(said.length > 500);
  for (const host of hosts) {
    const toHost = said.filter(({ to }) => to === host.endpoint);
    // Only hellos are answered, to whoever said them first; each host said a few.
    assert.ok(replay(cluster.nowMs, host, toHost) < 10);
    replay(cluster.nowMs, host, said);
    const { refusedAs } = host.snapshot().counters;
    assert.ok(refusedAs.replayed > 0 && refusedAs["other-instance"] > 0);
    assert.equal(refusedAs["other-key"] + refusedAs.malformed + refusedAs["other-cluster"], 0);
  }
  // The same to the next life of each, when it knows nobody yet and when it is back.
  for (const host of hosts) {
    cluster.kill(host);
    host.documents.clear();
    cluster.boot(host);
    cluster.runFor(0);
    replay(cluster.nowMs, host, said);
    cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 60_000);
    cluster.runFor(5000);
    replay(cluster.nowMs, host, said);
  }
});

withKeys("recorded answers are no answers to later questions", () => {
  const { cluster, hosts, answers } = tapped(2, 3);
  cluster.runFor(60_000);
  const [, asker] = hosts;
  assert(asker !== undefined && asker.core !== null);
  cluster.kill(asker);
  cluster.boot(asker);
  const core = asker.core;
  assert(core !== null);
  // The newcomer asks its seed; the network gives it old answers instead.
  let asked = core.step(cluster.nowMs, { kind: "wake" });
  let given = 0;
  for (const bytes of answers) {
    const request = asked.find((action) => action.kind === "request");
    if (request === undefined) {
      asked = [
        ...core.step(cluster.nowMs, {
          kind: "command",
          command: { kind: "join", seeds: [`s${given}`] },
        }),
        ...core.step(cluster.nowMs, {
          kind: "resolved",
          seed: `s${given}`,
          endpoints: ["10.0.0.1:7947"],
        }),
      ];
    }
    const next = asked.find((action) => action.kind === "request");
    if (next?.kind !== "request") continue;
    given++;
    asked = core.step(cluster.nowMs, { kind: "answer", id: next.id, bytes: bytes.slice() });
  }
  assert.ok(given > 3, `${given} of ${answers.length}`);
  assert.deepEqual(asker.snapshot().members.map(({ name }) => name), [asker.name]);
});
