/** Ethernet bridges, the switch that containers of one host are plugged into. */
import type { AttributeWriter } from "../netlink/attribute.ts";
import type { NetlinkRequest, NetlinkTransport } from "../netlink/transport.ts";
import { type Link, linkAdd, linkAddRequest, type NewLink } from "./link.ts";

const IFLA_BR_FORWARD_DELAY = 1;
const IFLA_BR_STP_STATE = 5;
const IFLA_BR_MCAST_SNOOPING = 23;

/** Parameters of a bridge; what is absent is the kernel's default. */
export interface BridgeParameters {
  /** Spanning tree protocol. */
  readonly stp?: boolean;
  /** Hundredths of a second (USER_HZ) a new port waits before it forwards. */
  readonly forwardDelayCs?: number;
  readonly multicastSnooping?: boolean;
}

/** A bridge to create. */
export interface BridgeCreate extends NewLink {
  readonly bridge?: BridgeParameters;
}

function createOf(create: BridgeCreate) {
  const { bridge, ...settings } = create;
  if (bridge === undefined) return { ...settings, kind: "bridge" };
  const data = (writer: AttributeWriter) => {
    if (bridge.forwardDelayCs !== undefined) {
      writer.u32(IFLA_BR_FORWARD_DELAY, bridge.forwardDelayCs);
    }
    if (bridge.stp !== undefined) writer.u32(IFLA_BR_STP_STATE, bridge.stp ? 1 : 0);
    if (bridge.multicastSnooping !== undefined) {
      writer.u8(IFLA_BR_MCAST_SNOOPING, bridge.multicastSnooping ? 1 : 0);
    }
  };
  return { ...settings, kind: "bridge", data };
}

/** Equivalent to: ip link add NAME type bridge [forward_delay N] [stp_state N] … */
export function bridgeAddRequest(create: BridgeCreate): NetlinkRequest {
  return linkAddRequest(createOf(create));
}

/** Creates a bridge and returns it. */
export function bridgeAdd(transport: NetlinkTransport, create: BridgeCreate): Link {
  return linkAdd(transport, createOf(create));
}
