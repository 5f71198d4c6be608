/** Pings through the overlay: who is asked when, and who is silent. */
import assert from "node:assert/strict";
import { OverlayProbe, type ProbeSocket, SILENT_AFTER } from "../../../mod/agent/overlay_probe.ts";
import { ipv6HalfOf, makePool, type Pool } from "../../../mod/address/pool.ts";
import type { Ipv6Status } from "../../../mod/agent/overlay_ports.ts";
import { Log } from "../../../mod/base/log.ts";
import { claim } from "../../support/overlay.ts";
import { memberNumber, stagedSources } from "../../support/claim_sources.ts";

const DUAL_POOL: Pool = {
  ...makePool({ network: "10.244.0.0/16" }),
  ipv6: { cidr: "fd00:244::/56", subnetLength: 64 },
};
const IPV6: Ipv6Status = {
  network: "fd00:244::/56",
  device: "flannel-v6.1",
  mtu: 1430,
  inSync: true,
  peersWanted: 1,
  peersProgrammed: 1,
  repairs: 0,
  lastError: null,
};

/** A clock, a network in which everybody answers after 3 ms but for some, and the probe between them. */
class Field {
  nowMs = 0;
  readonly dead = new Set<string>();
  readonly asked: string[] = [];
  readonly perTick: number[] = [];
  isClosed = false;
  members = 0;
  /** Whose hosts have an IPv6 VTEP besides. */
  readonly dual = new Set<number>();
  #timer: { atMs: number; callback: () => void } | null = null;
  readonly probe: OverlayProbe;

  constructor(members: number) {
    this.members = members;
    this.probe = new OverlayProbe({
      snapshot: () => this.#sources().snapshot,
      overlay: () => ({
        ...this.#sources().overlay,
        paths: this.#paths(),
        ipv6: this.dual.has(1) ? IPV6 : null,
      }),
      log: new Log({ level: "error", format: "text", write: () => {}, now: () => "" }),
    }, {
      nowMs: () => this.nowMs,
      startTimer: (callback, delayMs) => {
        const timer = { atMs: this.nowMs + delayMs, callback };
        this.#timer = timer;
        return () => {
          if (this.#timer === timer) this.#timer = null;
        };
      },
      openEcho: () => this.#socket(),
    });
  }

  #socket(): ProbeSocket {
    let answers: { from: string; sequence: number }[] = [];
    return {
      send: (destination, sequence) => {
        this.asked.push(destination);
        if (!this.dead.has(destination)) answers.push({ from: destination, sequence });
        return true;
      },
      receive: () => {
        const received = answers;
        answers = [];
        return received;
      },
      arrival: (timeoutMs) => {
        this.nowMs += answers.length > 0 ? 3 : timeoutMs;
        return Promise.resolve();
      },
      close: () => {
        this.isClosed = true;
      },
    };
  }

  async runFor(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    while (this.#timer !== null && this.#timer.atMs <= endMs) {
      const { atMs, callback } = this.#timer;
      this.#timer = null;
      this.nowMs = Math.max(this.nowMs, atMs);
      const before = this.asked.length;
      callback();
      while (this.#timer === null && !this.isClosed) await Promise.resolve();
      this.perTick.push(this.asked.length - before);
    }
    this.nowMs = Math.max(this.nowMs, endMs);
  }

  addressOf(number: number): string {
    return claim(number).subnet.replace(/\/.*$/, "");
  }

  #paths() {
    return new Map(this.#numbers().map((number) => [claim(number).hostId, "vxlan" as const]));
  }

  #numbers(): number[] {
    return Array.from({ length: this.members }, (_, index) => index + 2);
  }

  #sources() {
    const numbers = this.#numbers();
    const records = [1, ...numbers].map((number) => {
      const record = claim(number);
      const vtep = { ...record.vtep, ipv6: `fd00::${number}` };
      return this.dual.has(number) ? { ...record, vtep } : record;
    });
    return stagedSources({
      records,
      members: [memberNumber(1), ...numbers.map((number) => memberNumber(number))],
      ...(this.dual.size === 0 ? {} : { claim: { pool: DUAL_POOL } }),
    });
  }
}

Deno.test("each peer is asked about every ten seconds, and this host never", async () => {
  const field = new Field(30);
  await field.runFor(60_000);
  for (let number = 2; number <= 31; number++) {
    const count = field.asked.filter((address) => address === field.addressOf(number)).length;
    assert(count >= 5 && count <= 7, `h${number} was asked ${count} times`);
  }
  assert(!field.asked.includes(field.addressOf(1)));
  const health = field.probe.overlayHealth();
  assert.equal(health.size, 30);
  assert([...health.values()].every(({ state, rttMs }) => state === "answers" && rttMs === 3));
  assert.deepEqual(field.probe.problems(), []);
});

Deno.test("many peers are asked in turn, no more than a few a second", async () => {
  const field = new Field(200);
  await field.runFor(30_000);
  assert.equal(Math.max(...field.perTick), 16);
  assert.equal(new Set(field.asked).size, 200);
});

Deno.test("a lost ping is repeated soon, and only several in a row make a peer silent", async () => {
  const field = new Field(3);
  await field.runFor(20_000);
  field.dead.add(field.addressOf(2));
  const silent = () => field.probe.overlayHealth().get(claim(2).hostId)?.state === "silent";
  let waitedMs = 0;
  for (; !silent() && waitedMs < 60_000; waitedMs += 500) await field.runFor(500);
  assert(waitedMs <= 10_000 + SILENT_AFTER * 3_000, `${waitedMs} ms`);
  const [problem] = field.probe.problems();
  assert.equal(problem?.code, "overlay-silent");
  assert.match(problem.text, /agents of h2 answer/);
  assert.match(problem.remedy, /gossamer ping h2/);
  // Others have their turns all the same.
  const before = field.asked.length;
  await field.runFor(20_000);
  assert(field.asked.slice(before).includes(field.addressOf(3)));
  field.dead.clear();
  await field.runFor(15_000);
  assert.deepEqual(field.probe.problems(), []);
});

Deno.test("whose way is whole again is not called silent for long, also among many", async () => {
  for (let wholeAfterMs = 60_000; wholeAfterMs < 70_000; wholeAfterMs += 1_000) {
    const field = new Field(100);
    await field.runFor(20_000);
    field.dead.add(field.addressOf(2));
    await field.runFor(wholeAfterMs);
    assert.equal(field.probe.problems().length, 1);
    field.dead.clear();
    await field.runFor(4_000);
    assert.deepEqual(field.probe.problems(), []);
  }
});

Deno.test("one lost ping says nothing", async () => {
  const field = new Field(1);
  await field.runFor(5_500);
  field.dead.add(field.addressOf(2));
  await field.runFor(5_000);
  field.dead.clear();
  await field.runFor(3_000);
  assert.equal(field.probe.overlayHealth().get(claim(2).hostId)?.state, "answers");
});

Deno.test("a peer that is gone is forgotten, and the end closes the socket", async () => {
  const field = new Field(2);
  await field.runFor(12_000);
  field.members = 1;
  field.probe.event({ kind: "owners-changed" });
  await field.runFor(6_000);
  assert.deepEqual([...field.probe.overlayHealth().keys()], [claim(2).hostId]);
  field.probe.close();
  assert(field.isClosed);
});

Deno.test("with dual stack each peer is asked by both families, where both hosts have both", async () => {
  const field = new Field(3);
  for (const number of [1, 2, 3]) field.dual.add(number);
  const halves = [2, 3].map((number) => ipv6HalfOf(DUAL_POOL, claim(number).subnet));
  const [half2 = "", half3 = ""] = halves.map((half) => half?.replace(/\/.*$/, ""));
  await field.runFor(20_000);
  const health = field.probe.overlayHealth();
  assert.deepEqual([...health.values()].map(({ state }) => state), Array(3).fill("answers"));
  assert.equal(health.get(claim(2).hostId)?.ipv6?.state, "answers");
  assert.equal(health.get(claim(4).hostId)?.ipv6, undefined);
  assert.equal(new Set(field.asked).size, 5);

  field.dead.add(half3);
  await field.runFor(40_000);
  const broken = field.probe.overlayHealth();
  assert.deepEqual(
    [broken.get(claim(3).hostId)?.state, broken.get(claim(3).hostId)?.ipv6?.state],
    ["answers", "silent"],
  );
  const [problem] = field.probe.problems();
  assert.match(problem?.text ?? "", /agents of h3 answer, but IPv6 pings through the overlay/);
  assert(field.asked.includes(half2));

  field.dual.delete(1); // this host's own half goes
  await field.runFor(15_000);
  assert.deepEqual(field.probe.problems(), []);
});
