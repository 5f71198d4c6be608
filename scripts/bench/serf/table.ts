/** The measurements as lines of the closing table, each with whether its aim was met. */
import { type Figure, spreadOf, spreadText } from "../statistics.ts";
import type { Memory } from "../process_cost.ts";
import type { Cost, Death, Join } from "./measure.ts";

/** What was measured of both programs. */
export interface Pair<Result> {
  readonly gossamer: Result;
  readonly serf: Result;
}

/** Reports that an aim is met allow: five times fewer than serf's. */
const FALSE_FAILURES_SHARE = 1 / 5;
const TIGHT_DEATH_MS_MAX = 4000;

/** "No worse than serf": by the median; a median above serf's but within the range of serf's is a tie. */
function compared(name: string, pair: Pair<readonly number[]>, digits: number): Figure {
  const own = spreadOf(pair.gossamer);
  const rival = spreadOf(pair.serf);
  const isTie = own.median > rival.median && own.median <= rival.most;
  return {
    name,
    measured: spreadText(own, digits),
    aim: `<= serf: ${isTie ? "tie" : verdict(own.median <= rival.median)}`,
    rivals: `serf ${spreadText(rival, digits)}`,
  };
}

function verdict(isMet: boolean): string {
  return isMet ? "met" : "MISSED";
}

/** A remark without an aim. */
function remark(name: string, pair: Pair<readonly number[]>, digits: number): Figure {
  return { ...compared(name, pair, digits), aim: "-" };
}

export function joinFigures(hosts: number, joins: Pair<readonly Join[]>): Figure[] {
  const values = (pick: (join: Join) => number) => mapPair(joins, (list) => list.map(pick));
  return [
    compared(`${hosts - 1} started at once to full membership, ms`, values((j) => j.allMs), 0),
    remark("- CPU of each agent until then, ms", values((j) => j.allCpuMs), 0),
    compared("one joins them: exec to known by all, ms", values((j) => j.oneMs), 0),
    remark("- of it until its first word, ms", values((j) => j.firstWordMs), 0),
  ];
}

export function deathFigures(title: string, deaths: Pair<readonly Death[]>): Figure[] {
  const values = (pick: (death: Death) => number) =>
    mapPair(deaths, (list) => list.map((death) => pick(death) / 1000));
  return [
    remark(`${title}: kill -9 to the first report, s`, values((d) => d.firstMs), 2),
    remark("- to the median report, s", values((d) => d.medianMs), 2),
    compared("- to the last of all others, s", values((d) => d.allMs), 2),
  ];
}

export function idleFigures(costs: Pair<Cost>): Figure[] {
  const value = (pick: (cost: Cost) => readonly number[]) => mapPair(costs, pick);
  const memory = (pick: (memory: Memory) => number) =>
    mapPair(costs, (cost) => cost.memory.map(pick));
  return [
    compared("idle: sent per node, B/s with headers", value((c) => c.bytesPerSecond), 0),
    compared("idle: packets sent per node per s", value((c) => c.packetsPerSecond), 2),
    compared("idle: CPU of each agent, s/min", value((c) => c.cpuSecondsPerMinute), 3),
    compared("idle: resident, MiB", memory((m) => m.residentMiB), 1),
    compared("idle: private dirty, MiB", memory((m) => m.privateDirtyMiB), 1),
  ];
}

export function lossFigures(percent: number, minutes: number, costs: Pair<Cost>): Figure[] {
  const value = (pick: (cost: Cost) => readonly number[]) => mapPair(costs, pick);
  const { gossamer, serf } = costs;
  const isHeavy = percent >= 30;
  const most = serf.falseFailures * (isHeavy ? FALSE_FAILURES_SHARE : 1);
  const text = ({ falseFailures, victims }: Cost) =>
    `${falseFailures} (${victims} ${victims === 1 ? "victim" : "victims"})`;
  return [
    {
      name: `${percent} % loss, ${minutes} min: false reports of failure`,
      measured: text(gossamer),
      aim: `${isHeavy ? "<= 1/5 of serf" : "<= serf"}: ${verdict(gossamer.falseFailures <= most)}`,
      rivals: `serf ${text(serf)}`,
    },
    compared("- sent per node, B/s with headers", value((c) => c.bytesPerSecond), 0),
    remark("- CPU of each agent, s/min", value((c) => c.cpuSecondsPerMinute), 3),
  ];
}

/** serf has no such profile; its default is what stands beside it. */
export function tightFigures(
  results: { deaths: readonly Death[]; lossy: Cost; rivalDeaths: readonly Death[] },
): Figure[] {
  const { deaths, lossy, rivalDeaths } = results;
  const allMs = deaths.map((death) => death.allMs);
  const seconds = (list: readonly number[]) => spreadText(spreadOf(list.map((ms) => ms / 1000)), 2);
  return [
    {
      name: "tight: kill -9 to the last of all others, s",
      measured: seconds(allMs),
      aim: `<= 4: ${verdict(Math.max(...allMs) <= TIGHT_DEATH_MS_MAX)}`,
      rivals: `serf ${seconds(rivalDeaths.map((death) => death.allMs))}`,
    },
    {
      name: "tight, 10 % loss: false reports of failure",
      measured: `${lossy.falseFailures} (${lossy.victims} victims)`,
      aim: `0: ${verdict(lossy.falseFailures === 0)}`,
      rivals: "-",
    },
    {
      name: "- sent per node, B/s with headers",
      measured: spreadText(spreadOf(lossy.bytesPerSecond), 0),
      aim: "-",
      rivals: "-",
    },
    {
      name: "- CPU of each agent, s/min",
      measured: spreadText(spreadOf(lossy.cpuSecondsPerMinute), 3),
      aim: "-",
      rivals: "-",
    },
  ];
}

function mapPair<From, To>(pair: Pair<From>, map: (from: From) => To): Pair<To> {
  return { gossamer: map(pair.gossamer), serf: map(pair.serf) };
}
