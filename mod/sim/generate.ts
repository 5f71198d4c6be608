/**
 * Random schedules: which faults, how many, how close together, all drawn from one seed.
 *
 * Each seed draws its own few kinds of fault and its own pace ("swarm testing", Groce et al. 2012): a mixture of
 * everything at once hides what two kinds alone would show.
 */
import { Random } from "../base/random.ts";
import type { Fault, HostName, LinkOptions, TimedFault } from "./fault.ts";
import type { Schedule } from "./schedule.ts";

export interface GenerateOptions {
  readonly hosts: number;
  /** Faults begin within this time. */
  readonly durationMs?: number;
  /** Mean faults a minute; drawn from few to many unless said. */
  readonly faultsPerMinute?: number;
}

/** What a drawn episode adds to a schedule: what begins it, and what ends it later. */
export type Episode = (draw: Draw) => readonly [begin: Fault, end: Fault | null];

/** Everything that an episode may draw from. */
export class Draw {
  readonly random: Random;
  readonly #names: readonly HostName[];

  constructor(random: Random, hosts: number) {
    this.random = random;
    this.#names = Array.from({ length: hosts }, (_, index) => `h${index + 1}`);
  }

  host(): HostName {
    return this.hosts(1)[0] ?? "h1";
  }

  hosts(count: number): HostName[] {
    return this.random.sample(this.#names, count);
  }

  /** Two different ones, as far as there are two. */
  pair(): [HostName, HostName] {
    const [from = "h1", to = from] = this.hosts(2);
    return [from, to];
  }

  between(low: number, high: number): number {
    return Math.round(low + (high - low) * this.random.unit());
  }

  /** A share in hundredths, so that it reads well. */
  share(high: number): number {
    return Math.round(high * 100 * this.random.unit()) / 100;
  }

  /** Two or three groups that between them have all hosts; often one is small. */
  groups(): HostName[][] {
    const names = this.hosts(this.#names.length);
    const isUneven = this.random.unit() < 0.5;
    const first = names.splice(0, isUneven ? 1 + this.random.below(3) : names.length >> 1);
    const hasThird = names.length > 2 && this.random.unit() < 0.2;
    const second = hasThird ? names.splice(0, names.length >> 1) : [];
    return [first, second].filter((group) => group.length > 0);
  }
}

export const EPISODES: Readonly<Record<string, Episode>> = {
  crash: (draw) => {
    const host = draw.host();
    return [{ kind: "kill", host }, { kind: "boot", host }];
  },
  loss: (draw) => {
    const lossRate = draw.share(0.4);
    return [{ kind: "network", options: { lossRate } }, {
      kind: "network",
      options: { lossRate: 0 },
    }];
  },
  noise: (draw) => {
    const options: LinkOptions = {
      duplicateRate: draw.share(0.3),
      reorderRate: draw.share(0.3),
      reorderMs: draw.between(1, 400),
    };
    return [{ kind: "network", options }, {
      kind: "network",
      options: { duplicateRate: 0, reorderRate: 0 },
    }];
  },
  crashForGood: (draw) => [{ kind: "kill", host: draw.host() }, null],
  reinstall: (draw) => {
    const host = draw.host();
    return [{ kind: "kill", host }, { kind: "reinstall", host }];
  },
  replace: (draw) => {
    const host = draw.host();
    return [{ kind: "kill", host }, { kind: "replace", host }];
  },
  pause: (draw) => {
    const host = draw.host();
    return [{ kind: "pause", host }, { kind: "resume", host }];
  },
  freeze: (draw) => {
    const host = draw.host();
    return [{ kind: "freeze", host }, { kind: "thaw", host }];
  },
  jump: (draw) => [{ kind: "jump", host: draw.host(), byMs: draw.between(100, 100_000) }, null],
  drift: (draw) => [
    { kind: "drift", host: draw.host(), rate: 1 + draw.between(-20, 20) / 1000 },
    null,
  ],
  partition: (draw) => [{ kind: "partition", groups: draw.groups() }, { kind: "heal" }],
  cut: (draw) => {
    const [from, to] = draw.pair();
    return [{ kind: "cut", from, to }, { kind: "mend", from, to }];
  },
  link: (draw) => {
    const [from, to] = draw.pair();
    const options = { lossRate: draw.share(1), delayMs: draw.between(0, 700) };
    return [{ kind: "link", from, to, options }, {
      kind: "link",
      from,
      to,
      options: { lossRate: 0, delayMs: 0 },
    }];
  },
  slowLink: (draw) => {
    const [from, to] = draw.pair();
    const options = { bytesPerMs: draw.between(1, 100) };
    return [{ kind: "link", from, to, options }, {
      kind: "link",
      from,
      to,
      options: { bytesPerMs: Infinity },
    }];
  },
  udpBlocked: (draw) => {
    const [from, to] = draw.pair();
    return [{ kind: "link", from, to, options: { datagramLossRate: 1 } }, {
      kind: "link",
      from,
      to,
      options: { datagramLossRate: 0 },
    }];
  },
  leave: (draw) => {
    const host = draw.host();
    return [{ kind: "leave", host }, { kind: "join", host }];
  },
  leaveForGood: (draw) => [{ kind: "leave", host: draw.host() }, null],
  /** Also of those who are well: they come back. */
  forget: (draw) => {
    const [host, other] = draw.pair();
    return [{ kind: "forget", host, other }, null];
  },
  /** Given up while it is down, and then it comes back all the same. */
  forgetGone: (draw) => {
    const [host, other] = draw.pair();
    return [{ kind: "forget", host, other }, { kind: "boot", host: other }];
  },
  slowDisk: (draw) => {
    const host = draw.host();
    return [{ kind: "slow-disk", host, delayMs: draw.between(10, 5000) }, {
      kind: "slow-disk",
      host,
      delayMs: 0,
    }];
  },
  disk: (draw) => {
    const host = draw.host();
    return [{ kind: "disk", host, error: "No space left on device" }, {
      kind: "disk",
      host,
      error: null,
    }];
  },
};

/** Kinds of episode that {@linkcode generateSchedule} draws from. */
export const EPISODE_KINDS: readonly string[] = Object.keys(EPISODES);

/** Faults a minute: one now and then shows what a healthy cluster makes of it, forty what a sick one does. */
export const PACES = [2, 6, 15, 40] as const;
/** A host stands still, or is away, for times around the suspicion's: below, between, and beyond. */
export const LENGTHS_MS = [300, 1500, 5000, 15_000, 40_000] as const;

const DURATION_MS = 40_000;
/** Joins of 20 hosts take a second; the first faults come when they are hardly over. */
const FIRST_FAULT_MS = 3000;

/** The schedule of a seed. */
export function generateSchedule(seed: number, options: GenerateOptions): Schedule {
  const random = new Random(seed);
  const draw = new Draw(random, options.hosts);
  const kinds = random.sample(EPISODE_KINDS, 1 + random.below(5));
  const perMinute = options.faultsPerMinute ?? PACES[random.below(PACES.length)] ?? PACES[0];
  const durationMs = options.durationMs ?? DURATION_MS;
  const count = Math.max(1, Math.round(perMinute * durationMs / 60_000));
  const faults: TimedFault[] = [];
  for (let number = 0; number < count; number++) {
    const episode = EPISODES[kinds[random.below(kinds.length)] ?? "crash"];
    if (episode === undefined) continue;
    const [begin, end] = episode(draw);
    const atMs = FIRST_FAULT_MS + random.below(durationMs);
    const lengthMs = (LENGTHS_MS[random.below(LENGTHS_MS.length)] ?? 0) * (0.5 + random.unit());
    faults.push({ atMs, fault: begin });
    if (end !== null) faults.push({ atMs: atMs + Math.round(lengthMs), fault: end });
  }
  faults.sort((one, other) => one.atMs - other.atMs);
  return {
    seed,
    hosts: options.hosts,
    seedHosts: 1 + random.below(Math.min(3, options.hosts)),
    startWithinMs: random.unit() < 0.3 ? 0 : 1 + random.below(3000),
    isSealed: random.unit() < 0.25,
    faults,
  };
}
