/** The host that this process runs on, as checks see it: by netlink, /proc and a few packets. Nothing is changed. */
import { accessSync, constants, statfsSync } from "node:fs";
import { ArpSocket } from "../../ffi/arp.ts";
import { type Capability, hasCapability } from "../../ffi/capability.ts";
import { closeNamespace, createNamespace, runIn } from "../../ffi/netns.ts";
import { openLastingNetlinkSocket, openNetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { linkDump } from "../../ffi/route/link.ts";
import { vxlanAdd } from "../../ffi/route/vxlan.ts";
import { familyOf } from "../address/cidr.ts";
import { poolFamily } from "../address/pool.ts";
import { reasonOf, systemReasonOf } from "../base/errors.ts";
import type { ForeignHook, ForeignTable } from "../base/firewall_objects.ts";
import { askEcho, type EchoOutcome } from "../host/ask_echo.ts";
import { openFirewall } from "../host/firewall.ts";
import {
  type HostNetwork,
  readHostNetwork,
  readIpv6OfHost,
  readRouteTo,
  type RouteTo,
} from "../host/host_network.ts";
import { onlyIpv6 } from "../host/ipv6_of_host.ts";
import { resolveSeed } from "../host/resolve.ts";
import { firewallTableName } from "../overlay/firewall.ts";
import type {
  AgentFacts,
  DoctorHost,
  DoctorSetup,
  OtherHost,
  PortOwner,
  VxlanDevice,
} from "./doctor_host.ts";
import { portOwner } from "./port_owner.ts";
import { readVxlanDevices } from "./vxlan_devices.ts";

/** The way is tried to so many hosts: what is wrong at this end shows with any of them. */
const OTHERS_MAX = 5;
/** RFC 5227 asks for three probes over some seconds; a machine that is up answers the first at once. */
const PROBES = 2;
const PROBE_MS = 200;

export class RealHost implements DoctorHost {
  readonly setup: DoctorSetup;
  readonly agent: AgentFacts | null;
  readonly #transport: NetlinkTransport = openLastingNetlinkSocket();
  #others: Promise<readonly OtherHost[]> | null = null;

  constructor(setup: DoctorSetup, agent: AgentFacts | null) {
    this.setup = setup;
    this.agent = agent;
  }

  nowMs(): number {
    return Date.now();
  }

  file(path: string): string | null {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return null;
    }
  }

  sysctl(path: string): string | null {
    return this.file(`/proc/sys/${path}`)?.trim() ?? null;
  }

  hasCapability(name: Capability): boolean {
    return hasCapability(name);
  }

  network(): HostNetwork {
    const network = readHostNetwork(this.#transport);
    if (poolFamily(this.setup.pool) === 4) return network;
    return onlyIpv6({ ...network, ipv6: readIpv6OfHost(this.#transport) });
  }

  routeTo(address: string): RouteTo | null {
    return readRouteTo(this.#transport, address);
  }

  vxlanDevices(): VxlanDevice[] {
    return readVxlanDevices(this.#transport);
  }

  programs(): string[] {
    return this.names("/proc").filter((name) => /^\d+$/.test(name))
      .map((pid) => this.file(`/proc/${pid}/comm`)?.trim() ?? "");
  }

  portOwner(protocol: "udp" | "tcp", port: number): PortOwner | null {
    // The kernel's own sockets are nobody's files: to look for them would be to look through all processes.
    const isTunnel = protocol === "udp" &&
      this.vxlanDevices().some((device) => device.port === port);
    return isTunnel ? { kind: "kernel" } : portOwner(this, protocol, port);
  }

  names(path: string): string[] {
    try {
      return [...Deno.readDirSync(path)].map(({ name }) => name);
    } catch {
      return [];
    }
  }

  link(path: string): string | null {
    try {
      return Deno.readLinkSync(path);
    } catch {
      return null;
    }
  }

  tables(hook: ForeignHook): ForeignTable[] {
    const firewall = openFirewall();
    try {
      const own = firewallTableName(this.setup.vni);
      const family = poolFamily(this.setup.pool) === 4 ? "ip" : "ip6";
      return firewall.foreignTables(hook, family, own);
    } finally {
      void firewall.close();
    }
  }

  whyNoVxlan(): string | null {
    let namespace: number;
    try {
      namespace = createNamespace();
    } catch {
      return null; // not allowed: the first start will tell
    }
    try {
      runIn(namespace, () => {
        const transport = openNetlinkSocket();
        try {
          vxlanAdd(transport, { name: "gossamer-try", vxlan: { id: 1, port: 8472 } });
        } finally {
          transport.close();
        }
      });
      return null;
    } catch (error) {
      return reasonOf(error);
    } finally {
      closeNamespace(namespace); // and the device goes with it
    }
  }

  modifiedMs(path: string): number | null {
    try {
      return Deno.statSync(path).mtime?.getTime() ?? null;
    } catch {
      return null;
    }
  }

  whyNotWritable(folder: string): string | null {
    const existing = this.#existing(folder);
    try {
      if (!Deno.statSync(existing).isDirectory) return `${existing} is no folder`;
      accessSync(existing, constants.W_OK | constants.X_OK);
      return null;
    } catch (error) {
      const [, reason = systemReasonOf(error)] = /^\w+: ([^,]+),/.exec(reasonOf(error)) ?? [];
      return reason;
    }
  }

  freeBytes(folder: string): number | null {
    try {
      const { bavail, bsize } = statfsSync(this.#existing(folder));
      return bavail * bsize;
    } catch {
      return null;
    }
  }

  async echo(address: string, bytes: number, timeoutMs: number): Promise<EchoOutcome> {
    return await askEcho(address, bytes, timeoutMs);
  }

  async otherOwner(device: string, address: string): Promise<string | null> {
    const links = linkDump(this.#transport);
    const link = links.find(({ name }) => name === device);
    if (link === undefined || link.address === null) return null;
    // A host with two cards on one link answers itself by the other one.
    const own = new Set(links.map((one) => one.address));
    using socket = new ArpSocket(link.index);
    for (let probe = 0; probe < PROBES; probe++) {
      socket.probe(link.address, address);
      const endMs = performance.now() + PROBE_MS;
      for (let leftMs = PROBE_MS; leftMs > 0; leftMs = endMs - performance.now()) {
        await socket.arrival(leftMs);
        const other = socket.receive().find((sender) =>
          sender.address === address && !own.has(sender.mac)
        );
        if (other !== undefined) return other.mac;
      }
    }
    return null;
  }

  others(): Promise<readonly OtherHost[]> {
    this.#others ??= this.agent === null
      ? this.#seeds()
      : Promise.resolve(this.#members(this.agent));
    return this.#others;
  }

  close(): void {
    this.#transport.close();
  }

  #members({ members }: AgentFacts): OtherHost[] {
    return members.filter(({ self, status }) => !self && status === "alive").slice(0, OTHERS_MAX)
      .map(({ name, address }) => ({ name, address }));
  }

  async #seeds(): Promise<OtherHost[]> {
    const { join, gossipPort, pool } = this.setup;
    const own = new Set(
      this.network().devices.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
    );
    const found: OtherHost[] = [];
    for (const seed of join.slice(0, OTHERS_MAX)) {
      for (const endpoint of await resolved(seed, gossipPort)) {
        const address = endpoint.slice(0, endpoint.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
        if (own.has(address) || familyOf(address) !== poolFamily(pool)) continue;
        found.push({ name: seed, address });
      }
    }
    return found.slice(0, OTHERS_MAX);
  }

  /** The folder itself, or the next one above that is there. */
  #existing(folder: string): string {
    let path = folder;
    while (path !== "/" && this.modifiedMs(path) === null) {
      path = path.slice(0, path.lastIndexOf("/")) || "/";
    }
    return path;
  }
}

/** A name that cannot be looked up is gossip's to complain of. */
async function resolved(seed: string, port: number): Promise<readonly string[]> {
  try {
    return await resolveSeed(seed, port);
  } catch {
    return [];
  }
}
