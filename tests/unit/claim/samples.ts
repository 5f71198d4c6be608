/** Claim records for tests, and a claimant whose network and disk are played by the test. */
import { equal, ok } from "node:assert/strict";
import { makePool, type Pool, poolDigest } from "../../../mod/address/pool.ts";
import type { Action, Endpoint } from "../../../mod/base/core.ts";
import { Random } from "../../../mod/base/random.ts";
import { Claimant } from "../../../mod/claim/claimant.ts";
import { NO_POOL_RECORD } from "../../../mod/claim/pool_codec.ts";
import { agedRecord } from "../../../mod/claim/flat_state.ts";
import type { Ledger } from "../../../mod/claim/ledger.ts";
import {
  type ClaimMessage,
  decodeClaimMessage,
  encodeAnswer,
  encodePush,
  encodeRequest,
  idPrefix,
  seal,
  type Verdict,
} from "../../../mod/claim/messages.ts";
import type { ClaimOptions, RestoredClaim } from "../../../mod/claim/options.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import type { ClaimEvent } from "../../../mod/claim/snapshot.ts";
import { encodeClaimSync, type Heard } from "../../../mod/claim/sync_messages.ts";
import type { Member, MemberStatus } from "../../../mod/swim/member.ts";
import type { Carrier, SeedsHeard } from "../../../mod/swim/rider.ts";

export const POOL: Pool = makePool({ network: "10.244.0.0/16" });
const DIGEST = poolDigest(POOL);

/** The id of a host that tests call by a number: `0000000000000007…`; the first half tells hosts apart. */
export function hostId(number: number): string {
  return number.toString(16).padStart(16, "0").padEnd(32, "0");
}

export function endpointOf(number: number): Endpoint {
  return `192.0.2.${number}:7947`;
}

/** A held claim of host 1 on 10.244.7.0/24, with changes. */
export function record(changes: Partial<ClaimRecord> = {}): ClaimRecord {
  const state = changes.state ?? "held";
  return {
    hostId: hostId(1),
    instance: "00000000000000aa",
    generation: 1,
    sequence: 0,
    poolVersion: 1,
    poolDigest: DIGEST,
    subnet: "10.244.7.0/24",
    state,
    epoch: 1,
    strength: state === "tentative" ? 0 : 1,
    stamp: 5,
    vtep: { address: "192.0.2.1", port: 8472, mac: "02:00:00:00:00:01" },
    absenceTtlHours: 24,
    ...changes,
  };
}

/** All that a host with that ledger would tell a newcomer. */
export function stateOfLedger(
  nowMs: number,
  ledger: Ledger,
  lamport: number,
  heard: Heard | boolean,
  reclaimable: readonly string[] = [],
  silent: readonly string[] = [],
): Uint8Array {
  const records = ledger.entries().map((entry) => agedRecord(nowMs, entry));
  return encodeClaimSync({
    kind: "state",
    lamport,
    heard: typeof heard === "string" ? heard : heard ? "yes" : "no",
    records: { kind: "entries", entries: records },
    fence: { kind: "entries", entries: ledger.fence.entries() },
    pool: NO_POOL_RECORD,
    poolRecord: null,
    reclaimable,
    silent,
  });
}

export function member(number: number, status: MemberStatus = "alive"): Member {
  return {
    id: hostId(number),
    name: `h${number}`,
    endpoint: endpointOf(number),
    incarnation: 1,
    instance: "00000000000000aa",
    status,
    version: "0.1.0",
    protocolMin: 1,
    protocolMax: 1,
    features: 0,
    statusSinceMs: 0,
  };
}

interface Letter {
  readonly to: Endpoint;
  readonly message: ClaimMessage;
}

/** Membership as a test wants it. Host 1 is this host. */
class StagedCarrier implements Carrier {
  readonly letterBytesMax = 1_300;
  readonly letters: Letter[] = [];
  readonly gossiped: { key: string; version: number; message: ClaimMessage }[] = [];
  readonly syncsWanted: string[] = [];
  readonly table = new Map<string, Member>([[hostId(1), member(1)]]);
  score = 0;

  gossip(key: string, version: number, bytes: Uint8Array): void {
    this.gossiped.push({ key, version, message: decodeClaimMessage(bytes) });
  }

  letter(to: Endpoint, bytes: Uint8Array): void {
    ok(bytes.length <= this.letterBytesMax, `a letter of ${bytes.length} bytes`);
    this.letters.push({ to, message: decodeClaimMessage(bytes) });
  }

  members(): readonly Member[] {
    return [...this.table.values()].sort((one, other) => one.id < other.id ? -1 : 1);
  }

  member(id: string): Member | undefined {
    return this.table.get(id);
  }

  self(): Member {
    const self = this.table.get(hostId(1));
    ok(self);
    return self;
  }

  healthScore(): number {
    return this.score;
  }

  /** Hosts remembered from before the restart, by number. */
  lost: readonly number[] = [];
  seedsGiven: SeedsHeard = { given: 1, answered: 1, silent: [] };

  missing(): readonly string[] {
    return this.lost.map(hostId);
  }

  seeds() {
    return this.seedsGiven;
  }

  requestSync(id: string): void {
    this.syncsWanted.push(id);
  }
}

type Persist = Extract<Action<ClaimEvent>, { kind: "persist" }>;

/** Host 1's claimant on a stage. Time, disk and messages come from the test. */
export class Staged {
  readonly carrier = new StagedCarrier();
  readonly claimant: Claimant;
  readonly events: ClaimEvent[] = [];
  readonly writes: Persist[] = [];
  nowMs = 0;
  /** What the disk says to writes; null while it takes them. */
  diskError: string | null = null;
  /** Whether writes wait for {@linkcode settleDisk}. */
  holdsDisk = false;

  constructor(changes: Partial<ClaimOptions> = {}) {
    this.claimant = new Claimant({
      cluster: "test",
      pool: POOL,
      pin: null,
      bootstrap: false,
      seedsGiven: true,
      vtep: { address: "192.0.2.1", port: 8472, mac: "02:00:00:00:00:01" },
      hostId: hostId(1),
      instance: "00000000000000aa",
      restored: null,
      ...changes,
    }, new Random(1));
    if (changes.seedsGiven === false) {
      this.carrier.seedsGiven = { given: 0, answered: 0, silent: [] };
    }
    this.claimant.attach(this.carrier);
  }

  get snapshot() {
    return this.claimant.snapshot();
  }

  /** Runs whatever is due, up to this moment. */
  at(nowMs: number): void {
    for (let steps = 0; steps < 1_000 && this.claimant.wakeAtMs() <= nowMs; steps++) {
      this.nowMs = Math.max(this.nowMs, this.claimant.wakeAtMs());
      this.settle();
    }
    this.nowMs = nowMs;
    this.settle();
  }

  /** Ends the step: due work, then the disk. */
  settle(): void {
    this.claimant.advance(this.nowMs);
    const actions = this.claimant.drain();
    if (actions.length === 0) this.claimant.idle();
    for (const action of actions) {
      if (action.kind === "event") this.events.push(action.event);
      else if (action.kind === "persist") this.writes.push(action);
    }
    if (!this.holdsDisk) this.settleDisk();
  }

  settleDisk(): void {
    for (let write = this.writes.shift(); write !== undefined; write = this.writes.shift()) {
      this.claimant.persisted(this.nowMs, write.id, this.diskError ?? undefined);
      this.settle();
    }
  }

  /** Members become known with that status. */
  meet(numbers: readonly number[], status: MemberStatus = "alive"): void {
    for (const number of numbers) {
      const previous = this.carrier.table.get(hostId(number)) ?? null;
      const now = member(number, status);
      this.carrier.table.set(now.id, now);
      this.claimant.memberChanged(this.nowMs, now, previous);
    }
    this.settle();
  }

  /** A full sync with that member ends. */
  sync(number: number): void {
    this.claimant.synced(this.nowMs, hostId(number));
    this.settle();
  }

  /** Records arrive by gossip or by letter of another host. */
  hear(...records: ClaimRecord[]): void {
    this.claimant.receive(
      this.nowMs,
      { via: "gossip", from: endpointOf(99) },
      encodePush(records.map(seal)),
    );
    this.settle();
  }

  /** That host asks for the subnet of its tentative record. */
  asked(number: number, claim: ClaimRecord, isLastResort = false): void {
    this.claimant.receive(
      this.nowMs,
      { via: "letter", from: endpointOf(number) },
      encodeRequest(seal(claim), isLastResort),
    );
    this.settle();
  }

  /** That member answers this host's present question. */
  answer(
    number: number,
    changes: {
      busy?: ClaimRecord;
      verdict?: Verdict;
      members?: readonly number[] | null;
      tentative?: readonly ClaimRecord[];
      sequence?: number;
    } = {},
  ): void {
    const own = this.snapshot.record;
    ok(own, "nothing was asked");
    const bytes = encodeAnswer({
      kind: "answer",
      sender: hostId(number),
      claimant: hostId(1),
      generation: own.generation,
      sequence: changes.sequence ?? own.sequence,
      verdict: changes.verdict ??
        (changes.busy === undefined
          ? { kind: "yes" }
          : { kind: "busy", claim: seal(changes.busy) }),
      members: changes.members === null
        ? null
        : (changes.members ?? []).map((other) => idPrefix(hostId(other))),
      tentative: (changes.tentative ?? []).map(seal),
    }, 1_300);
    this.claimant.receive(this.nowMs, { via: "letter", from: endpointOf(number) }, bytes);
    this.settle();
  }

  /** The letters sent since the last call. */
  takeLetters(): Letter[] {
    return this.carrier.letters.splice(0);
  }

  /** Letters of one kind sent since the last call, as host numbers of their addressees. */
  takeAddressees(kind: ClaimMessage["kind"]): number[] {
    return this.takeLetters().filter(({ message }) => message.kind === kind)
      .map(({ to }) => Number(to.split(":")[0]?.split(".")[3]));
  }

  eventsOf<Kind extends ClaimEvent["kind"]>(kind: Kind): Extract<ClaimEvent, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<ClaimEvent, { kind: Kind }> =>
      event.kind === kind
    );
  }
}

/** A host that knows these members alive and has heard them all, with a tentative claim out. */
export function stagedAsking(members: readonly number[], changes: Partial<ClaimOptions> = {}) {
  const host = new Staged(changes);
  host.at(0);
  host.meet(members);
  for (const number of members.slice(0, 3)) host.sync(number);
  equal(host.snapshot.state, "tentative");
  return host;
}

/** A host that holds 10.244.7.0/24 since before its restart, alone. */
export function stagedHolding(changes: Partial<ClaimRecord> = {}): Staged {
  const restored: RestoredClaim = {
    hostId: hostId(1),
    generation: 3,
    lamport: 5,
    fence: [{ subnet: "10.244.7.0/24", epoch: 1 }],
    record: record({ generation: 3, instance: "00000000000000bb", ...changes }),
    previous: null,
  };
  const host = new Staged({ restored, seedsGiven: false });
  host.at(0);
  equal(host.snapshot.state, "held");
  return host;
}
