/** The keeper and time: plans that take long, kernels that change meanwhile, answers that are lost. */
import assert from "node:assert/strict";
import { ERRNO } from "../../../ffi/errno.ts";
import { NetlinkError } from "../../../ffi/netlink/error.ts";
import { OverlayKeeper } from "../../../mod/agent/overlay_keeper.ts";
import type { Operation, OperationFailure } from "../../../mod/base/kernel_objects.ts";
import { Log } from "../../../mod/base/log.ts";
import { ModelKernel } from "../../support/model_kernel.ts";
import { claims, CONFIG, DEVICE, OWN } from "../../support/overlay.ts";

/** A kernel that takes its time over long plans, and refuses or loses what the test tells it to. */
class SlowKernel extends ModelKernel {
  looks = 0;
  atOnce = 0;
  refuse: (operation: Operation) => string | null = () => null;
  losesAnswers = false;
  #finish: (() => void) | null = null;

  override dump(device = DEVICE) {
    if (device === DEVICE) this.looks++; // and not at what another backend left
    if (this.losesAnswers) throw new NetlinkError("route show", ERRNO.ENOBUFS);
    return super.dump();
  }

  override apply(plan: readonly Operation[]): OperationFailure[] {
    this.atOnce++;
    return this.#apply(plan);
  }

  override async applyLater(
    plan: readonly Operation[],
    isCancelled: () => boolean = () => false,
  ): Promise<OperationFailure[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#finish = resolve;
    await promise;
    return isCancelled() ? [] : this.#apply(plan);
  }

  #apply(plan: readonly Operation[]): OperationFailure[] {
    const failures: OperationFailure[] = [];
    for (const operation of plan) {
      const code = this.refuse(operation);
      if (code === null) failures.push(...super.apply([operation]));
      else failures.push({ operation, code, message: "so it is" });
    }
    return failures;
  }

  /** The long plan is done; settles when the keeper knows. */
  async finish(): Promise<void> {
    assert(this.#finish !== null, "a long plan is under way");
    this.#finish();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

class Bench {
  readonly kernel = new SlowKernel(DEVICE);
  readonly lines: string[] = [];
  others = claims(...Array.from({ length: 150 }, (_, index) => index + 2));
  written = 0;
  nowMs = 0;
  readonly keeper = new OverlayKeeper(CONFIG, {
    kernel: this.kernel,
    log: new Log({
      level: "error",
      format: "text",
      write: (line) => void this.lines.push(line),
      now: () => "2026-01-01T00:00:00.000Z",
    }),
    atOnceMax: 300,
    nowMs: () => this.nowMs,
    wish: () => ({
      want: "up",
      own: OWN,
      owners: [OWN, ...this.others],
      records: [OWN, ...this.others],
      settled: true,
      silent: new Set(),
    }),
    up: () => {
      this.written++;
      return true;
    },
    down: () => {},
  });

  [Symbol.dispose](): void {
    this.keeper.stop();
  }
}

Deno.test("a long plan keeps nobody waiting, and subnet.env comes when it is done", async () => {
  using bench = new Bench();
  bench.keeper.reconcileSoon();
  assert.deepEqual([bench.keeper.status().inSync, bench.written, bench.kernel.atOnce], [
    false,
    0,
    0,
  ]);
  await bench.kernel.finish();
  const { inSync, peersProgrammed, looksRepeated } = bench.keeper.status();
  assert.deepEqual([inSync, peersProgrammed, looksRepeated, bench.written], [true, 150, 0, 1]);
  assert.equal(bench.kernel.looks, 1);
});

Deno.test("what changes while a long plan is applied is looked into at its end, and not before", async () => {
  using bench = new Bench();
  bench.keeper.reconcileSoon();
  bench.others = bench.others.slice(0, 149);
  bench.nowMs += 60_000;
  bench.keeper.reconcileSoon();
  bench.keeper.reconcileSoon();
  assert.equal(bench.kernel.looks, 1);
  await bench.kernel.finish();
  const { inSync, peersProgrammed, looksRepeated } = bench.keeper.status();
  assert.deepEqual([inSync, peersProgrammed, looksRepeated], [true, 149, 1]);
  assert.deepEqual([bench.kernel.state.routes.length, bench.kernel.looks], [150, 2]);
});

Deno.test("whoever must act at once overtakes a long plan", async () => {
  using bench = new Bench();
  bench.keeper.reconcileSoon();
  const quiet = bench.keeper.quiet();
  await bench.kernel.finish();
  await quiet;
  assert.equal(bench.kernel.state.link, null, "what was left of the plan was left out");
  await bench.kernel.finish(); // of the look that followed
  assert.equal(bench.keeper.status().inSync, true);
});

Deno.test("a kernel that changed under our hands is looked at again at once and in silence", () => {
  using bench = new Bench();
  bench.others = claims(2, 3);
  let refusals = 0;
  bench.kernel.refuse = ({ kind }) => kind === "route-add" && refusals++ === 0 ? "EEXIST" : null;
  bench.keeper.reconcileSoon();
  const { inSync, looksRepeated } = bench.keeper.status();
  assert.deepEqual([inSync, looksRepeated, bench.lines, bench.kernel.looks], [true, 1, [], 2]);
});

for (const peers of [2, 150]) {
  Deno.test(`what is refused again is a fault, tried once a second (${peers} peers)`, async () => {
    using bench = new Bench();
    bench.others = bench.others.slice(0, peers);
    bench.kernel.refuse = ({ kind }) => kind === "route-add" ? "EBUSY" : null;
    bench.keeper.reconcileSoon();
    if (peers === 150) await bench.kernel.finish();
    assert.equal(bench.kernel.looks, peers === 150 ? 4 : 3, "no look more than that");
    const { inSync, lastError } = bench.keeper.status();
    assert.deepEqual([inSync, bench.lines.length], [false, 1]);
    assert.match(lastError ?? "", /so it is/);
  });
}

Deno.test("lost answers are followed by looks further and further apart, and told of in the end", () => {
  using bench = new Bench();
  bench.kernel.losesAnswers = true;
  const { setTimeout } = globalThis;
  const delays: number[] = [];
  let wake = () => {};
  globalThis.setTimeout = Object.assign((callback: () => void, delayMs = 0) => {
    delays.push(delayMs);
    wake = callback;
    return setTimeout(() => {}, 0);
  }, setTimeout);
  try {
    bench.keeper.reconcileSoon();
    for (let look = 1; look < 8; look++) {
      assert.equal(bench.lines.length, look < 5 ? 0 : 1);
      bench.nowMs += delays.at(-1) ?? 0;
      wake();
    }
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert.deepEqual(delays, [20, 40, 80, 160, 320, 640, 1000, 1000]);
  assert.equal(bench.keeper.status().looksRepeated, 8);
  assert.match(bench.keeper.status().lastError ?? "", /No buffer space available/);
});
