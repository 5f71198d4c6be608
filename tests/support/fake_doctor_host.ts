/** A host in perfect health for checks to look at; each test spoils what it is about. */
import { makePool } from "../../mod/address/pool.ts";
import type { AgentFacts, DoctorHost, DoctorSetup } from "../../mod/doctor/doctor_host.ts";
import type { HostDevice, HostNetwork } from "../../mod/host/host_network.ts";

export const SETUP: DoctorSetup = {
  name: "h1",
  join: [],
  pool: makePool({ network: "10.244.0.0/16" }),
  backend: "vxlan",
  vni: 1,
  vxlanPort: 8472,
  udpPort: 8285,
  gossipPort: 7947,
  mtu: null,
  publicIp: null,
  stateDir: "/var/lib/gossamer",
  runDir: "/run/gossamer",
  subnetFile: "/run/flannel/subnet.env",
  interfaces: [],
  interfacePatterns: [],
  interfaceCanReach: null,
};

export function device(name: string, index: number, address: string | null): HostDevice {
  return {
    name,
    index,
    kind: null,
    mtu: 1500,
    up: true,
    hasNeighbours: true,
    isOwn: false,
    addresses: address === null ? [] : [{
      address,
      prefixLength: 24,
      isGlobal: true,
      isDynamic: false,
      isSecondary: false,
      isDeprecated: false,
    }],
  };
}

const NETWORK: HostNetwork = {
  devices: [device("eth0", 2, "192.168.100.1")],
  routes: [{
    destination: "0.0.0.0/0",
    index: 2,
    gateway: "192.168.100.254",
    metric: 0,
    preferredSource: null,
    protocol: 3,
  }],
};

export const AGENT: AgentFacts = {
  ready: true,
  host: { id: "11", name: "h1", address: "192.168.100.1" },
  claim: { subnet: "10.244.1.0/24", reason: null },
  overlay: { device: "flannel.1", lastError: null },
  members: [
    member("h1", "192.168.100.1", "02:00:00:00:00:01", true),
    member("h2", "192.168.100.2", "02:00:00:00:00:02"),
  ],
  problems: [],
};

export function member(name: string, address: string, mac: string | null, self = false) {
  return { id: name, name, address, status: "alive", mac, self };
}

/** @param sysctls by their paths; others are not there, but for packets that are forwarded. */
export function fakeHost(
  changes: Partial<DoctorHost> = {},
  sysctls: Readonly<Record<string, string>> = {},
): DoctorHost {
  return {
    setup: SETUP,
    agent: null,
    nowMs: () => Date.parse("2026-11-23T00:00:00Z"),
    file: () => null,
    sysctl: (path) => sysctls[path] ?? (path === "net/ipv4/ip_forward" ? "1" : null),
    hasCapability: () => true,
    network: () => NETWORK,
    routeTo: () => ({ index: 2, preferredSource: null }),
    vxlanDevices: () => [],
    programs: () => [],
    portOwner: () => null,
    tables: () => [],
    whyNoVxlan: () => null,
    modifiedMs: () => null,
    whyNotWritable: () => null,
    freeBytes: () => 10_000_000_000,
    echo: () => Promise.resolve({ kind: "answered", ms: 0.5 }),
    otherOwner: () => Promise.resolve(null),
    others: () => Promise.resolve([{ name: "h2", address: "192.168.100.2" }]),
    ...changes,
  };
}
