/** What was aimed at before anything was measured, by the size of the cluster: LAN timings, no loss. */

export interface FigureTarget {
  /** Until 99.9 % of the hosts have heard a piece of news: rounds of gossip by mean field theory. */
  readonly newsMs: number;
  /** From a crash until every host calls it dead, median: first probe, suspicion, dissemination. */
  readonly deadEverywhereMs: number;
  /** A second and host, sent while nothing happens: probes, and syncs by digest. */
  readonly idleBytes: number;
  /** The same with syncs of the whole state, as hashicorp/memberlist has them. */
  readonly fullStateBytes: number;
}

export const TARGETS: ReadonlyMap<number, FigureTarget> = new Map([
  [10, { newsMs: 1000, deadEverywhereMs: 6500, idleBytes: 300, fullStateBytes: 400 }],
  [100, { newsMs: 1400, deadEverywhereMs: 11_000, idleBytes: 300, fullStateBytes: 800 }],
  [1000, { newsMs: 1600, deadEverywhereMs: 15_500, idleBytes: 300, fullStateBytes: 2900 }],
  [5000, { newsMs: 2000, deadEverywhereMs: 19_000, idleBytes: 300, fullStateBytes: 9100 }],
]);
