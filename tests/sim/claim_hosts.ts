/** What the tests of simulated claims share. */
import { ok } from "node:assert/strict";
import { type Pool, poolDigest, subnetsOf } from "../../mod/address/pool.ts";
import { sha256Hex } from "../../mod/base/hash.ts";
import type { HostEvent } from "../../mod/claim/host_core.ts";
import { rendezvousOrder } from "../../mod/claim/rendezvous.ts";
import type { HostCluster, SimulatedHost } from "../../mod/sim/host_cluster.ts";

export function claimOf(host: SimulatedHost) {
  return host.snapshot().claim;
}

export function subnetsHeld(hosts: readonly SimulatedHost[]): (string | null)[] {
  return hosts.map((host) => claimOf(host).subnet);
}

export function statesOf(hosts: readonly SimulatedHost[]): string[] {
  return hosts.map((host) => claimOf(host).state);
}

export function eventsOf<Kind extends HostEvent["kind"]>(
  host: SimulatedHost,
  kind: Kind,
): Extract<HostEvent, { kind: Kind }>[] {
  return host.events.map(({ event }) => event)
    .filter((event): event is Extract<HostEvent, { kind: Kind }> => event.kind === kind);
}

/** Whom this host routes this other host's subnet to. */
export function isRouted(host: SimulatedHost, other: SimulatedHost): boolean {
  const { id } = other.snapshot().swim.self;
  return claimOf(host).owners.some(({ hostId }) => hostId === id);
}

/** The host that was added at that place, 0 for the first. */
export function hostAt(hosts: HostCluster, index: number): SimulatedHost {
  const host = hosts.cluster.hosts[index];
  ok(host, `there is no host ${index}`);
  return host;
}

/** The first host as a seed. */
export function firstSeed(hosts: HostCluster): string[] {
  return [hostAt(hosts, 0).endpoint];
}

const known = new Map<string, string[]>();

/** Identities whose hosts all want that subnet first. */
export function identitiesWanting(subnet: string, count: number, pool: Pool): string[] {
  const key = `${subnet} ${count} ${poolDigest(pool)}`;
  const identities = known.get(key) ?? findIdentities(subnet, count, pool);
  known.set(key, identities);
  return identities;
}

function findIdentities(subnet: string, count: number, pool: Pool): string[] {
  const subnets = subnetsOf(pool);
  const found: string[] = [];
  for (let number = 0; found.length < count; number++) {
    const identity = `candidate ${number}`;
    const hostId = sha256Hex(identity).slice(0, 32);
    if (rendezvousOrder("simulated", hostId, subnets)[0] === subnet) found.push(identity);
  }
  return found;
}
