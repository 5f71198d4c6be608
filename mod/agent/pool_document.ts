/** The pool as `gossamer pool show` has it: networks, reserved parts and pins, each with who holds what of it. */
import { cidrsOverlap } from "../address/network.ts";
import { isInPool, networksOf, type Pool, subnetCount } from "../address/pool.ts";
import type { HostSnapshot } from "../claim/host_core.ts";
import type { ClaimRecord } from "../claim/record.ts";
import { type PoolDocument, type PoolHolderDocument, STATUS_SCHEMA } from "./api.ts";
import { hostName } from "./status.ts";

export function poolDocument(snapshot: HostSnapshot): PoolDocument {
  const { owners, pool, poolRecord } = snapshot.claim;
  const holder = ({ hostId, subnet }: ClaimRecord): PoolHolderDocument => ({
    host: hostName(snapshot, hostId),
    hostId,
    subnet,
  });
  const heldIn = (cidr: string) => owners.filter(({ subnet }) => cidrsOverlap(subnet, cidr));
  return {
    schema: STATUS_SCHEMA,
    version: pool.version,
    subnetLen: pool.subnetLength,
    used: owners.length,
    total: subnetCount(pool),
    networks: networksOf(pool).map((network) => ({
      network,
      added: network !== pool.cidr,
      total: countIn(pool, network),
      used: heldIn(network).length,
    })),
    reserved: pool.reserved.map((network) => ({ network, holders: heldIn(network).map(holder) })),
    pins: (poolRecord?.pins ?? []).map(({ hostId, subnet }) => ({
      host: hostName(snapshot, hostId),
      hostId,
      subnet,
      holds: owners.find((owner) => owner.hostId === hostId)?.subnet ?? null,
    })),
    outside: owners.filter(({ subnet }) => !isInPool(pool, subnet)).map(holder),
  };
}

/** How many subnets that network of the pool has. */
function countIn(pool: Pool, network: string): number {
  const base = subnetCount({ ...pool, added: [] });
  return network === pool.cidr ? base : subnetCount({ ...pool, added: [network] }) - base;
}
