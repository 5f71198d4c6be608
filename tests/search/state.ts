/** All hosts at one moment as numbers, what may go wrong, and how both are told to the search. */

import type { Change } from "./opened_tree.ts";

/** What may go wrong, and how often at most. */
export const DEVIATIONS = [
  "overtake",
  "lose",
  "double",
  "delay",
  "crash",
  "rollback",
  "partition",
  "release",
  "pause",
  "refuse",
  "forget",
] as const;
export type Deviation = typeof DEVIATIONS[number];

export type Budget = Readonly<Partial<Record<Deviation, number>>> & {
  /** All of them together. */
  readonly total: number;
};

export interface Configuration {
  readonly name: string;
  readonly hosts: number;
  readonly subnets: number;
  readonly budget: Budget;
  /** Whether crashes, partitions and the like also come while something is on its way; else only between. */
  readonly midway: boolean;
  readonly pins?: readonly (number | null)[];
  /** Hosts that start at once, all if absent; the others may do so whenever nothing is on its way. */
  readonly starts?: readonly number[];
  /** Hosts without seeds; the first one if absent. */
  readonly founders?: readonly number[];
  /** A partition that is there from the beginning. */
  readonly side?: number;
  /** Partitions to try, as sets of hosts on one side (bits); all if absent. */
  readonly sides?: readonly number[];
  /** Waits longer than this are not waited for. */
  readonly horizonMs?: number;
  readonly statesMax?: number;
  /** Numbers of the product that are made smaller for it. */
  readonly scale?: readonly Change[];
}

/** All hosts at one moment. */
export interface State {
  readonly locals: number[];
  /** Hosts on one side of a partition, as bits; 0 for none. */
  side: number;
  /** The host that stands still, counted from 1; 0 for none. */
  paused: number;
  /** How often time has passed since it does. */
  passes: number;
  /** Rounds of syncs at the end. */
  rounds: number;
  /** A host went down of whose hold nobody else had heard: 1, else 0. */
  lost: number;
  /** Hosts whose claim was made where a majority was, as bits. */
  backed: number;
  readonly used: number[];
  /** An earlier document of one host: a snapshot of its disk, -1 for none. */
  readonly images: number[];
  /** Highest epoch at which each host gave up each subnet. */
  readonly given: number[];
  queue: number[];
  /** May come at any time. */
  late: number[];
}

export function copyOf(state: State): State {
  const { locals, used, images, given, queue, late } = state;
  return {
    ...state,
    locals: [...locals],
    used: [...used],
    images: [...images],
    given: [...given],
    queue: [...queue],
    late: [...late],
  };
}

/** Whether the budget has room for one more of these. */
export function isAffordable(
  { budget }: Configuration,
  state: State,
  deviation: Deviation,
): boolean {
  const at = DEVIATIONS.indexOf(deviation);
  const sum = state.used.reduce((total, count) => total + count, 0);
  return (state.used[at] ?? 0) < (budget[deviation] ?? 0) && sum < budget.total;
}

export function spend(state: State, deviation: Deviation): void {
  const at = DEVIATIONS.indexOf(deviation);
  state.used[at] = (state.used[at] ?? 0) + 1;
}

/** Numbers as text: one unit below 2^15, else two. */
export function encode(state: State): string {
  const { locals, side, paused, passes, rounds, lost, backed } = state;
  const { used, images, given, queue, late } = state;
  const units: number[] = [];
  const put = (number: number) => {
    const value = number + 1;
    if (value < 0x8000) units.push(value);
    else units.push(0x8000 | value >> 15, value & 0x7fff);
  };
  for (const id of locals) put(id);
  put(side << 5 | paused << 2 | rounds);
  put(passes << 8 | backed << 1 | lost);
  for (const count of used) put(count);
  for (const image of images) put(image);
  for (const epoch of given) put(epoch);
  put(queue.length);
  for (const id of queue) put(id);
  for (const id of late.toSorted((one, other) => one - other)) put(id);
  return String.fromCharCode(...units);
}

export function decode(key: string, hosts: number, subnets: number): State {
  let at = 0;
  const take = (): number => {
    const unit = key.charCodeAt(at++);
    const value = unit < 0x8000 ? unit : (unit & 0x7fff) << 15 | key.charCodeAt(at++);
    return value - 1;
  };
  const list = (length: number) => Array.from({ length }, take);
  const locals = list(hosts);
  const flags = take();
  const marks = take();
  const used = list(DEVIATIONS.length);
  const images = list(hosts);
  const given = list(hosts * subnets);
  const queue = list(take());
  const late: number[] = [];
  while (at < key.length) late.push(take());
  return {
    locals,
    side: flags >> 5,
    paused: flags >> 2 & 7,
    rounds: flags & 3,
    lost: marks & 1,
    backed: marks >> 1 & 0x7f,
    passes: marks >> 8,
    used,
    images,
    given,
    queue,
    late,
  };
}
