/** Documents of the control API as an agent in a cluster with a bit of everything would answer them. */
import type { MemberDocument, StatusDocument, SubnetsDocument } from "../../mod/agent/api.ts";

/** Two hours and a bit after most of what the documents tell. */
export const NOW_MS = Date.parse("2026-01-02T05:10:00Z");

const h1: MemberDocument = {
  id: "1f".repeat(16),
  name: "h1",
  address: "192.168.100.1",
  gossipPort: 7947,
  status: "alive",
  statusSince: "2026-01-02T03:04:04Z",
  subnet: "10.244.7.0/24",
  claim: "held",
  mac: "0e:11:22:33:44:01",
  rttMs: null,
  udp: "ok",
  version: "0.1.0",
  self: true,
};

const h2: MemberDocument = {
  ...h1,
  id: "2e".repeat(16),
  name: "h2",
  address: "192.168.100.2",
  subnet: "10.244.201.0/24",
  mac: "0e:11:22:33:44:02",
  rttMs: 0.4213,
  self: false,
};

const h3: MemberDocument = {
  ...h2,
  id: "3d".repeat(16),
  name: "storage-node-3.example",
  address: "192.168.100.3",
  gossipPort: 7950,
  status: "dead",
  statusSince: "2026-01-02T05:02:30.250Z",
  subnet: "10.244.16.0/24",
  mac: "0e:11:22:33:44:03",
  rttMs: 12.7,
  udp: "unknown",
};

const h4: MemberDocument = {
  ...h2,
  id: "4c".repeat(16),
  name: "h4",
  address: "192.168.100.4",
  status: "suspect",
  statusSince: "2026-01-02T05:09:57Z",
  subnet: null,
  claim: "none",
  mac: null,
  rttMs: 0.04,
};

const h5: MemberDocument = {
  ...h4,
  id: "5b".repeat(16),
  name: "h5",
  address: "192.168.100.5",
  status: "left",
  statusSince: "2025-12-24T05:00:00Z",
};

/** A host that is ready, in a cluster where not everything is well. */
export const READY: StatusDocument = {
  schema: 1,
  version: "0.1.0",
  ready: true,
  host: {
    id: h1.id,
    name: "h1",
    address: "192.168.100.1",
    gossipPort: 7947,
    incarnation: 4,
    healthScore: 0,
  },
  cluster: {
    network: "10.244.0.0/16",
    subnetLen: 24,
    backend: "vxlan",
    alive: 2,
    suspect: 1,
    dead: 1,
    left: 1,
    seeds: [
      { seed: "192.168.100.2", state: "joined" },
      { seed: "node9:7947", state: "unresolved", reason: "the name is not known" },
    ],
  },
  encryption: { fingerprints: ["02b6d1f0", "7c1f3a90"], plainToo: true },
  claim: {
    state: "held",
    subnet: "10.244.7.0/24",
    since: "2026-01-02T03:04:05.125Z",
    conflicts: 0,
    reason: null,
  },
  overlay: {
    device: "flannel.1",
    mac: "0e:11:22:33:44:01",
    mtu: 1450,
    inSync: true,
    peersWanted: 2,
    peersProgrammed: 2,
    repairs: 3,
    lastError: null,
  },
  members: [h1, h2, h3, h4, h5],
  problems: [
    {
      code: "forward-drop",
      severity: "warning",
      text: "The FORWARD chain drops what it does not know",
      remedy: "iptables -I FORWARD -i flannel.1 -j ACCEPT",
    },
    {
      code: "foreign-device",
      severity: "error",
      text: "Somebody else's device is in the way",
      remedy: "Remove it or choose another --vni",
    },
  ],
};

/** A host that waits for its seeds. */
export const WAITING: StatusDocument = {
  ...READY,
  ready: false,
  host: { ...READY.host, incarnation: 0, healthScore: 2 },
  cluster: {
    ...READY.cluster,
    alive: 1,
    suspect: 0,
    dead: 0,
    left: 0,
    seeds: [{ seed: "10.0.0.9", state: "unreachable", reason: "connection refused" }],
  },
  encryption: null,
  claim: {
    state: "none",
    subnet: null,
    since: null,
    conflicts: 0,
    reason: "no seed answers; start one of them, or give --bootstrap",
  },
  overlay: {
    ...READY.overlay,
    mac: null,
    inSync: false,
    peersWanted: 0,
    peersProgrammed: 0,
    repairs: 0,
    lastError: "EPERM: operation not permitted",
  },
  members: [{ ...h1, subnet: null, claim: "none", mac: null }],
  problems: [],
};

/** Subnets in every state; the order is not that of the addresses. */
export const SUBNETS: SubnetsDocument = {
  schema: 1,
  network: "10.244.0.0/16",
  subnetLen: 24,
  used: 3,
  total: 255,
  subnets: [
    subnet("10.244.201.0/24", h2, "held"),
    subnet("10.244.16.0/24", h3, "held"),
    subnet("10.244.7.0/24", h1, "held"),
    subnet("10.244.99.0/24", h4, "tentative"),
    subnet("10.244.100.0/24", h5, "released"),
    { ...subnet("10.244.255.0/24", h2, "yielding"), owner: "6a6a6a6a", ownerStatus: "unknown" },
  ],
};

function subnet(
  cidr: string,
  owner: MemberDocument,
  state: "held" | "tentative" | "yielding" | "released",
): SubnetsDocument["subnets"][number] {
  return {
    subnet: cidr,
    owner: owner.name,
    ownerId: owner.id,
    ownerStatus: owner.status,
    state,
    epoch: 1,
    since: "2026-01-02T03:04:05.125Z",
    self: owner.self,
  };
}

/** A /12 of /24s: 4,096 subnets, 16 to a cell of the map. */
export const WIDE: SubnetsDocument = {
  schema: 1,
  network: "10.0.0.0/12",
  subnetLen: 24,
  used: 40,
  total: 4095,
  subnets: Array.from({ length: 40 }, (_, index) => ({
    ...subnet(`10.${index % 3}.${(index * 37) % 256}.0/24`, h2, "held"),
    ownerId: String(index),
    owner: `n${index}`,
    self: index === 0,
  })),
};
