/** The rules by which this host finds its underlay, at the start and at each look later. */
import { type Pool, poolFamily } from "../address/pool.ts";
import { ConfigError } from "../base/errors.ts";
import type { Underlay } from "../base/kernel_objects.ts";
import type { HostNetwork } from "../host/host_network.ts";
import { withIpv6 } from "../host/ipv6_of_host.ts";
import { checkPoolOverlap, withoutContainers } from "../host/pool_overlap.ts";
import { chooseUnderlay, type UnderlayChoice, type UnderlaySource } from "../host/underlay.ts";
import { halfOverheadOf, overlayDevice } from "../overlay/backend.ts";
import type { OwnBackend } from "../overlay/path.ts";
import { ipv6OverlayMtu, overlayMtuOn } from "../overlay/underlay_mtu.ts";
import { deviceName } from "../overlay/vxlan.ts";

/** What the operator said; AgentConfig has these fields. */
export interface UnderlaySettings extends UnderlayChoice {
  /** What hosts are configured with. */
  readonly pool: Pool;
  readonly backend: OwnBackend;
  readonly vni: number;
  readonly vxlanPort: number;
  readonly udpPort: number;
  /** Overlay MTU, or null for the underlay's minus the encapsulation. */
  readonly mtu: number | null;
  /** Address told to peers when it differs from the interface's own; of the pool's family. */
  readonly publicIp: string | null;
  /** Whether what flannel left for hosts that have not moved yet stays. */
  readonly adoptFlannel?: boolean;
}

/**
 * Throws UserError when nothing fits. Container bridges are left out: they are no way to other hosts, whatever a pattern
 * says of their addresses, and least of all while the right device has none for a moment.
 *
 * @param network what the host has now.
 * @param present the pool as it is now, and the underlay that is in use, if one is.
 */
export function findUnderlay(
  source: UnderlaySource,
  network: HostNetwork,
  settings: UnderlaySettings,
  { pool, used }: { readonly pool: Pool; readonly used: Underlay | null },
): Underlay {
  const { mtu, backend } = settings;
  const seen = {
    hostNetwork: () => withoutContainers(network, pool, used),
    routeTo: (address: string) => source.routeTo(address),
  };
  const found = withIpv6(chooseUnderlay(seen, settings), pool, network, backend === "udp");
  // These throw where too little is left for the overlay.
  overlayMtuOn(found, mtu, backend);
  if (found.ipv6 !== undefined) ipv6OverlayMtu(found, mtu, halfOverheadOf(backend));
  return found;
}

/**
 * The same for a host that begins. Where nothing fits because the overlay's network is the underlay's own, as far as its
 * devices look like containers', that is what there is to say.
 */
export function findFirstUnderlay(
  source: UnderlaySource,
  network: HostNetwork,
  settings: UnderlaySettings,
): Underlay {
  const { pool } = settings;
  try {
    return findUnderlay(source, network, settings, { pool, used: null });
  } catch (error) {
    const seen = { hostNetwork: () => network, routeTo: (to: string) => source.routeTo(to) };
    const underlay = error instanceof ConfigError ? null : findAny(seen, settings);
    const device = overlayDeviceName(settings, poolFamily(pool));
    if (underlay !== null) checkPoolOverlap(seen, pool, device, underlay);
    throw error;
  }
}

/** What routes of an earlier run go through: with host-gw those of another backend, if any. */
export function overlayDeviceName(
  settings: Pick<UnderlaySettings, "backend" | "vni">,
  family: 4 | 6 = 4,
): string {
  return overlayDevice(settings, family) ?? deviceName(settings.vni, family);
}

/** The choice with container bridges among the candidates. */
function findAny(source: UnderlaySource, settings: UnderlaySettings): Underlay | null {
  try {
    return chooseUnderlay(source, settings);
  } catch {
    return null;
  }
}
