/** The keeper of settings against a host in memory: what it sets, counts and says. */
import assert from "node:assert/strict";
import { SettingsKeeper } from "../../../mod/agent/settings_keeper.ts";
import type { HostSetting, HostSettings } from "../../../mod/base/host_setting.ts";
import { Log } from "../../../mod/base/log.ts";
import { desiredSettings } from "../../../mod/overlay/host_settings.ts";

const WANTED = desiredSettings([{ family: 4, device: "flannel.1", underlay: "eth0" }], false);

class Bench implements HostSettings {
  readonly lines: string[] = [];
  readonly keeper: SettingsKeeper;
  forward: string | null = "0";
  offload: string | null = "on";
  isReadOnly = false;
  writes = 0;

  constructor() {
    const write = (line: string) => void this.lines.push(line);
    this.keeper = new SettingsKeeper(
      this,
      new Log({ level: "info", format: "text", write, now: () => "2026-01-01T00:00:00.000Z" }),
    );
  }

  read({ kind }: HostSetting): string | null {
    return kind === "sysctl" ? this.forward : this.offload;
  }

  write({ kind, value }: HostSetting): void {
    this.writes++;
    if (this.isReadOnly) throw new Error("Read-only file system");
    if (kind === "sysctl") this.forward = value;
    else this.offload = value;
  }
}

Deno.test("the first time is no repair, the second is, and what is as wanted is not touched", () => {
  const bench = new Bench();
  bench.keeper.reconcile(WANTED);
  assert.deepEqual([bench.forward, bench.offload, bench.keeper.repairs], ["1", "off", 0]);
  bench.keeper.reconcile(WANTED);
  assert.equal(bench.writes, 2);
  bench.forward = "0";
  bench.keeper.reconcile(WANTED);
  assert.deepEqual([bench.forward, bench.keeper.repairs], ["1", 1]);
  assert.match(bench.lines.join("\n"), /repaired a setting.*net\.ipv4\.ip_forward=1.*before=0/);
});

Deno.test("what was as wanted from the start and is changed is a repair", () => {
  const bench = new Bench();
  bench.forward = "1";
  bench.keeper.reconcile(WANTED);
  bench.forward = "0";
  bench.keeper.reconcile(WANTED);
  assert.equal(bench.keeper.repairs, 1);
});

Deno.test("what cannot be set is a problem with its remedy, said once, until it is set", () => {
  const bench = new Bench();
  bench.isReadOnly = true;
  bench.keeper.reconcile(WANTED);
  bench.keeper.reconcile(WANTED);
  const codes = () => bench.keeper.problems.map(({ code }) => code);
  assert.deepEqual(codes(), ["ip-forward-off", "tx-checksum"]);
  assert.match(bench.keeper.problems[0]?.remedy ?? "", /sysctl -w net\.ipv4\.ip_forward=1/);
  assert.equal(bench.lines.length, 2);
  bench.forward = "1"; // the operator did it
  bench.keeper.reconcile(WANTED);
  assert.deepEqual(codes(), ["tx-checksum"]);
  bench.keeper.reconcile(desiredSettings([], true));
  assert.deepEqual([codes(), bench.keeper.repairs], [[], 0]);
});

Deno.test("where nothing can be read nothing is done", () => {
  const bench = new Bench();
  bench.forward = bench.offload = null;
  bench.keeper.reconcile(WANTED);
  assert.deepEqual([bench.writes, bench.keeper.problems], [0, []]);
});
