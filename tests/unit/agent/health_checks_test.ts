/** The doctor's checks, repeated beside the agent: what they find is a problem as long as it lasts. */
import assert from "node:assert/strict";
import { HealthChecks } from "../../../mod/agent/health_checks.ts";
import { Log } from "../../../mod/base/log.ts";
import { conntrack } from "../../../mod/doctor/checks/conntrack.ts";
import type { DoctorHost } from "../../../mod/doctor/doctor_host.ts";
import { fakeHost } from "../../support/fake_doctor_host.ts";

class Beside {
  nowMs = 0;
  count = 65_536;
  opened = 0;
  closed = 0;
  tookMs = 0;
  mayOpen = true;
  readonly logged: string[] = [];
  timer: { atMs: number; callback: () => void } | null = null;
  readonly checks: HealthChecks;

  constructor() {
    const write = (line: string) => void this.logged.push(line);
    const log = new Log({ level: "warning", format: "text", write, now: () => "" });
    this.checks = new HealthChecks({ log }, {
      nowMs: () => this.nowMs,
      startTimer: (callback, delayMs) => {
        this.timer = { atMs: this.nowMs + delayMs, callback };
        return () => void (this.timer = null);
      },
      open: () => Promise.try(() => this.#open()),
      checks: () => Promise.resolve([conntrack]),
    });
  }

  #open(): DoctorHost & { close(): void } {
    if (!this.mayOpen) throw new Error("no socket");
    this.opened++;
    this.nowMs += this.tookMs;
    const host = fakeHost({}, {
      "net/netfilter/nf_conntrack_count": String(this.count),
      "net/netfilter/nf_conntrack_max": "65536",
    });
    return { ...host, close: () => void this.closed++ };
  }

  /** The next round; after how long it came. */
  async round(): Promise<number> {
    const { timer } = this;
    assert(timer !== null);
    const waitedMs = timer.atMs - this.nowMs;
    this.nowMs = timer.atMs;
    this.timer = null;
    timer.callback();
    while (this.timer === null) await new Promise((resolve) => setTimeout(resolve));
    return waitedMs;
  }
}

Deno.test("what is found is a problem until it is over, and is logged once", async () => {
  const beside = new Beside();
  assert.deepEqual(beside.checks.problems(), []);
  await beside.round();
  await beside.round();
  const [problem] = beside.checks.problems();
  assert.equal(problem?.code, "conntrack");
  assert.match(problem.text, /^65536 of 65536/);
  assert.equal(beside.logged.length, 1);
  beside.count = 3;
  await beside.round();
  assert.deepEqual(beside.checks.problems(), []);
  assert.equal(beside.opened, beside.closed);
});

Deno.test("the host is not looked at while the cluster forms, and the less often the longer it takes", async () => {
  const beside = new Beside();
  assert.equal(await beside.round(), 15_000);
  assert.equal(await beside.round(), 60_000);
  beside.tookMs = 200;
  await beside.round();
  assert.equal(await beside.round(), 200_000);
});

Deno.test("a host that cannot be looked at is looked at again, and the end is the end", async () => {
  const beside = new Beside();
  beside.mayOpen = false;
  await beside.round();
  assert.deepEqual(beside.checks.problems(), []);
  beside.mayOpen = true;
  await beside.round();
  assert.equal(beside.checks.problems().length, 1);
  beside.checks.close();
  assert.equal(beside.timer, null);
});
