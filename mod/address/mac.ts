/** The MAC of a host's overlay device: made from its identity, so that it survives reboots and deleted devices. */
import { sha256 } from "../base/hash.ts";

/**
 * `aa:bb:cc:dd:ee:ff` from host id and VNI. The first octet is as flannel makes it: locally administered,
 * unicast (IEEE 802 section 8.2); 46 bits of SHA-256 keep 5,000 hosts apart (2e-7 for any collision).
 */
export function vtepMac(hostId: string, vni: number): string {
  const hash = sha256("vtep", "\0", hostId, "\0", String(vni));
  const octets = [...hash.subarray(0, 6)];
  octets[0] = ((octets[0] ?? 0) & 0xfe) | 0x02;
  return octets.map((octet) => octet.toString(16).padStart(2, "0")).join(":");
}
