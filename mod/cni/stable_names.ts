/** Names and MAC addresses that follow from what they are for: whoever comes back after a crash finds them again. */
import { addressToBytes } from "../../ffi/inet.ts";
import type { AttachmentKey } from "./ledger.ts";

/** The alias of bridges we made. Not the agent's: `gossamer cleanup` has no business with the containers' bridge. */
export const BRIDGE_ALIAS = "gossamer cni";
/** Locally administered, unicast (IEEE 802 section 8.2). */
const CONTAINER_MAC_START = [0x0a, 0x58];
const BRIDGE_MAC_START = [0x0a, 0x67];

/**
 * The MAC of our bridge of that name. It is set as the bridge is made, in one step, so it proves whose the bridge is even if
 * we were killed before the alias was set; and a bridge with a MAC of its own does not take over that of its ports.
 */
export function bridgeMac(bridge: string): string {
  return macText([...BRIDGE_MAC_START, ...bytesOf(hash(`bridge ${bridge}`))]);
}

/** The MAC of a container with that address: who gets the address later answers to what neighbours remember. */
export function containerMac(address: string): string {
  return macText([...CONTAINER_MAC_START, ...addressToBytes(address).slice(-4)]);
}

/** The host's end of a container's cable, `veth5f3a09c1`. */
export function hostDeviceName(network: string, key: AttachmentKey, attempt = 0): string {
  const digest = hash(`${network} ${key.containerId} ${key.ifname} ${attempt}`);
  return `veth${digest.toString(16).padStart(8, "0")}`;
}

/** FNV-1a, 32 bits: names need no more, and SHA-256 would have to be loaded. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  }
  return value;
}

function bytesOf(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
}

function macText(octets: readonly number[]): string {
  return octets.map((octet) => octet.toString(16).padStart(2, "0")).join(":");
}
