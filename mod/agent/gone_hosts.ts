/** Who owns a subnet, but is no member that anybody hears: dead, gone, or known from claims alone. */
import { familyOf } from "../address/cidr.ts";
import { deviceAddressOf } from "../address/network.ts";
import type { HostSnapshot } from "../claim/host_core.ts";
import { type PathConfig, pathTo } from "../overlay/path.ts";
import type { GonePeer } from "./dead_peer_keeper.ts";

/** By host id, with the address on which its kernel can be asked whether it still carries packets. */
export function goneHosts(
  { swim, claim }: Pick<HostSnapshot, "swim" | "claim">,
  paths: PathConfig,
): Map<string, GonePeer> {
  const members = new Map(swim.members.map((member) => [member.id, member]));
  const own = claim.owners.find(({ hostId }) => hostId === swim.self.id);
  const gone = new Map<string, GonePeer>();
  for (const { hostId, subnet, vtep } of claim.owners) {
    const member = members.get(hostId);
    if (hostId === swim.self.id) continue;
    // Of a host that was started with another family there is nothing to route, and this one may not even speak it.
    if (own !== undefined && familyOf(subnet) !== familyOf(own.subnet)) continue;
    if (member?.status === "alive" || member?.status === "suspect") continue;
    const path = pathTo(paths, vtep);
    if (typeof path !== "string") continue; // there is no way to ask it
    gone.set(hostId, {
      name: member?.name ?? `host ${hostId.slice(0, 8)}`,
      subnet,
      address: path === "direct" ? vtep.address : deviceAddressOf(subnet),
    });
  }
  return gone;
}
