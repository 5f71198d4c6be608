/** What a bridge does with one of its ports (linux/if_link.h IFLA_BRPORT_*). */
import { encodePayload } from "../netlink/attribute.ts";
import { execute, type NetlinkRequest, type NetlinkTransport } from "../netlink/transport.ts";
import { RTM } from "./family.ts";
import { IFLA_LINKINFO, writeLinkHeader } from "./link.ts";

const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const IFLA_BRPORT_MODE = 4;

/** What can be changed on a port; what is absent stays. */
export interface BridgePortSettings {
  /** Whether what came in through the port may go out through it again: a container that reaches itself by the host's address. */
  readonly hairpin?: boolean;
}

/** Equivalent to: ip link set dev INDEX type bridge_slave [hairpin on|off]. */
export function bridgePortSetRequest(index: number, settings: BridgePortSettings): NetlinkRequest {
  const payload = encodePayload((writer) => {
    writeLinkHeader(writer, index);
    writer.nested(IFLA_LINKINFO, () => {
      writer.string(IFLA_INFO_SLAVE_KIND, "bridge");
      writer.nested(IFLA_INFO_SLAVE_DATA, () => {
        if (settings.hairpin !== undefined) writer.u8(IFLA_BRPORT_MODE, settings.hairpin ? 1 : 0);
      });
    });
  });
  return {
    operation: "link set",
    subject: `dev ${index} type bridge_slave`,
    type: RTM.NEWLINK,
    flags: 0,
    payload,
  };
}

/** Changes a port. Throws NetlinkError, EINVAL when the device is no port of a bridge. */
export function bridgePortSet(
  transport: NetlinkTransport,
  index: number,
  settings: BridgePortSettings,
): void {
  execute(transport, bridgePortSetRequest(index, settings));
}
