/**
 * How packets for a peer's containers travel, decided for each peer anew from what both hosts take and from where the peer
 * is. Both hosts decide by the same facts: a peer that does not announce that it takes bare packets gets none, for its
 * filters (`rp_filter`, a firewall) may expect them in VXLAN.
 */
import { backendOf, type Vtep } from "../claim/record.ts";
import { isAdjacent, type LinkRoute } from "./adjacency.ts";

/** What a host can be told to use; `vxlan-direct` is `vxlan` with `--direct-routing`. */
export type OwnBackend = "vxlan" | "vxlan-direct" | "host-gw" | "udp";

/** `direct`: bare, by a route through the peer's underlay address. `udp`: through both hosts' agents. */
export type PathKind = "vxlan" | "direct" | "udp";

/** What stands in the way of packets to a peer. */
export interface PeerFault {
  readonly code: string;
  /** What the peer does; its name comes before. */
  readonly what: string;
  readonly remedy: string;
}

export interface PathConfig {
  readonly backend: OwnBackend;
  /** See {@linkcode linkRoutes}; only backends that send bare packets need them. */
  readonly linkRoutes: readonly LinkRoute[];
}

/**
 * In UDP where both take that and nothing else. Bare where both take it and nothing is between; else VXLAN where both take
 * that; else why there is no way.
 */
export function pathTo(config: PathConfig, vtep: Vtep): PathKind | PeerFault {
  const theirs = backendOf(vtep);
  if (config.backend === "udp" && theirs === "udp") return "udp";
  const bothTakeBare = takesBare(config.backend) && takesBare(theirs);
  if (bothTakeBare && isAdjacent(config.linkRoutes, vtep.address)) return "direct";
  if (takesVxlan(config.backend) && takesVxlan(theirs)) return "vxlan";
  if (bothTakeBare) {
    return {
      code: "peer-not-adjacent",
      what: `is at ${vtep.address}, which is not on this host's own link, and takes no VXLAN ` +
        "packets that could cross what is between",
      remedy: "Use --backend vxlan --direct-routing on all hosts, or put them all on one link",
    };
  }
  return {
    code: "peer-backend",
    what: `takes packets by ${backendText(theirs)}, and this host by ${
      backendText(config.backend)
    }`,
    remedy: config.backend === "udp" || theirs === "udp"
      ? "Start all hosts with the same --backend: one with udp reaches none with another"
      : "Start all hosts with the same --backend; while they are moved from one to the other, " +
        "those with --backend vxlan --direct-routing reach both kinds",
  };
}

/** As operators write it. */
export function backendText(backend: ReturnType<typeof backendOf>): string {
  return backend === "vxlan-direct" ? "vxlan --direct-routing" : backend;
}

/** What a record has to say of this host's backend. */
export function announced(backend: OwnBackend): Pick<Vtep, "backend"> {
  return backend === "vxlan" ? {} : { backend };
}

function takesBare(backend: string): boolean {
  return backend === "host-gw" || backend === "vxlan-direct";
}

function takesVxlan(backend: string): boolean {
  return backend === "vxlan" || backend === "vxlan-direct";
}
