/** What the stages of a host's life share: the ledger, its own record, who is there, and what is said to the outside. */
import { cidrsOverlap } from "../address/network.ts";
import { assert } from "../base/assert.ts";
import type { Action } from "../base/core.ts";
import { ABSENCE_TTL_HOURS_DEFAULT } from "../base/limits.ts";
import type { Problem } from "../base/problem.ts";
import type { Random } from "../base/random.ts";
import type { Member, MemberId } from "../swim/member.ts";
import type { Carrier } from "../swim/rider.ts";
import { Absence } from "./absence.ts";
import { newClaimCounters } from "./counters.ts";
import { objectionWaitMs } from "./dissemination_time.ts";
import { tombstoneAgeMs } from "./flat_state.ts";
import { Ledger } from "./ledger.ts";
import type { FenceEntry } from "./fence.ts";
import { encodeFencePush, encodePush, LETTERS_MAX, seal, type SealedRecord } from "./messages.ts";
import {
  type ClaimOptions,
  type FurtherMemory,
  GOSSIP_INTERVAL_MS_DEFAULT,
  type RememberedClaim,
} from "./options.ts";
import { OwnRecord } from "./own_record.ts";
import { PoolKeeper } from "./pool_keeper.ts";
import { type ClaimRecord, occupies, type Vtep } from "./record.ts";
import { GENERATION_MAX, SEQUENCE_MAX } from "./record_codec.ts";
import { guardiansOf } from "./rendezvous.ts";
import { Roster } from "./roster.ts";
import type { ClaimEvent } from "./snapshot.ts";
import { stands } from "./standing.ts";

/** Lifeguard's local health score up to which a host is taken for healthy: 0 is the best, 7 the worst. */
const ATTENDING_HEALTH_SCORE_MAX = 2;
/** Of those who have a subnet that was another's: a wide one may be many narrow ones now, and a letter holds eight records. */
const HEIRS_TOLD_MAX = 4;

export class ClaimContext {
  readonly options: ClaimOptions;
  readonly random: Random;
  readonly ledger = new Ledger();
  readonly roster: Roster;
  readonly absence: Absence;
  readonly own: OwnRecord;
  readonly counters = newClaimCounters();
  /** The pool as it is now, and what operators changed of it. */
  readonly pools: PoolKeeper;
  /** Shown in snapshots until deleted, by code. */
  readonly problems = new Map<string, Problem>();
  /** Lamport time: above every stamp seen. */
  lamport: number;
  vtep: Vtep;
  /** The present moment, as of the step under way. */
  nowMs = 0;
  /** See ClaimSnapshot.complete. */
  complete = false;
  /** The subnet that this host claims or seeks at its present stage; null when it does neither. */
  sought: string | null = null;
  /** The subnet that containers were last given, while this host looks for another. */
  previous: string | null;
  /** Contests over this host's subnet. */
  conflicts = 0;
  /** When an absent host's subnet may be asked for again, and how often in a row that came to nothing. */
  reclaimNotBeforeMs = -Infinity;
  reclaimFailures = 0;
  /** Choices lost in a row: they are followed by ever longer pauses. */
  losses = 0;
  /** Whether the last thing asked of the disk failed, and how often in a row. */
  diskRefusals = 0;
  /** Whether the last hold took the disk too long. */
  isDiskSlow = false;
  #carrier: Carrier | null = null;
  #actions: Action<ClaimEvent>[] = [];

  constructor(options: ClaimOptions, random: Random) {
    this.options = options;
    this.random = random;
    this.roster = new Roster(options.hostId, this.ledger, () => this.carrier);
    this.absence = new Absence(options.hostId, this.ledger, this.roster, () => this.#attends());
    this.pools = new PoolKeeper(options.pool, options.restored?.pool);
    this.lamport = options.restored?.lamport ?? 0;
    this.previous = options.restored?.previous ?? null;
    this.vtep = options.vtep;
    this.own = new OwnRecord({
      hostId: options.hostId,
      instance: options.instance,
      poolVersion: () => this.pools.pool.version,
      poolDigest: this.pools.baseDigest,
      absenceTtlHours: options.absenceTtlHours ?? ABSENCE_TTL_HOURS_DEFAULT,
      restored: options.restored,
      continues: options.continues === true,
      vtep: () => this.vtep,
      lamport: () => this.lamport,
      fence: () => this.ledger.fence.entries(),
      previous: () => this.previous,
      others: () => this.#othersNow(),
      further: () => this.#further(),
      push: (action) => this.#actions.push(action),
    });
  }

  attach(carrier: Carrier): void {
    this.#carrier = carrier;
  }

  get carrier(): Carrier {
    assert(this.#carrier !== null, "a claimant is attached to its carrier before its first step");
    return this.#carrier;
  }

  get hostId(): MemberId {
    return this.options.hostId;
  }

  /** The subnet that this host is to have: by an operator's pin, which all hosts know, or else by its own flag. */
  get pin(): string | null {
    return this.pools.pinOf(this.hostId) ?? this.options.pin;
  }

  /** Other members of that status, by id. */
  others(...statuses: readonly Member["status"][]): Member[] {
    return this.roster.others(...statuses);
  }

  /** Whether there is anybody to hear before anything is claimed. */
  hasOthers(): boolean {
    const { carrier, options } = this;
    return options.seedsGiven || carrier.seeds().given > 0 || carrier.missing().length > 0 ||
      this.others("alive", "suspect", "dead").length > 0;
  }

  /** How long objections are waited for when not everybody could be asked. */
  objectionWaitMs(): number {
    const members = this.others("alive", "suspect").length + 1;
    const intervalMs = this.options.gossipIntervalMs ?? GOSSIP_INTERVAL_MS_DEFAULT;
    return objectionWaitMs(members, intervalMs, this.carrier.healthScore());
  }

  /**
   * Whom a claim on the subnet is sent to by letter: everybody who may be there, or the guardians when those are too many.
   * After a partition, who was dead on one side is suspect on the other until it refutes.
   */
  addressees(subnet: string): Member[] {
    const reachable = this.others("alive", "suspect");
    return reachable.length <= LETTERS_MAX ? reachable : guardiansOf(subnet, this.others("alive"));
  }

  /** Tells everybody a record of this host that is safe on disk, and others that belong to it. */
  announce(record: ClaimRecord, others: readonly ClaimRecord[] = []): void {
    const sealed = seal(record);
    const push = encodePush([...others.map(seal), sealed]);
    for (const { endpoint } of this.addressees(record.subnet)) this.carrier.letter(endpoint, push);
    this.spread(sealed, push);
  }

  /** Passes a record on by gossip; `message` is its push when at hand. */
  spread(sealed: SealedRecord, message = encodePush([sealed])): void {
    const { record } = sealed;
    this.carrier.gossip(`claim ${record.hostId}`, gossipVersion(record), message);
  }

  /** Tells everybody that a fence rose without a record that says so. */
  announceFence(entry: FenceEntry): void {
    const push = encodeFencePush([entry]);
    for (const { endpoint } of this.addressees(entry.subnet)) this.carrier.letter(endpoint, push);
    this.spreadFence(entry, push);
  }

  /** Passes a fence on by gossip; `message` is its push when at hand. */
  spreadFence(entry: FenceEntry, message = encodeFencePush([entry])): void {
    this.carrier.gossip(`fence ${entry.subnet}`, entry.epoch, message);
  }

  /**
   * Tells a host that appears of a fence above its claim, if there is one: who was forgotten while it was out of sight
   * has no route until it writes anew, and would hear of it by the next sync only. To many at once by gossip, which
   * costs no packet of its own. Where others have the subnet now, their claims are told instead: by the fence alone it
   * would take itself for forgotten, and go above them. Whoever seeks the subnet says nothing: its claim will.
   */
  tellFence({ id, endpoint }: Member): void {
    const record = this.ledger.entry(id)?.record;
    if (record === undefined || !occupies(record)) return;
    const entry = { subnet: record.subnet, epoch: this.ledger.fence.exactly(record.subnet) };
    if (stands(record, entry.epoch)) return;
    if (this.sought !== null && cidrsOverlap(this.sought, record.subnet)) return;
    const heirs = this.ledger.occupants(record.subnet, id).slice(0, HEIRS_TOLD_MAX);
    const areMany = this.others("alive").length > LETTERS_MAX;
    if (heirs.length > 0) {
      if (!areMany) this.carrier.letter(endpoint, encodePush(heirs.map(seal)));
      return;
    }
    if (areMany) return this.spreadFence(entry);
    this.carrier.letter(endpoint, encodeFencePush([entry]));
  }

  /** Tells one host this host's own record, if that host is known and there is a record. */
  tell(hostId: MemberId): void {
    const endpoint = this.carrier.member(hostId)?.endpoint;
    const record = this.own.announced;
    if (endpoint === undefined || record === null) return;
    this.carrier.letter(endpoint, encodePush([seal(record)]));
  }

  /** How people know the host: its name if it is a member, and the beginning of its id. */
  nameOf(hostId: MemberId): string {
    const name = this.#carrier?.member(hostId)?.name;
    const short = hostId.slice(0, 8);
    return name === undefined ? `host ${short}` : `${name} (${short})`;
  }

  /** What this host does not hear proves something only while it has heard the cluster, is well and sees most of it. */
  #attends(): boolean {
    const isWell = this.carrier.healthScore() <= ATTENDING_HEALTH_SCORE_MAX;
    return this.complete && isWell && this.roster.seesMajority();
  }

  #further(): FurtherMemory {
    const { machine } = this.options;
    const { record } = this.pools;
    return {
      ...(machine === undefined ? {} : { machine }),
      ...(record === null ? {} : { pool: record }),
    };
  }

  #othersNow(): RememberedClaim[] {
    return this.ledger.entries()
      .filter(({ record }) => record.hostId !== this.hostId)
      .map((entry) => ({
        record: entry.record,
        ageMs: tombstoneAgeMs(this.nowMs, entry),
      }));
  }

  emit(event: ClaimEvent): void {
    this.#actions.push({ kind: "event", event });
  }

  drain(): Action<ClaimEvent>[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}

/** Generation and sequence as one number that orders a host's records: at most 2^52. */
function gossipVersion({ generation, sequence }: ClaimRecord): number {
  assert(generation <= GENERATION_MAX && sequence <= SEQUENCE_MAX, "record numbers are in range");
  return generation * (SEQUENCE_MAX + 1) + sequence;
}
