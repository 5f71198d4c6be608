/** Faults and schedules as text, drawn, shrunk, and shown. */
import assert from "node:assert/strict";
import { UserError } from "../../../mod/base/errors.ts";
import { hostsOf } from "../../../mod/sim/fault.ts";
import { formatFault, parseTimedFault } from "../../../mod/sim/fault_text.ts";
import { EPISODE_KINDS, generateSchedule } from "../../../mod/sim/generate.ts";
import { runMembership } from "../../../mod/sim/membership_run.ts";
import { reportFailure } from "../../../mod/sim/report.ts";
import { both } from "../../../mod/sim/run_observer.ts";
import { formatSchedule, parseSchedule, type Schedule } from "../../../mod/sim/schedule.ts";
import { Shadow } from "../../../mod/sim/shadow.ts";
import { shrinkSchedule } from "../../../mod/sim/shrink.ts";
import { Story } from "../../../mod/sim/story.ts";
import { Timeline } from "../../../mod/sim/timeline.ts";
import { timelineSvg } from "../../../mod/sim/timeline_svg.ts";
import { LAN_TIMINGS } from "../../../mod/swim/timings.ts";

Deno.test("a drawn schedule is the same after it was written and read", () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const schedule = generateSchedule(seed, { hosts: 7 });
    assert.deepEqual(parseSchedule(formatSchedule(schedule)), schedule);
    for (const { fault } of schedule.faults) kinds.add(fault.kind);
  }
  assert.ok(kinds.size >= 20, [...kinds].join(", ")); // of 22 there are: all kinds are drawn
  assert.ok(EPISODE_KINDS.length > 15);
});

Deno.test("faults name hosts that there are, in order of time", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const { faults } = generateSchedule(seed, { hosts: 3 });
    let lastMs = 0;
    for (const { atMs, fault } of faults) {
      assert.ok(atMs >= lastMs);
      lastMs = atMs;
      for (const host of hostsOf(fault)) assert.match(host, /^h[123]$/);
    }
  }
});

for (
  const [line, reason] of [
    ["12000 explode h3", /there is no fault "explode"/],
    ["soon kill h3", /"soon" is not a number/],
    ["12000 kill 3", /"3" is not a host/],
    ["1 link h1 h2 color=3", /a link has no "color"/],
    ["1 link h1 h2 lossRate=much", /"much" is not a number/],
    ["hosts many", /not a whole number/],
    ["hosts 100000", /not a whole number/],
    ["1 partition h1,x", /"x" is not a host/],
  ] as const
) {
  Deno.test(`the scenario line "${line}" is refused with its reason`, () => {
    assert.throws(() => parseSchedule(line), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, reason);
      assert.ok(error.message.includes(JSON.stringify(line)));
      return true;
    });
  });
}

Deno.test("comments and empty lines of a scenario mean nothing, and faults may stand in any order", () => {
  const schedule = parseSchedule("# a test\n\nhosts 2 # of them\n20 kill h2\n10 pause h1\n");
  assert.deepEqual(schedule.faults.map(({ fault }) => formatFault(fault)), ["pause h1", "kill h2"]);
  assert.deepEqual([schedule.hosts, schedule.seedHosts], [2, 1]);
});

Deno.test("a disk's error may have several words, and ok ends it", () => {
  const { fault } = parseTimedFault("5 disk h1 No space left on device");
  assert.deepEqual(fault, { kind: "disk", host: "h1", error: "No space left on device" });
  assert.deepEqual(parseTimedFault("5 disk h1 ok").fault, { ...fault, error: null });
});

Deno.test("shrinking keeps only what the failure needs", () => {
  const schedule = generateSchedule(3, { hosts: 20, faultsPerMinute: 40 });
  const needed = parseTimedFault("17000 kill h4");
  const faults = [...schedule.faults, needed, parseTimedFault("19000 pause h2")]
    .sort((one, other) => one.atMs - other.atMs);
  const has = (candidate: Schedule, line: string) =>
    candidate.faults.some(({ fault }) => formatFault(fault) === line);
  const fails = (candidate: Schedule) =>
    candidate.hosts >= 4 && has(candidate, "kill h4") && has(candidate, "pause h2");
  const { schedule: small } = shrinkSchedule({ ...schedule, faults }, { fails, runsMax: 500 });
  assert.deepEqual(small.faults.map(({ fault }) => formatFault(fault)), ["kill h4", "pause h2"]);
  assert.deepEqual([small.hosts, small.seedHosts, small.startWithinMs], [4, 1, 0]);
  assert.equal(small.seed, schedule.seed);
  assert.ok((small.faults.at(-1)?.atMs ?? Infinity) < 100, "times are short");
});

Deno.test("shrinking stops when its runs are spent", () => {
  const schedule = generateSchedule(3, { hosts: 20, faultsPerMinute: 40 });
  const { runs } = shrinkSchedule(schedule, { fails: () => false, runsMax: 10 });
  assert.equal(runs, 10);
});

Deno.test("a shadow lies on a host from the fault until it ended, and behind it as long as asked", () => {
  const shadow = new Shadow();
  shadow.note(1000, { kind: "freeze", host: "h1" });
  assert.equal(shadow.isOn("h1", 5000, ["frozen"]), true);
  assert.equal(shadow.isOn("h2", 0, ["frozen"]), false);
  assert.equal(shadow.isOn("h1", 0, ["network"]), false);
  shadow.note(6000, { kind: "thaw", host: "h1" });
  assert.equal(shadow.isOn("h1", 5000, ["frozen"]), true);
  assert.equal(shadow.isOn("h1", 6000, ["frozen"]), false);
});

Deno.test("a link is bad until all that is wrong with it has ended; little loss is no excuse", () => {
  const shadow = new Shadow();
  const [from, to] = ["h1", "h2"];
  shadow.note(1000, { kind: "link", from, to, options: { lossRate: 0.05 } });
  assert.equal(shadow.isOn("h1", 0, ["network"]), false);
  shadow.note(2000, { kind: "link", from, to, options: { lossRate: 0.5 } });
  shadow.note(3000, { kind: "cut", from, to });
  shadow.note(4000, { kind: "mend", from, to });
  assert.equal(shadow.isOn("h2", 9000, ["network"]), true);
  shadow.note(5000, { kind: "heal" });
  assert.equal(shadow.isOn("h2", 5000, ["network"]), false);
  assert.equal(shadow.isOn("h3", 0, ["network"]), false);
  shadow.note(6000, { kind: "partition", groups: [["h1"]] });
  assert.equal(shadow.isOn("h3", 9000, ["network"]), true);
});

Deno.test("a failing run is reported with the smallest scenario that fails alike, its story and its picture", () => {
  // Without gossip of its own, news only ride on probes: they come late.
  const options = { timings: { ...LAN_TIMINGS, gossipNodes: 0 }, shrinkRunsMax: 40 };
  const faults = [1, 2, 3, 4].flatMap((number) => [
    parseTimedFault(`${20_000 * number} kill h${number}`),
    parseTimedFault(`${20_000 * number + 1000} pause h9`),
    parseTimedFault(`${20_000 * number + 15_000} resume h9`),
  ]);
  const schedule = { ...parseSchedule("hosts 16\nseed 1\n"), faults };
  const { failure } = runMembership(schedule, options);
  assert(failure !== null);
  const report = reportFailure(schedule, failure, options);
  const again = runMembership(parseSchedule(report.scenario), options);
  assert.deepEqual(again.failure, report.shrunkFailure);
  assert.equal(report.shrunkFailure.rule, failure.rule);
  assert.equal(failure.rule, "news-spread");
  assert.ok(report.faults < schedule.faults.length, report.scenario);
  assert.ok(report.story.endsWith(`${report.shrunkFailure.message}\n`));
  assert.match(report.svg, /^<svg /);
});

Deno.test("a run is told in words and drawn, with its faults", () => {
  const story = new Story();
  const timeline = new Timeline();
  const schedule = parseSchedule("hosts 3\nseed 1\n12000 kill h3\n12001 kill h3\n");
  assert.equal(runMembership(schedule, { observer: both(story, timeline) }).failure, null);
  const text = new Story(100_000);
  runMembership(schedule, { observer: text });
  const words = text.lines().join("\n");
  assert.match(words, /---- kill h3\n/);
  assert.match(words, /---- kill h3 \(without effect\)/);
  assert.match(words, /MEMBER-FAILED H3/);
  assert.ok(story.lines().length <= 400);
  const [, , lane] = timeline.lanes;
  assert.deepEqual(
    lane?.beliefs.map(({ state }) => state).filter((state) => state !== "unknown"),
    ["alive", "suspect", "dead"],
  );
  assert.deepEqual(lane?.truths.map(({ state }) => state).slice(-2), ["up", "down"]);
  const svg = timelineSvg(timeline, `a <title> & "more"`);
  assert.match(svg, /^<svg [^>]*viewBox/);
  assert.match(svg, /a &lt;title&gt; &amp; &quot;more&quot;/);
  assert.match(svg, /<title>h3 dead from/);
  assert.match(svg, /<title>12.0 s kill h3<\/title>/);
});
