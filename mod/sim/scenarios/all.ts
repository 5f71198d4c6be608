/** The scenarios that have a name: what `gossamer simulate --scenario NAME` plays. */
import type { TimedFault } from "../fault.ts";
import { generateSchedule } from "../generate.ts";
import type { Schedule } from "../schedule.ts";

export interface ScenarioOptions {
  readonly hosts: number;
  readonly seed: number;
}

export interface Scenario {
  readonly name: string;
  /** One line, lower case, as after a colon. */
  readonly brief: string;
  /** The schedule of that many hosts. */
  readonly schedule: (options: ScenarioOptions) => Schedule;
}

/** All hosts start within a second, and have met long before this. */
const SETTLED_MS = 10_000;
/** Detection, the longest suspicion of fifty hosts, and room to see it. */
const LATER_MS = 60_000;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "tour",
    brief: "hosts join, one crashes and returns, the network is split and heals, one leaves",
    schedule: ({ hosts, seed }) =>
      make(seed, hosts, [
        { atMs: SETTLED_MS, fault: { kind: "kill", host: last(hosts) } },
        { atMs: SETTLED_MS + 30_000, fault: { kind: "boot", host: last(hosts) } },
        { atMs: 60_000, fault: { kind: "partition", groups: [names(1, hosts >> 1)] } },
        { atMs: 60_000 + LATER_MS, fault: { kind: "heal" } },
        { atMs: 240_000, fault: { kind: "leave", host: last(hosts) } },
      ]),
  },
  {
    name: "join",
    brief: "all hosts start within a second; later one comes anew, with an empty disk",
    schedule: ({ hosts, seed }) =>
      make(seed, hosts, [
        { atMs: 5000, fault: { kind: "kill", host: last(hosts) } },
        { atMs: SETTLED_MS + 30_000, fault: { kind: "reinstall", host: last(hosts) } },
      ]),
  },
  {
    name: "crash",
    brief: "a host crashes, later a third of them at once",
    schedule: ({ hosts, seed }) =>
      make(seed, hosts, [
        { atMs: SETTLED_MS, fault: { kind: "kill", host: last(hosts) } },
        ...names(hosts - Math.floor(hosts / 3), hosts - 1).map((host): TimedFault => ({
          atMs: SETTLED_MS + LATER_MS,
          fault: { kind: "kill", host },
        })),
      ]),
  },
  {
    name: "partition",
    brief: "two halves of the cluster do not reach each other for two minutes",
    schedule: ({ hosts, seed }) =>
      make(seed, hosts, [
        { atMs: SETTLED_MS, fault: { kind: "partition", groups: [names(1, hosts >> 1)] } },
        { atMs: SETTLED_MS + 2 * LATER_MS, fault: { kind: "heal" } },
      ]),
  },
  {
    name: "mass-restart",
    brief: "all hosts are killed at once and start again within a second",
    schedule: ({ hosts, seed }) =>
      make(seed, hosts, [
        ...names(1, hosts).map((host): TimedFault => ({
          atMs: SETTLED_MS + 10_000,
          fault: { kind: "kill", host },
        })),
        ...names(1, hosts).map((host, index): TimedFault => ({
          atMs: SETTLED_MS + 12_000 + Math.round(index * 1000 / hosts),
          fault: { kind: "boot", host },
        })),
      ]),
  },
  {
    name: "one-way",
    brief:
      "a host hears nobody for a minute, but is heard; then only one link is cut, in one direction",
    schedule: ({ hosts, seed }) => {
      const deaf = last(hosts);
      const cuts = names(1, hosts - 1).map((from): TimedFault => ({
        atMs: SETTLED_MS,
        fault: { kind: "cut", from, to: deaf },
      }));
      return make(seed, hosts, [
        ...cuts,
        { atMs: SETTLED_MS + LATER_MS, fault: { kind: "heal" } },
        { atMs: SETTLED_MS + 2 * LATER_MS, fault: { kind: "cut", from: "h1", to: deaf } },
        { atMs: SETTLED_MS + 3 * LATER_MS, fault: { kind: "heal" } },
      ]);
    },
  },
  {
    name: "churn",
    brief: "for two minutes, every two seconds a host is killed, or a killed one starts again",
    schedule: ({ hosts, seed }) => {
      const faults: TimedFault[] = [];
      for (let round = 0; round < 60; round++) {
        const host = `h${1 + (Math.floor(round / 2) * 7) % hosts}`;
        const kind = round % 2 === 0 ? "kill" : "boot";
        faults.push({ atMs: SETTLED_MS + round * 2000, fault: { kind, host } });
      }
      return make(seed, hosts, faults);
    },
  },
  {
    name: "random",
    brief: "a mixture of faults drawn from the seed",
    schedule: ({ hosts, seed }) => generateSchedule(seed, { hosts }),
  },
];

function make(seed: number, hosts: number, faults: readonly TimedFault[]): Schedule {
  return { seed, hosts, seedHosts: 1, startWithinMs: 1000, isSealed: false, faults };
}

function last(hosts: number): string {
  return `h${hosts}`;
}

/** `h3` to `h7`. */
function names(from: number, to: number): string[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => `h${from + index}`);
}
