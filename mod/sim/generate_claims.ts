/**
 * Random schedules of whole hosts: what happens to membership, and besides all that is hard on claims. Each seed draws a
 * few kinds, its own pace, and how much room the pool has.
 */
import { Random } from "../base/random.ts";
import type { ClaimSetup, HostSetup, PoolText } from "./claim_setup.ts";
import type { Fault, HostName, TimedFault } from "./fault.ts";
import { Draw, EPISODES, LENGTHS_MS, PACES } from "./generate.ts";
import type { HostSchedule } from "./host_run.ts";

export interface GenerateClaimsOptions {
  readonly hosts: number;
  /** Faults begin within this time. */
  readonly durationMs?: number;
  /** What is drawn from; everything unless said. */
  readonly kinds?: readonly string[];
  /** How long an episode lasts, about. */
  readonly lengthsMs?: readonly number[];
  /** Faults a minute. */
  readonly paces?: readonly number[];
  /** Begins with a cluster that has been there for long, see ClaimSetup; its pool has room. */
  readonly isFormed?: boolean;
}

/** The faults of one episode that lasts so long, with times from its beginning. */
type ClaimEpisode = (draw: ClaimDraw, lengthMs: number) => readonly TimedFault[];

const HOUR_MS = 3_600_000;

const CLAIM_EPISODES: Readonly<Record<string, ClaimEpisode>> = {
  release: (draw, lengthMs) => {
    const host = draw.host();
    return series([0, { kind: "release", host }], [lengthMs, { kind: "join", host }]);
  },
  releaseForGood: (draw) => series([0, { kind: "release", host: draw.host() }]),
  wipe: (draw, lengthMs) => {
    const host = draw.host();
    return series([0, { kind: "wipe", host }], [lengthMs, { kind: "kill", host }], [
      lengthMs + 200,
      { kind: "boot", host },
    ]);
  },
  rollback: (draw, lengthMs) => {
    const host = draw.host();
    return series([0, { kind: "rollback", host, backMs: lengthMs }]);
  },
  /** Gives the subnet back, and then its disk is what it was before. */
  rollbackBehindRelease: (draw, lengthMs) => {
    const host = draw.host();
    return series([0, { kind: "release", host }], [
      lengthMs,
      { kind: "rollback", host, backMs: lengthMs + 1000 },
    ], [lengthMs + 500, { kind: "boot", host }]);
  },
  clone: (draw, lengthMs) => {
    const [host, other] = draw.pair();
    return series([0, { kind: "clone", host, other }], [lengthMs, { kind: "wipe", host: other }]);
  },
  /** The original is off at first. */
  cloneOfSleeper: (draw, lengthMs) => {
    const [host, other] = draw.pair();
    return series([0, { kind: "kill", host }], [500, { kind: "clone", host, other }], [
      lengthMs + 500,
      { kind: "boot", host },
    ]);
  },
  move: (draw) => series([0, { kind: "move", host: draw.host() }]),
  /** Moves while it is off. */
  moveAsleep: (draw, lengthMs) => {
    const host = draw.host();
    return series([0, { kind: "kill", host }], [100, { kind: "move", host }], [
      lengthMs,
      { kind: "boot", host },
    ]);
  },
  swap: (draw) => {
    const [host, other] = draw.pair();
    return series([0, { kind: "swap", host, other }]);
  },
  flood: (draw) => series([0, { kind: "flood", host: draw.host(), count: draw.between(10, 200) }]),
  garbage: (draw) =>
    series([0, { kind: "garbage", host: draw.host(), count: draw.between(5, 50) }]),
  /** A laptop that was shut for more than a day. */
  suspend: (draw, lengthMs) => {
    const host = draw.host();
    return series([0, { kind: "pause", host }], [
      lengthMs,
      { kind: "jump", host, byMs: 26 * HOUR_MS },
    ], [lengthMs, { kind: "resume", host }]);
  },
  /** All of them: everything that is kept for a day is over. */
  suspendAll: (draw) =>
    draw.all().map((host) => ({ atMs: 0, fault: { kind: "jump", host, byMs: 26 * HOUR_MS } })),
  /** Long enough that a released subnet has rested. */
  elevenMinutes: (draw) =>
    draw.all().map((host) => ({ atMs: 0, fault: { kind: "jump", host, byMs: 660_000 } })),
  /** A host that is heard and hears nothing, or the other way round. */
  deaf: (draw, lengthMs) => {
    const deaf = draw.host();
    const isMute = draw.random.unit() < 0.5;
    const others = draw.all().filter((host) => host !== deaf);
    const both = (kind: "cut" | "mend", atMs: number) =>
      others.map((other): TimedFault => ({
        atMs,
        fault: isMute ? { kind, from: deaf, to: other } : { kind, from: other, to: deaf },
      }));
    return [...both("cut", 0), ...both("mend", lengthMs)];
  },
  /** Two halves that only one host sees both of. */
  bridge: (draw, lengthMs) => {
    const [bridge = "h1", ...rest] = draw.hosts(draw.all().length);
    const one = rest.slice(0, rest.length >> 1);
    const other = rest.slice(rest.length >> 1);
    const links = one.flatMap((from) =>
      other.flatMap((to): [HostName, HostName][] => [[from, to], [to, from]])
    );
    const each = (kind: "cut" | "mend", atMs: number) =>
      links.map(([from, to]): TimedFault => ({ atMs, fault: { kind, from, to } }));
    return bridge === "" ? [] : [...each("cut", 0), ...each("mend", lengthMs)];
  },
  flapping: (draw) => {
    const groups = draw.groups();
    return Array.from({ length: 10 }, (_, turn): TimedFault => ({
      atMs: turn * 2000,
      fault: turn % 2 === 0 ? { kind: "partition", groups } : { kind: "heal" },
    }));
  },
  /** Three sides, of which two meet first. */
  threeWays: (draw, lengthMs) => {
    const hosts = draw.hosts(draw.all().length);
    const third = Math.ceil(hosts.length / 3);
    const [one, two] = [hosts.slice(0, third), hosts.slice(third, 2 * third)];
    return series(
      [0, { kind: "partition", groups: [one, two].filter((side) => side.length > 0) }],
      [
        lengthMs / 2,
        { kind: "partition", groups: [one] },
      ],
      [lengthMs, { kind: "heal" }],
    );
  },
  /** New hosts on both sides of a partition: the way to two holders of one subnet. */
  newcomersInPartition: (draw, lengthMs) => {
    const newcomers = draw.newcomers(2 + draw.random.below(3));
    return [
      { atMs: 0, fault: { kind: "partition", groups: draw.groups() } },
      ...newcomers.map((host): TimedFault => ({
        atMs: draw.random.below(Math.max(1, Math.round(lengthMs))),
        fault: { kind: "boot", host },
      })),
      { atMs: lengthMs, fault: { kind: "heal" } },
    ];
  },
  newcomers: (draw) =>
    draw.newcomers(1 + draw.random.below(6)).map((host) => ({
      atMs: draw.random.below(200),
      fault: { kind: "boot", host },
    })),
  /** The same as a fresh host: it claims anew. */
  renewed: (draw) => {
    const [one, other] = draw.pair();
    return [one, other].flatMap((host) =>
      series([0, { kind: "kill", host }], [100, { kind: "replace", host }])
    );
  },
  grow: (draw, lengthMs) => {
    const network = `10.${draw.between(20, 29)}.0.0/25`;
    const [host, other] = draw.pair();
    return series([0, { kind: "pool", host, words: ["add", network] }], [
      lengthMs,
      { kind: "pool", host: other, words: ["drop", network] },
    ]);
  },
  /** Each side of a partition grows the pool in its own way. */
  growApart: (draw, lengthMs) => {
    const groups = draw.groups();
    const [host = "h1"] = groups[0] ?? [];
    const other = draw.all().find((one) => !groups.flat().includes(one)) ?? host;
    return series(
      [0, { kind: "partition", groups }],
      [100, { kind: "pool", host, words: ["add", "10.30.0.0/25"] }],
      [150, { kind: "pool", host: other, words: ["add", "10.31.0.0/25"] }],
      [lengthMs + 200, { kind: "heal" }],
    );
  },
  reserve: (draw, lengthMs) => {
    const network = `10.9.0.${16 * draw.between(1, 4)}/28`;
    const [host, other] = draw.pair();
    return series([0, { kind: "pool", host, words: ["reserve", network] }], [
      lengthMs,
      { kind: "pool", host: other, words: ["unreserve", network] },
    ]);
  },
  /** Also of what somebody else holds, as with --force. */
  pin: (draw, lengthMs) => {
    const subnet = `10.9.0.${16 * draw.between(1, 5)}/28`;
    const [host, other] = draw.pair();
    const end: Fault = { kind: "pool", host, words: ["unpin", other] };
    return series(
      [0, { kind: "pool", host, words: ["pin", other, subnet] }],
      ...draw.random.unit() < 0.5 ? [[lengthMs, end] as const] : [],
    );
  },
  massRestart: (draw, lengthMs) =>
    draw.all().flatMap((host) =>
      series([0, { kind: "kill", host }], [
        Math.min(lengthMs, 1000) + draw.random.below(5000),
        { kind: "boot", host },
      ])
    ),
};

/** Kinds of episode that {@linkcode generateClaims} draws from. */
export const CLAIM_EPISODE_KINDS: readonly string[] = [
  ...Object.keys(EPISODES),
  ...Object.keys(CLAIM_EPISODES),
];

const DURATION_MS = 30_000;
/** Joins of 20 hosts take a second; the first faults come when they are hardly over. */
const FIRST_FAULT_MS = 3000;
const SUBNET_LENGTH = 28;

/** The schedule of a seed. */
export function generateClaims(seed: number, options: GenerateClaimsOptions): HostSchedule {
  const random = new Random(seed);
  const draw = new ClaimDraw(random, options.hosts);
  const { paces = PACES, lengthsMs = LENGTHS_MS, isFormed = false } = options;
  const kinds = random.sample(options.kinds ?? CLAIM_EPISODE_KINDS, 1 + random.below(5));
  const perMinute = paces[random.below(paces.length)] ?? PACES[0];
  const durationMs = options.durationMs ?? DURATION_MS;
  const count = Math.max(1, Math.round(perMinute * durationMs / 60_000));
  const faults: TimedFault[] = [];
  for (let number = 0; number < count; number++) {
    const kind = kinds[random.below(kinds.length)] ?? "crash";
    const atMs = FIRST_FAULT_MS + random.below(durationMs);
    const length = lengthsMs[random.below(lengthsMs.length)] ?? 0;
    const lengthMs = Math.round(length * (0.5 + random.unit()));
    for (const timed of episode(kind, draw, lengthMs)) {
      faults.push({ ...timed, atMs: atMs + Math.round(timed.atMs) });
    }
  }
  faults.sort((one, other) => one.atMs - other.atMs);
  return {
    seed,
    hosts: options.hosts,
    seedHosts: 1 + random.below(Math.min(3, options.hosts)),
    startWithinMs: 1 + random.below(3000),
    isSealed: random.unit() < 0.15,
    // A pinned host that is given another's disk finds a claim there that it does not want.
    claims: isFormed
      ? formedSetup(draw, options.hosts)
      : drawSetup(draw, options.hosts, !kinds.some((kind) => kind.startsWith("clone"))),
    faults,
  };
}

class ClaimDraw extends Draw {
  readonly #all: readonly HostName[];
  /** Hosts that start only when an episode says so. */
  readonly later: HostName[] = [];

  constructor(random: Random, hosts: number) {
    super(random, hosts);
    this.#all = Array.from({ length: hosts }, (_, index) => `h${index + 1}`);
  }

  all(): readonly HostName[] {
    return this.#all;
  }

  /** Takes some of the last hosts, of which half are always there. */
  newcomers(count: number): HostName[] {
    const room = (this.#all.length >> 1) - this.later.length;
    const taken = this.#all.toReversed().slice(
      this.later.length,
      this.later.length + Math.min(count, room),
    );
    this.later.push(...taken);
    return taken;
  }
}

function episode(kind: string, draw: ClaimDraw, lengthMs: number): readonly TimedFault[] {
  const own = CLAIM_EPISODES[kind];
  if (own !== undefined) return own(draw, lengthMs);
  const [begin, end] = EPISODES[kind]?.(draw) ?? [{ kind: "heal" } as const, null];
  return series([0, begin], ...end === null ? [] : [[lengthMs, end] as const]);
}

function drawSetup(draw: ClaimDraw, count: number, mayPin: boolean): ClaimSetup {
  const { random } = draw;
  const pool = drawPool(random, count);
  const hosts: Record<HostName, HostSetup> = {};
  for (const host of draw.later) hosts[host] = { later: true };
  if (random.unit() < 0.1 && mayPin) {
    // A pin that somebody else may have by chance; two hosts with the same one now and then.
    const pin = `10.9.0.${16 * (1 + random.below(3))}/${SUBNET_LENGTH}`;
    const pinned = draw.hosts(1 + random.below(2));
    if (pool.subnetLength === SUBNET_LENGTH) {
      for (const host of pinned) hosts[host] = { ...hosts[host], pin };
    }
  }
  if (random.unit() < 0.03) {
    const host = draw.host();
    hosts[host] = { ...hosts[host], pool: { network: "10.9.0.0/16", subnetLength: 26 } };
  }
  return { pool, hosts };
}

/** Half of the time with some room, else with hardly any. */
function formedSetup(draw: ClaimDraw, count: number): ClaimSetup {
  const hosts = Object.fromEntries(draw.later.map((host) => [host, { later: true }]));
  const bits = Math.ceil(Math.log2(count + 1)) + draw.random.below(2);
  const network = `10.9.0.0/${SUBNET_LENGTH - bits}`;
  return { pool: { network, subnetLength: SUBNET_LENGTH }, formed: true, hosts };
}

/** Mostly some room, often hardly any, sometimes too little. */
function drawPool(random: Random, count: number): PoolText {
  const unit = random.unit();
  if (unit < 0.3) return { network: "10.9.0.0/16", subnetLength: 24 };
  // A network of that length has 2^bits - 1 subnets: the first is left out.
  const bits = Math.ceil(Math.log2(count + 1));
  const more = unit < 0.5 ? 2 : unit < 0.9 ? 0 : -1;
  const length = SUBNET_LENGTH - Math.max(2, bits + more);
  return { network: `10.9.0.0/${length}`, subnetLength: SUBNET_LENGTH };
}

function series(...faults: readonly (readonly [atMs: number, fault: Fault])[]): TimedFault[] {
  return faults.map(([atMs, fault]) => ({ atMs, fault }));
}
