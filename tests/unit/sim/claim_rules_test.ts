/** Each rule of claims notices what it forbids: told of hosts that are made up, one step after another. */
import assert from "node:assert/strict";
import type { Core, Input } from "../../../mod/base/core.ts";
import { makePool } from "../../../mod/address/pool.ts";
import type {
  ClaimSnapshot,
  HostCommand,
  HostEvent,
  HostSnapshot,
} from "../../../mod/claim/host_core.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { HostCluster, type SimulatedHost } from "../../../mod/sim/host_cluster.ts";
import { InvariantError } from "../../../mod/sim/invariant_error.ts";
import { ClaimInvariants, type InvariantParts } from "../../../mod/sim/invariants.ts";
import { NOWHERE } from "../../../mod/sim/nowhere.ts";

const X = "10.9.0.16/28";
const Y = "10.9.0.32/28";
const HOUR_MS = 3_600_000;
const WRITTEN: Input<HostCommand> = { kind: "persisted", id: 1 };
const NEWS: Input<HostCommand> = {
  kind: "packet",
  from: "10.0.0.9:7947",
  bytes: new Uint8Array(),
};

/** Two real hosts that hold subnets of a pool of seven, and the rules that look at what they are said to be. */
class Stage {
  readonly hosts: HostCluster;
  readonly invariants: ClaimInvariants;
  readonly one: SimulatedHost;
  readonly other: SimulatedHost;
  #nowMs = 0;

  constructor(parts: InvariantParts = {}) {
    const pool = makePool({ network: "10.9.0.0/25", subnetLength: 28 });
    this.hosts = new HostCluster({ seed: 1, pool });
    const [one, other] = this.hosts.grow(2);
    this.hosts.cluster.runFor(5_000);
    assert.ok(one !== undefined && other !== undefined);
    this.one = one;
    this.other = other;
    this.#nowMs = this.hosts.cluster.nowMs;
    this.invariants = new ClaimInvariants({ poolOf: () => pool, ...parts });
  }

  /** The record of a host as it really is. */
  record(host: SimulatedHost): ClaimRecord {
    const { record } = snapshotOf(host).claim;
    assert.ok(record !== null);
    return record;
  }

  /** Lets a host be what it really is, but for that, and make a step. */
  say(host: SimulatedHost, claim: Partial<ClaimSnapshot>, input = WRITTEN, laterMs = 1): void {
    this.#nowMs += laterMs;
    const { core } = host;
    assert.ok(core !== null);
    const real = snapshotOf(host);
    host.core = fakeCore({ ...real, claim: { ...real.claim, ...claim } }, core);
    this.invariants.check(this.#nowMs, this.hosts.cluster.hosts, host, input);
  }
}

const reals = new WeakMap<SimulatedHost, HostSnapshot>();

function snapshotOf(host: SimulatedHost): HostSnapshot {
  const real = reals.get(host) ?? host.snapshot();
  reals.set(host, real);
  return real;
}

function fakeCore(
  snapshot: HostSnapshot,
  core: Core<HostCommand, HostEvent, HostSnapshot>,
): Core<HostCommand, HostEvent, HostSnapshot> {
  return {
    step: (nowMs, input) => core.step(nowMs, input),
    wakeAtMs: () => core.wakeAtMs(),
    snapshot: () => snapshot,
  };
}

function breaks(rule: string, act: () => void): void {
  assert.throws(act, (error) => error instanceof InvariantError && error.rule === rule);
}

Deno.test("two hosts as they are break no rule", () => {
  const stage = new Stage();
  stage.say(stage.one, {});
  stage.say(stage.other, {});
  stage.invariants.checkQuiescent(stage.hosts.cluster.hosts);
});

Deno.test("S0: another record under the same number is noticed", () => {
  const stage = new Stage();
  const record = stage.record(stage.one);
  stage.say(stage.one, {});
  breaks("S0", () => stage.say(stage.other, { records: [{ ...record, stamp: 99 }] }));
});

Deno.test("what no disk has taken is noticed wherever it is known", () => {
  const stage = new Stage();
  const record = stage.record(stage.one);
  breaks("persisted before announced", () => {
    stage.say(stage.other, { records: [{ ...record, sequence: record.sequence + 1 }] });
  });
});

Deno.test("S3: two holders of one subnet are noticed, and excused when the network was not whole", () => {
  const stage = new Stage();
  stage.say(stage.one, {});
  const { subnet } = stage.record(stage.one);
  breaks("S3", () => stage.say(stage.other, { subnet }));
  const excused = new Stage();
  excused.invariants.allowDoubles = true;
  excused.say(excused.one, {});
  excused.say(excused.other, { subnet });
});

Deno.test("S5: a yield to nobody is noticed", () => {
  const stage = new Stage();
  stage.say(stage.one, {});
  breaks("S5", () => stage.say(stage.one, { state: "yielding" }));
});

Deno.test("S5: a pin to another host is a reason to yield, one to the host itself is none", () => {
  const stage = new Stage();
  const { subnet } = stage.record(stage.one);
  const yielding = (host: SimulatedHost): Partial<ClaimSnapshot> => ({
    state: "yielding",
    poolRecord: {
      version: 2,
      base: "00".repeat(8),
      added: [],
      reserved: [],
      pins: [{ hostId: stage.record(host).hostId, subnet }],
    },
  });
  stage.say(stage.one, {});
  stage.say(stage.one, yielding(stage.other));
  stage.say(stage.one, {});
  breaks("S5", () => stage.say(stage.one, yielding(stage.one)));
});

Deno.test("S6: a fence that falls, and a holder that stays below it, are noticed", () => {
  const stage = new Stage();
  const own = stage.record(stage.one);
  const theirs = stage.record(stage.other);
  stage.say(stage.one, { fenceSize: 5 });
  breaks("S6", () => stage.say(stage.one, { fenceSize: 4, records: [own, theirs] }));
  const below = new Stage();
  const rival = { ...below.record(below.other), subnet: own.subnet, epoch: own.epoch + 1 };
  below.invariants.allowRollbacks = true;
  below.say(below.one, { records: sorted(own, rival) });
  breaks("S6", () => below.say(below.one, { records: sorted(own, rival) }, WRITTEN, 11_000));
});

Deno.test("S7: a claim that is not held is noticed where it is routed, and where it is said to be held", () => {
  const stage = new Stage();
  const record = stage.record(stage.one);
  const asked = { ...record, state: "tentative" as const };
  breaks("S7", () => stage.say(stage.one, { owners: [asked] }));
  breaks("S7", () => new Stage().say(stage.one, { record: asked }));
});

Deno.test("S2, S4: two subnets of a host, and two next hops for a subnet, are noticed", () => {
  const stage = new Stage();
  const one = stage.record(stage.one);
  const other = stage.record(stage.other);
  breaks("S2", () => stage.say(stage.one, { owners: [one, { ...one, subnet: X }] }));
  breaks("S4", () => stage.say(stage.one, { owners: [one, { ...other, subnet: one.subnet }] }));
});

Deno.test("S8: asking for a subnet that rests while another is free is noticed", () => {
  const stage = new Stage();
  const theirs = stage.record(stage.other);
  const released = { ...theirs, state: "released" as const, subnet: X };
  const sinceByHost = new Map([[theirs.hostId, 0]]);
  stage.invariants.allowRollbacks = true;
  breaks("S8", () => {
    stage.say(stage.one, { state: "tentative", subnet: X, records: [released], sinceByHost });
  });
  const excused = new Stage({ isPinned: () => true });
  excused.invariants.allowRollbacks = true;
  excused.say(excused.one, { state: "tentative", subnet: X, records: [released], sinceByHost });
});

Deno.test("S10: an older claim, a claim that is gone, and a route below the fence are noticed", () => {
  const stage = new Stage();
  const own = stage.record(stage.one);
  const theirs = stage.record(stage.other);
  const records = sorted(own, theirs);
  stage.say(stage.one, { records });
  breaks("S10", () => stage.say(stage.one, { records: [own] }));
  const back = new Stage();
  back.say(back.one, { records });
  const older = { ...theirs, sequence: theirs.sequence - 1 };
  breaks("S10", () => back.say(back.one, { records: sorted(own, older) }));
  const low = new Stage();
  breaks("S10", () => low.say(low.one, { fenceOf: () => 99, owners: [...records] }));
});

Deno.test("S10: what counts for nothing may go after 24 hours, not before", () => {
  for (const [ageMs, isFine] of [[25 * HOUR_MS, true], [23 * HOUR_MS, false]] as const) {
    const stage = new Stage();
    const own = stage.record(stage.one);
    const gone = { ...stage.record(stage.other), state: "released" as const };
    stage.invariants.allowRollbacks = true;
    const voidSinceByHost = new Map([[gone.hostId, stage.one.clock.read(1000) - ageMs]]);
    stage.say(stage.one, { records: sorted(own, gone), voidSinceByHost });
    const forget = () => stage.say(stage.one, { records: [own] });
    if (isFine) forget();
    else breaks("S10", forget);
  }
});

Deno.test("S11: a holder's rank that falls is noticed", () => {
  const stage = new Stage();
  const record = stage.record(stage.one);
  stage.say(stage.one, {});
  breaks("S11", () => {
    stage.say(stage.one, { record: { ...record, strength: 0 }, owners: [] });
  });
});

Deno.test("S12: an own record that changes on a message is noticed", () => {
  const stage = new Stage();
  const record = stage.record(stage.one);
  stage.say(stage.one, {});
  breaks("S12", () => stage.say(stage.one, { record: { ...record, strength: 6 } }, NEWS));
});

Deno.test("S13: noise that is believed is noticed", () => {
  const stage = new Stage();
  const record = stage.record(stage.other);
  stage.invariants.allowRollbacks = true;
  stage.say(stage.one, { records: [] });
  const noise: Input<HostCommand> = { kind: "packet", from: NOWHERE, bytes: new Uint8Array() };
  breaks("S13", () => stage.say(stage.one, { records: [{ ...record, subnet: Y }] }, noise));
});

Deno.test("a route that changes to and fro while two hold its subnet is noticed", () => {
  const stage = new Stage();
  stage.invariants.allowRollbacks = true;
  const one = { ...stage.record(stage.one), subnet: X };
  const other = { ...stage.record(stage.other), subnet: X };
  const later = { ...other, sequence: other.sequence + 1 };
  const latest = { ...other, sequence: other.sequence + 2 };
  const fenceOf = () => 0;
  const held = { state: "held" as const, fenceOf };
  stage.say(stage.one, { ...held, records: [one], owners: [one] });
  stage.say(stage.one, { ...held, records: sorted(one, other), owners: [one] });
  stage.say(stage.one, { ...held, records: sorted(one, later), owners: [other] });
  breaks("route changes", () => {
    stage.say(stage.one, { ...held, records: sorted(one, latest), owners: [one] });
  });
});

function sorted(...records: ClaimRecord[]): ClaimRecord[] {
  return records.sort((one, other) => one.hostId < other.hostId ? -1 : 1);
}
