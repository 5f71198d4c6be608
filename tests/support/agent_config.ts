/** The configuration of `gossamer up` without flags, for tests that need all of it. */
import { makePool } from "../../mod/address/pool.ts";
import type { AgentConfig } from "../../mod/agent/config.ts";

export function agentConfig(changes: Partial<AgentConfig> = {}): AgentConfig {
  return {
    join: [],
    cluster: "gossamer",
    name: "h1",
    pool: makePool({ network: "10.244.0.0/16" }),
    pin: null,
    backend: "vxlan",
    vni: 1,
    vxlanPort: 8472,
    udpPort: 8285,
    ipMasq: false,
    masqueradeExcluded: [],
    guard: true,
    txChecksum: true,
    mtu: null,
    followsMtu: false,
    interfaces: [],
    interfacePatterns: [],
    interfaceCanReach: null,
    publicIp: null,
    gossipPort: 7947,
    gossipProfile: "lan",
    keyFile: null,
    plainGossip: false,
    bootstrap: false,
    keepIdentity: false,
    adoptFlannel: false,
    absenceTtlHours: 24,
    onRenumber: null,
    onEvent: null,
    http: null,
    stateDir: "/nowhere/state",
    runDir: "/nowhere/run",
    subnetFile: "/nowhere/subnet.env",
    logLevel: "error",
    logFormat: "text",
    ...changes,
  };
}
