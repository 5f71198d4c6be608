/** Documents of the control API as an agent in a cluster with a bit of everything would answer them. */
import type {
  ClaimCountersDocument,
  ConflictDocument,
  EventDocument,
  MemberDocument,
  StatusDocument,
  SubnetsDocument,
  WhyDocument,
} from "../../mod/agent/api.ts";

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
  backend: "vxlan",
  path: null,
  kernel: null,
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
  path: "vxlan",
  kernel: null,
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
  backend: null,
  path: null,
  kernel: null,
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

const CONFLICT: ConflictDocument = {
  at: "2026-01-02T04:20:00.000Z",
  subnet: "10.244.7.0/24",
  winner: "h1 (1f1f1f1f)",
  loser: "h2 (2e2e2e2e)",
  won: true,
  why: "equal epoch 2; the greater strength wins: 2 (held, a majority knows) against 1 (held)",
};

const COUNTERS: ClaimCountersDocument = {
  conflictsWon: 1,
  conflictsLost: 0,
  renumberings: 0,
  writes: 5,
  diskRefusals: 0,
  requests: 1,
  choicesLost: 0,
  answersReceived: { yes: 3, busy: 0, fenced: 0, resting: 0 },
  answersSent: { yes: 2, busy: 1, fenced: 0, resting: 0 },
  refutes: 0,
  raises: 1,
  reclaims: 0,
  forgets: 0,
  clones: 0,
  sanityRefusals: 0,
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
    networks: ["10.244.0.0/16"],
    subnetLen: 24,
    backend: "vxlan",
    directRouting: false,
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
    conflicts: 1,
    reason: null,
    stage: "held",
    epoch: 3,
    strength: 2,
    renumberings: 0,
    lastConflict: CONFLICT,
    history: [{ kind: "conflict", ...CONFLICT }],
  },
  counters: COUNTERS,
  overlay: {
    device: "flannel.1",
    mac: "0e:11:22:33:44:01",
    mtu: 1450,
    inSync: true,
    peersWanted: 2,
    peersProgrammed: 2,
    peersDirect: 0,
    repairs: 3,
    lastError: null,
  },
  firewall: {
    inSync: true,
    masquerade: true,
    guard: true,
    members: 5,
    strangers: 12,
    repairs: 1,
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

/** What h1 told when storage-node-3.example failed. */
export const FAILED: EventDocument = {
  schema: 1,
  sequence: 7,
  time: "2026-01-02T05:02:30.250Z",
  host: "h1",
  event: "member-failed",
  severity: "error",
  text: "storage-node-3.example failed; its subnet stays its own",
  member: { id: h3.id, name: h3.name, address: "192.168.100.3:7950", status: "dead" },
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
    stage: "lonely",
    epoch: null,
    strength: null,
    renumberings: 0,
    lastConflict: null,
    history: [],
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
  firewall: null,
  members: [{ ...h1, subnet: null, claim: "none", mac: null, backend: null }],
  problems: [],
};

const STANDINGS = {
  held: "owner",
  tentative: "asks",
  yielding: "yields",
  released: "released",
} as const;

/** Subnets in every state; the order is not that of the addresses. */
export const SUBNETS: SubnetsDocument = {
  schema: 1,
  network: "10.244.0.0/16",
  networks: ["10.244.0.0/16"],
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
    { ...subnet("10.244.30.0/24", h2, "held"), standing: "loses" },
    { ...subnet("10.244.31.0/24", h3, "held"), standing: "void" },
  ],
};

/** A subnet that three hosts claim, one of them long gone. */
export const WHY: WhyDocument = {
  schema: 1,
  subnet: "10.244.7.0/24",
  inPool: true,
  free: false,
  fence: 3,
  restsUntil: null,
  reserved: false,
  pinnedTo: null,
  claims: [
    whyClaim(h1, { strength: 2, strengthText: "held, a majority knows", epoch: 3 }),
    whyClaim(h2, {
      standing: "loses",
      epoch: 3,
      order: [
        { what: "the higher epoch", winner: "3", loser: "3", decides: false },
        {
          what: "the greater strength",
          winner: "2 (held, a majority knows)",
          loser: "1 (held)",
          decides: true,
        },
      ],
    }),
    whyClaim(h3, { standing: "void", epoch: 1, absentSeconds: 7_200 }),
  ],
  history: [{ kind: "conflict", ...CONFLICT }],
};

function whyClaim(
  owner: MemberDocument,
  changes: Partial<WhyDocument["claims"][number]>,
): WhyDocument["claims"][number] {
  return {
    subnet: "10.244.7.0/24",
    owner: owner.name,
    ownerId: owner.id,
    ownerAddress: owner.address,
    ownerStatus: owner.status,
    self: owner.self,
    state: "held",
    standing: "owner",
    epoch: 1,
    strength: 1,
    strengthText: "held",
    stamp: 4,
    since: "2026-01-02T03:04:05.125Z",
    absentSeconds: null,
    absenceTtlSeconds: 86_400,
    order: [],
    ...changes,
  };
}

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
    standing: STANDINGS[state],
  };
}

/** A /12 of /24s: 4,096 subnets, 16 to a cell of the map. */
export const WIDE: SubnetsDocument = {
  schema: 1,
  network: "10.0.0.0/12",
  networks: ["10.0.0.0/12"],
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
