/** The keeper against a kernel in memory: what it programs, repairs, keeps, reports, and when subnet.env may be written. */
import assert from "node:assert/strict";
import {
  isVxlanLink,
  type Operation,
  type OperationFailure,
} from "../../../mod/base/kernel_objects.ts";
import { Log } from "../../../mod/base/log.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { OverlayKeeper } from "../../../mod/agent/overlay_keeper.ts";
import { EMPTY_STATE, ModelKernel } from "../../support/model_kernel.ts";
import { claim, claims, CONFIG, DEVICE, OWN } from "../../support/overlay.ts";

/** A kernel that refuses what the test tells it to. */
class RefusingKernel extends ModelKernel {
  refuse: (operation: Operation) => boolean = () => false;
  message = () => "Not permitted";
  code = "EPERM";
  applied = 0;
  /** Tells the keeper that something changed. */
  notify = () => {};

  override watch(changed: () => void = () => {}): () => void {
    this.notify = changed;
    return () => {};
  }

  override apply(plan: readonly Operation[]): OperationFailure[] {
    this.applied++;
    const refused = plan.filter((operation) => this.refuse(operation));
    const failures = super.apply(plan.filter((operation) => !this.refuse(operation)));
    return [
      ...failures,
      ...refused.map((operation) => ({ operation, code: this.code, message: this.message() })),
    ];
  }
}

class Bench {
  readonly kernel = new RefusingKernel(DEVICE);
  readonly lines: string[] = [];
  want: "up" | "down" | "unchanged" | "paused" = "up";
  others: readonly ClaimRecord[] = claims(2, 3);
  settled = true;
  silent: string[] = [];
  /** Of each look: whether the device had to be made. */
  readonly made: boolean[] = [];
  written = 0;
  removed = 0;
  nowMs = 0;
  readonly keeper = new OverlayKeeper(CONFIG, {
    kernel: this.kernel,
    log: new Log({
      level: "warning",
      format: "text",
      write: (line) => void this.lines.push(line),
      now: () => "2026-01-01T00:00:00.000Z",
    }),
    nowMs: () => this.nowMs,
    wish: () =>
      this.want === "up"
        ? {
          want: "up",
          networks: CONFIG.networks,
          own: OWN,
          owners: [OWN, ...this.others],
          records: [OWN, ...this.others],
          settled: this.settled,
          silent: new Set(this.silent),
        }
        : { want: this.want },
    wants: (_own, _peers, _underlay, isNewDevice) => void this.made.push(isNewDevice),
    up: () => {
      this.written++;
      return true;
    },
    down: () => void this.removed++,
  });

  /** Long after the last run, so that no pause holds the keeper back. */
  reconcile(): void {
    this.nowMs += 60_000;
    this.keeper.reconcileSoon();
  }

  /** Where its peers are. */
  destinations(): string[] {
    return this.kernel.state.routes.filter(({ device }) => device !== "")
      .map((route) => route.destination).sort();
  }

  [Symbol.dispose](): void {
    this.keeper.stop();
  }
}

Deno.test("the keeper touches nothing before the first claim is held", () => {
  using bench = new Bench();
  for (const want of ["unchanged", "down"] as const) {
    bench.want = want;
    bench.reconcile();
    assert.equal(bench.kernel.state.link, null);
    assert.deepEqual([bench.written, bench.removed], [0, 0]);
    assert.equal(bench.keeper.status().inSync, false);
  }
});

Deno.test("while the next subnet is looked for, the old data path stays", () => {
  using bench = new Bench();
  bench.reconcile();
  bench.want = "unchanged";
  bench.others = [];
  bench.reconcile();
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24", "10.244.3.0/24"]);
});

Deno.test("once held, everything is programmed and subnet.env may be written", () => {
  using bench = new Bench();
  bench.reconcile();
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24", "10.244.3.0/24"]);
  const { inSync, subnetFileWritten, peersWanted, peersProgrammed, repairs } = bench.keeper
    .status();
  assert.deepEqual([inSync, subnetFileWritten, peersWanted, peersProgrammed, repairs], [
    true,
    true,
    2,
    2,
    0,
  ]);
});

Deno.test("whoever uses the device hears when it was made anew", () => {
  using bench = new Bench();
  bench.reconcile();
  bench.reconcile();
  bench.kernel.state = { ...EMPTY_STATE };
  bench.reconcile();
  bench.kernel.state = { ...EMPTY_STATE };
  bench.kernel.refuse = ({ kind }) => kind === "link-add";
  bench.reconcile();
  assert.deepEqual(bench.made, [true, false, true, false]);
});

Deno.test("a host of which neither agent nor kernel answers is reached no more, but can be asked", () => {
  using bench = new Bench();
  bench.reconcile();
  bench.silent = claims(3).map(({ hostId }) => hostId);
  bench.reconcile();
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24", "10.244.3.0/32"]);
  assert.equal(bench.kernel.state.neighbours.length, 2);
  assert.equal(bench.kernel.state.forwarding.length, 2);
  bench.silent = [];
  bench.reconcile();
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24", "10.244.3.0/24"]);
  assert.equal(bench.keeper.status().repairs, 0, "nobody broke anything");
});

Deno.test("what somebody deletes is put back, counted as a repair and logged", () => {
  using bench = new Bench();
  bench.reconcile();
  bench.kernel.state = { ...bench.kernel.state, routes: [] };
  bench.reconcile();
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24", "10.244.3.0/24"]);
  assert.equal(bench.keeper.status().repairs, 3, "two peers' and the one for what nobody has");
  assert.match(bench.lines.join("\n"), /repaired what somebody changed.*changes=3/);
});

Deno.test("a peer that goes is removed, which is no repair", () => {
  using bench = new Bench();
  bench.reconcile();
  bench.others = claims(2);
  bench.reconcile();
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24"]);
  assert.equal(bench.keeper.status().repairs, 0);
});

/** Another place for the overlay's device, with room for less. */
const ELSEWHERE = {
  ...CONFIG,
  mtu: 1350,
  underlay: { device: "eth1", index: 9, address: "172.16.5.1", mtu: 1400 },
};

Deno.test("on another underlay the device is moved at once, with its peers, which is no repair", () => {
  using bench = new Bench();
  bench.reconcile();
  const { routes } = bench.kernel.state;
  bench.keeper.move(ELSEWHERE);
  const { link } = bench.kernel.state;
  assert(link !== null && isVxlanLink(link));
  assert.deepEqual([link.local, link.underlayIndex, link.mtu], ["172.16.5.1", 9, 1350]);
  assert.equal(bench.kernel.state.routes, routes);
  const { inSync, mtu, repairs } = bench.keeper.status();
  assert.deepEqual([inSync, mtu, repairs], [true, 1350, 0]);
});

Deno.test("a kernel that moves no devices gets a new one in the same pass, and is not asked again", () => {
  using bench = new Bench();
  bench.reconcile();
  bench.kernel.code = "EOPNOTSUPP";
  bench.kernel.refuse = ({ kind }) => kind === "link-move";
  bench.keeper.move(ELSEWHERE);
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24", "10.244.3.0/24"]);
  assert.equal(bench.keeper.status().inSync, true);
  bench.kernel.refuse = () => false;
  const { applied } = bench.kernel;
  bench.keeper.move(CONFIG);
  assert.equal(bench.kernel.applied, applied + 1);
  assert.equal(bench.keeper.status().inSync, true);
  assert.deepEqual(bench.lines, []);
});

Deno.test("without an underlay nothing is tried, and what the kernel took is made again without a repair", () => {
  using bench = new Bench();
  bench.reconcile();
  bench.want = "paused";
  bench.kernel.state = EMPTY_STATE;
  const { applied } = bench.kernel;
  bench.reconcile();
  assert.equal(bench.kernel.applied, applied);
  assert.deepEqual([bench.keeper.status().inSync, bench.removed], [false, 0]);
  bench.want = "up";
  bench.keeper.move(ELSEWHERE);
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24", "10.244.3.0/24"]);
  const { inSync, repairs } = bench.keeper.status();
  assert.deepEqual([inSync, repairs, bench.lines.length], [true, 0, 0]);
});

Deno.test("after a restart, peers of which nothing was heard yet are kept until settled", () => {
  using before = new Bench();
  before.reconcile();
  using bench = new Bench();
  bench.kernel.state = before.kernel.state;
  bench.settled = false;
  bench.others = claims(2);
  bench.reconcile();
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24", "10.244.3.0/24"]);
  bench.settled = true;
  bench.reconcile();
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24"]);
});

Deno.test("the old subnet of a peer that changes it goes at once, also soon after a start", () => {
  using bench = new Bench();
  bench.settled = false;
  bench.reconcile();
  bench.others = [...claims(2), claim(3, { subnet: "10.244.9.0/24" })];
  bench.reconcile();
  assert.deepEqual(bench.destinations(), ["10.244.2.0/24", "10.244.9.0/24"]);
});

Deno.test("a refused change keeps the host from being ready, is said once, and is retried", () => {
  using bench = new Bench();
  bench.kernel.refuse = (operation) =>
    operation.kind === "route-add" && operation.route.destination === "10.244.3.0/24";
  bench.reconcile();
  bench.reconcile();
  const { inSync, peersWanted, peersProgrammed, lastError } = bench.keeper.status();
  assert.deepEqual([inSync, peersWanted, peersProgrammed], [false, 2, 1]);
  assert.match(lastError ?? "", /10\.244\.3\.0\/24.*Not permitted/);
  assert.equal(bench.written, 0);
  assert.equal(bench.lines.length, 1);
  bench.kernel.refuse = () => false;
  bench.reconcile();
  assert.equal(bench.keeper.status().lastError, null);
  assert.equal(bench.written, 1);
});

Deno.test("a device that is refused and whose traces are told by the kernel is tried once a second", () => {
  using bench = new Bench();
  bench.keeper.start();
  bench.kernel.refuse = (operation) => operation.kind === "link-add";
  let attempt = 0;
  bench.kernel.message = () => `link set dev ${++attempt}: Address already in use`;
  bench.reconcile();
  for (let told = 0; told < 50; told++) {
    bench.nowMs += 10;
    bench.kernel.notify();
  }
  assert.equal(bench.kernel.applied, 1);
  bench.nowMs += 500;
  bench.kernel.notify();
  assert.equal(bench.kernel.applied, 2);
  assert.equal(bench.lines.length, 1, "said once, though each attempt has an index of its own");
  // What the claims want does not wait.
  bench.keeper.reconcileSoon();
  assert.equal(bench.kernel.applied, 3);
});

Deno.test("a kernel that cannot be read is an error in the status, not an end of the agent", () => {
  using bench = new Bench();
  bench.kernel.dump = () => {
    throw new Error("No buffer space available");
  };
  bench.reconcile();
  assert.match(bench.keeper.status().lastError ?? "", /No buffer space available/);
});

Deno.test("giving up the subnet takes the overlay and subnet.env away", () => {
  using bench = new Bench();
  bench.reconcile();
  bench.want = "down";
  bench.reconcile();
  assert.equal(bench.kernel.state.link, null);
  assert.deepEqual(bench.destinations(), []);
  assert.equal(bench.removed, 1);
  assert.equal(bench.keeper.status().inSync, false);
});

Deno.test("what the kernel refuses is not counted as repaired", () => {
  using bench = new Bench();
  bench.reconcile();
  bench.kernel.refuse = () => true;
  bench.kernel.state = { ...bench.kernel.state, routes: [] };
  bench.reconcile();
  assert.equal(bench.keeper.status().repairs, 0);
});

Deno.test("the kernel is compared more often while time alone may change what is wanted", () => {
  const { setTimeout } = globalThis;
  const delays: (number | undefined)[] = [];
  globalThis.setTimeout = Object.assign((_callback: () => void, delayMs?: number) => {
    delays.push(delayMs);
    return setTimeout(() => {}, 0);
  }, setTimeout);
  try {
    for (const settled of [false, true]) {
      using bench = new Bench();
      bench.settled = settled;
      bench.reconcile();
    }
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert.deepEqual(delays, [10_000, 30_000]);
});

Deno.test("what turned out to be another host's is taken down at once, and nothing is put back", () => {
  using bench = new Bench();
  bench.reconcile();
  assert.notEqual(bench.kernel.state.link, null);
  bench.keeper.takeDown(); // whatever the claims say
  assert.equal(bench.kernel.state.link, null);
  assert.deepEqual(bench.destinations(), []);
  assert.equal(bench.removed, 1);
  bench.kernel.notify();
  bench.reconcile();
  assert.equal(bench.kernel.state.link, null);
});

Deno.test("what cannot be taken down is said, and ends nothing", () => {
  using bench = new Bench();
  bench.reconcile();
  bench.kernel.refuse = () => true;
  bench.keeper.takeDown();
  assert.match(bench.lines.join("\n"), /the overlay is not as wanted/);
  bench.kernel.dump = () => {
    throw new Error("no buffer space");
  };
  bench.keeper.takeDown();
  assert.match(bench.lines.join("\n"), /no buffer space/);
});
