/** Hosts that run swim alone, for the simulated cluster. */
import { Cluster, type ClusterOptions } from "../../mod/sim/cluster.ts";
import { SILENT_RIDER } from "../../mod/sim/membership_cluster.ts";
import type { Boot, SimHost } from "../../mod/sim/sim_host.ts";
import type { SwimEvent } from "../../mod/swim/event.ts";
import { decodeMembers } from "../../mod/swim/memory.ts";
import type { MemberStatus } from "../../mod/swim/member.ts";
import {
  Swim,
  type SwimCommand,
  type SwimOptions,
  type SwimSnapshot,
} from "../../mod/swim/swim.ts";
import { LAN_TIMINGS } from "../../mod/swim/timings.ts";
import { Keyring, parseKeys } from "../../mod/wire/keyring.ts";
import { testCipher, testKey } from "../support/test_cipher.ts";

export type SwimHost = SimHost<SwimCommand, SwimEvent, SwimSnapshot>;
export type SwimCluster = Cluster<SwimCommand, SwimEvent, SwimSnapshot>;

const ids = new Map<string, string>();

/** An id that is readable in failures: `00..05` for h5. */
export function idOf(name: string): string {
  const id = ids.get(name) ?? name.replace(/\D/g, "").padStart(32, "0");
  ids.set(name, id);
  return id;
}

/** The keys of hosts that start and have none on disk: see {@linkcode testKey}. */
let keysGiven: readonly number[] = [];

/** A test that must hold with plain gossip and with sealed. */
export function inBothForms(name: string, test: () => void): void {
  Deno.test(name, test);
  withKeys(`sealed: ${name}`, test);
}

/** A test of hosts that all begin with the key 1. */
export function withKeys(name: string, test: () => void): void {
  Deno.test(name, () => {
    keysGiven = [1];
    try {
      test();
    } finally {
      keysGiven = [];
    }
  });
}

function keysOf(boot: Boot): Keyring | undefined {
  const file = boot.documents.get("keys");
  const keys = file === undefined
    ? keysGiven.map(testKey)
    : parseKeys(new TextDecoder().decode(file), "keys");
  return keys.length === 0 ? undefined : new Keyring(keys, testCipher(boot.random));
}

export function swimOptions(boot: Boot, seeds: readonly string[]): SwimOptions {
  const document = boot.documents.get("members");
  const memory = document === undefined ? undefined : decodeMembers(document);
  const keys = keysOf(boot);
  return {
    label: "test",
    ...(keys === undefined ? {} : { keys }),
    self: {
      id: idOf(boot.name),
      name: boot.name,
      endpoint: boot.endpoint,
      instance: boot.random.uint32().toString(16).padStart(16, "0"),
      version: "0.1.0",
    },
    incarnation: memory === undefined ? 0 : memory.incarnation + 1,
    timings: LAN_TIMINGS,
    seeds,
    remembered: memory?.members ?? [],
  };
}

/** A cluster whose hosts all have the first one as their seed. */
export function swimCluster(
  seed: number,
  options: Partial<ClusterOptions<SwimCommand, SwimEvent, SwimSnapshot>> = {},
): SwimCluster {
  return new Cluster({
    seed,
    start: (boot) => {
      const seeds = boot.name === "h1" ? [] : ["10.0.0.1:7947"];
      return new Swim(swimOptions(boot, seeds), boot.random, SILENT_RIDER);
    },
    ...options,
  });
}

/** Adds and starts that many hosts at once. */
export function bootHosts(cluster: SwimCluster, count: number): SwimHost[] {
  const hosts = Array.from({ length: count }, () => cluster.add());
  for (const host of hosts) cluster.boot(host);
  return hosts;
}

/** What one host believes of another. */
export function statusOf(viewer: SwimHost, other: SwimHost): MemberStatus | undefined {
  return viewer.snapshot().members.find(({ id }) => id === idOf(other.name))?.status;
}

/** Whether every running host believes this of each of the others. */
export function allSee(cluster: SwimCluster, others: SwimHost[], status: MemberStatus): boolean {
  const ids = new Set(others.map(({ name }) => idOf(name)));
  return cluster.running.every((viewer) => {
    const wanted = ids.has(idOf(viewer.name)) ? ids.size - 1 : ids.size;
    let seen = 0;
    for (const member of viewer.snapshot().members) {
      if (!ids.has(member.id)) continue;
      if (member.id === viewer.snapshot().self.id) continue;
      // The first one that differs ends it: this is asked after every event.
      if (member.status !== status) return false;
      seen++;
    }
    return seen === wanted;
  });
}

/** Events of one kind that a host announced about another. */
export function eventsAbout(viewer: SwimHost, kind: SwimEvent["kind"], other: SwimHost): number {
  return viewer.events.filter(({ event }) =>
    event.kind === kind && "member" in event && event.member.id === idOf(other.name)
  ).length;
}
