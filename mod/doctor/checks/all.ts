/** Every check, from what all others need to what matters last. */
import type { Check } from "../check.ts";
import { agent } from "./agent.ts";
import { bridgeFilter } from "./bridge_filter.ts";
import { clock } from "./clock.ts";
import { conntrack } from "./conntrack.ts";
import { disk } from "./disk.ts";
import { duplicateAddress } from "./duplicate_address.ts";
import { firewallForward } from "./firewall_forward.ts";
import { firewallInput } from "./firewall_input.ts";
import { hostName } from "./host_name.ts";
import { ipForward } from "./ip_forward.ts";
import { kernelFeatures } from "./kernel_features.ts";
import { neighbourTable } from "./neighbour_table.ts";
import { networkOverlap } from "./network_overlap.ts";
import { overlayDevice } from "./overlay_device.ts";
import { ports } from "./ports.ts";
import { privileges } from "./privileges.ts";
import { receiveBuffer } from "./receive_buffer.ts";
import { rpFilter } from "./rp_filter.ts";
import { underlay } from "./underlay.ts";
import { underlayMtu } from "./underlay_mtu.ts";

export const CHECKS: readonly Check[] = [
  privileges,
  kernelFeatures,
  disk,
  hostName,
  clock,
  underlay,
  networkOverlap,
  overlayDevice,
  ports,
  firewallInput,
  firewallForward,
  ipForward,
  rpFilter,
  bridgeFilter,
  duplicateAddress,
  underlayMtu,
  neighbourTable,
  conntrack,
  receiveBuffer,
  agent,
];
