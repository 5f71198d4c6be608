/**
 * Caution after a start: what an earlier run of the agent left in the kernel may belong to hosts of which this run has not
 * heard yet. Such objects are kept until gossip had time to bring every claim, so that a restart loses no packet.
 */
import type { Operation } from "../base/kernel_objects.ts";
import type { ClaimRecord } from "../claim/record.ts";
import { cidrsOverlap } from "../address/network.ts";
import type { Plan } from "./plan.ts";

/**
 * The plan without removals of objects that no known record, of whatever state, speaks of.
 *
 * @param withdrawn subnets and addresses of peers that this run itself has wanted before: their holders have moved.
 */
export function keepUnknown(
  plan: Plan,
  records: readonly ClaimRecord[],
  withdrawn: ReadonlySet<string>,
): Plan {
  const macs = new Set(records.map((record) => record.vtep.mac));
  const knownSubnet = (cidr: string) => records.some((record) => cidrsOverlap(record.subnet, cidr));
  const isCertain = (operation: Operation): boolean => {
    switch (operation.kind) {
      case "route-delete":
        return withdrawn.has(operation.route.destination) ||
          knownSubnet(operation.route.destination);
      case "neighbour-delete":
        return withdrawn.has(operation.neighbour.address) ||
          knownSubnet(`${operation.neighbour.address}/32`);
      case "forwarding-delete":
        return macs.has(operation.entry.mac);
      default:
        return true;
    }
  };
  return { ...plan, operations: plan.operations.filter(isCertain) };
}
