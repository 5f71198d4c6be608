/**
 * The figures of claims in docs/figures.md: simulated clusters and crowds of newcomers, each figure again from its seed. How
 * long real processes take in clusters of 5 and 20 is measured by the benchmarks join5 and join20.
 */
import {
  type ClaimPlan,
  measureClaims,
  type NewcomerFigures,
} from "../../mod/sim/scenarios/claim_figures.ts";
import { quantile } from "../../mod/sim/statistics.ts";
import { progress } from "./bench_lab.ts";
import type { Figure } from "./statistics.ts";

/** Newcomers one after the other in a cluster at rest. */
const SIZES = [5, 20, 100, 1000];
const NEWCOMERS = 9;
/** Newcomers at once in 255 subnets, to a cluster of five. */
const CROWDS = [1, 10, 50];
const CROWD_HOSTS = 5;
/** Clusters for each size of crowd: some hundred newcomers in all. */
const CROWD_SEEDS = (count: number) => Math.min(20, Math.ceil(250 / count));

/** Sizes up to `--hosts=N`, all of them without; the largest takes most of the time. */
export function claimFigures(flags: readonly string[]): Figure[] {
  const limit = flags.find((flag) => flag.startsWith("--hosts="))?.slice("--hosts=".length);
  const sizes = SIZES.filter((hosts) => hosts <= Number(limit ?? Infinity));
  return [...sizes.flatMap(healthy), ...CROWDS.flatMap(crowd)];
}

function healthy(hosts: number): Figure[] {
  const network = hosts > 200 ? "10.248.0.0/13" : "10.244.0.0/16";
  const seed = hosts;
  const newcomers = measured({ seed, hosts, newcomers: NEWCOMERS, together: false, network });
  const name = `simulated, ${hosts} hosts, one newcomer at a time:`;
  return [
    figure(`${name} start to held, ms`, newcomers, ({ heldMs }) => heldMs, "two round trips"),
    figure(`${name} writes until quiet`, newcomers, ({ writes }) => writes, "<= 6"),
  ];
}

function crowd(count: number): Figure[] {
  const newcomers = Array.from({ length: CROWD_SEEDS(count) }, (_, index) =>
    measured({
      seed: index + 1,
      hosts: CROWD_HOSTS,
      newcomers: count,
      together: true,
      network: "10.244.0.0/16",
    })).flat();
  const name = `simulated, ${count} newcomers at once in 255 subnets:`;
  const lost = newcomers.reduce((sum, { choicesLost }) => sum + choicesLost, 0);
  return [
    figure(`${name} start to held, ms`, newcomers, ({ heldMs }) => heldMs, "two waits"),
    {
      name: `${name} choices lost per newcomer`,
      measured: `${(lost / newcomers.length).toFixed(3)}, most ` +
        `${Math.max(...newcomers.map(({ choicesLost }) => choicesLost))}, n = ${newcomers.length}`,
      aim: "-",
      rivals: "-",
    },
    figure(`${name} writes until quiet`, newcomers, ({ writes }) => writes, "<= 6"),
  ];
}

function measured(plan: ClaimPlan): NewcomerFigures[] {
  const startMs = performance.now();
  const newcomers = measureClaims(plan);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  progress(`${plan.hosts} hosts, ${plan.newcomers} newcomers, seed ${plan.seed}: ${seconds} s`);
  return newcomers;
}

/** Median, the 99th of a hundred, and the slowest. */
function figure(
  name: string,
  newcomers: readonly NewcomerFigures[],
  of: (newcomer: NewcomerFigures) => number,
  aim: string,
): Figure {
  const values = newcomers.map(of);
  const [median, high, most] = [0.5, 0.99, 1].map((share) => short(quantile(values, share)));
  return {
    name,
    measured: `${median}, p99 ${high}, most ${most}, n = ${values.length}`,
    aim,
    rivals: "-",
  };
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 100 ? 1 : 0);
}
