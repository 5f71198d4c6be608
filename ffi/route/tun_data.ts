/** What the kernel says of a TUN or TAP device (IFLA_TUN_* of linux/if_link.h); it can only be read. */
import type { Attributes } from "../netlink/attribute.ts";

const IFLA_TUN_TYPE = 3;
const IFLA_TUN_VNET_HDR = 5;
const IFLA_TUN_PERSIST = 6;
const IFLA_TUN_MULTI_QUEUE = 7;
/** IFF_TUN of linux/if_tun.h; IFF_TAP is 2. */
const TYPE_TUN = 1;

export interface TunInfo {
  /** IP packets, not Ethernet frames. */
  readonly isTun: boolean;
  readonly hasVnetHeader: boolean;
  /** Stays when nobody has it open. */
  readonly isPersistent: boolean;
  readonly isMultiQueue: boolean;
}

export function decodeTunData(data: Attributes): TunInfo {
  const bit = (type: number) => (data.u8(type) ?? 0) !== 0;
  return {
    isTun: data.u8(IFLA_TUN_TYPE) === TYPE_TUN,
    hasVnetHeader: bit(IFLA_TUN_VNET_HDR),
    isPersistent: bit(IFLA_TUN_PERSIST),
    isMultiQueue: bit(IFLA_TUN_MULTI_QUEUE),
  };
}
