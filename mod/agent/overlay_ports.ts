/** What the keeper of the overlay asks of its surroundings, and what it says of itself. */
import type { FirewallStatus } from "./firewall_keeper.ts";
import type { Kernel, Operation, OperationFailure, Underlay } from "../base/kernel_objects.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import type { ClaimRecord } from "../claim/record.ts";
import type { DeadPeerState } from "../overlay/dead_peers.ts";
import type { FlannelPeer } from "../overlay/flannel.ts";
import type { DesiredPeer } from "../overlay/desired.ts";
import type { PathKind } from "../overlay/path.ts";
import type { TunnelStatus } from "./tunnel_keeper.ts";

/** What the claims want of the overlay at this moment. */
export type OverlayWish =
  | {
    readonly want: "up";
    readonly own: ClaimRecord;
    readonly owners: readonly ClaimRecord[];
    readonly records: readonly ClaimRecord[];
    /** Whether every claim of the cluster had time to arrive: only then is what nobody claims removed. */
    readonly settled: boolean;
    /** Hosts whose subnets are not to be routed: neither agent nor kernel answers. */
    readonly silent: ReadonlySet<string>;
  }
  | { readonly want: "down" }
  /** Not decided yet: what is there stays. */
  | { readonly want: "unchanged" }
  /** There is no underlay to stand on: what is left stays until there is one. */
  | { readonly want: "paused" };

export interface OverlayStatus {
  readonly device: string;
  readonly mac: string | null;
  readonly mtu: number;
  readonly inSync: boolean;
  readonly subnetFileWritten: boolean;
  readonly peersWanted: number;
  readonly peersProgrammed: number;
  /** By host id: how packets travel to each peer that is wanted. */
  readonly paths: ReadonlyMap<string, PathKind>;
  /** By host id: what is known of the kernels of hosts whose agents are gone. */
  readonly deadPeers: ReadonlyMap<string, DeadPeerState>;
  readonly repairs: number;
  /** How often the kernel had to be looked at again: it changed under our hands, or its answers were lost. */
  readonly looksRepeated: number;
  readonly lastError: string | null;
  /** Of the IPv6 half; null or absent without dual stack. */
  readonly ipv6?: Ipv6Status | null;
  /** Of the UDP backend's data path; null or absent with others. */
  readonly tunnel?: TunnelStatus | null;
  readonly problems: readonly Problem[];
  /** With `--adopt-flannel`: hosts that have not moved yet. */
  readonly flannelPeers?: readonly FlannelPeer[];
  /** Absent where nothing is done about the packet filter. */
  readonly firewall?: FirewallStatus | null;
}

/** The IPv6 half of a dual-stack overlay. */
export interface Ipv6Status {
  readonly network: string;
  readonly device: string;
  readonly mtu: number;
  readonly inSync: boolean;
  readonly peersWanted: number;
  readonly peersProgrammed: number;
  readonly repairs: number;
  readonly lastError: string | null;
}

/** A kernel that changes much while others work. */
export interface PatientKernel extends Kernel {
  /**
   * As `apply`, for long plans: everything else goes on meanwhile. Changes of others that come in between are told of at
   * the end. Rejects as `apply` throws.
   *
   * @param isCancelled looked at now and then; what is left when it says so is not done.
   */
  applyLater(
    plan: readonly Operation[],
    isCancelled: () => boolean,
  ): Promise<OperationFailure[]>;
}

export interface OverlayPorts {
  readonly kernel: PatientKernel;
  readonly log: Log;
  /** Longer plans are applied on another thread; for tests. */
  readonly atOnceMax?: number;
  nowMs(): number;
  wish(): OverlayWish;
  /**
   * Called with what is wanted, after each attempt to have the kernel that way.
   *
   * @param isNewDevice whether the device was made by it: who has opened it has another one.
   */
  wants?(
    own: ClaimRecord,
    peers: readonly DesiredPeer[],
    underlay: Underlay,
    isNewDevice: boolean,
  ): void;
  /** Called when the kernel is as wanted and every peer is programmed; true when subnet.env now says so. */
  up(own: ClaimRecord): boolean;
  /** Called when everything of ours is gone from the kernel. */
  down(): void;
}
