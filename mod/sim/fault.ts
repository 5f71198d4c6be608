/**
 * Everything that can happen to a simulated cluster, as data, so that a run can be written down, cut
 * smaller and played again.
 *
 * Any list of faults is a valid one: a fault that does not fit (a kill of a host that is down) does
 * nothing. Otherwise no list could be shortened.
 */
import type { NetworkOptions } from "./network.ts";

/** A host's name, `h1` to `hN`. */
export type HostName = string;

export type LinkOptions = Partial<NetworkOptions>;

export type Fault =
  /** As `kill -9`: the disk stays. */
  | { readonly kind: "kill"; readonly host: HostName }
  | { readonly kind: "boot"; readonly host: HostName }
  /** Starts without its list of members; it is still the same host. */
  | { readonly kind: "reinstall"; readonly host: HostName }
  /** Another host starts at its address, with its name: an empty disk makes a new identity. */
  | { readonly kind: "replace"; readonly host: HostName }
  | { readonly kind: "pause"; readonly host: HostName }
  | { readonly kind: "resume"; readonly host: HostName }
  | { readonly kind: "freeze"; readonly host: HostName }
  | { readonly kind: "thaw"; readonly host: HostName }
  /** The host's monotonic clock jumps ahead. */
  | { readonly kind: "jump"; readonly host: HostName; readonly byMs: number }
  /** Its clock runs at that rate; 1.02 is 2 % fast. */
  | { readonly kind: "drift"; readonly host: HostName; readonly rate: number }
  /** Says goodbye; its process ends with it. */
  | { readonly kind: "leave"; readonly host: HostName }
  /** Comes back after a leave, in the same process while that is still there. */
  | { readonly kind: "join"; readonly host: HostName }
  /** An operator at one host has another forgotten that is gone. */
  | { readonly kind: "forget"; readonly host: HostName; readonly other: HostName }
  /** Writes fail with that text from now on; null heals the disk. */
  | { readonly kind: "disk"; readonly host: HostName; readonly error: string | null }
  /** Each write takes that long in addition. */
  | { readonly kind: "slow-disk"; readonly host: HostName; readonly delayMs: number }
  /** Gives its subnet back, and says goodbye; its process ends with it. */
  | { readonly kind: "release"; readonly host: HostName }
  /** The state directory is gone; a process that runs does not notice. */
  | { readonly kind: "wipe"; readonly host: HostName }
  /** The disk is again what it was that long ago, as after a restored snapshot; a host that runs starts anew with it. */
  | { readonly kind: "rollback"; readonly host: HostName; readonly backMs: number }
  /** A copy of the first host's disk is put into the other, which starts anew with it. */
  | { readonly kind: "clone"; readonly host: HostName; readonly other: HostName }
  /** The host gets an address that nobody had before. */
  | { readonly kind: "move"; readonly host: HostName }
  /** Two hosts exchange their addresses. */
  | { readonly kind: "swap"; readonly host: HostName; readonly other: HostName }
  /** The host's tunnel end point changes so many times, a thousandth of a second apart: as many news. */
  | { readonly kind: "flood"; readonly host: HostName; readonly count: number }
  /** So many packets come from nowhere: noise, and damaged copies of real ones. */
  | { readonly kind: "garbage"; readonly host: HostName; readonly count: number }
  /** An operator's `gossamer pool`: add, drop, reserve, unreserve CIDR; pin HOST SUBNET; unpin HOST. */
  | { readonly kind: "pool"; readonly host: HostName; readonly words: readonly string[] }
  /** Each group reaches only itself; hosts of no group form one more. */
  | { readonly kind: "partition"; readonly groups: readonly (readonly HostName[])[] }
  /** Nothing gets from one host to the other; the way back is open. */
  | { readonly kind: "cut"; readonly from: HostName; readonly to: HostName }
  | { readonly kind: "mend"; readonly from: HostName; readonly to: HostName }
  /** One direction between two hosts becomes different from the rest. */
  | {
    readonly kind: "link";
    readonly from: HostName;
    readonly to: HostName;
    readonly options: LinkOptions;
  }
  /** All links that have nothing of their own. */
  | { readonly kind: "network"; readonly options: LinkOptions }
  /** Ends partition, cuts and what single links have of their own; `network` stays. */
  | { readonly kind: "heal" };

/** A fault and when it happens, counted from the start of the run. */
export interface TimedFault {
  readonly atMs: number;
  readonly fault: Fault;
}

/** The hosts that a fault is about; of a partition, those of its groups. */
export function hostsOf(fault: Fault): readonly HostName[] {
  switch (fault.kind) {
    case "partition":
      return fault.groups.flat();
    case "cut":
    case "mend":
    case "link":
      return [fault.from, fault.to];
    case "network":
    case "heal":
      return [];
    case "forget":
    case "clone":
    case "swap":
      return [fault.host, fault.other];
    default:
      return [fault.host];
  }
}
