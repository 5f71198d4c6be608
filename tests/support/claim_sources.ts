/** What the documents of the control API are made from, for a host in any stage of its claim. */
import { DROP_NAMES } from "../../mod/dataplane/drop_reason.ts";
import { makePool } from "../../mod/address/pool.ts";
import { type PoolRecord, poolWith } from "../../mod/address/pool_record.ts";
import type { StatusSources } from "../../mod/agent/status.ts";
import { newClaimCounters } from "../../mod/claim/counters.ts";
import { ownersAmong } from "../../mod/claim/ownership.ts";
import { compareClaims } from "../../mod/claim/order.ts";
import type { ClaimRecord } from "../../mod/claim/record.ts";
import type { ClaimSnapshot } from "../../mod/claim/snapshot.ts";
import { stands } from "../../mod/claim/standing.ts";
import type { Member, MemberStatus } from "../../mod/swim/member.ts";
import { claim } from "./overlay.ts";

export const NOW_MS = 1_000_000;

export function memberNumber(number: number, status: MemberStatus = "alive"): Member {
  return {
    id: claim(number).hostId,
    name: `h${number}`,
    endpoint: `192.168.100.${number}:7947`,
    incarnation: 1,
    instance: "00".repeat(8),
    status,
    version: "0.1.0",
    protocolMin: 1,
    protocolMax: 1,
    features: 0,
    statusSinceMs: 1_000,
  };
}

export interface Staging {
  readonly selfName?: string;
  readonly claim?: Partial<ClaimSnapshot>;
  /** Records known here, host 1's among them. */
  readonly records?: readonly ClaimRecord[];
  readonly members?: readonly Member[];
  readonly fence?: Readonly<Record<string, number>>;
  readonly reserved?: readonly string[];
  readonly history?: StatusSources["history"];
  readonly pin?: string;
  readonly poolRecord?: PoolRecord;
}

/** Host 1 among others. Owners and standings follow from the records by the real order. */
export function stagedSources(staging: Staging = {}): StatusSources {
  const { records = [claim(1), claim(2)], fence = {}, history = [] } = staging;
  const fenceOf = (subnet: string) => fence[subnet] ?? 0;
  const held = records.filter((record) =>
    record.state === "held" && stands(record, fenceOf(record.subnet))
  );
  const pool = { ...makePool({ network: "10.244.0.0/16" }), reserved: [...staging.reserved ?? []] };
  const { poolRecord = null } = staging;
  const owners = ownersAmong(held, compareClaims);
  const self = { ...memberNumber(1), name: staging.selfName ?? "h1" };
  const own = records.find(({ hostId }) => hostId === self.id) ?? null;
  return {
    version: "0.1.0",
    config: {
      pool,
      backend: "vxlan",
      pin: staging.pin ?? null,
    },
    snapshot: {
      swim: {
        self,
        members: staging.members ?? [self, memberNumber(2)],
        healthScore: 0,
        seeds: [],
        encryption: null,
        path: () => ({ rttMs: 0.25, udp: "ok" }),
      },
      claim: {
        state: "held",
        subnet: own?.subnet ?? null,
        sinceMs: 2_000,
        conflicts: 0,
        reason: null,
        record: own,
        records,
        owners,
        sinceByHost: new Map(records.map(({ hostId }) => [hostId, 3_000])),
        problems: [],
        fenceSize: Object.keys(fence).length,
        fenceOf,
        isOwner: (hostId: string) => owners.some((owner) => owner.hostId === hostId),
        restsUntilMs: () => -Infinity,
        absences: () => [],
        pool: poolWith(pool, poolRecord),
        poolRecord,
        counters: newClaimCounters(),
        ...staging.claim,
      },
    },
    traffic: {
      receivedBytes: 8_400,
      receivedPackets: 100,
      sentBytes: 9_400,
      sentPackets: 110,
      sendDrops: 0,
    },
    overlay: {
      device: "flannel.1",
      mac: "02:00:00:00:00:01",
      mtu: 1450,
      inSync: true,
      subnetFileWritten: true,
      peersWanted: 1,
      peersProgrammed: 1,
      looksRepeated: 0,
      paths: new Map(),
      deadPeers: new Map(),
      firewall: {
        inSync: true,
        masquerade: true,
        guard: true,
        members: 2,
        strangers: 0,
        repairs: 0,
        lastError: null,
        problems: [],
      },
      tunnel: {
        isRunning: true,
        port: 8285,
        restarts: 0,
        peers: new Map([[
          "02".repeat(16),
          { packetsSent: 1, bytesSent: 84, packetsReceived: 1, bytesReceived: 84 },
        ]]),
        drops: Object.fromEntries(DROP_NAMES.map((name) => [name, 0])),
      },
      repairs: 0,
      lastError: null,
      problems: [],
    },
    problems: [],
    history,
    identitiesLost: 2,
    eventCounts: new Map([["member-failed", 3]]),
    nowMs: NOW_MS,
    wallTime: (coreMs: number) => new Date(coreMs).toISOString(),
  } as unknown as StatusSources;
}
