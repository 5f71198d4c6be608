/** The keeper of our table on a packet filter in memory: when it looks, what it repairs, what it says. */
import { strict as assert } from "node:assert";
import { Log } from "../../../mod/base/log.ts";
import {
  FirewallKeeper,
  type FirewallStatus,
  type FirewallWish,
} from "../../../mod/agent/firewall_keeper.ts";
import type { FirewallState, ForeignTable } from "../../../mod/base/firewall_objects.ts";
import { FACTS, FIREWALL, ModelFirewall, wantedTable } from "../../support/firewall.ts";

/** Far enough in the future that nothing of the past is due. */
const BEGAN_MS = 1_000_000;

class Stage {
  readonly firewall = new ModelFirewall();
  readonly said: string[] = [];
  nowMs = BEGAN_MS;
  wish: FirewallWish = { want: "up", facts: [FACTS.ip], settled: true };
  opens = 0;
  mayOpen = true;
  #timers: { atMs: number; callback: () => void }[] = [];
  readonly keeper = new FirewallKeeper(FIREWALL, {
    open: () => {
      this.opens++;
      if (!this.mayOpen) throw new Error("Protocol not supported");
      return this.firewall;
    },
    log: new Log({
      level: "info",
      format: "text",
      write: (line) => void this.said.push(line),
      now: () => "",
    }),
    nowMs: () => this.nowMs,
    startTimer: (callback, delayMs) => {
      const timer = { atMs: this.nowMs + delayMs, callback };
      this.#timers.push(timer);
      return () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      };
    },
    wish: () => this.wish,
    overlayDevice: () => "flannel.1",
  });

  /** Time passes; timers fire as they are due. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= endMs)
        .sort((one, other) => one.atMs - other.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== due);
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.callback();
    }
    this.nowMs = endMs;
  }

  get status(): FirewallStatus {
    return this.keeper.status();
  }

  codes(): string[] {
    return this.status.problems.map(({ code }) => code);
  }
}

const WANTED: FirewallState = { kind: "ours", table: wantedTable("ip") };

Deno.test("the first comparison makes the table, the next ones find nothing to do", () => {
  const stage = new Stage();
  stage.keeper.reconcileSoon();
  assert.equal(stage.opens, 0, "not in the same turn");
  stage.pass(0);
  assert.deepEqual(stage.firewall.states.get("ip"), WANTED);
  stage.pass(600_000);
  assert.equal(stage.firewall.applied.length, 1);
  assert.deepEqual({ ...stage.status, problems: [] }, {
    inSync: true,
    masquerade: true,
    guard: true,
    members: 2,
    strangers: 0,
    repairs: 0,
    lastError: null,
    problems: [],
  });
});

Deno.test("what somebody else does to the table is undone within a tenth of a second, and counted", () => {
  const stage = new Stage();
  stage.keeper.reconcileNow();
  stage.pass(5_000);
  stage.firewall.tamper("ip");
  stage.pass(100);
  assert.deepEqual(stage.firewall.states.get("ip"), WANTED);
  assert.equal(stage.status.repairs, 1);
  assert.match(stage.said.at(-1) ?? "", /somebody changed gossamer's table/);
});

Deno.test("what nobody told of is found by the timer", () => {
  const stage = new Stage();
  stage.keeper.reconcileNow();
  stage.firewall.states.delete("ip");
  stage.pass(30_000);
  assert.deepEqual(stage.firewall.states.get("ip"), WANTED);
  assert.equal(stage.status.repairs, 1);
});

Deno.test("whoever undoes every repair at once does not keep us busy", () => {
  const stage = new Stage();
  stage.keeper.reconcileNow();
  for (let turn = 0; turn < 1_000; turn++) {
    stage.firewall.tamper("ip");
    stage.pass(1);
  }
  assert.ok(stage.status.repairs <= 11, `${stage.status.repairs} repairs in a second`);
  assert.ok(stage.status.repairs >= 5);
});

Deno.test("another wish is no repair", () => {
  const stage = new Stage();
  stage.keeper.reconcileNow();
  const facts = [{ ...FACTS.ip, members: ["192.168.100.77"] }];
  stage.wish = { want: "up", facts, settled: true };
  stage.keeper.reconcileSoon();
  assert.equal(stage.status.members, 1, "at once");
  assert.equal(stage.status.repairs, 0);
});

Deno.test("both families, or one of them no more", () => {
  const stage = new Stage();
  stage.wish = { want: "up", facts: [FACTS.ip, FACTS.ip6], settled: true };
  stage.keeper.reconcileNow();
  assert.deepEqual([...stage.firewall.states.keys()], ["ip", "ip6"]);
  assert.equal(stage.keeper.isReadyFor(FACTS.ip6.subnet), true);
  stage.wish = { want: "up", facts: [FACTS.ip], settled: true };
  stage.keeper.reconcileNow();
  assert.deepEqual([...stage.firewall.states.keys()], ["ip"]);
});

Deno.test("a table of the other family that an earlier run left goes at the first look", () => {
  const stage = new Stage();
  stage.firewall.states.set("ip6", { kind: "ours", table: wantedTable("ip6") });
  stage.keeper.reconcileNow();
  assert.deepEqual([...stage.firewall.states.keys()], ["ip"]);
});

Deno.test("until a subnet is held nothing is touched, and when it is given up the table goes", () => {
  const stage = new Stage();
  stage.firewall.states.set("ip", WANTED);
  for (const want of ["unchanged", "down"] as const) {
    stage.wish = { want };
    stage.keeper.reconcileNow();
    assert.equal(stage.opens, 0);
  }
  stage.wish = { want: "up", facts: [FACTS.ip], settled: true };
  stage.keeper.reconcileNow();
  stage.wish = { want: "down" };
  stage.keeper.reconcileNow();
  assert.deepEqual([...stage.firewall.states.keys()], []);
});

Deno.test("a subnet that is another's is taken down at once, and nothing is kept any more", () => {
  const stage = new Stage();
  stage.firewall.states.set("ip", WANTED);
  stage.keeper.takeDown();
  assert.deepEqual([...stage.firewall.states.keys()], []);
  assert.equal(stage.firewall.closed, 1);
  stage.keeper.reconcileNow();
  stage.pass(600_000);
  assert.deepEqual([...stage.firewall.states.keys()], []);
});

Deno.test("containers may start when their subnet is masqueraded, not before", () => {
  const stage = new Stage();
  assert.equal(stage.keeper.isReadyFor(FACTS.ip.subnet), false);
  stage.keeper.reconcileNow();
  assert.equal(stage.keeper.isReadyFor(FACTS.ip.subnet), true);
  assert.equal(stage.keeper.isReadyFor("10.244.8.0/24"), false);
});

Deno.test("what the kernel refuses is said once, tried each second, and over when it works", () => {
  const stage = new Stage();
  stage.mayOpen = false;
  stage.keeper.reconcileNow();
  stage.pass(10_000);
  assert.ok(stage.opens >= 10 && stage.opens <= 12, `${stage.opens} attempts`);
  assert.equal(stage.said.length, 1);
  assert.deepEqual(stage.codes(), ["nftables"]);
  assert.match(stage.status.problems[0]?.remedy ?? "", /CONFIG_NF_TABLES/);
  stage.mayOpen = true;
  stage.pass(1_000);
  assert.deepEqual(stage.codes(), []);
  assert.equal(stage.status.lastError, null);
  assert.equal(stage.status.inSync, true);
});

Deno.test("a table that changes while it is compared is looked at again at once", () => {
  const stage = new Stage();
  stage.firewall.faults.push(new Error("changed"));
  stage.keeper.reconcileNow();
  assert.deepEqual(stage.firewall.states.get("ip"), WANTED);
  assert.deepEqual(stage.codes(), []);
});

Deno.test("a table of our name that somebody else made is an error, and left alone", () => {
  const stage = new Stage();
  stage.firewall.states.set("ip", { kind: "foreign" });
  stage.keeper.reconcileNow();
  assert.deepEqual(stage.codes(), ["foreign-table"]);
  assert.equal(stage.status.inSync, false);
  assert.deepEqual(stage.firewall.applied, []);
});

Deno.test("packets of strangers are a problem for ten minutes after the last one", () => {
  const stage = new Stage();
  stage.keeper.reconcileNow();
  const table = wantedTable("ip");
  const chains = table.chains.map((chain) => ({
    ...chain,
    rules: chain.rules.map((rule) => rule.counted === null ? rule : { ...rule, counted: 3 }),
  }));
  stage.firewall.states.set("ip", { kind: "ours", table: { ...table, chains } });
  stage.pass(30_000);
  assert.equal(stage.status.strangers, 3);
  assert.deepEqual(stage.codes(), []); // it may be a member that is not heard of yet
  stage.pass(5_000);
  assert.deepEqual(stage.codes(), ["vxlan-strangers"]);
  assert.match(stage.status.problems[0]?.text ?? "", /: 3 so far/);
  stage.pass(600_000);
  assert.deepEqual(stage.codes(), []);
});

Deno.test("what was dropped of a member before it was heard of makes it no stranger", () => {
  const stage = new Stage();
  stage.keeper.reconcileNow();
  const table = wantedTable("ip");
  const chains = table.chains.map((chain) => ({
    ...chain,
    rules: chain.rules.map((rule) => rule.counted === null ? rule : { ...rule, counted: 3 }),
  }));
  stage.firewall.states.set("ip", { kind: "ours", table: { ...table, chains } });
  stage.pass(1_000);
  stage.keeper.reconcileNow();
  assert.equal(stage.status.strangers, 3);
  assert.deepEqual(stage.codes(), []);
});

const DOCKER: ForeignTable = {
  family: "ip",
  name: "filter",
  chains: [
    { name: "FORWARD", base: { priority: 0, policy: "drop" }, rules: [] },
    { name: "DOCKER-USER", base: null, rules: [] },
  ],
};

Deno.test("drops by others are found two seconds after a change, said once, and gone when they are", () => {
  const stage = new Stage();
  stage.keeper.reconcileNow();
  stage.pass(5_000);
  stage.firewall.foreign = [DOCKER];
  stage.firewall.tamper(null);
  stage.pass(1_999);
  assert.deepEqual(stage.codes(), []);
  stage.pass(1);
  assert.deepEqual(stage.codes(), ["forward-drop"]);
  assert.match(
    stage.status.problems[0]?.remedy ?? "",
    /iptables -I DOCKER-USER -s 10\.244\.0\.0\/16/,
  );
  stage.pass(120_000);
  assert.equal(stage.said.length, 1);
  stage.firewall.foreign = [];
  stage.pass(30_000);
  assert.deepEqual(stage.codes(), []);
});

Deno.test("others that change their rules all the time are looked at every two seconds", () => {
  const stage = new Stage();
  stage.keeper.reconcileNow();
  for (let turn = 0; turn < 1_000; turn++) {
    stage.firewall.tamper(null);
    stage.pass(10);
  }
  assert.ok(stage.firewall.looksAtOthers <= 6, `${stage.firewall.looksAtOthers} looks in 10 s`);
  assert.ok(stage.firewall.looksAtOthers >= 4);
});
