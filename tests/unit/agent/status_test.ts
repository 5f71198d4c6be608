/** The documents of the control API, made from a snapshot that the test makes up. */
import assert from "node:assert/strict";
import { makePool } from "../../../mod/address/pool.ts";
import {
  isReady,
  statusDocument,
  type StatusSources,
  subnetsDocument,
} from "../../../mod/agent/status.ts";
import { newClaimCounters } from "../../../mod/claim/counters.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import type { Member, MemberStatus } from "../../../mod/swim/member.ts";
import { claim } from "../../support/overlay.ts";

function member(number: number, status: MemberStatus = "alive"): Member {
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

/** Host 1 among hosts 10 and 2, in that order; 2 is dead, 10 gave its subnet back. */
function sources(state = "held", overlay: Record<string, unknown> = {}): StatusSources {
  const records: ClaimRecord[] = [claim(10, { state: "released" }), claim(2), claim(1)];
  return {
    version: "0.1.0",
    config: { pool: makePool({ network: "10.244.0.0/16" }), backend: "vxlan" },
    snapshot: {
      swim: {
        self: member(1),
        members: [member(10), member(2, "dead"), member(1)],
        healthScore: 0,
        seeds: [],
        encryption: null,
        path: (id: string) => ({
          rttMs: id === member(1).id ? null : 0.25,
          udp: id === member(2).id ? "blocked" : "unknown",
        }),
      },
      claim: {
        state,
        subnet: state === "held" ? "10.244.1.0/24" : null,
        sinceMs: 2_000,
        conflicts: 0,
        reason: null,
        records,
        owners: records.slice(1),
        sinceByHost: new Map(records.map(({ hostId }) => [hostId, 3_000])),
        problems: [],
        record: state === "held" ? claim(1) : null,
        pool: makePool({ network: "10.244.0.0/16" }),
        poolRecord: null,
        fenceOf: () => 1,
        isOwner: () => true,
        counters: newClaimCounters(),
      },
    },
    overlay: {
      device: "flannel.1",
      mac: "02:00:00:00:00:01",
      mtu: 1450,
      inSync: true,
      subnetFileWritten: true,
      peersWanted: 1,
      peersProgrammed: 1,
      paths: new Map(),
      deadPeers: new Map(),
      repairs: 0,
      lastError: null,
      problems: [],
      ...overlay,
    },
    problems: [],
    history: [],
    nowMs: 10_000,
    wallTime: (coreMs: number) => new Date(coreMs).toISOString(),
  } as unknown as StatusSources;
}

Deno.test("members stand in the order of their names as people count, with their claims", () => {
  const { members, cluster, claim: own } = statusDocument(sources());
  const shown = members.map(({ name, status, subnet, claim, self }) =>
    `${name} ${status} ${subnet} ${claim} ${self}`
  );
  assert.deepEqual(shown, [
    "h1 alive 10.244.1.0/24 held true",
    "h2 dead 10.244.2.0/24 held false",
    "h10 alive null none false",
  ]);
  assert.deepEqual([cluster.alive, cluster.dead, cluster.left], [2, 1, 0]);
  assert.deepEqual(own, {
    state: "held",
    subnet: "10.244.1.0/24",
    since: "1970-01-01T00:00:02.000Z",
    conflicts: 0,
    reason: null,
    stage: "held",
    epoch: 1,
    strength: 1,
    renumberings: 0,
    lastConflict: null,
    history: [],
  });
});

Deno.test("each member has the state of UDP on the way to it; this host reaches itself", () => {
  const { members } = statusDocument(sources());
  assert.deepEqual(members.map(({ name, udp, rttMs }) => `${name} ${udp} ${rttMs}`), [
    "h1 ok null",
    "h2 blocked 0.25",
    "h10 unknown 0.25",
  ]);
});

Deno.test("subnets stand in the order of their addresses, with owner and count", () => {
  const { subnets, used, total } = subnetsDocument(sources());
  assert.deepEqual(subnets.map(({ subnet, owner, state }) => `${subnet} ${owner} ${state}`), [
    "10.244.1.0/24 h1 held",
    "10.244.2.0/24 h2 held",
    "10.244.10.0/24 h10 released",
  ]);
  assert.deepEqual([used, total], [2, 255]);
});

Deno.test("ready means held, in sync and subnet.env written, all three", () => {
  const ready = (of: StatusSources) => isReady(of.snapshot, of.overlay);
  assert.equal(ready(sources()), true);
  assert.equal(ready(sources("listening")), false);
  assert.equal(ready(sources("held", { inSync: false })), false);
  assert.equal(ready(sources("held", { subnetFileWritten: false })), false);
});

Deno.test("states that the contract does not name are shown as none", () => {
  for (const state of ["none", "listening", "waiting", "released"]) {
    assert.equal(statusDocument(sources(state)).claim.state, "none", state);
  }
});

Deno.test("how gossip is encrypted is told by fingerprints, the key in use first", () => {
  const plain = sources();
  assert.equal(statusDocument(plain).encryption, null);
  const { snapshot } = plain;
  const fingerprints = ["02b6d1f0", "7c1f3a90"];
  const encrypted = (plainGossip: "allow" | "refuse") => {
    const swim = { ...snapshot.swim, encryption: { fingerprints, plainGossip } };
    return statusDocument({ ...plain, snapshot: { ...snapshot, swim } }).encryption;
  };
  assert.deepEqual(encrypted("refuse"), { fingerprints, plainToo: false });
  assert.deepEqual(encrypted("allow"), { fingerprints, plainToo: true });
});
