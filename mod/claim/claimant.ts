/**
 * The claim protocol of one host: routes what arrives to the ledger, to the answering side and to the present stage of the
 * host's life, and makes the stages.
 */
import { assert, unreachable } from "../base/assert.ts";
import type { Action } from "../base/core.ts";
import { WireError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { poolHasSubnet } from "../address/pool.ts";
import type { Member, MemberId } from "../swim/member.ts";
import type { Arrival, Carrier, Rider } from "../swim/rider.ts";
import { Acknowledger } from "./acknowledge.ts";
import { Chooser } from "./choose.ts";
import { type Brought, ClaimSync } from "./claim_sync.ts";
import { ClaimContext } from "./context.ts";
import { Held } from "./held.ts";
import { IdentityRival } from "./identity_rival.ts";
import { Intake } from "./intake.ts";
import { Listening } from "./listening.ts";
import { type ClaimMessage, decodeClaimMessage } from "./messages.ts";
import type { ClaimOptions } from "./options.ts";
import { Picker } from "./picker.ts";
import { PoolWatch } from "./pool_agreement.ts";
import { Promises } from "./promises.ts";
import type { ClaimRecord } from "./record.ts";
import { encodeRecord } from "./record_codec.ts";
import { Released } from "./released.ts";
import { Reporter } from "./reporter.ts";
import type { ClaimCommand, ClaimEvent, ClaimSnapshot } from "./snapshot.ts";
import type { Next, Stage } from "./stage.ts";
import { Tentative } from "./tentative.ts";
import { Waiting } from "./waiting.ts";
import { Yielding } from "./yielding.ts";

/** How soon a member is asked for its state when no sync of membership's own brought one, and how often again. */
const SEEK_AFTER_MS = 50;
const SEEK_AGAIN_MS = 1_000;
/**
 * Hosts that have not heard the cluster themselves count only after this, and are asked again meanwhile: their own seed may
 * be one lost packet away, which TCP sends again after a second. Where nobody has heard any, it is a new cluster.
 */
const HEARSAY_MS = 1_200;
const HEARSAY_AGAIN_MS = 200;
/** Stages that may follow each other within one step: listening, tentative and waiting make three. */
const STAGES_AT_ONCE_MAX = 10;

/** News of others is written down at most so often: each write is an fsync, and nothing waits for it. */
const SAVE_AFTER_MS = 10_000;

export class Claimant implements Rider {
  readonly #context: ClaimContext;
  readonly #intake: Intake;
  readonly #sync: ClaimSync;
  readonly #promises: Promises;
  readonly #acknowledger: Acknowledger;
  readonly #reporter: Reporter;
  readonly #rival: IdentityRival;
  readonly #chooser: Chooser;
  #stage: Stage | null = null;
  #seekAtMs = Infinity;
  #saveAtMs = Infinity;
  #collectAtMs = Infinity;
  /** Members that had not heard the cluster either, by the last state of theirs that came. */
  readonly #hearsay = new Set<MemberId>();
  #hearsaySinceMs = Infinity;

  constructor(options: ClaimOptions, random: Random) {
    this.#context = new ClaimContext(options, random);
    this.#intake = new Intake(this.#context);
    this.#sync = new ClaimSync(this.#context, this.#intake);
    this.#rival = new IdentityRival(this.#context, this.#intake);
    this.#promises = new Promises(this.#context.ledger);
    this.#acknowledger = new Acknowledger(this.#context, this.#promises);
    const pools = new PoolWatch(this.#context);
    const picker = new Picker(this.#context);
    this.#chooser = new Chooser(this.#context, picker, this.#promises, pools);
    this.#reporter = new Reporter(this.#context, pools);
    for (const { subnet, epoch } of options.restored?.fence ?? []) {
      this.#context.ledger.mergeFence(subnet, epoch);
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
    const { isNews, rest } = this.#sync.updated(nowMs, update);
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
    if (message.kind !== "push" && arrival.via !== "letter") return;
    switch (message.kind) {
      case "request":
        if (this.#intake.take(nowMs, message.claim, true)) this.#recordsChanged(nowMs);
        this.#acknowledger.asked(nowMs, arrival.from, message.claim.record);
        break;
      case "push":
        this.#takeEach(nowMs, message.claims);
        break;
      case "answer":
        this.#takeEach(nowMs, [
          ...message.tentative,
          ...message.busy === null ? [] : [message.busy],
        ]);
        this.#run(nowMs, this.#stage?.answered(nowMs, message) ?? null);
        break;
      default:
        return unreachable(message);
    }
    this.#rival.overtake(this.#stage?.subnet ?? null);
  }

  memberChanged(nowMs: number, member: Member, _previous: Member | null): void {
    if (member.id === this.#context.hostId) return;
    this.#start(nowMs);
    if (!this.#context.complete && member.status === "alive") {
      this.#seekAtMs = Math.min(this.#seekAtMs, nowMs + SEEK_AFTER_MS);
    }
    this.#run(nowMs, this.#stage?.membersChanged(nowMs) ?? null);
  }

  synced(nowMs: number, member: MemberId): void {
    this.#start(nowMs);
    const isHearsay = this.#hearsay.delete(member);
    if (!this.#context.complete && isHearsay) {
      // Two newcomers that confirm each other's ignorance would both take what the cluster has.
      this.#hearsaySinceMs = Math.min(this.#hearsaySinceMs, nowMs);
      if (nowMs < this.#hearsaySinceMs + HEARSAY_MS) {
        this.#seekAtMs = nowMs + HEARSAY_AGAIN_MS;
        return;
      }
    }
    this.#context.complete = true;
    this.#seekAtMs = Infinity;
    this.#run(nowMs, this.#stage?.synced(nowMs, member) ?? null);
    this.#acknowledger.reconsider(nowMs);
  }

  /** Takes the outcome of one of its persist actions; whether it was one. */
  persisted(nowMs: number, id: number, error: string | undefined): void {
    this.#context.nowMs = nowMs;
    const settled = this.#context.own.settle(id, error);
    if (settled === null) return;
    const { record } = settled;
    if (record === null) {
      if (settled.kind === "refused") this.#saveAtMs = nowMs + SAVE_AFTER_MS;
    } else if (settled.kind === "refused") {
      this.#run(nowMs, this.#stage?.refused(nowMs, settled.reason) ?? null);
    } else {
      this.#context.ledger.merge(nowMs, record, encodeRecord(record));
      this.#run(nowMs, this.#stage?.written(nowMs, record) ?? null);
    }
    this.#acknowledger.reconsider(nowMs);
  }

  command(nowMs: number, command: ClaimCommand): void {
    this.#start(nowMs);
    switch (command.kind) {
      case "release":
        if (!(this.#stage instanceof Released)) this.#run(nowMs, { to: "released" });
        return;
      case "set-vtep":
        this.#context.vtep = command.vtep;
        return this.#run(nowMs, this.#stage?.vtepChanged(nowMs) ?? null);
      default:
        return unreachable(command);
    }
  }

  /** Does what is due. Called at the end of every step. */
  advance(nowMs: number): void {
    this.#start(nowMs);
    if (nowMs >= this.#seekAtMs) this.#seek(nowMs);
    if (nowMs >= this.#saveAtMs) {
      this.#saveAtMs = Infinity;
      this.#context.own.save();
    }
    if (nowMs >= this.#collectAtMs) this.#collectAtMs = this.#context.ledger.collect(nowMs);
    this.#run(nowMs, this.#stage?.advance(nowMs) ?? null);
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
      this.#seekAtMs,
      this.#saveAtMs,
      this.#collectAtMs,
    );
  }

  /** Whether a release was asked for and has come to its end, well or not. */
  get isReleaseOver(): boolean {
    return !(this.#stage instanceof Released) || this.#stage.isDone;
  }

  /** Actions and events since the last call. */
  drain(): Action<ClaimEvent>[] {
    if (this.#context.ledger.takeRoutesChanged()) this.#context.emit({ kind: "owners-changed" });
    return this.#context.drain();
  }

  snapshot(): ClaimSnapshot {
    return this.#reporter.snapshot();
  }

  /** The first step: what the disk remembers decides where life begins. */
  #start(nowMs: number): void {
    this.#context.nowMs = nowMs;
    if (this.#stage !== null) return;
    const { own, ledger, options } = this.#context;
    const restored = own.announced;
    for (const { record, ageMs } of options.restored?.others ?? []) {
      ledger.merge(nowMs, record, encodeRecord(record), ageMs);
    }
    this.#collectAtMs = ledger.collect(nowMs);
    if (restored !== null && restored.state === "held") {
      if (this.#isWanted(restored)) {
        ledger.merge(nowMs, restored, encodeRecord(restored));
        this.#context.complete = !options.seedsGiven;
        return this.#run(nowMs, { to: "held" });
      }
      this.#context.previous ??= restored.subnet;
    }
    this.#run(nowMs, { to: "listening", afresh: true, notBeforeMs: nowMs });
  }

  /** Whether the operator's present configuration allows the subnet held before. */
  #isWanted(restored: ClaimRecord): boolean {
    const { pin, pool } = this.#context.options;
    return pin === null ? poolHasSubnet(pool, restored.subnet) : pin === restored.subnet;
  }

  /** A member answered; whether it knew what it spoke of counts when the sync with it ends. */
  #brought(nowMs: number, member: MemberId, { isNews, isComplete }: Brought): void {
    if (isComplete) this.#hearsay.delete(member);
    else this.#hearsay.add(member);
    this.#afterSync(nowMs, isNews);
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
    if (this.#collectAtMs === Infinity) this.#collectAtMs = this.#context.ledger.collect(nowMs);
    this.#run(nowMs, this.#stage?.recordsChanged(nowMs) ?? null);
    this.#acknowledger.reconsider(nowMs);
  }

  #seek(nowMs: number): void {
    const [member] = this.#context.random.sample(this.#context.others("alive"), 1);
    this.#seekAtMs = member === undefined ? Infinity : nowMs + SEEK_AGAIN_MS;
    if (member !== undefined) this.#context.carrier.requestSync(member.id);
  }

  #run(nowMs: number, first: Next | null): void {
    let next = first;
    for (let count = 0; next !== null; count++) {
      assert(
        count < STAGES_AT_ONCE_MAX,
        "the stages of a claim do not follow each other in circles",
      );
      this.#stage = this.#make(next);
      this.#context.sought = this.#stage.subnet;
      next = this.#stage.enter(nowMs);
    }
  }

  #make(next: Next): Stage {
    const context = this.#context;
    switch (next.to) {
      case "listening":
        return new Listening(context, this.#chooser, next);
      case "tentative":
        return new Tentative(context, next.subnet);
      case "held":
        assert(context.own.announced?.state === "held", "what is held was written as held");
        return new Held(context, context.own.announced);
      case "yielding":
        assert(context.own.latest !== null, "who yields has a claim");
        return new Yielding(context, context.own.latest);
      case "waiting":
        return new Waiting(context, this.#chooser, next.wait);
      case "released":
        return new Released(context, context.own.announced);
      default:
        return unreachable(next);
    }
  }
}
