/**
 * The story of a heal, as data for a picture: a cluster is cut in two, each side takes in a new host, both newcomers
 * happen to want one subnet, and the sides meet again.
 */
import { makePool, subnetsOf } from "../../address/pool.ts";
import { sha256Hex } from "../../base/hash.ts";
import { rendezvousOrder } from "../../claim/rendezvous.ts";
import type { LifeState } from "../../claim/snapshot.ts";
import { HostCluster, type SimulatedHost } from "../host_cluster.ts";
import { SIMULATED_LABEL } from "../membership_cluster.ts";

/** A host's claim from that time on, until the next one. */
export interface ClaimSpan {
  readonly fromMs: number;
  readonly state: LifeState;
  readonly subnet: string | null;
}

export interface HealLane {
  readonly name: string;
  /** 0 and 1. */
  readonly side: number;
  readonly isNewcomer: boolean;
  readonly spans: readonly ClaimSpan[];
}

export interface HealStory {
  readonly lanes: readonly HealLane[];
  readonly cutAtMs: number;
  readonly healedAtMs: number;
  readonly endMs: number;
  /** The subnet that both newcomers took. */
  readonly contested: string;
  /** When the loser held its next one. */
  readonly movedAtMs: number;
  /** The order's own words on who won. */
  readonly why: string;
}

const OLD_HOSTS = 6;
/** On the first side: a majority, which the strength of claims is about. */
const FIRST_SIDE = 4;
/** The cluster stands still that long before it is cut, so that the picture has a beginning. */
const BEFORE_MS = 5_000;
const NEWCOMERS_AFTER_MS = 10_000;
const CUT_MS = 30_000;
const AFTER_MS = 20_000;
/** Between looks at the claims. */
const LOOK_MS = 50;

/** Of the picture in docs/claims.md. */
export const HEAL_SEED = 1;

/** Plays the story; equal seeds give equal stories. */
export function playHeal(seed: number): HealStory {
  const pool = makePool({ network: "10.244.0.0/16" });
  const hosts = new HostCluster({ seed, pool });
  const { cluster } = hosts;
  const grown = hosts.grow(OLD_HOSTS);
  const taken = new Set(grown.map((host) => host.snapshot().claim.subnet));
  const contested = subnetsOf(pool).find((subnet) => !taken.has(subnet)) ?? "";
  const [one, other] = identitiesWanting(contested, subnetsOf(pool));
  const startMs = cluster.nowMs;
  const spans = new Map<SimulatedHost, ClaimSpan[]>();
  const look = (untilMs: number) => {
    while (cluster.nowMs - startMs < untilMs) {
      note(spans, cluster.nowMs - startMs, cluster.hosts);
      cluster.runFor(LOOK_MS);
    }
  };

  look(BEFORE_MS);
  const cutAtMs = cluster.nowMs - startMs;
  hosts.invariants.allowDoubles = true;
  const half = grown.slice(0, FIRST_SIDE);
  const [first, second] = [cluster.add(), cluster.add()];
  hosts.configure(first, { seeds: [endpointOf(grown[0])], identity: one ?? "" });
  hosts.configure(second, { seeds: [endpointOf(grown[FIRST_SIDE])], identity: other ?? "" });
  const left = [...half, first];
  cluster.network.partition(left.map(({ endpoint }) => endpoint));
  look(cutAtMs + NEWCOMERS_AFTER_MS);
  cluster.boot(first);
  look(cutAtMs + NEWCOMERS_AFTER_MS + 1_000);
  cluster.boot(second);
  look(cutAtMs + CUT_MS);
  const healedAtMs = cluster.nowMs - startMs;
  cluster.network.heal();
  look(healedAtMs + AFTER_MS);

  const lanes = cluster.hosts.map((host): HealLane => ({
    name: host.name,
    side: left.includes(host) ? 0 : 1,
    isNewcomer: host === first || host === second,
    spans: spans.get(host) ?? [],
  }));
  const moved = lanes.find((lane) => lane.isNewcomer && lane.spans.at(-1)?.subnet !== contested);
  return {
    lanes,
    cutAtMs,
    healedAtMs,
    endMs: cluster.nowMs - startMs,
    contested,
    movedAtMs: moved?.spans.at(-1)?.fromMs ?? NaN,
    why:
      [first, second].flatMap(({ events }) =>
        events.flatMap(({ event }) => event.kind === "conflict" ? [event.why] : [])
      )[0] ?? "",
  };
}

function note(
  all: Map<SimulatedHost, ClaimSpan[]>,
  atMs: number,
  hosts: readonly SimulatedHost[],
): void {
  for (const host of hosts) {
    if (!host.isRunning) continue;
    const { state, subnet } = host.snapshot().claim;
    const spans = all.get(host) ?? [];
    all.set(host, spans);
    const last = spans.at(-1);
    if (last?.state === state && last.subnet === subnet) continue;
    spans.push({ fromMs: atMs, state, subnet });
  }
}

/** Two identities whose hosts want that subnet first of all. */
function identitiesWanting(subnet: string, subnets: readonly string[]): string[] {
  const found: string[] = [];
  for (let number = 0; found.length < 2; number++) {
    const identity = `newcomer ${number}`;
    const hostId = sha256Hex(identity).slice(0, 32);
    if (rendezvousOrder(SIMULATED_LABEL, hostId, subnets)[0] === subnet) found.push(identity);
  }
  return found;
}

function endpointOf(host: SimulatedHost | undefined): string {
  return host?.endpoint ?? "";
}
