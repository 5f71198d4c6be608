/** The agent's configuration after flags, environment, file and defaults were merged and checked. */
import type { HttpPlace } from "../host/http_place.ts";
import type { Pool } from "../address/pool.ts";
import type { OwnBackend } from "../overlay/path.ts";
import type { TimingsName } from "../swim/timings.ts";

export interface AgentConfig {
  /** Seeds as written: `host`, `host:port`; names are resolved again at each try. */
  readonly join: readonly string[];
  /** Label that every packet carries: clusters of different labels never merge. At most 64 bytes. */
  readonly cluster: string;
  readonly name: string;
  readonly pool: Pool;
  /** CIDR pinned by `--subnet`, inside the pool; null when free to choose. */
  readonly pin: string | null;
  readonly backend: OwnBackend;
  /** 1 to 2^24 - 1; with VXLAN the device is `flannel.<vni>`. */
  readonly vni: number;
  readonly vxlanPort: number;
  /** Of the UDP backend. */
  readonly udpPort: number;
  /** Whether what containers send out of the overlay gets this host's address. */
  readonly ipMasq: boolean;
  /** Destinations to which it does not; canonical CIDRs. */
  readonly masqueradeExcluded: readonly string[];
  /** Whether packets of the overlay from others than members are dropped. */
  readonly guard: boolean;
  /** Whether packets into the overlay leave their checksums to hardware. */
  readonly txChecksum: boolean;
  /** Overlay MTU, or null for the underlay's minus the encapsulation. */
  readonly mtu: number | null;
  /** Whether it is made as small as other hosts need it. */
  readonly followsMtu: boolean;
  readonly interfaces: readonly string[];
  readonly interfacePatterns: readonly string[];
  readonly interfaceCanReach: string | null;
  /** Address told to peers when it differs from the interface's own. */
  readonly publicIp: string | null;
  readonly gossipPort: number;
  readonly gossipProfile: TimingsName;
  readonly keyFile: string | null;
  /** Speaks plain as well, with hosts that have no key yet; only with a key file. */
  readonly plainGossip: boolean;
  readonly bootstrap: boolean;
  /** Whether subnet and device of flannel are taken over, and what it left for other hosts stays. */
  readonly adoptFlannel: boolean;
  /** Whether a state directory that another machine wrote is taken over. */
  readonly keepIdentity: boolean;
  /** How long this host may be absent before its subnet may be taken. */
  readonly absenceTtlHours: number;
  /** Command run as `COMMAND OLD NEW` when this host had to change its subnet. */
  readonly onRenumber: string | null;
  /** Command that is given each event as JSON on its standard input. */
  readonly onEvent: string | null;
  /** Where the page, metrics and health can be asked for over HTTP. */
  readonly http: HttpPlace | null;
  readonly stateDir: string;
  readonly runDir: string;
  readonly subnetFile: string;
  readonly logLevel: "debug" | "info" | "warning" | "error";
  readonly logFormat: "text" | "json";
}
