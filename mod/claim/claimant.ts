/**
 * The claim protocol of one host: routes what arrives to the ledger, to the answering side and to the present stage of the
 * host's life.
 */
import { unreachable } from "../base/assert.ts";
import type { PoolRecord } from "../address/pool_record.ts";
import type { Action } from "../base/core.ts";
import { WireError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Member, MemberId } from "../swim/member.ts";
import type { Arrival, Carrier, Rider } from "../swim/rider.ts";
import { Acknowledger } from "./acknowledge.ts";
import { Chooser } from "./choose.ts";
import { type Brought, ClaimSync } from "./claim_sync.ts";
import { ClaimContext } from "./context.ts";
import type { FenceEntry } from "./fence.ts";
import { Hearing } from "./hearing.ts";
import { IdentityRival } from "./identity_rival.ts";
import { Intake } from "./intake.ts";
import { Life } from "./life.ts";
import {
  type ClaimAnswer,
  type ClaimMessage,
  decodeClaimMessage,
  type SealedRecord,
} from "./messages.ts";
import type { ClaimOptions } from "./options.ts";
import { Picker } from "./picker.ts";
import { PoolWatch } from "./pool_agreement.ts";
import { encodePool } from "./pool_codec.ts";
import { PoolSpread } from "./pool_spread.ts";
import { Promises } from "./promises.ts";
import { QUARANTINE_MS } from "./quarantine.ts";
import type { ClaimRecord } from "./record.ts";
import { encodeRecord } from "./record_codec.ts";
import { Reporter } from "./reporter.ts";
import type { ClaimCommand, ClaimEvent, ClaimSnapshot } from "./snapshot.ts";
import type { Stage } from "./stage.ts";
import { fenceToForget } from "./standing.ts";

/** News of others is written down at most so often: each write is an fsync, and nothing waits for it. */
const SAVE_AFTER_MS = 10_000;

export class Claimant implements Rider {
  readonly #context: ClaimContext;
  readonly #intake: Intake;
  readonly #sync: ClaimSync;
  readonly #acknowledger: Acknowledger;
  readonly #reporter: Reporter;
  readonly #rival: IdentityRival;
  readonly #hearing: Hearing;
  readonly #life: Life;
  readonly #poolSpread: PoolSpread;
  #saveAtMs = Infinity;
  #collectAtMs = Infinity;

  constructor(options: ClaimOptions, random: Random) {
    this.#context = new ClaimContext(options, random);
    this.#intake = new Intake(this.#context);
    this.#hearing = new Hearing(this.#context);
    this.#sync = new ClaimSync(this.#context, this.#intake, this.#hearing);
    this.#rival = new IdentityRival(this.#context, this.#intake);
    const promises = new Promises(this.#context.ledger);
    this.#poolSpread = new PoolSpread(this.#context);
    this.#acknowledger = new Acknowledger(this.#context, promises, this.#poolSpread);
    const pools = new PoolWatch(this.#context);
    const picker = new Picker(this.#context);
    this.#life = new Life(this.#context, new Chooser(this.#context, picker, pools));
    this.#reporter = new Reporter(this.#context, pools);
    for (const { subnet, epoch } of options.restored?.fence ?? []) {
      this.#context.ledger.mergeFence(0, subnet, epoch);
    }
  }

  /** Must come before the first step. */
  attach(carrier: Carrier): void {
    this.#context.attach(carrier);
  }

  compare(nowMs: number): Uint8Array {
    this.#start(nowMs);
    return this.#sync.compare();
  }

  compared(nowMs: number, theirs: Uint8Array): Uint8Array {
    this.#start(nowMs);
    return this.#sync.compared(nowMs, theirs);
  }

  update(nowMs: number, member: MemberId, answer: Uint8Array): Uint8Array | null {
    this.#start(nowMs);
    const { update, ...brought } = this.#sync.update(nowMs, answer);
    this.#brought(nowMs, member, brought);
    return update;
  }

  updated(nowMs: number, update: Uint8Array): Uint8Array {
    this.#start(nowMs);
    const { isNews, pool, rest } = this.#sync.updated(nowMs, update);
    this.#takePool(nowMs, pool);
    this.#afterSync(nowMs, isNews);
    return rest;
  }

  merge(nowMs: number, member: MemberId, rest: Uint8Array): void {
    this.#start(nowMs);
    this.#brought(nowMs, member, this.#sync.merge(nowMs, rest));
  }

  receive(nowMs: number, arrival: Arrival, bytes: Uint8Array): void {
    this.#start(nowMs);
    let message: ClaimMessage;
    try {
      message = decodeClaimMessage(bytes, (record) => this.#intake.read(record));
    } catch (error) {
      if (error instanceof WireError) return;
      throw error;
    }
    // Only pushes are gossiped; a question or an answer that comes round about is not from whom it seems.
    const isPush = message.kind === "push" || message.kind === "fence" || message.kind === "pool";
    if (!isPush && arrival.via !== "letter") return;
    switch (message.kind) {
      case "request":
        if (this.#intake.take(nowMs, message.claim, true)) this.#recordsChanged(nowMs);
        this.#acknowledger.asked(nowMs, arrival.from, message);
        break;
      case "push":
        this.#takeEach(nowMs, message.claims);
        break;
      case "fence":
        this.#takeFence(nowMs, message.entries);
        break;
      case "pool":
        if (this.#poolSpread.take(arrival.from, message)) this.#poolChanged(nowMs);
        break;
      case "answer":
        this.#takeEach(nowMs, claimsIn(message));
        this.#heed(nowMs, message);
        this.#life.follow(nowMs, this.#stage?.answered(nowMs, message) ?? null);
        break;
      default:
        return unreachable(message);
    }
    this.#rival.overtake(this.#stage?.subnet ?? null);
  }

  memberChanged(nowMs: number, member: Member, previous: Member | null): void {
    if (member.id === this.#context.hostId) return;
    this.#start(nowMs);
    if (member.status === "alive") this.#hearing.met(nowMs);
    if (member.status === "alive" && previous?.status !== "alive") this.#context.tellFence(member);
    this.#context.absence.memberChanged(member);
    this.#life.follow(nowMs, this.#stage?.membersChanged(nowMs) ?? null);
  }

  synced(nowMs: number, member: MemberId): void {
    this.#start(nowMs);
    if (!this.#hearing.synced(nowMs, member)) return;
    this.#life.follow(nowMs, this.#stage?.synced(nowMs, member) ?? null);
    this.#acknowledger.reconsider(nowMs);
  }

  /** Takes the outcome of one of its persist actions; whether it was one. */
  persisted(nowMs: number, id: number, error: string | undefined): void {
    this.#context.nowMs = nowMs;
    // A stage for which the disk was too slow overtakes its own write first.
    this.#life.follow(nowMs, this.#stage?.advance(nowMs) ?? null);
    const settled = this.#context.own.settle(id, error);
    if (settled === null) return;
    const { record } = settled;
    const { counters } = this.#context;
    if (settled.kind === "refused") counters.diskRefusals++;
    else if (record !== null) counters.writes++;
    if (record === null) {
      if (settled.kind === "refused") this.#saveAtMs = nowMs + SAVE_AFTER_MS;
    } else if (settled.kind === "refused") {
      // It may be on the disk all the same: renamed, but the folder could not be synced. A restart must not find there what
      // was never announced, and may belong to another host by then.
      this.#saveAtMs = Math.min(this.#saveAtMs, nowMs + SAVE_AFTER_MS);
      this.#life.follow(nowMs, this.#stage?.refused(nowMs, settled.reason) ?? null);
    } else {
      this.#context.ledger.merge(nowMs, record, encodeRecord(record));
      this.#life.follow(nowMs, this.#stage?.written(nowMs, record) ?? null);
    }
    this.#acknowledger.reconsider(nowMs);
  }

  command(nowMs: number, command: ClaimCommand): void {
    this.#start(nowMs);
    switch (command.kind) {
      case "leave":
        return this.#life.leave(nowMs, command.release);
      case "rejoin":
        return this.#rejoin(nowMs);
      case "forget":
        return this.#forget(nowMs, command.hostId);
      case "set-pool":
        return this.#setPool(nowMs, command.record);
      case "set-vtep":
        this.#context.vtep = command.vtep;
        return this.#life.follow(nowMs, this.#stage?.vtepChanged(nowMs) ?? null);
      default:
        return unreachable(command);
    }
  }

  /** Does what is due. Called at the end of every step. */
  advance(nowMs: number): void {
    this.#start(nowMs);
    this.#hearing.advance(nowMs);
    this.#rival.overtake(this.#stage?.subnet ?? null);
    this.#context.absence.advance(nowMs);
    if (nowMs >= this.#saveAtMs) {
      this.#saveAtMs = Infinity;
      this.#context.own.save();
    }
    if (nowMs >= this.#collectAtMs) this.#collect(nowMs);
    this.#life.follow(nowMs, this.#stage?.advance(nowMs) ?? null);
    if (this.#stage !== null) this.#reporter.note(nowMs, this.#stage);
  }

  /** Called in steps that have nothing to send: the time for work that can be done beforehand. */
  idle(): void {
    this.#stage?.idle();
  }

  wakeAtMs(): number {
    if (this.#stage === null) return -Infinity;
    return Math.min(
      this.#stage.wakeAtMs(),
      this.#hearing.wakeAtMs(),
      this.#rival.wakeAtMs(),
      this.#saveAtMs,
      this.#collectAtMs,
    );
  }

  /** Whether what a leave asked for has come to its end, well or not. */
  get isLeaveOver(): boolean {
    return this.#life.isLeaveOver;
  }

  /** Actions and events since the last call. */
  drain(): Action<ClaimEvent>[] {
    if (this.#context.ledger.takeRoutesChanged()) this.#context.emit({ kind: "owners-changed" });
    return this.#context.drain();
  }

  snapshot(): ClaimSnapshot {
    return this.#reporter.snapshot();
  }

  /** The first step. */
  #start(nowMs: number): void {
    this.#context.nowMs = nowMs;
    if (this.#stage !== null) return;
    const { ledger, options } = this.#context;
    for (const { record, ageMs } of options.restored?.others ?? []) {
      ledger.merge(nowMs, record, encodeRecord(record), ageMs);
    }
    this.#collect(nowMs);
    this.#hearing.begin(nowMs);
    this.#life.begin(nowMs);
  }

  #brought(nowMs: number, member: MemberId, brought: Brought): void {
    this.#hearing.told(member, brought.heard, brought.silent);
    this.#takePool(nowMs, brought.pool);
    const isHint = this.#context.absence.told(nowMs, member, brought.reclaimable);
    this.#afterSync(nowMs, brought.isNews || isHint);
  }

  #afterSync(nowMs: number, isNews: boolean): void {
    if (isNews) this.#recordsChanged(nowMs);
    this.#rival.overtake(this.#stage?.subnet ?? null);
  }

  #takeEach(nowMs: number, claims: readonly { record: ClaimRecord; bytes: Uint8Array }[]): void {
    let isNews = false;
    for (const claim of claims) isNews = this.#intake.take(nowMs, claim, true) || isNews;
    if (isNews) this.#recordsChanged(nowMs);
  }

  #recordsChanged(nowMs: number): void {
    if (this.#saveAtMs === Infinity) this.#saveAtMs = nowMs + SAVE_AFTER_MS;
    if (this.#collectAtMs === Infinity) this.#collect(nowMs);
    this.#life.follow(nowMs, this.#stage?.recordsChanged(nowMs) ?? null);
    this.#acknowledger.reconsider(nowMs);
  }

  #collect(nowMs: number): void {
    const { ledger, roster } = this.#context;
    this.#collectAtMs = ledger.collect(nowMs, (hostId) => !roster.isPresent(hostId));
  }

  /** News of a fence are passed on: no record says the same. */
  #takeFence(nowMs: number, entries: readonly FenceEntry[]): void {
    let isNews = false;
    for (const entry of entries) {
      if (!this.#intake.takeOneFence(nowMs, entry)) continue;
      isNews = true;
      this.#context.spreadFence(entry);
    }
    if (isNews) this.#recordsChanged(nowMs);
  }

  /** Takes in what an answer says of the subnet that this host asks for. */
  #heed(nowMs: number, { verdict, sender, ...of }: ClaimAnswer): void {
    const own = this.#context.own.announced;
    if (own === null || own.generation !== of.generation || own.sequence !== of.sequence) return;
    if (verdict.kind === "fenced") {
      const entry = { subnet: own.subnet, epoch: verdict.epoch };
      if (this.#intake.takeOneFence(nowMs, entry)) this.#recordsChanged(nowMs);
    } else if (verdict.kind === "resting") {
      const restedMs = QUARANTINE_MS - 1000 * verdict.seconds;
      this.#context.ledger.quarantine.note(own.subnet, sender, nowMs - restedMs);
    }
  }

  /** Any host may say it, any number of times: what the host claims counts for nothing unless it is there and says so. */
  #forget(nowMs: number, hostId: MemberId): void {
    const { ledger } = this.#context;
    const record = ledger.entry(hostId)?.record;
    if (record === undefined || hostId === this.#context.hostId) return;
    this.#context.counters.forgets++;
    const entry = { subnet: record.subnet, epoch: fenceToForget(record) };
    const isNews = ledger.mergeFence(nowMs, entry.subnet, entry.epoch);
    if (ledger.fence.exactly(entry.subnet) === entry.epoch) this.#context.announceFence(entry);
    if (isNews) this.#recordsChanged(nowMs);
  }

  /** An operator's word. One that is not above the present record, or wrong, changes nothing. */
  #setPool(nowMs: number, record: PoolRecord): void {
    if (!this.#context.pools.adopt(record, encodePool(record))) return;
    this.#poolSpread.announce();
    this.#poolChanged(nowMs);
  }

  #takePool(nowMs: number, record: Uint8Array | null): void {
    if (record === null || !this.#poolSpread.adopt(record)) return;
    this.#poolChanged(nowMs);
  }

  /** The record is written at once: whoever restarts first must not be the one who has forgotten it. */
  #poolChanged(nowMs: number): void {
    const { own, pools } = this.#context;
    own.save();
    this.#saveAtMs = Math.min(this.#saveAtMs, nowMs + SAVE_AFTER_MS); // for a write that was under way
    this.#poolSpread.spread();
    this.#context.emit({ kind: "pool-changed", pool: pools.pool });
    this.#life.follow(nowMs, this.#stage?.poolChanged(nowMs) ?? null);
    this.#acknowledger.reconsider(nowMs);
  }

  /** After a leave. What happened meanwhile has to be heard first. */
  #rejoin(nowMs: number): void {
    if (this.#context.hasOthers()) this.#context.complete = false;
    this.#hearing.begin(nowMs);
    this.#life.rejoin(nowMs);
    this.#hearing.met(nowMs);
  }

  get #stage(): Stage | null {
    return this.#life.stage;
  }
}

function claimsIn({ tentative, verdict }: ClaimAnswer): SealedRecord[] {
  return verdict.kind === "busy" ? [...tentative, verdict.claim] : [...tentative];
}
