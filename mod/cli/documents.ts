/**
 * The agent's answers, checked before they are believed: the agent may be of another version. The only user of the
 * schema library, loaded by the commands that talk to an agent.
 */
import * as v from "valibot";
import {
  type ForgetAnswer,
  type GossipPingDocument,
  type JoinAnswer,
  type KeysAnswer,
  type KeysDocument,
  type LeaveAnswer,
  type PoolAnswer,
  type PoolDocument,
  STATUS_SCHEMA,
  type StatusDocument,
  type SubnetsDocument,
  type WhyDocument,
} from "../agent/api.ts";
import type { PlanDocument } from "../agent/overlay_documents.ts";
import { UserError } from "../base/errors.ts";

const memberStatus = v.picklist(["alive", "suspect", "dead", "left"]);
const claimState = v.picklist(["none", "tentative", "held", "yielding"]);
const nullableString = v.nullable(v.string());

/** Entries of that name that are numbers. */
function numbers<const Name extends string>(...names: readonly Name[]) {
  const entries = Object.fromEntries(names.map((name) => [name, v.number()]));
  // fromEntries forgets the names.
  return entries as Record<Name, ReturnType<typeof v.number>>;
}

const problem = v.looseObject({
  code: v.string(),
  severity: v.picklist(["warning", "error"]),
  text: v.string(),
  remedy: v.string(),
});

const traffic = v.looseObject(
  numbers("sentBytes", "receivedBytes", "sentPackets", "receivedPackets"),
);

/** The way to a VTEP by one family. */
const vtepAnswer = {
  state: v.picklist(["answers", "silent", "unknown"]),
  rttMs: v.nullable(v.number()),
  answeredAt: nullableString,
};

/** Of the overlay of one family. */
const programmed = {
  device: v.string(),
  mtu: v.number(),
  inSync: v.boolean(),
  peersWanted: v.number(),
  peersProgrammed: v.number(),
  repairs: v.number(),
  lastError: nullableString,
};

const member = v.looseObject({
  id: v.string(),
  name: v.string(),
  address: v.string(),
  gossipPort: v.number(),
  status: memberStatus,
  statusSince: v.string(),
  subnet: nullableString,
  ipv6Subnet: v.exactOptional(nullableString),
  claim: claimState,
  mac: nullableString,
  backend: v.optional(nullableString, null),
  path: v.optional(v.nullable(v.picklist(["vxlan", "direct", "udp"])), null),
  kernel: v.optional(v.nullable(v.picklist(["answers", "checking", "silent"])), null),
  rttMs: v.nullable(v.number()),
  overlay: v.exactOptional(v.nullable(v.looseObject({
    ...vtepAnswer,
    ipv6: v.exactOptional(v.looseObject(vtepAnswer)),
  }))),
  traffic: v.exactOptional(traffic),
  udp: v.optional(v.picklist(["ok", "blocked", "unknown"]), "unknown"),
  version: v.string(),
  self: v.boolean(),
});

const seed = v.looseObject({
  seed: v.string(),
  state: v.picklist(["trying", "unresolved", "unreachable", "joined"]),
  reason: v.exactOptional(v.string()),
});

const conflict = v.looseObject({
  at: v.string(),
  subnet: v.string(),
  winner: v.string(),
  loser: v.string(),
  won: v.boolean(),
  why: v.string(),
});

const past = v.variant("kind", [
  v.looseObject({ kind: v.literal("conflict"), ...conflict.entries }),
  v.looseObject({
    kind: v.literal("renumbered"),
    at: v.string(),
    old: v.string(),
    new: v.string(),
    winner: nullableString,
    why: nullableString,
    hook: v.picklist(["none", "running", "done", "failed"]),
  }),
]);

const standing = v.picklist(["owner", "loses", "asks", "yields", "released", "void"]);
const recordState = v.picklist(["tentative", "held", "yielding", "released"]);
const ownerStatus = v.picklist(["alive", "suspect", "dead", "left", "unknown"]);
const count = v.number();
const verdicts = v.looseObject({ yes: count, busy: count, fenced: count, resting: count });
const firewall = v.looseObject({
  inSync: v.boolean(),
  masquerade: v.boolean(),
  guard: v.boolean(),
  members: v.number(),
  strangers: v.number(),
  repairs: v.number(),
  lastError: nullableString,
});

const status = v.looseObject({
  schema: v.literal(STATUS_SCHEMA),
  version: v.string(),
  ready: v.boolean(),
  host: v.looseObject({
    id: v.string(),
    name: v.string(),
    address: v.string(),
    gossipPort: v.number(),
    incarnation: v.number(),
    healthScore: v.number(),
  }),
  cluster: v.looseObject({
    network: v.string(),
    networks: v.array(v.string()),
    subnetLen: v.number(),
    ipv6Network: v.exactOptional(v.string()),
    ipv6SubnetLen: v.exactOptional(v.number()),
    backend: v.string(),
    directRouting: v.optional(v.boolean(), false),
    alive: v.number(),
    suspect: v.number(),
    dead: v.number(),
    left: v.number(),
    seeds: v.array(seed),
  }),
  encryption: v.nullable(
    v.looseObject({ fingerprints: v.array(v.string()), plainToo: v.boolean() }),
  ),
  claim: v.looseObject({
    state: claimState,
    subnet: nullableString,
    ipv6Subnet: v.exactOptional(nullableString),
    since: nullableString,
    conflicts: v.number(),
    reason: nullableString,
    stage: v.picklist([
      ...["starting", "listening", "lonely", "returning", "tentative"] as const,
      ...["held", "yielding", "waiting", "released"] as const,
    ]),
    epoch: v.nullable(v.number()),
    strength: v.nullable(v.number()),
    renumberings: v.number(),
    lastConflict: v.nullable(conflict),
    history: v.array(past),
  }),
  counters: v.looseObject({
    ...numbers("conflictsWon", "conflictsLost", "renumberings", "writes", "diskRefusals"),
    ...numbers("requests", "choicesLost", "refutes", "raises", "reclaims", "forgets", "clones"),
    ...numbers("sanityRefusals"),
    answersReceived: verdicts,
    answersSent: verdicts,
  }),
  overlay: v.looseObject({
    ...programmed,
    mac: nullableString,
    peersDirect: v.optional(v.number(), 0),
    traffic: v.exactOptional(v.nullable(traffic)),
    ipv6: v.exactOptional(v.looseObject({ network: v.string(), ...programmed })),
    udp: v.exactOptional(v.looseObject({
      port: v.number(),
      running: v.boolean(),
      restarts: v.number(),
      drops: v.record(v.string(), v.number()),
    })),
  }),
  firewall: v.optional(v.nullable(firewall), null),
  members: v.array(member),
  problems: v.array(problem),
});

const subnets = v.looseObject({
  schema: v.literal(STATUS_SCHEMA),
  network: v.string(),
  networks: v.array(v.string()),
  subnetLen: v.number(),
  ipv6Network: v.exactOptional(v.string()),
  used: v.number(),
  total: v.number(),
  subnets: v.array(v.looseObject({
    subnet: v.string(),
    ipv6Subnet: v.exactOptional(nullableString),
    owner: v.string(),
    ownerId: v.string(),
    ownerStatus,
    state: recordState,
    epoch: v.number(),
    since: v.string(),
    self: v.boolean(),
    standing,
  })),
});

const why = v.looseObject({
  schema: v.literal(STATUS_SCHEMA),
  subnet: v.string(),
  inPool: v.boolean(),
  free: v.boolean(),
  fence: v.number(),
  restsUntil: nullableString,
  reserved: v.boolean(),
  pinnedTo: nullableString,
  claims: v.array(v.looseObject({
    subnet: v.string(),
    owner: v.string(),
    ownerId: v.string(),
    ownerAddress: nullableString,
    ownerStatus,
    self: v.boolean(),
    state: recordState,
    standing,
    epoch: v.number(),
    strength: v.number(),
    strengthText: v.string(),
    stamp: v.number(),
    since: v.string(),
    absentSeconds: v.nullable(v.number()),
    absenceTtlSeconds: v.number(),
    order: v.array(v.looseObject({
      what: v.string(),
      winner: v.string(),
      loser: v.string(),
      decides: v.boolean(),
    })),
  })),
  history: v.array(past),
});

const keyHosts = v.array(v.looseObject({
  id: v.string(),
  name: v.string(),
  address: v.string(),
  reason: v.string(),
}));

const keys = v.looseObject({
  schema: v.literal(STATUS_SCHEMA),
  hosts: v.number(),
  keys: v.array(v.looseObject({
    fingerprint: v.string(),
    hosts: v.number(),
    primaryHosts: v.number(),
    here: v.boolean(),
    primaryHere: v.boolean(),
  })),
  unanswered: keyHosts,
});

const keysAnswer = v.looseObject({
  schema: v.literal(STATUS_SCHEMA),
  operation: v.picklist(["install", "use", "remove"]),
  fingerprint: v.string(),
  hosts: v.number(),
  done: v.number(),
  refused: v.nullable(v.looseObject({ text: v.string(), remedy: v.string() })),
  failed: keyHosts,
});

const poolHolders = v.array(
  v.looseObject({ host: v.string(), hostId: v.string(), subnet: v.string() }),
);

const poolEntries = {
  schema: v.literal(STATUS_SCHEMA),
  version: v.number(),
  subnetLen: v.number(),
  used: v.number(),
  total: v.number(),
  networks: v.array(v.looseObject({
    network: v.string(),
    added: v.boolean(),
    used: v.number(),
    total: v.number(),
  })),
  reserved: v.array(v.looseObject({ network: v.string(), holders: poolHolders })),
  pins: v.array(v.looseObject({
    host: v.string(),
    hostId: v.string(),
    subnet: v.string(),
    holds: nullableString,
  })),
  outside: poolHolders,
};
const pool = v.looseObject(poolEntries);
const poolAnswer = v.looseObject({ ...poolEntries, changed: v.boolean() });

const plan = v.looseObject({
  schema: v.literal(STATUS_SCHEMA),
  want: v.picklist(["up", "down", "unchanged", "paused"]),
  wanted: v.string(),
  changes: v.string(),
  obstacles: v.array(v.string()),
});

const joinAnswer = v.looseObject({ seeds: v.array(v.string()) });
const forgetAnswer = v.looseObject({
  id: v.string(),
  name: v.string(),
  address: v.string(),
  status: v.picklist(["alive", "suspect", "dead", "left", "unknown"]),
});
const leaveAnswer = v.looseObject({ released: nullableString });

const nullableNumber = v.nullable(v.number());
const gossipPing = v.looseObject({
  id: v.string(),
  name: v.string(),
  datagramMs: nullableNumber,
  streamMs: nullableNumber,
  streamReason: nullableString,
});

/** Throws UserError when the value is no status document of this schema. */
export function statusOf(value: unknown): StatusDocument {
  return checked(status, value, "status");
}

export function subnetsOf(value: unknown): SubnetsDocument {
  return checked(subnets, value, "list of subnets");
}

export function whyOf(value: unknown): WhyDocument {
  return checked(why, value, "explanation");
}

export function planOf(value: unknown): PlanDocument {
  return checked(plan, value, "plan");
}

export function keysOf(value: unknown): KeysDocument {
  return checked(keys, value, "list of keys");
}

export function keysAnswerOf(value: unknown): KeysAnswer {
  return checked(keysAnswer, value, "answer to keys");
}

export function poolOf(value: unknown): PoolDocument {
  return checked(pool, value, "pool");
}

export function poolAnswerOf(value: unknown): PoolAnswer {
  return checked(poolAnswer, value, "answer to pool");
}

export function joinAnswerOf(value: unknown): JoinAnswer {
  return checked(joinAnswer, value, "answer to join");
}

export function forgetAnswerOf(value: unknown): ForgetAnswer {
  return checked(forgetAnswer, value, "answer to forget");
}

export function leaveAnswerOf(value: unknown): LeaveAnswer {
  return checked(leaveAnswer, value, "answer to leave");
}

export function gossipPingOf(value: unknown): GossipPingDocument {
  return checked(gossipPing, value, "answer to ping");
}

function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? "the document";
  throw new UserError(`the agent's ${what} cannot be understood: ${where}: ${issue.message}`, {
    remedy: "use the gossamer of the agent's version, which gossamer status --json names",
  });
}
