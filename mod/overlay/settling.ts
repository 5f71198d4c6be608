/**
 * Caution after a start: what an earlier run of the agent left in the kernel may belong to hosts of which this run has not
 * heard yet. Such objects are kept until gossip had time to bring every claim, so that a restart loses no packet.
 */
import { isIpv6Text } from "../address/ipv6.ts";
import type { Operation } from "../base/kernel_objects.ts";
import type { ClaimRecord } from "../claim/record.ts";
import { NetworkSet } from "../address/network_set.ts";
import { type PathConfig, pathTo } from "./path.ts";
import type { Plan } from "./plan.ts";

/**
 * The plan without removals of objects that no known record, of whatever state, speaks of, of the way to hosts that
 * cannot be reached by what their records say, and of the device.
 *
 * @param config how this host takes packets.
 * @param withdrawn subnets and addresses of peers that this run itself has wanted before: their holders have moved.
 */
export function keepUnknown(
  plan: Plan,
  all: readonly ClaimRecord[],
  config: PathConfig,
  withdrawn: ReadonlySet<string>,
): Plan {
  // Remembered from an earlier run, a record may be of a time when its host took packets in another way: the way there is,
  // if any, stays until it was heard.
  const records = all.filter(({ vtep }) => typeof pathTo(config, vtep) === "string");
  const macs = new Set(records.map((record) => record.vtep.mac));
  const subnets = new NetworkSet(records.map(({ subnet }) => subnet));
  const knownSubnet = (cidr: string) => subnets.overlaps(cidr);
  const isCertain = (operation: Operation): boolean => {
    switch (operation.kind) {
      case "route-delete":
        return withdrawn.has(operation.route.destination) ||
          knownSubnet(operation.route.destination);
      case "neighbour-delete":
        return withdrawn.has(operation.neighbour.address) ||
          knownSubnet(alone(operation.neighbour.address));
      case "forwarding-delete":
        return macs.has(operation.entry.mac);
      default:
        return true;
    }
  };
  // A device that is not wanted any more still takes in the packets of those who do not know that yet.
  const keepsDevice = plan.operations.some(({ kind }) => kind === "link-delete") &&
    !plan.operations.some(({ kind }) => kind === "link-add");
  const staysUp = ({ kind }: Operation) =>
    keepsDevice && (kind === "link-delete" || kind === "address-delete");
  const operations = plan.operations.filter((operation) =>
    isCertain(operation) && !staysUp(operation)
  );
  return { ...plan, operations };
}

function alone(address: string): string {
  return `${address}/${isIpv6Text(address) ? 128 : 32}`;
}
