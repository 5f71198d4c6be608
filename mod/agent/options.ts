/** The cores' options, from the configuration and what the disk remembers. */
import { ipv4Embedded } from "../address/ipv6.ts";
import type { Endpoint } from "../base/core.ts";
import type { Underlay } from "../base/kernel_objects.ts";
import { VERSION } from "../base/version.ts";
import type { HostOptions } from "../claim/host_core.ts";
import type { Vtep } from "../claim/record.ts";
import { formatEndpoint } from "../host/endpoint.ts";
import { readKeyFile } from "../host/key_file.ts";
import { dataPort, halfOverheadOf } from "../overlay/backend.ts";
import { withMtu } from "../overlay/announced_mtu.ts";
import { announced } from "../overlay/path.ts";
import { ipv6OverlayMtu, overlayMtuOn } from "../overlay/underlay_mtu.ts";
import { TIMINGS } from "../swim/timings.ts";
import { Keyring, parseKeys } from "../wire/keyring.ts";
import type { AgentConfig } from "./config.ts";
import type { Identity } from "./identity.ts";

/** Throws UserError when the key file cannot be read or holds no usable key. */
export async function hostOptions(
  config: AgentConfig,
  identity: Identity,
  underlay: Underlay,
  mac: string,
): Promise<HostOptions> {
  const { endpoint, vtep } = placeOf(config, underlay, mac);
  const remembered = identity.members?.members ?? [];
  return {
    swim: {
      label: config.cluster,
      ...(config.keyFile === null ? {} : { keys: await readKeyring(config.keyFile) }),
      plainGossip: config.plainGossip ? "allow" : "refuse",
      self: {
        id: identity.hostId,
        name: config.name,
        endpoint,
        instance: identity.instance,
        version: VERSION,
      },
      incarnation: (identity.members?.incarnation ?? 0) + 1,
      timings: TIMINGS[config.gossipProfile],
      seeds: config.join,
      remembered,
    },
    claim: {
      cluster: config.cluster,
      pool: config.pool,
      pin: config.pin,
      bootstrap: config.bootstrap,
      seedsGiven: config.join.length > 0 || remembered.length > 0 || identity.hasLostMembers,
      vtep,
      hostId: identity.hostId,
      instance: identity.instance,
      restored: identity.claim,
      absenceTtlHours: config.absenceTtlHours,
      returnsCarefully: identity.returnsCarefully,
      ...(identity.machine === undefined ? {} : { machine: identity.machine }),
    },
  };
}

/** Where others reach this host, for gossip and for overlay packets. */
export function placeOf(
  { publicIp, gossipPort, vxlanPort, udpPort, backend, mtu }: Pick<
    AgentConfig,
    "publicIp" | "gossipPort" | "vxlanPort" | "udpPort" | "backend" | "mtu"
  >,
  underlay: Underlay,
  mac: string,
): { endpoint: Endpoint; vtep: Vtep } {
  const address = publicIp ?? underlay.address;
  const ipv6Mtu = underlay.ipv6 === undefined
    ? Infinity
    : ipv6OverlayMtu(underlay, mtu, halfOverheadOf(backend));
  const vtep = {
    address,
    port: dataPort({ backend, vxlanPort, udpPort }),
    mac,
    ...announced(backend),
    ...(underlay.ipv6 === undefined
      ? {}
      : { ipv6: backend === "udp" ? ipv4Embedded(address) : underlay.ipv6 }),
  };
  return {
    endpoint: formatEndpoint(address, gossipPort),
    // What this host has room for itself: whatever follows others' would never grow again.
    vtep: withMtu(vtep, Math.min(overlayMtuOn(underlay, mtu, backend), ipv6Mtu)),
  };
}

async function readKeyring(path: string): Promise<Keyring> {
  const keys = parseKeys(readKeyFile(path), path);
  const { AES_GCM } = await import("../host/aes_gcm.ts");
  return new Keyring(keys, AES_GCM);
}
