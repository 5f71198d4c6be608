/**
 * Every kind of request gossamer sends, with its bytes (sequence number 1, port 0), the command it
 * is equivalent to, and the bytes iproute2 6.1 sent for that command, recorded with strace in a
 * namespace where eth0 is device 3, flannel.1 4, br0 5, veth1 6 and veth0 7.
 *
 * `differs` lists what is not the same, as lines of describeMessage: "-" iproute2's, "+" ours.
 * Requests without recorded bytes need a newer iproute2 or name a namespace by descriptor.
 */
import type { NetlinkRequest } from "../../../ffi/netlink/transport.ts";
import {
  addressAddRequest,
  addressDeleteRequest,
  addressDumpRequest,
  addressReplaceRequest,
  IFA_F,
} from "../../../ffi/route/address.ts";
import { bridgeAddRequest } from "../../../ffi/route/bridge.ts";
import {
  fdbAppendRequest,
  fdbDeleteRequest,
  fdbDumpRequest,
  fdbReplaceRequest,
} from "../../../ffi/route/fdb.ts";
import {
  linkAddRequest,
  linkDeleteRequest,
  linkDumpRequest,
  linkGetRequest,
  linkSetRequest,
} from "../../../ffi/route/link.ts";
import {
  neighbourDeleteRequest,
  neighbourDumpRequest,
  neighbourReplaceRequest,
} from "../../../ffi/route/neighbour.ts";
import {
  ROUTE_TYPE,
  routeAddRequest,
  routeDeleteRequest,
  routeDumpRequest,
  routeGetRequest,
  routeReplaceRequest,
} from "../../../ffi/route/route.ts";
import { vethAddRequest } from "../../../ffi/route/veth.ts";
import { vxlanAddRequest, vxlanMoveRequest } from "../../../ffi/route/vxlan.ts";

/** One request. */
export interface RequestRow {
  readonly command: string;
  readonly request: () => NetlinkRequest;
  readonly bytes: string;
  readonly iproute2?: string;
  readonly differs?: readonly string[];
}

const ETH0 = 3;
const FLANNEL = 4;
const BR0 = 5;
const VETH1 = 6;
const VETH0 = 7;
const MAC = "02:00:00:00:00:09";
const PEER = {
  destination: "10.244.9.0/24",
  gateway: "10.244.9.0",
  index: FLANNEL,
  onlink: true,
  protocol: 77,
};

/** The table. */
export const REQUESTS: readonly RequestRow[] = [
  {
    command:
      "ip link add name flannel.1 address 02:11:22:33:44:55 mtu 1450 txqueuelen 0 type vxlan id 1 dev eth0 local 192.168.1.1 dstport 8472 nolearning",
    request: () =>
      vxlanAddRequest({
        name: "flannel.1",
        address: "02:11:22:33:44:55",
        mtu: 1450,
        txQueueLength: 0,
        alias: "set by a second message",
        up: true,
        vxlan: { id: 1, link: ETH0, local: "192.168.1.1", port: 8472 },
      }),
    bytes: `
      c8 00 00 00 10 00 00 06 01 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      0e 00 03 00 66 6c 61 6e 6e 65 6c 2e 31 00 00 00
      0a 00 01 00 02 11 22 33 44 55 00 00 08 00 04 00
      aa 05 00 00 08 00 0d 00 00 00 00 00 7c 00 12 00
      0a 00 01 00 76 78 6c 61 6e 00 00 00 6c 00 02 00
      08 00 01 00 01 00 00 00 08 00 03 00 03 00 00 00
      08 00 04 00 c0 a8 01 01 05 00 05 00 00 00 00 00
      05 00 06 00 00 00 00 00 05 00 07 00 00 00 00 00
      05 00 0b 00 00 00 00 00 05 00 0c 00 00 00 00 00
      05 00 0d 00 00 00 00 00 05 00 0e 00 00 00 00 00
      05 00 13 00 00 00 00 00 05 00 14 00 00 00 00 00
      06 00 0f 00 21 18 00 00`,
    iproute2: `
      88 00 00 00 10 00 05 06 07 09 03 6b 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      0a 00 01 00 02 11 22 33 44 55 00 00 08 00 04 00
      aa 05 00 00 08 00 0d 00 00 00 00 00 0e 00 03 00
      66 6c 61 6e 6e 65 6c 2e 31 00 00 00 3c 00 12 00
      09 00 01 00 76 78 6c 61 6e 00 00 00 2c 00 02 00
      08 00 03 00 03 00 00 00 08 00 01 00 01 00 00 00
      08 00 04 00 c0 a8 01 01 05 00 07 00 00 00 00 00
      06 00 0f 00 21 18 00 00`,
    differs: [
      "+ 18.2.11: 00",
      "+ 18.2.12: 00",
      "+ 18.2.13: 00",
      "+ 18.2.14: 00",
      "+ 18.2.19: 00",
      "+ 18.2.20: 00",
      "+ 18.2.5: 00",
      "+ 18.2.6: 00",
    ],
  },
  {
    command:
      "ip link add name flannel-v6.1 mtu 1430 type vxlan id 1 dev eth0 local fd00::1 dstport 8472 nolearning gbp",
    request: () =>
      vxlanAddRequest({
        name: "flannel-v6.1",
        mtu: 1430,
        vxlan: { id: 1, link: ETH0, local: "fd00::1", port: 8472, gbp: true },
      }),
    bytes: `
      c8 00 00 00 10 00 00 06 01 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      11 00 03 00 66 6c 61 6e 6e 65 6c 2d 76 36 2e 31
      00 00 00 00 08 00 04 00 96 05 00 00 8c 00 12 00
      0a 00 01 00 76 78 6c 61 6e 00 00 00 7c 00 02 00
      08 00 01 00 01 00 00 00 08 00 03 00 03 00 00 00
      14 00 11 00 fd 00 00 00 00 00 00 00 00 00 00 00
      00 00 00 01 05 00 05 00 00 00 00 00 05 00 06 00
      00 00 00 00 05 00 07 00 00 00 00 00 05 00 0b 00
      00 00 00 00 05 00 0c 00 00 00 00 00 05 00 0d 00
      00 00 00 00 05 00 0e 00 00 00 00 00 05 00 13 00
      00 00 00 00 05 00 14 00 00 00 00 00 04 00 17 00
      06 00 0f 00 21 18 00 00`,
    iproute2: `
      88 00 00 00 10 00 05 06 33 09 03 6b 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      08 00 04 00 96 05 00 00 11 00 03 00 66 6c 61 6e
      6e 65 6c 2d 76 36 2e 31 00 00 00 00 4c 00 12 00
      09 00 01 00 76 78 6c 61 6e 00 00 00 3c 00 02 00
      08 00 03 00 03 00 00 00 04 00 17 00 08 00 01 00
      01 00 00 00 14 00 11 00 fd 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 01 05 00 07 00 00 00 00 00
      06 00 0f 00 21 18 00 00`,
    differs: [
      "+ 18.2.11: 00",
      "+ 18.2.12: 00",
      "+ 18.2.13: 00",
      "+ 18.2.14: 00",
      "+ 18.2.19: 00",
      "+ 18.2.20: 00",
      "+ 18.2.5: 00",
      "+ 18.2.6: 00",
    ],
  },
  {
    command: "ip link set dev flannel.1 type vxlan dev eth0 local 192.168.1.9",
    request: () => vxlanMoveRequest(FLANNEL, { link: ETH0, local: "192.168.1.9" }),
    bytes: `
      44 00 00 00 10 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00
      24 00 12 00 0a 00 01 00 76 78 6c 61 6e 00 00 00
      14 00 02 00 08 00 03 00 03 00 00 00 08 00 04 00
      c0 a8 01 09`,
    iproute2: `
      44 00 00 00 10 00 05 00 14 7b 03 6b 00 00 00 00
      00 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00
      24 00 12 00 09 00 01 00 76 78 6c 61 6e 00 00 00
      14 00 02 00 08 00 03 00 03 00 00 00 08 00 04 00
      c0 a8 01 09`,
  },
  {
    command: "ip link add name br0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0",
    request: () =>
      bridgeAddRequest({
        name: "br0",
        bridge: { forwardDelayCs: 0, stp: false, multicastSnooping: false },
      }),
    bytes: `
      54 00 00 00 10 00 00 06 01 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      08 00 03 00 62 72 30 00 2c 00 12 00 0b 00 01 00
      62 72 69 64 67 65 00 00 1c 00 02 00 08 00 01 00
      00 00 00 00 08 00 05 00 00 00 00 00 05 00 17 00
      00 00 00 00`,
    iproute2: `
      54 00 00 00 10 00 05 06 07 09 03 6b 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      08 00 03 00 62 72 30 00 2c 00 12 00 0a 00 01 00
      62 72 69 64 67 65 00 00 1c 00 02 00 08 00 01 00
      00 00 00 00 08 00 05 00 00 00 00 00 05 00 17 00
      00 00 00 00`,
  },
  {
    command: "ip link add name veth0 type veth peer name veth1",
    request: () => vethAddRequest({ name: "veth0", peer: { name: "veth1" } }),
    bytes: `
      60 00 00 00 10 00 00 06 01 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      0a 00 03 00 76 65 74 68 30 00 00 00 34 00 12 00
      09 00 01 00 76 65 74 68 00 00 00 00 24 00 02 00
      20 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00
      00 00 00 00 0a 00 03 00 76 65 74 68 31 00 00 00`,
    iproute2: `
      5c 00 00 00 10 00 05 06 07 09 03 6b 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      0a 00 03 00 76 65 74 68 30 00 00 00 30 00 12 00
      08 00 01 00 76 65 74 68 24 00 02 00 20 00 01 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      0a 00 03 00 76 65 74 68 31 00 00 00`,
  },
  {
    command: "ip link add name dummy0 type dummy",
    request: () => linkAddRequest({ name: "dummy0", kind: "dummy" }),
    bytes: `
      3c 00 00 00 10 00 00 06 01 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      0b 00 03 00 64 75 6d 6d 79 30 00 00 10 00 12 00
      0a 00 01 00 64 75 6d 6d 79 00 00 00`,
  },
  {
    command:
      "ip link add name va type veth peer name vb address 02:00:00:00:00:0b mtu 1400 netns NAME",
    request: () =>
      vethAddRequest({
        name: "va",
        peer: { name: "vb", address: "02:00:00:00:00:0b", mtu: 1400, namespaceFd: 9 },
      }),
    bytes: `
      74 00 00 00 10 00 00 06 01 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      07 00 03 00 76 61 00 00 4c 00 12 00 09 00 01 00
      76 65 74 68 00 00 00 00 3c 00 02 00 38 00 01 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      07 00 03 00 76 62 00 00 0a 00 01 00 02 00 00 00
      00 0b 00 00 08 00 04 00 78 05 00 00 08 00 1c 00
      09 00 00 00`,
  },
  {
    command: "ip link set dev flannel.1 up",
    request: () => linkSetRequest(FLANNEL, { up: true }),
    bytes: `
      20 00 00 00 13 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 04 00 00 00 01 00 00 00 01 00 00 00`,
    iproute2: `
      20 00 00 00 10 00 05 00 07 09 03 6b 00 00 00 00
      00 00 00 00 04 00 00 00 01 00 00 00 01 00 00 00`,
  },
  {
    command: "ip link set dev flannel.1 down",
    request: () => linkSetRequest(FLANNEL, { up: false }),
    bytes: `
      20 00 00 00 13 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 04 00 00 00 00 00 00 00 01 00 00 00`,
  },
  {
    command: "ip link set dev flannel.1 alias gossamer",
    request: () => linkSetRequest(FLANNEL, { alias: "gossamer" }),
    bytes: `
      2c 00 00 00 13 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00
      0c 00 14 00 67 6f 73 73 61 6d 65 72`,
    iproute2: `
      2c 00 00 00 10 00 05 00 08 09 03 6b 00 00 00 00
      00 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00
      0c 00 14 00 67 6f 73 73 61 6d 65 72`,
  },
  {
    command: "ip link set dev veth0 master br0",
    request: () => linkSetRequest(VETH0, { master: BR0 }),
    bytes: `
      28 00 00 00 13 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00
      08 00 0a 00 05 00 00 00`,
    iproute2: `
      28 00 00 00 10 00 05 00 08 09 03 6b 00 00 00 00
      00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00
      08 00 0a 00 05 00 00 00`,
  },
  {
    command: "ip link set dev veth0 nomaster",
    request: () => linkSetRequest(VETH0, { master: 0 }),
    bytes: `
      28 00 00 00 13 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00
      08 00 0a 00 00 00 00 00`,
    iproute2: `
      28 00 00 00 10 00 05 00 08 09 03 6b 00 00 00 00
      00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00
      08 00 0a 00 00 00 00 00`,
  },
  {
    command: "ip link set dev veth0 mtu 1400",
    request: () => linkSetRequest(VETH0, { mtu: 1400 }),
    bytes: `
      28 00 00 00 13 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00
      08 00 04 00 78 05 00 00`,
    iproute2: `
      28 00 00 00 10 00 05 00 08 09 03 6b 00 00 00 00
      00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00
      08 00 04 00 78 05 00 00`,
  },
  {
    command: "ip link set dev veth1 name veth9",
    request: () => linkSetRequest(VETH1, { name: "veth9" }),
    bytes: `
      2c 00 00 00 13 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 06 00 00 00 00 00 00 00 00 00 00 00
      0a 00 03 00 76 65 74 68 39 00 00 00`,
    iproute2: `
      2c 00 00 00 10 00 05 00 08 09 03 6b 00 00 00 00
      00 00 00 00 06 00 00 00 00 00 00 00 00 00 00 00
      0a 00 03 00 76 65 74 68 39 00 00 00`,
  },
  {
    command: "ip link set dev veth1 netns NAME",
    request: () => linkSetRequest(VETH1, { namespaceFd: 9 }),
    bytes: `
      28 00 00 00 13 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 06 00 00 00 00 00 00 00 00 00 00 00
      08 00 1c 00 09 00 00 00`,
  },
  {
    command: "ip link show dev flannel.1",
    request: () => linkGetRequest("flannel.1"),
    bytes: `
      38 00 00 00 12 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      08 00 1d 00 08 00 00 00 0e 00 03 00 66 6c 61 6e
      6e 65 6c 2e 31 00 00 00`,
    iproute2: `
      38 00 00 00 12 00 01 00 08 09 03 6b 00 00 00 00
      11 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      0e 00 03 00 66 6c 61 6e 6e 65 6c 2e 31 00 00 00
      08 00 1d 00 01 00 00 00`,
    differs: [
      "- header: 11 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
      "- 29: 01 00 00 00",
      "+ header: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
      "+ 29: 08 00 00 00",
    ],
  },
  {
    command: "ip link show",
    request: () => linkDumpRequest(),
    bytes: `
      28 00 00 00 12 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      08 00 1d 00 08 00 00 00`,
    iproute2: `
      28 00 00 00 12 00 01 03 08 09 03 6b 00 00 00 00
      11 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      08 00 1d 00 01 00 00 00`,
    differs: [
      "- header: 11 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
      "- 29: 01 00 00 00",
      "+ header: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
      "+ 29: 08 00 00 00",
    ],
  },
  {
    command: "ip link delete dev flannel.1",
    request: () => linkDeleteRequest(FLANNEL),
    bytes: `
      20 00 00 00 11 00 00 00 01 00 00 00 00 00 00 00
      00 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00`,
    iproute2: `
      20 00 00 00 11 00 05 00 08 09 03 6b 00 00 00 00
      00 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00`,
  },
  {
    command: "ip address add 10.244.7.0/32 dev flannel.1",
    request: () => addressAddRequest({ index: FLANNEL, address: "10.244.7.0", prefixLength: 32 }),
    bytes: `
      28 00 00 00 14 00 00 06 01 00 00 00 00 00 00 00
      02 20 00 00 04 00 00 00 08 00 02 00 0a f4 07 00
      08 00 01 00 0a f4 07 00`,
    iproute2: `
      28 00 00 00 14 00 05 06 08 09 03 6b 00 00 00 00
      02 20 00 00 04 00 00 00 08 00 02 00 0a f4 07 00
      08 00 01 00 0a f4 07 00`,
  },
  {
    command: "ip address replace 10.244.7.0/32 dev flannel.1",
    request: () =>
      addressReplaceRequest({ index: FLANNEL, address: "10.244.7.0", prefixLength: 32 }),
    bytes: `
      28 00 00 00 14 00 00 05 01 00 00 00 00 00 00 00
      02 20 00 00 04 00 00 00 08 00 02 00 0a f4 07 00
      08 00 01 00 0a f4 07 00`,
    iproute2: `
      28 00 00 00 14 00 05 05 08 09 03 6b 00 00 00 00
      02 20 00 00 04 00 00 00 08 00 02 00 0a f4 07 00
      08 00 01 00 0a f4 07 00`,
  },
  {
    command: "ip address add 192.168.1.1/24 broadcast 192.168.1.255 dev eth0",
    request: () =>
      addressAddRequest({
        index: ETH0,
        address: "192.168.1.1",
        prefixLength: 24,
        broadcast: "192.168.1.255",
      }),
    bytes: `
      30 00 00 00 14 00 00 06 01 00 00 00 00 00 00 00
      02 18 00 00 03 00 00 00 08 00 02 00 c0 a8 01 01
      08 00 01 00 c0 a8 01 01 08 00 04 00 c0 a8 01 ff`,
    iproute2: `
      30 00 00 00 14 00 05 06 08 09 03 6b 00 00 00 00
      02 18 00 00 03 00 00 00 08 00 02 00 c0 a8 01 01
      08 00 04 00 c0 a8 01 ff 08 00 01 00 c0 a8 01 01`,
  },
  {
    command: "ip -6 address add fd00::1/64 dev flannel.1 nodad",
    request: () =>
      addressAddRequest({
        index: FLANNEL,
        address: "fd00::1",
        prefixLength: 64,
        flags: IFA_F.NODAD,
      }),
    bytes: `
      48 00 00 00 14 00 00 06 01 00 00 00 00 00 00 00
      0a 40 00 00 04 00 00 00 14 00 02 00 fd 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 01 14 00 01 00
      fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01
      08 00 08 00 02 00 00 00`,
    iproute2: `
      40 00 00 00 14 00 05 06 08 09 03 6b 00 00 00 00
      0a 40 02 00 04 00 00 00 14 00 02 00 fd 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 01 14 00 01 00
      fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01`,
    differs: [
      "- header: 0a 40 02 00 04 00 00 00",
      "+ header: 0a 40 00 00 04 00 00 00",
      "+ 8: 02 00 00 00",
    ],
  },
  {
    command: "ip address add 10.244.7.0/32 dev flannel.1 proto 77",
    request: () =>
      addressAddRequest({
        index: FLANNEL,
        address: "10.244.7.0",
        prefixLength: 32,
        protocol: 77,
      }),
    bytes: `
      30 00 00 00 14 00 00 06 01 00 00 00 00 00 00 00
      02 20 00 00 04 00 00 00 08 00 02 00 0a f4 07 00
      08 00 01 00 0a f4 07 00 05 00 0b 00 4d 00 00 00`,
  },
  {
    command: "ip -4 address show dev flannel.1",
    request: () => addressDumpRequest({ family: 4, index: FLANNEL }),
    bytes: `
      18 00 00 00 16 00 00 00 01 00 00 00 00 00 00 00
      02 00 00 00 04 00 00 00`,
    iproute2: `
      18 00 00 00 16 00 01 03 09 09 03 6b 00 00 00 00
      02 00 00 00 04 00 00 00`,
  },
  {
    command: "ip address delete 10.244.7.0/32 dev flannel.1",
    request: () =>
      addressDeleteRequest({ index: FLANNEL, address: "10.244.7.0", prefixLength: 32 }),
    bytes: `
      28 00 00 00 15 00 00 00 01 00 00 00 00 00 00 00
      02 20 00 00 04 00 00 00 08 00 02 00 0a f4 07 00
      08 00 01 00 0a f4 07 00`,
    iproute2: `
      28 00 00 00 15 00 05 00 08 09 03 6b 00 00 00 00
      02 20 00 00 04 00 00 00 08 00 02 00 0a f4 07 00
      08 00 01 00 0a f4 07 00`,
  },
  {
    command: "ip route add 10.244.9.0/24 via 10.244.9.0 dev flannel.1 onlink proto 77",
    request: () => routeAddRequest(PEER),
    bytes: `
      34 00 00 00 18 00 00 06 01 00 00 00 00 00 00 00
      02 18 00 00 fe 4d 00 01 04 00 00 00 08 00 01 00
      0a f4 09 00 08 00 05 00 0a f4 09 00 08 00 04 00
      04 00 00 00`,
    iproute2: `
      34 00 00 00 18 00 05 06 08 09 03 6b 00 00 00 00
      02 18 00 00 fe 4d 00 01 04 00 00 00 08 00 01 00
      0a f4 09 00 08 00 05 00 0a f4 09 00 08 00 04 00
      04 00 00 00`,
  },
  {
    command: "ip route replace 10.244.9.0/24 via 10.244.9.0 dev flannel.1 onlink proto 77",
    request: () => routeReplaceRequest(PEER),
    bytes: `
      34 00 00 00 18 00 00 05 01 00 00 00 00 00 00 00
      02 18 00 00 fe 4d 00 01 04 00 00 00 08 00 01 00
      0a f4 09 00 08 00 05 00 0a f4 09 00 08 00 04 00
      04 00 00 00`,
    iproute2: `
      34 00 00 00 18 00 05 05 08 09 03 6b 00 00 00 00
      02 18 00 00 fe 4d 00 01 04 00 00 00 08 00 01 00
      0a f4 09 00 08 00 05 00 0a f4 09 00 08 00 04 00
      04 00 00 00`,
  },
  {
    command: "ip -6 route replace fd00:9::/64 via fd00:9:: dev flannel.1 onlink proto 77",
    request: () =>
      routeReplaceRequest({
        ...PEER,
        destination: "fd00:9::/64",
        gateway: "fd00:9::",
      }),
    bytes: `
      4c 00 00 00 18 00 00 05 01 00 00 00 00 00 00 00
      0a 40 00 00 fe 4d 00 01 04 00 00 00 14 00 01 00
      fd 00 00 09 00 00 00 00 00 00 00 00 00 00 00 00
      14 00 05 00 fd 00 00 09 00 00 00 00 00 00 00 00
      00 00 00 00 08 00 04 00 04 00 00 00`,
    iproute2: `
      4c 00 00 00 18 00 05 05 08 09 03 6b 00 00 00 00
      0a 40 00 00 fe 4d 00 01 04 00 00 00 14 00 01 00
      fd 00 00 09 00 00 00 00 00 00 00 00 00 00 00 00
      14 00 05 00 fd 00 00 09 00 00 00 00 00 00 00 00
      00 00 00 00 08 00 04 00 04 00 00 00`,
  },
  {
    command:
      "ip route replace 10.77.0.0/16 dev eth0 proto 77 src 192.168.1.1 metric 5 table 1000 mtu 1400",
    request: () =>
      routeReplaceRequest({
        destination: "10.77.0.0/16",
        index: ETH0,
        protocol: 77,
        preferredSource: "192.168.1.1",
        priority: 5,
        table: 1000,
        mtu: 1400,
      }),
    bytes: `
      50 00 00 00 18 00 00 05 01 00 00 00 00 00 00 00
      02 10 00 00 00 4d fd 01 00 00 00 00 08 00 01 00
      0a 4d 00 00 08 00 04 00 03 00 00 00 08 00 07 00
      c0 a8 01 01 08 00 06 00 05 00 00 00 08 00 0f 00
      e8 03 00 00 0c 00 08 00 08 00 02 00 78 05 00 00`,
    iproute2: `
      50 00 00 00 18 00 05 05 08 09 03 6b 00 00 00 00
      02 10 00 00 00 4d fd 01 00 00 00 00 08 00 01 00
      0a 4d 00 00 08 00 07 00 c0 a8 01 01 08 00 06 00
      05 00 00 00 08 00 0f 00 e8 03 00 00 08 00 04 00
      03 00 00 00 0c 00 08 00 08 00 02 00 78 05 00 00`,
  },
  {
    command: "ip route replace blackhole 10.244.7.0/24 proto 77",
    request: () =>
      routeReplaceRequest({
        destination: "10.244.7.0/24",
        type: ROUTE_TYPE.BLACKHOLE,
        protocol: 77,
      }),
    bytes: `
      24 00 00 00 18 00 00 05 01 00 00 00 00 00 00 00
      02 18 00 00 fe 4d 00 06 00 00 00 00 08 00 01 00
      0a f4 07 00`,
    iproute2: `
      24 00 00 00 18 00 05 05 08 09 03 6b 00 00 00 00
      02 18 00 00 fe 4d 00 06 00 00 00 00 08 00 01 00
      0a f4 07 00`,
  },
  {
    command: "ip route get 10.244.9.5",
    request: () => routeGetRequest("10.244.9.5"),
    bytes: `
      24 00 00 00 1a 00 00 00 01 00 00 00 00 00 00 00
      02 20 00 00 00 00 00 00 00 10 00 00 08 00 01 00
      0a f4 09 05`,
    iproute2: `
      24 00 00 00 1a 00 01 00 33 09 03 6b 00 00 00 00
      02 20 00 00 00 00 00 00 00 10 00 00 08 00 01 00
      0a f4 09 05`,
  },
  {
    command: "ip -4 route show table main proto 77",
    request: () => routeDumpRequest(4, { protocol: 77 }),
    bytes: `
      24 00 00 00 1a 00 00 00 01 00 00 00 00 00 00 00
      02 00 00 00 00 4d 00 00 00 00 00 00 08 00 0f 00
      fe 00 00 00`,
    iproute2: `
      24 00 00 00 1a 00 01 03 33 09 03 6b 00 00 00 00
      02 00 00 00 00 4d 00 00 00 00 00 00 08 00 0f 00
      fe 00 00 00`,
  },
  {
    command: "ip -4 route show table main proto 77 dev eth0",
    request: () => routeDumpRequest(4, { protocol: 77, index: ETH0 }),
    bytes: `
      2c 00 00 00 1a 00 00 00 01 00 00 00 00 00 00 00
      02 00 00 00 00 4d 00 00 00 00 00 00 08 00 0f 00
      fe 00 00 00 08 00 04 00 03 00 00 00`,
    iproute2: `
      2c 00 00 00 1a 00 01 03 33 09 03 6b 00 00 00 00
      02 00 00 00 00 4d 00 00 00 00 00 00 08 00 0f 00
      fe 00 00 00 08 00 04 00 03 00 00 00`,
  },
  {
    command: "ip -6 route show proto 77 dev flannel.1",
    request: () => routeDumpRequest(6, { protocol: 77, index: FLANNEL }),
    bytes: `
      2c 00 00 00 1a 00 00 00 01 00 00 00 00 00 00 00
      0a 00 00 00 00 4d 00 00 00 00 00 00 08 00 0f 00
      fe 00 00 00 08 00 04 00 04 00 00 00`,
    iproute2: `
      2c 00 00 00 1a 00 01 03 08 09 03 6b 00 00 00 00
      0a 00 00 00 00 4d 00 00 00 00 00 00 08 00 0f 00
      fe 00 00 00 08 00 04 00 04 00 00 00`,
  },
  {
    command: "ip route delete 10.244.9.0/24 dev flannel.1 proto 77",
    request: () =>
      routeDeleteRequest({
        destination: "10.244.9.0/24",
        index: FLANNEL,
        protocol: 77,
      }),
    bytes: `
      2c 00 00 00 19 00 00 00 01 00 00 00 00 00 00 00
      02 18 00 00 fe 4d ff 00 00 00 00 00 08 00 01 00
      0a f4 09 00 08 00 04 00 04 00 00 00`,
    iproute2: `
      2c 00 00 00 19 00 05 00 08 09 03 6b 00 00 00 00
      02 18 00 00 fe 4d ff 00 00 00 00 00 08 00 01 00
      0a f4 09 00 08 00 04 00 04 00 00 00`,
  },
  {
    command:
      "ip neighbour replace 10.244.9.0 lladdr 02:00:00:00:00:09 dev flannel.1 nud permanent protocol 77",
    request: () =>
      neighbourReplaceRequest({
        index: FLANNEL,
        address: "10.244.9.0",
        linkAddress: MAC,
        protocol: 77,
      }),
    bytes: `
      38 00 00 00 1c 00 00 05 01 00 00 00 00 00 00 00
      02 00 00 00 04 00 00 00 80 00 00 00 08 00 01 00
      0a f4 09 00 0a 00 02 00 02 00 00 00 00 09 00 00
      05 00 0c 00 4d 00 00 00`,
    iproute2: `
      38 00 00 00 1c 00 05 05 09 09 03 6b 00 00 00 00
      02 00 00 00 04 00 00 00 80 00 00 00 05 00 0c 00
      4d 00 00 00 08 00 01 00 0a f4 09 00 0a 00 02 00
      02 00 00 00 00 09 00 00`,
  },
  {
    command:
      "ip -6 neighbour replace fd00:9:: lladdr 02:00:00:00:00:09 dev flannel.1 nud permanent protocol 77",
    request: () =>
      neighbourReplaceRequest({
        index: FLANNEL,
        address: "fd00:9::",
        linkAddress: MAC,
        protocol: 77,
      }),
    bytes: `
      44 00 00 00 1c 00 00 05 01 00 00 00 00 00 00 00
      0a 00 00 00 04 00 00 00 80 00 00 00 14 00 01 00
      fd 00 00 09 00 00 00 00 00 00 00 00 00 00 00 00
      0a 00 02 00 02 00 00 00 00 09 00 00 05 00 0c 00
      4d 00 00 00`,
    iproute2: `
      44 00 00 00 1c 00 05 05 09 09 03 6b 00 00 00 00
      0a 00 00 00 04 00 00 00 80 00 00 00 05 00 0c 00
      4d 00 00 00 14 00 01 00 fd 00 00 09 00 00 00 00
      00 00 00 00 00 00 00 00 0a 00 02 00 02 00 00 00
      00 09 00 00`,
  },
  {
    command: "ip -4 neighbour show dev flannel.1",
    request: () => neighbourDumpRequest(4, { index: FLANNEL }),
    bytes: `
      24 00 00 00 1e 00 00 00 01 00 00 00 00 00 00 00
      02 00 00 00 00 00 00 00 00 00 00 00 08 00 08 00
      04 00 00 00`,
    iproute2: `
      24 00 00 00 1e 00 01 03 09 09 03 6b 00 00 00 00
      02 00 00 00 00 00 00 00 00 00 00 00 08 00 08 00
      04 00 00 00`,
  },
  {
    command: "ip neighbour delete 10.244.9.0 dev flannel.1",
    request: () => neighbourDeleteRequest({ index: FLANNEL, address: "10.244.9.0" }),
    bytes: `
      24 00 00 00 1d 00 00 00 01 00 00 00 00 00 00 00
      02 00 00 00 04 00 00 00 00 00 00 00 08 00 01 00
      0a f4 09 00`,
    iproute2: `
      24 00 00 00 1d 00 05 00 09 09 03 6b 00 00 00 00
      02 00 00 00 04 00 00 00 80 00 00 00 08 00 01 00
      0a f4 09 00`,
    differs: [
      "- header: 02 00 00 00 04 00 00 00 80 00 00 00",
      "+ header: 02 00 00 00 04 00 00 00 00 00 00 00",
    ],
  },
  {
    command: "bridge fdb replace 02:00:00:00:00:09 dev flannel.1 dst 192.168.1.2 self permanent",
    request: () =>
      fdbReplaceRequest({
        index: FLANNEL,
        linkAddress: MAC,
        destination: "192.168.1.2",
      }),
    bytes: `
      30 00 00 00 1c 00 00 05 01 00 00 00 00 00 00 00
      07 00 00 00 04 00 00 00 80 00 02 00 0a 00 02 00
      02 00 00 00 00 09 00 00 08 00 01 00 c0 a8 01 02`,
    iproute2: `
      30 00 00 00 1c 00 05 05 09 09 03 6b 00 00 00 00
      07 00 00 00 04 00 00 00 c0 00 02 00 0a 00 02 00
      02 00 00 00 00 09 00 00 08 00 01 00 c0 a8 01 02`,
    differs: [
      "- header: 07 00 00 00 04 00 00 00 c0 00 02 00",
      "+ header: 07 00 00 00 04 00 00 00 80 00 02 00",
    ],
  },
  {
    command:
      "bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst 192.168.1.3 port 4789 vni 7 via eth0 self permanent",
    request: () =>
      fdbAppendRequest({
        index: FLANNEL,
        linkAddress: "00:00:00:00:00:00",
        destination: "192.168.1.3",
        port: 4789,
        vni: 7,
        outInterface: ETH0,
      }),
    bytes: `
      48 00 00 00 1c 00 00 0c 01 00 00 00 00 00 00 00
      07 00 00 00 04 00 00 00 80 00 02 00 0a 00 02 00
      00 00 00 00 00 00 00 00 08 00 01 00 c0 a8 01 03
      06 00 06 00 12 b5 00 00 08 00 07 00 07 00 00 00
      08 00 08 00 03 00 00 00`,
    iproute2: `
      48 00 00 00 1c 00 05 0c 09 09 03 6b 00 00 00 00
      07 00 00 00 04 00 00 00 c0 00 02 00 0a 00 02 00
      00 00 00 00 00 00 00 00 08 00 01 00 c0 a8 01 03
      06 00 06 00 12 b5 00 00 08 00 07 00 07 00 00 00
      08 00 08 00 03 00 00 00`,
    differs: [
      "- header: 07 00 00 00 04 00 00 00 c0 00 02 00",
      "+ header: 07 00 00 00 04 00 00 00 80 00 02 00",
    ],
  },
  {
    command: "bridge fdb show dev flannel.1",
    request: () => fdbDumpRequest(FLANNEL),
    bytes: `
      1c 00 00 00 1e 00 00 00 01 00 00 00 00 00 00 00
      07 00 00 00 04 00 00 00 00 00 00 00`,
    iproute2: `
      1c 00 00 00 1e 00 01 03 09 09 03 6b 00 00 00 00
      07 00 00 00 04 00 00 00 00 00 00 00`,
  },
  {
    command: "bridge fdb delete 02:00:00:00:00:09 dev flannel.1 self",
    request: () => fdbDeleteRequest({ index: FLANNEL, linkAddress: MAC }),
    bytes: `
      28 00 00 00 1d 00 00 00 01 00 00 00 00 00 00 00
      07 00 00 00 04 00 00 00 00 00 02 00 0a 00 02 00
      02 00 00 00 00 09 00 00`,
    iproute2: `
      28 00 00 00 1d 00 05 00 09 09 03 6b 00 00 00 00
      07 00 00 00 04 00 00 00 c0 00 02 00 0a 00 02 00
      02 00 00 00 00 09 00 00`,
    differs: [
      "- header: 07 00 00 00 04 00 00 00 c0 00 02 00",
      "+ header: 07 00 00 00 04 00 00 00 00 00 02 00",
    ],
  },
];
