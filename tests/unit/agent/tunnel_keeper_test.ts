/** The keeper of the UDP backend's data path, on engines that do what the test says. */
import assert from "node:assert/strict";
import { Log } from "../../../mod/base/log.ts";
import type { TableSpec } from "../../../mod/dataplane/forwarding_table.ts";
import { Statistics } from "../../../mod/dataplane/statistics.ts";
import {
  type EngineStart,
  type OwnSubnets,
  type TunnelEngine,
  TunnelKeeper,
} from "../../../mod/agent/tunnel_keeper.ts";
import { claim, desire } from "../../support/overlay.ts";

class FakeEngine implements TunnelEngine {
  readonly start: EngineStart;
  readonly tables: TableSpec[] = [];
  readonly #ended = Promise.withResolvers<string>();
  readonly #apart = Promise.withResolvers<void>();
  isClosed = false;

  constructor(start: EngineStart) {
    this.start = start;
  }

  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  get sendsApart(): Promise<void> {
    return this.#apart.promise;
  }

  slowDown(): void {
    this.#apart.resolve();
  }

  update(table: TableSpec): void {
    this.tables.push(table);
  }

  hangs = false;

  async close(): Promise<void> {
    if (this.hangs) await new Promise(() => {});
    await Promise.resolve();
    this.isClosed = true;
  }

  end(reason: string): void {
    this.#ended.resolve(reason);
  }
}

class Bench {
  readonly engines: FakeEngine[] = [];
  readonly lines: string[] = [];
  readonly timers: { callback: () => void; delayMs: number }[] = [];
  refusal: string | null = null;
  nowMs = 0;
  ready = 0;
  readonly keeper = new TunnelKeeper({
    device: "flannel0",
    alias: "gossamer 1",
    port: 8285,
    log: new Log({
      level: "info",
      format: "text",
      write: (line) => this.lines.push(line),
      now: () => "",
    }),
    open: async (start) => {
      await Promise.resolve();
      if (this.refusal !== null) throw new Error(this.refusal);
      const engine = new FakeEngine(start);
      this.engines.push(engine);
      return engine;
    },
    ready: () => this.ready++,
    nowMs: () => this.nowMs,
    startTimer: (callback, delayMs) => {
      const timer = { callback, delayMs };
      this.timers.push(timer);
      return () => {
        const at = this.timers.indexOf(timer);
        if (at >= 0) this.timers.splice(at, 1);
      };
    },
  });

  address = "192.168.100.1";
  ipv6: OwnSubnets["ipv6"] = null;

  /** Peers by their numbers. */
  follow(...numbers: number[]): void {
    this.see(false, numbers);
  }

  /** The overlay was looked at; the device may have been made anew. */
  see(isNewDevice: boolean, numbers: readonly number[]): void {
    const claims = numbers.map((number) =>
      claim(number, { vtep: { ...claim(number).vtep, port: 8285, backend: "udp" } })
    );
    const { peers } = desire(claims, { backend: "udp" });
    const own = { subnet: "10.244.1.0/24", ipv6: this.ipv6 };
    this.keeper.follow(own, peers, { address: this.address }, isNewDevice);
  }

  async fire(): Promise<number> {
    const [timer] = this.timers.splice(0, 1);
    assert.ok(timer !== undefined, "a timer is set");
    timer.callback();
    await settled();
    return timer.delayMs;
  }

  engine(at = -1): FakeEngine {
    const engine = this.engines.at(at);
    assert.ok(engine !== undefined, "an engine was started");
    return engine;
  }
}

/** All that is under way in promises. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("an engine is started with the first table, and hears of each change once", async () => {
  const bench = new Bench();
  bench.follow(2);
  assert.equal(bench.keeper.isReady, false);
  bench.follow(2, 3); // while it is being started
  await settled();
  assert.equal(bench.engines.length, 1);
  assert.equal(bench.ready, 1);
  const { start, tables } = bench.engine();
  assert.deepEqual([start.device, start.port, start.table.subnet], [
    "flannel0",
    8285,
    "10.244.1.0/24",
  ]);
  assert.deepEqual(start.table.peers.map(({ subnet }) => subnet), ["10.244.2.0/24"]);
  assert.deepEqual(tables.map(({ peers }) => peers.length), [2]);
  bench.follow(2, 3);
  assert.equal(tables.length, 1, "nothing new is not told");
});

Deno.test("with dual stack the engine is told of both subnets of those who have both", async () => {
  const bench = new Bench();
  const halves = new Map([["02".repeat(16), "fd00:244:0:2::/64"]]);
  bench.ipv6 = { subnet: "fd00:244:0:1::/64", subnetOf: (hostId) => halves.get(hostId) };
  bench.follow(2, 3);
  await settled();
  const { start: { table }, tables } = bench.engine();
  assert.equal(table.ipv6Subnet, "fd00:244:0:1::/64");
  assert.deepEqual(table.peers.map(({ ipv6Subnet }) => ipv6Subnet), [
    "fd00:244:0:2::/64",
    undefined,
  ]);
  halves.set("03".repeat(16), "fd00:244:0:3::/64");
  bench.follow(2, 3);
  assert.equal(tables.at(-1)?.peers[1]?.ipv6Subnet, "fd00:244:0:3::/64");
});

Deno.test("a device that another part of the agent made anew is opened anew", async () => {
  const bench = new Bench();
  bench.follow(2);
  await settled();
  bench.keeper.deviceMade();
  bench.follow(2);
  await settled();
  assert.equal(bench.engines.length, 2);
  bench.follow(2);
  await settled();
  assert.equal(bench.engines.length, 2, "once");
});

Deno.test("a peer keeps its counters while it is there, and its successor begins anew", async () => {
  const bench = new Bench();
  bench.follow(2, 3);
  await settled();
  const { start, tables } = bench.engine();
  const engine = new Statistics(start.statistics);
  const slotOf = (table: TableSpec | undefined, subnet: string) =>
    table?.peers.find((peer) => peer.subnet === subnet)?.slot ?? -1;
  engine.sent(slotOf(start.table, "10.244.2.0/24"), 3, 300);
  engine.received(slotOf(start.table, "10.244.3.0/24"), 4, 400);
  bench.follow(3, 4);
  const now = tables.at(-1);
  assert.equal(slotOf(now, "10.244.3.0/24"), slotOf(start.table, "10.244.3.0/24"));
  assert.equal(slotOf(now, "10.244.4.0/24"), slotOf(start.table, "10.244.2.0/24"));
  const { peers } = bench.keeper.status();
  assert.deepEqual(
    [...peers.values()].map(({ bytesSent, bytesReceived }) => [bytesSent, bytesReceived]),
    [[0, 400], [0, 0]],
  );
});

Deno.test("an engine that ends is started again, later and later, and the problem is said once", async () => {
  const bench = new Bench();
  bench.follow(2);
  await settled();
  bench.engine().end("the device was taken away");
  await settled();
  assert.equal(bench.keeper.status().isRunning, false);
  const [problem] = bench.keeper.problems();
  assert.equal(problem?.code, "udp-stopped");
  assert.match(problem?.text ?? "", /the device was taken away/);
  bench.refusal = "the device was taken away";
  const delays = [];
  for (let attempt = 0; attempt < 8; attempt++) delays.push(await bench.fire());
  assert.deepEqual(delays, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  assert.equal(bench.lines.filter((line) => line.includes("not carried")).length, 1);
  bench.refusal = null;
  await bench.fire();
  assert.deepEqual([bench.keeper.problems(), bench.keeper.status().isRunning], [[], true]);
  assert.equal(bench.lines.filter((line) => line.includes("carried again")).length, 1);
  bench.nowMs += 20_000;
  bench.engine().end("something else");
  await settled();
  assert.equal(await bench.fire(), 100, "it had done its work");
});

Deno.test("news that comes while none runs is in the next one's table", async () => {
  const bench = new Bench();
  bench.follow(2);
  await settled();
  bench.engine().end("gone");
  await settled();
  bench.follow(2, 3, 4);
  await bench.fire();
  assert.equal(bench.engine().start.table.peers.length, 3);
});

Deno.test("a pause closes the engine; the next one waits until it is closed", async () => {
  const bench = new Bench();
  bench.follow(2);
  await settled();
  bench.keeper.pause();
  bench.follow(3);
  assert.equal(bench.engines.length, 1, "device and port are still taken");
  await settled();
  assert.equal(bench.engine(0).isClosed, true);
  assert.equal(bench.engines.length, 2);
  bench.keeper.stop();
  await settled();
  assert.equal(bench.engine().isClosed, true);
  bench.follow(4);
  await settled();
  assert.deepEqual([bench.engines.length, bench.timers.length], [2, 0]);
});

Deno.test("an engine that was being started when all was stopped is closed", async () => {
  const bench = new Bench();
  bench.follow(2);
  bench.keeper.stop();
  await settled();
  assert.equal(bench.engine().isClosed, true);
  assert.deepEqual([bench.keeper.isReady, bench.ready], [false, 0]);
});

Deno.test("another address of the underlay has the engine started again with that one", async () => {
  const bench = new Bench();
  bench.follow(2);
  await settled();
  bench.address = "192.168.100.51";
  bench.follow(2);
  assert.equal(bench.keeper.isReady, false);
  await settled();
  assert.equal(bench.engine(0).isClosed, true);
  assert.deepEqual(bench.engines.map(({ start }) => start.address), [
    "192.168.100.1",
    "192.168.100.51",
  ]);
  bench.address = "192.168.100.52";
  bench.follow(2);
  bench.address = "192.168.100.53"; // while the next one is being started
  bench.follow(2);
  await settled();
  assert.equal(bench.engine().start.address, "192.168.100.53");
  assert.deepEqual(
    bench.engines.slice(0, -1).map(({ isClosed }) => isClosed).includes(false),
    false,
  );
});

Deno.test("that packets go one by one is said once for each engine", async () => {
  const bench = new Bench();
  bench.follow(2);
  await settled();
  const said = () => bench.lines.filter((line) => line.includes("one by one")).length;
  assert.equal(said(), 0);
  bench.engine().slowDown();
  await settled();
  assert.equal(said(), 1);
});

Deno.test("a device that was made anew is not the one that the engine has", async () => {
  const bench = new Bench();
  bench.see(true, [2]);
  await settled();
  assert.equal(bench.engines.length, 1);
  assert.equal(bench.keeper.status().restarts, 0, "it is the first");
  bench.see(false, [2]);
  await settled();
  assert.equal(bench.engines.length, 1);
  // As after "ip link set flannel0 name other": the engine still has the one of the other name.
  bench.see(true, [2]);
  await settled();
  assert.deepEqual(bench.engines.map(({ isClosed }) => isClosed), [true, false]);
  assert.equal(bench.keeper.status().restarts, 1);
  assert.equal(bench.engine().start.table.peers.length, 1);
});

Deno.test("an engine that does not end keeps the next one waiting for two seconds, and not for ever", async () => {
  const bench = new Bench();
  bench.follow(2);
  await settled();
  bench.engine().hangs = true;
  bench.keeper.pause();
  bench.follow(2);
  await settled();
  assert.equal(bench.engines.length, 1);
  assert.equal(await bench.fire(), 2_000);
  assert.equal(bench.engines.length, 2);
});
