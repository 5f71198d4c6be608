/** The simulator itself: order, faults, streams, disks, and the same run from the same seed. */
import assert from "node:assert/strict";
import type { Action, Core, Endpoint, Input } from "../../../mod/base/core.ts";
import { Random } from "../../../mod/base/random.ts";
import { Cluster } from "../../../mod/sim/cluster.ts";
import { EventQueue } from "../../../mod/sim/event_queue.ts";
import { LAN, Network } from "../../../mod/sim/network.ts";
import type { Boot } from "../../../mod/sim/sim_host.ts";

/** Does what it is told and notes what it gets. */
class Puppet implements Core<Action<string>, string, string[]> {
  readonly seen: string[] = [];
  wakeAt = Infinity;
  readonly boot: Boot;

  constructor(boot: Boot) {
    this.boot = boot;
  }

  step(nowMs: number, input: Input<Action<string>>): Action<string>[] {
    if (input.kind === "command") return [input.command];
    this.wakeAt = Infinity;
    this.seen.push(`${nowMs.toFixed(1)} ${input.kind}${"bytes" in input ? ` ${input.bytes}` : ""}`);
    if (input.kind === "request") {
      return [{ kind: "answer", id: input.id, bytes: new Uint8Array([9]) }];
    }
    return [];
  }
  wakeAtMs(): number {
    return this.wakeAt;
  }
  snapshot(): string[] {
    return this.seen;
  }
}

function stage(network = {}) {
  const cluster = new Cluster<Action<string>, string, string[]>({
    seed: 1,
    start: (boot) => new Puppet(boot),
    network: { delayMs: 1, jitterMs: 0, ...network },
  });
  const [one, two] = [cluster.add(), cluster.add()];
  cluster.boot(one);
  cluster.boot(two);
  return { cluster, one, two };
}

function send(to: Endpoint, byte = 1): Action<string> {
  return { kind: "send", to, bytes: new Uint8Array([byte]) };
}

function request(to: Endpoint): Action<string> {
  return { kind: "request", id: 5, to, bytes: new Uint8Array([2]), timeoutMs: 100 };
}

Deno.test("what is due comes out by time, and in order of arrival at equal times", () => {
  const random = new Random(1);
  const queue = new EventQueue<[number, number]>();
  for (let order = 0; order < 1000; order++) {
    const atMs = random.below(50);
    queue.push(atMs, [atMs, order]);
    if (order % 3 === 0) queue.pop();
  }
  let last: [number, number] = [-1, -1];
  while (queue.size > 0) {
    assert.equal(queue.nextAtMs() >= last[0], true);
    const next = queue.pop();
    assert(next !== undefined);
    assert.ok(next[0] > last[0] || next[0] === last[0] && next[1] > last[1]);
    last = next;
  }
  assert.equal(queue.nextAtMs(), Infinity);
  assert.equal(queue.pop(), undefined);
});

Deno.test("loss and duplication are as often as asked for", () => {
  const network = new Network(new Random(1), { ...LAN, lossRate: 0.3, duplicateRate: 0.1 });
  const copies = [0, 0, 0];
  for (let round = 0; round < 10_000; round++) {
    const count = network.datagramDelaysMs("a", "b").length;
    copies[count] = (copies[count] ?? 0) + 1;
  }
  for (const [count, share] of [[0, 0.3], [1, 0.63], [2, 0.07]] as const) {
    assert.ok(Math.abs((copies[count] ?? 0) / 10_000 - share) < 0.02, `${copies}`);
  }
});

Deno.test("partitions cut groups off each other, blocks cut one direction", () => {
  const network = new Network(new Random(1), LAN);
  network.partition(["a", "b"], ["c"]);
  assert.deepEqual(
    [["a", "b"], ["a", "c"], ["c", "d"], ["d", "e"]].map(([from = "", to = ""]) =>
      network.reaches(from, to)
    ),
    [true, false, false, true],
  );
  network.heal();
  network.block("a", "b");
  assert.deepEqual([network.reaches("a", "b"), network.reaches("b", "a")], [false, true]);
  assert.equal(network.streamDelayMs("b", "a"), null);
  network.unblock("a", "b");
  assert.notEqual(network.streamDelayMs("b", "a"), null);
});

Deno.test("a datagram arrives after its delay, and not at a host that is down", () => {
  const { cluster, one, two } = stage();
  cluster.command(one, send(two.endpoint));
  cluster.runFor(2);
  assert.deepEqual(two.snapshot(), ["1.0 packet 1"]);
  cluster.kill(two);
  cluster.command(one, send(two.endpoint));
  cluster.runFor(2);
  cluster.boot(two);
  cluster.runFor(2);
  assert.deepEqual(two.snapshot(), []);
});

Deno.test("a stream is answered after both delays, refused by a host that is down, else times out", () => {
  const { cluster, one, two } = stage();
  cluster.command(one, request(two.endpoint));
  cluster.runFor(200);
  assert.deepEqual(one.snapshot(), ["2.0 answer 9"]);
  cluster.kill(two);
  cluster.command(one, request(two.endpoint));
  cluster.runFor(200);
  assert.deepEqual(one.snapshot().slice(1), ["201.0 failed"]);
  cluster.boot(two);
  cluster.network.block(two.endpoint, one.endpoint);
  cluster.command(one, request(two.endpoint));
  cluster.runFor(200);
  assert.deepEqual(one.snapshot().slice(2), ["500.0 failed"]);
});

Deno.test("what was meant for one life of a host does not reach its next", () => {
  const { cluster, one, two } = stage();
  cluster.command(one, request(two.endpoint));
  cluster.kill(one);
  cluster.boot(one);
  cluster.runFor(200);
  assert.deepEqual(one.snapshot(), []);
});

Deno.test("documents are on disk only when their write is done, and a sick disk keeps the old ones", () => {
  const { cluster, one } = stage();
  const write = (byte: number): Action<string> => ({
    kind: "persist",
    id: 1,
    document: "claim",
    bytes: new Uint8Array([byte]),
  });
  cluster.command(one, write(1));
  cluster.kill(one);
  cluster.runFor(10);
  assert.equal(one.documents.size, 0);
  cluster.boot(one);
  cluster.command(one, write(2));
  cluster.runFor(10);
  one.diskError = "No space left on device";
  cluster.command(one, write(3));
  cluster.runFor(10);
  assert.deepEqual(one.snapshot(), ["11.0 persisted", "21.0 persisted"]);
  assert.deepEqual(one.documents.get("claim"), new Uint8Array([2]));
});

Deno.test("a core is woken when it asked for it, also when it changes its mind", () => {
  const { cluster, one } = stage();
  const puppet = one.core;
  assert(puppet instanceof Puppet);
  puppet.wakeAt = 50;
  cluster.command(one, send(one.endpoint)); // arrives at 1 and puts the alarm off
  puppet.wakeAt = 50;
  cluster.runFor(40);
  puppet.wakeAt = 45;
  cluster.command(one, send("10.9.9.9:1"));
  cluster.runFor(40);
  assert.deepEqual(puppet.seen, ["1.0 packet 1", "45.0 wake"]);
});

Deno.test("a name leads to the endpoints that the test gave it", () => {
  const { cluster, one } = stage();
  cluster.names.set("seed.example", ["10.0.0.2:7947"]);
  cluster.command(one, { kind: "resolve", seed: "seed.example" });
  cluster.runFor(1);
  assert.deepEqual(one.snapshot(), ["0.0 resolved"]);
});

Deno.test("a slow disk writes one document after the other", () => {
  const { cluster, one } = stage();
  const write = (byte: number): Action<string> => ({
    kind: "persist",
    id: byte,
    document: "claim",
    bytes: new Uint8Array([byte]),
  });
  one.diskDelayMs = 100;
  cluster.command(one, write(1));
  one.diskDelayMs = 0;
  cluster.command(one, write(2));
  cluster.runFor(50);
  assert.equal(one.documents.size, 0);
  cluster.runFor(100);
  assert.deepEqual(one.documents.get("claim"), new Uint8Array([2]));
  assert.deepEqual(one.snapshot(), ["101.0 persisted", "101.0 persisted"]);
});

Deno.test("a paused host makes no steps, and takes what waited when it goes on, as far as its buffer held it", () => {
  const { cluster, one, two } = stage();
  const puppet = two.core;
  assert(puppet instanceof Puppet);
  puppet.wakeAt = 5;
  cluster.command(one, send(one.endpoint)); // any step of the other host
  cluster.command(two, send("10.9.9.9:1")); // so that its alarm is known
  cluster.pause(two);
  for (let byte = 0; byte < 300; byte++) cluster.command(one, send(two.endpoint, byte));
  cluster.command(one, request(two.endpoint));
  cluster.runFor(50);
  assert.deepEqual(two.snapshot(), []);
  cluster.resume(two);
  const seen = two.snapshot();
  assert.equal(seen.filter((line) => line.startsWith("50.0 packet")).length, 276); // 212,992 / 769
  assert.equal(two.traffic.datagramsDropped, 24);
  assert.ok(seen.includes("50.0 request 2"));
  assert.equal(seen.filter((line) => line === "50.0 wake").length <= 1, true);
  cluster.runFor(10);
  assert.ok(one.snapshot().includes("51.0 answer 9"), "a stream waits longer than that");
});

Deno.test("a frozen host's timers run while what it sends and gets waits for the thaw", () => {
  const { cluster, one, two } = stage();
  const puppet = two.core;
  assert(puppet instanceof Puppet);
  cluster.freeze(two);
  puppet.wakeAt = 5;
  cluster.command(two, send(one.endpoint, 7));
  cluster.command(two, request(one.endpoint));
  cluster.command(one, send(two.endpoint, 8));
  cluster.runFor(50);
  assert.deepEqual(two.snapshot(), ["5.0 wake"]);
  assert.deepEqual(one.snapshot(), []);
  cluster.thaw(two);
  assert.deepEqual(two.snapshot(), ["5.0 wake", "50.0 packet 8"]);
  cluster.runFor(10);
  assert.deepEqual(one.snapshot(), ["51.0 packet 7", "51.0 request 2"]);
  assert.deepEqual(two.snapshot().slice(2), ["52.0 answer 9"]);
  cluster.freeze(two);
  cluster.command(two, request(one.endpoint));
  cluster.runFor(200);
  assert.deepEqual(
    two.snapshot().slice(3),
    ["160.0 failed"],
    "the deadline of a question is a timer",
  );
});

Deno.test("a host sees its own clock: with its own drift and jumps, and never falling", () => {
  const { cluster, one } = stage();
  const puppet = one.core;
  assert(puppet instanceof Puppet);
  cluster.driftClock(one, 2);
  puppet.wakeAt = 100;
  cluster.command(one, send("10.9.9.9:1"));
  cluster.runFor(51);
  assert.deepEqual(puppet.seen, ["100.0 wake"]);
  cluster.jumpClock(one, 1000);
  puppet.wakeAt = 1200;
  cluster.command(one, send("10.9.9.9:1"));
  cluster.runFor(48);
  assert.deepEqual(puppet.seen, ["100.0 wake"]);
  cluster.runFor(2);
  assert.deepEqual(puppet.seen, ["100.0 wake", "1200.0 wake"]);
});

Deno.test("a link may be different from the rest, in one direction, until the network heals", () => {
  const network = new Network(new Random(1), { ...LAN, delayMs: 1, jitterMs: 0 });
  network.configureLink("a", "b", { delayMs: 50 });
  network.configureLink("a", "b", { bytesPerMs: 10 });
  assert.deepEqual(network.datagramDelaysMs("a", "b", 100), [60]);
  assert.deepEqual(network.datagramDelaysMs("b", "a", 100), [1]);
  network.heal();
  assert.deepEqual(network.datagramDelaysMs("a", "b", 100), [1]);
});

Deno.test("datagrams overtake each other as often as asked for, and lost packets only slow streams down", () => {
  const network = new Network(new Random(1), {
    ...LAN,
    jitterMs: 0,
    reorderRate: 0.25,
    reorderMs: 100,
    lossRate: 0.5,
  });
  let late = 0;
  let arrived = 0;
  let slow = 0;
  for (let round = 0; round < 4000; round++) {
    for (const delayMs of network.datagramDelaysMs("a", "b")) {
      arrived++;
      if (delayMs > 0.1) late++;
    }
    const streamMs = network.streamDelayMs("a", "b");
    assert(streamMs !== null);
    if (streamMs > 200) slow++;
  }
  assert.ok(Math.abs(arrived / 4000 - 0.5) < 0.03, `${arrived}`);
  assert.ok(Math.abs(late / arrived - 0.25) < 0.03, `${late}`);
  assert.ok(Math.abs(slow / 4000 - 0.75) < 0.03, `${slow}`); // the packet or its acknowledgement: 1 - 0.5^2
});

Deno.test("what hosts send and receive is counted", () => {
  const { cluster, one, two } = stage();
  cluster.command(one, send(two.endpoint));
  cluster.command(one, request(two.endpoint));
  cluster.runFor(10);
  assert.deepEqual(
    [one.traffic.datagramsSent, one.traffic.datagramBytesSent, two.traffic.datagramsReceived],
    [1, 1, 1],
  );
  assert.deepEqual(
    [one.traffic.requestsSent, two.traffic.requestsReceived, one.traffic.streamBytesReceived],
    [1, 1, 1],
  );
});
