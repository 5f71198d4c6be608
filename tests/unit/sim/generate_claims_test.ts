/** Random schedules of whole hosts: every kind of fault is drawn, every schedule can be written and read. */
import assert from "node:assert/strict";
import { ClaimReport } from "../../../mod/sim/claim_report.ts";
import { claimHosts } from "../../../mod/sim/campaign.ts";
import { EXPECTED_OUTCOMES } from "../../../mod/sim/claim_outcomes.ts";
import { formedClaims } from "../../../mod/sim/formed_claims.ts";
import { runSchedule } from "../../../mod/sim/run.ts";
import type { Fault } from "../../../mod/sim/fault.ts";
import { generateClaims } from "../../../mod/sim/generate_claims.ts";
import { formatSchedule, parseSchedule } from "../../../mod/sim/schedule.ts";

/** All of them: the compiler finds one that is missing. */
const KINDS: Readonly<Record<Fault["kind"], true>> = {
  kill: true,
  boot: true,
  reinstall: true,
  replace: true,
  pause: true,
  resume: true,
  freeze: true,
  thaw: true,
  jump: true,
  drift: true,
  leave: true,
  join: true,
  forget: true,
  disk: true,
  "slow-disk": true,
  release: true,
  wipe: true,
  rollback: true,
  clone: true,
  move: true,
  swap: true,
  flood: true,
  garbage: true,
  pool: true,
  partition: true,
  cut: true,
  mend: true,
  link: true,
  network: true,
  heal: true,
};

Deno.test("every kind of fault is drawn within 300 seeds", () => {
  const drawn = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) {
    for (const { fault } of generateClaims(seed, { hosts: 5 }).faults) drawn.add(fault.kind);
  }
  assert.deepEqual([...drawn].sort(), Object.keys(KINDS).sort());
});

Deno.test("a schedule of whole hosts is the same after it was written and read", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const schedule = generateClaims(seed, { hosts: 3 + seed % 9 });
    assert.deepEqual(parseSchedule(formatSchedule(schedule)), schedule);
  }
});

Deno.test("a setup line that makes no sense is refused with its reason", () => {
  assert.throws(() => parseSchedule("claims 1\npool 10.9.0.0/30 24"), /Scenario line "pool/);
  assert.throws(() => parseSchedule("host 3 pin=10.9.0.16/28"), /is not a host/);
  assert.throws(() => parseSchedule("host h3 colour=red"), /a host has no "colour"/);
});

Deno.test("most runs of a campaign have few hosts, some many", () => {
  const sizes = Array.from({ length: 2000 }, (_, seed) => claimHosts(seed + 1));
  assert.equal(sizes.filter((hosts) => hosts === 200).length, 1);
  assert.ok(sizes.filter((hosts) => hosts >= 20 && hosts <= 60).length >= 30);
  assert.ok(sizes.filter((hosts) => hosts <= 12).length > 1900);
});

Deno.test("a report sums up what runs covered, and how long things took", () => {
  const report = new ClaimReport();
  report.add({ "fault kill": 2 }, { wait: [1, 5] });
  report.add({ "fault kill": 1, "stage held": 1 }, { wait: [2000] });
  assert.equal(report.times("fault kill"), 3);
  assert.equal(report.at("wait", 0.5), 5);
  assert.match(report.text(), /wait: 3 times, 5.0 \(half\), 2.00 s \(99 %\)/);
  assert.match(report.text(), /fault kill 3; stage held 1/);
});

Deno.test("a campaign says what it should have shown and did not", () => {
  const report = new ClaimReport();
  assert.deepEqual(report.missing(), EXPECTED_OUTCOMES);
  report.add(Object.fromEntries(EXPECTED_OUTCOMES.map((what) => [what, 1])), {});
  assert.deepEqual(report.missing(), []);
  report.add({ "fault of another kind": 1 }, {});
  assert.deepEqual(report.missing(), []);
});

Deno.test("all that a fault can be is expected to occur", () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 400; seed++) {
    for (const { fault } of generateClaims(seed, { hosts: 5 }).faults) kinds.add(fault.kind);
  }
  for (const kind of kinds) assert.ok(EXPECTED_OUTCOMES.includes(`fault ${kind}`), kind);
});

Deno.test("a formed cluster holds its subnets from its first step, and announces nothing", () => {
  const { failure, coverage, measures } = runSchedule(parseSchedule("hosts 9\nclaims formed"));
  assert.equal(failure, null);
  assert.deepEqual(coverage, { "S3 looked at": 9, "stage held": 9 });
  // No record is on its way for any time, and none is written.
  assert.deepEqual(
    Object.entries(measures ?? {}).map(([what, values]) => [what, Math.max(...values)]),
    [
      ["L2 record known to all, calm", 0],
    ],
  );
});

Deno.test("a schedule of a formed cluster is the same after it was written and read", () => {
  const schedule = formedClaims(2, { hosts: 100 });
  assert.equal(schedule.claims.formed, true);
  assert.deepEqual(parseSchedule(formatSchedule(schedule)), schedule);
});

Deno.test("a formed cluster takes in newcomers, and runs the same again", () => {
  const text =
    "hosts 12\nclaims formed\nhost h12 later=1\n2000 boot h12\n3000 kill h4\n9000 boot h4";
  const { failure, coverage, fingerprint } = runSchedule(parseSchedule(text));
  assert.equal(failure, null);
  assert.equal(coverage?.["stage tentative"], 1);
  assert.equal(coverage?.["stage held"], 11 + 1 + 1);
  assert.equal(runSchedule(parseSchedule(text)).fingerprint, fingerprint);
});
