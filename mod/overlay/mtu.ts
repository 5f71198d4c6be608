/**
 * The longest packets that containers may send: what this host's underlay leaves, and with `--mtu min` no more than any other
 * host of the cluster has room for. A longer one is lost at the first host whose bridge or underlay is smaller.
 */
import { familyOf } from "../address/cidr.ts";
import type { Problem } from "../base/problem.ts";
import { type ClaimRecord, occupies } from "../claim/record.ts";
import { mtuOf } from "./announced_mtu.ts";
import type { OverlayConfig } from "./desired.ts";

/** However small others say to be, no smaller: every host takes as much (RFC 791). */
const FOLLOWED_MTU_MIN = 576;
/** The same with IPv6 (RFC 8200 section 5): below, the kernel takes IPv6 off the device. */
const FOLLOWED_IPV6_MTU_MIN = 1280;

/** Of this host's containers: a bridge has but one MTU, so with dual stack the smaller one. */
export function containersMtu({ mtu, ipv6 }: Pick<OverlayConfig, "mtu" | "ipv6">): number {
  return Math.min(mtu, ipv6?.mtu ?? Infinity);
}

/** Who has the smallest, and how small it is; null without others. Also who is just asking: it will be there soon. */
function smallestOther(
  selfId: string,
  records: readonly ClaimRecord[],
): { readonly hostId: string; readonly mtu: number } | null {
  let smallest: { hostId: string; mtu: number } | null = null;
  for (const record of records) {
    if (record.hostId === selfId || !occupies(record)) continue;
    const mtu = mtuOf(record.vtep);
    if (smallest === null || mtu < smallest.mtu) smallest = { hostId: record.hostId, mtu };
  }
  return smallest;
}

/** The overlay with devices and containers no larger than any other host takes. */
export function fittedMtu(
  config: OverlayConfig,
  selfId: string,
  records: readonly ClaimRecord[],
): OverlayConfig {
  const smallest = smallestOther(selfId, records)?.mtu ?? Infinity;
  if (smallest >= containersMtu(config)) return config;
  const { ipv6 } = config;
  const fits = (mtu: number) => Math.min(mtu, Math.max(smallest, followedMtuMin(config)));
  const mtu = fits(config.mtu);
  if (ipv6 === undefined) return { ...config, mtu };
  return { ...config, mtu, ipv6: { ...ipv6, mtu: fits(ipv6.mtu) } };
}

function followedMtuMin({ ipv6, underlay }: Pick<OverlayConfig, "ipv6" | "underlay">): number {
  const isIpv4Alone = ipv6 === undefined && familyOf(underlay.address) === 4;
  return isIpv4Alone ? FOLLOWED_MTU_MIN : FOLLOWED_IPV6_MTU_MIN;
}

/** Warns where containers of this host send packets that others have no room for; null where all have. */
export function mtuDiffers(
  config: Pick<OverlayConfig, "mtu" | "ipv6" | "underlay">,
  selfId: string,
  records: readonly ClaimRecord[],
  nameOf: (hostId: string) => string,
): Problem | null {
  const mtu = containersMtu(config);
  const smallest = smallestOther(selfId, records);
  if (smallest === null || smallest.mtu >= mtu) return null;
  const smaller = records.filter(({ hostId, vtep, state }) =>
    hostId !== selfId && state !== "released" && mtuOf(vtep) < mtu
  );
  const others = smaller.length === 1 ? "" : `, the smallest of ${smaller.length} such hosts`;
  return {
    code: "mtu-differs",
    severity: "warning",
    text: `Containers of this host may send ${mtu} bytes, and those of ` +
      `${nameOf(smallest.hostId)} take ${smallest.mtu}${others}: longer packets may be lost`,
    remedy: smallest.mtu < followedMtuMin(config)
      ? `Raise the MTU there: --mtu min goes no lower than ${followedMtuMin(config)}`
      : `Start all hosts with --mtu min, or with --mtu ${smallest.mtu}; containers that run ` +
        "keep the MTU they have",
  };
}
