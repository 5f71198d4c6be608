/** What checks look at: the host, the setup that it has or is to get, and its agent where one runs. Nothing is changed. */
import type { Pool } from "../address/pool.ts";
import type { ForeignHook, ForeignTable } from "../base/firewall_objects.ts";
import type { Problem } from "../base/problem.ts";
import type { EchoOutcome } from "../host/ask_echo.ts";
import type { HostNetwork, RouteTo } from "../host/host_network.ts";
import type { UnderlayChoice } from "../host/underlay.ts";
import type { OwnBackend } from "../overlay/path.ts";

/** How the agent is to run, or runs; the agent's configuration has these fields. */
export interface DoctorSetup extends UnderlayChoice {
  readonly name: string;
  readonly join: readonly string[];
  readonly pool: Pool;
  readonly backend: OwnBackend;
  readonly vni: number;
  readonly vxlanPort: number;
  readonly udpPort: number;
  readonly gossipPort: number;
  /** Of the overlay, in bytes; null for what the underlay has room for. */
  readonly mtu: number | null;
  readonly publicIp: string | null;
  readonly stateDir: string;
  readonly runDir: string;
  readonly subnetFile: string;
  /** Whether a device of flannel is taken over. */
  readonly adoptFlannel?: boolean;
}

/** What the agent says of itself; its status document has these fields. */
export interface AgentFacts {
  readonly ready: boolean;
  readonly host: { readonly id: string; readonly name: string; readonly address: string };
  readonly claim: { readonly subnet: string | null; readonly reason: string | null };
  readonly overlay: { readonly device: string; readonly lastError: string | null };
  readonly members: readonly MemberFacts[];
  readonly problems: readonly Problem[];
}

export interface MemberFacts {
  readonly id: string;
  readonly name: string;
  /** Of the underlay. */
  readonly address: string;
  readonly status: string;
  readonly mac: string | null;
  readonly self: boolean;
}

/** A device of the kind vxlan. */
export interface VxlanDevice {
  readonly name: string;
  readonly vni: number;
  readonly port: number;
  readonly isOwn: boolean;
}

/** Who has a port: a program, or the kernel itself. */
export type PortOwner =
  | { readonly kind: "kernel" }
  | { readonly kind: "program"; readonly name: string; readonly pid: number }
  /** Of another user, or of another namespace of processes. */
  | { readonly kind: "unknown" };

/** Throwing is for what cannot be looked at; it becomes a finding. */
export interface DoctorHost {
  readonly setup: DoctorSetup;
  /** Null where no agent runs on that run directory. */
  readonly agent: AgentFacts | null;
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Null when this host has no such file, or hides it. */
  file(path: string): string | null;
  /** Null when this kernel has no such parameter. */
  sysctl(path: string): string | null;
  /** Of this process. */
  hasCapability(name: "CAP_NET_ADMIN" | "CAP_NET_RAW"): boolean;
  network(): HostNetwork;
  routeTo(address: string): RouteTo | null;
  vxlanDevices(): readonly VxlanDevice[];
  /** Names of programs that run here. */
  programs(): readonly string[];
  portOwner(protocol: "udp" | "tcp", port: number): PortOwner | null;
  /** Tables of others that see packets to be forwarded, packets for this host, or all that arrive. */
  tables(hook: ForeignHook): readonly ForeignTable[];
  /** Why this kernel makes no VXLAN device; null when it does, or when that cannot be tried. */
  whyNoVxlan(): string | null;
  /** Milliseconds since 1970; null when there is no such file. */
  modifiedMs(path: string): number | null;
  /** Why nothing can be written into that folder, or the next one above that exists; null when it can. */
  whyNotWritable(folder: string): string | null;
  /** Bytes that are free there. */
  freeBytes(folder: string): number | null;
  /** One packet; `bytes` is its length with the IP header, and it may not be fragmented. */
  echo(address: string, bytes: number, timeoutMs: number): Promise<EchoOutcome>;
  /** MAC address of somebody else on the device's link who has that address; null when nobody answers. */
  otherOwner(device: string, address: string): Promise<string | null>;
  /** Underlay addresses of hosts to try the way to: members that are alive, else the seeds; a few at most. */
  others(): Promise<readonly OtherHost[]>;
}

export interface OtherHost {
  readonly name: string;
  readonly address: string;
}
