/** The two address families as the kernel numbers them, and requests that rtnetlink shares. */
import { AF_INET, AF_INET6 } from "../socket.ts";

/** Message types (linux/rtnetlink.h). Each object has NEW, DEL and GET; links SET besides. */
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(RTM).map(([name, type]) => [type, `RTM_${name}`]),
);

/** "RTM_NEWROUTE" for 24; "type 99" for one that is not ours. */
export function messageTypeName(type: number): string {
  return NAMES.get(type) ?? `type ${type}`;
}

/** AF_INET or AF_INET6. */
export function kernelFamily(family: 4 | 6): number {
  return family === 4 ? AF_INET : AF_INET6;
}

/** 4 or 6; null for every other family. */
export function ipFamily(kernel: number): 4 | 6 | null {
  if (kernel === AF_INET) return 4;
  return kernel === AF_INET6 ? 6 : null;
}
