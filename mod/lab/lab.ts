/**
 * Hosts on one machine: network namespaces joined by a bridge, each with an agent of its own.
 *
 * For `gossamer demo` and for tests. Everything hangs on file descriptors of this process, so the kernel
 * takes it away when the process ends.
 */
import { readSysctl, writeSysctl } from "../../ffi/sysctl.ts";
import { Host } from "./host.ts";
import { HOSTS_MAX, Underlay, UNDERLAY_DEVICE } from "./underlay.ts";

export interface LabOptions {
  /** How many hosts to make at first, 0 to 250. */
  readonly hosts: number;
  /** The program under test and its fixed arguments, such as `["dist/gossamer"]`. */
  readonly command: readonly string[];
  /** An existing folder for the hosts' states. */
  readonly directory: string;
  /** Of the hosts' addresses, which have none of the other one; 4 unless said. */
  readonly family?: 4 | 6;
}

/** The kernel's neighbour limit is one for all its namespaces (linux/neighbour.h, gc_thresh3). */
const NEIGHBOUR_LIMIT = "net.ipv4.neigh.default.gc_thresh3";

export class Lab {
  readonly underlay: Underlay;
  readonly hosts: Host[] = [];
  readonly #options: LabOptions;

  private constructor(options: LabOptions) {
    this.#options = options;
    this.underlay = new Underlay(options.family);
  }

  /** Makes the network and its hosts. Throws SysError EPERM without CAP_SYS_ADMIN. */
  static async open(options: LabOptions): Promise<Lab> {
    ensureNeighbourLimit(options.hosts);
    const lab = new Lab(options);
    for (let count = 0; count < options.hosts; count++) lab.#makeHost();
    await Promise.all(lab.hosts.map((host) => lab.#ready(host)));
    return lab;
  }

  /** One more host; its agent is not started. */
  async addHost(): Promise<Host> {
    const host = this.#makeHost();
    await this.#ready(host);
    return host;
  }

  #makeHost(): Host {
    const number = this.hosts.length + 1;
    const host = new Host(this.underlay, number, this.#options);
    this.hosts.push(host);
    return host;
  }

  async #ready(host: Host): Promise<void> {
    await host.namespace.ready(UNDERLAY_DEVICE);
    await this.underlay.ready([host.port]);
  }

  /** The n-th host, counted from 1: `host(1)` is `h1`. */
  host(number: number): Host {
    const host = this.hosts[number - 1];
    if (host === undefined) {
      throw new Error(`The lab has ${this.hosts.length} hosts, no h${number}`);
    }
    return host;
  }

  /** Splits the underlay; each group keeps talking among itself, nobody else hears them. */
  partition(...groups: readonly (readonly Host[])[]): void {
    this.underlay.partition(groups.map((hosts) => hosts.map(({ port }) => port)));
  }

  /** Ends every partition. */
  heal(): void {
    this.underlay.heal(this.hosts.map(({ port }) => port));
  }

  /** Everything the agents said, for the message of a failure. */
  log(): string {
    return this.hosts.map((host) => host.log()).filter((text) => text !== "").join("\n");
  }

  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
    this.underlay.close();
  }
}

/**
 * Raises the machine's neighbour limit for a large lab, if this process may. Each host keeps a neighbour
 * of every other on its underlay; overflowing the limit drops packets of everybody on the machine.
 */
function ensureNeighbourLimit(hosts: number): void {
  const wanted = 2 * Math.min(hosts, HOSTS_MAX) ** 2;
  try {
    if (Number(readSysctl(NEIGHBOUR_LIMIT)) < wanted) writeSysctl(NEIGHBOUR_LIMIT, String(wanted));
  } catch {
    // Only the machine's first namespace has this setting; without it the lab is merely less roomy.
  }
}
