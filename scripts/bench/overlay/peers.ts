/** Claims of thousands of hosts, and a namespace with an underlay to program them in. */
import { addressAdd } from "../../../ffi/route/address.ts";
import { vethAdd } from "../../../ffi/route/veth.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { Namespace } from "../../../mod/lab/namespace.ts";
import { type Desired, desiredState, type OverlayConfig } from "../../../mod/overlay/desired.ts";

const UNDERLAY_ADDRESS = "172.16.0.1";

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");

/** Host `number` (from 1) holds the /24 of that number in 10.0.0.0/8. */
export function claimOf(number: number): ClaimRecord {
  const [high, low] = [number >> 8, number & 255];
  return {
    hostId: hex(number, 32),
    instance: hex(number, 16),
    generation: 1,
    sequence: 1,
    poolVersion: 1,
    poolDigest: "0000000000000000",
    subnet: `10.${high}.${low}.0/24`,
    state: "held",
    epoch: 1,
    strength: 1,
    stamp: number,
    vtep: {
      address: `172.16.${high}.${low}`,
      port: 8472,
      mac: `02:00:00:00:${hex(high, 2)}:${hex(low, 2)}`,
    },
    absenceTtlHours: 24,
  };
}

/** A namespace whose eth0 stands on 172.16.0.0/16. */
export class Site {
  readonly namespace = new Namespace("bench");
  readonly config: OverlayConfig;

  constructor() {
    const { netlink } = this.namespace;
    const { index } = vethAdd(netlink, {
      name: "eth0",
      up: true,
      peer: { name: "wire" },
    });
    addressAdd(netlink, { index, address: UNDERLAY_ADDRESS, prefixLength: 16 });
    this.config = {
      vni: 1,
      port: 8472,
      mac: claimOf(1).vtep.mac,
      mtu: 1450,
      networks: ["10.0.0.0/8"],
      backend: "vxlan",
      linkRoutes: [],
      underlay: { device: "eth0", index, address: UNDERLAY_ADDRESS, mtu: 1500 },
    };
  }

  /** What host 1 wants with that many peers. */
  desire(peers: number): Desired {
    const owners = Array.from({ length: peers + 1 }, (_, index) => claimOf(index + 1));
    return desiredState(this.config, claimOf(1), owners);
  }

  close(): void {
    this.namespace.close();
  }
}
