/** Pairs of virtual Ethernet devices, the cables between namespaces (linux/veth.h). */
import type { AttributeWriter } from "../netlink/attribute.ts";
import type { NetlinkRequest, NetlinkTransport } from "../netlink/transport.ts";
import {
  type Link,
  linkAdd,
  linkAddRequest,
  type NewLink,
  writeLinkHeader,
  writeLinkSettings,
} from "./link.ts";

export const VETH_INFO_PEER = 1;

/** The far end of a pair. The kernel sets neither alias nor state of it at creation. */
export interface VethPeer {
  readonly name: string;
  readonly address?: string;
  readonly mtu?: number;
  /** Descriptor of the namespace it shall live in. */
  readonly namespaceFd?: number;
}

/** A pair to create. */
export interface VethCreate extends NewLink {
  readonly peer: VethPeer;
}

function createOf(create: VethCreate) {
  const { peer, ...settings } = create;
  const data = (writer: AttributeWriter) => {
    writer.nested(VETH_INFO_PEER, () => {
      writeLinkHeader(writer, 0);
      writeLinkSettings(writer, peer);
    });
  };
  return { ...settings, kind: "veth", data };
}

/** Equivalent to: ip link add NAME type veth peer name PEER [netns NAMESPACE]. */
export function vethAddRequest(create: VethCreate): NetlinkRequest {
  return linkAddRequest(createOf(create));
}

/** Creates a pair and returns the near end. */
export function vethAdd(transport: NetlinkTransport, create: VethCreate): Link {
  return linkAdd(transport, createOf(create));
}
