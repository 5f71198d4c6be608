/**
 * The parts of Lifeguard (arXiv 1707.00788), each of which can be left out. Only the simulator does
 * so, to measure what each is worth; without any of them this is SWIM with suspicion.
 */

export interface Lifeguard {
  /** Probes slow down in bad local health, and helpers that hear nothing say so. */
  readonly lhaProbe: boolean;
  /** A suspicion is long at first and shorter with each accuser; else its shortest time is its only one. */
  readonly lhaSuspicion: boolean;
  /** Who is suspected hears it first: with each ping, and with each ack of its own pings. */
  readonly buddy: boolean;
  /** The wait before others are asked stretches as well: so in the paper, not in memberlist's code. */
  readonly stretchesTimeout: boolean;
  /** Worst local health: a probe's deadline stretches by as much and one. */
  readonly healthScoreMax: number;
}

/** What every host runs with. */
export const LIFEGUARD: Lifeguard = {
  lhaProbe: true,
  lhaSuspicion: true,
  buddy: true,
  stretchesTimeout: true,
  healthScoreMax: 7,
};
