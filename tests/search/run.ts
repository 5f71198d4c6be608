/** One input given to one host. */
import assert from "node:assert/strict";
import type { Action } from "../../mod/base/core.ts";
import type { ClaimEvent } from "../../mod/claim/snapshot.ts";
import type { Catalogue } from "./catalogue.ts";
import { FakeCarrier } from "./fake_carrier.ts";
import { endpointOf } from "./identity.ts";
import type { Input, Item } from "./input.ts";
import { ALIVE, LEFT, memberCode, startsOf, statusOf, UNKNOWN } from "./member_code.ts";
import { newClaimant } from "./new_claimant.ts";
import type { OpenedClaimant } from "./opened_tree.ts";
import type { Place } from "./place.ts";
import type { Walker } from "./walker.ts";

/** Steps of a host at one moment that lead nowhere: it is stuck. */
const WAKES_MAX = 50;

/** The catalogue, and what copies claimants. */
export type Workshop = Catalogue & { readonly walker: Walker };

export class Run {
  readonly #hosts: Workshop;
  readonly #input: Input;
  readonly #host: number;
  readonly carrier: FakeCarrier;
  claimant: OpenedClaimant;
  disk: number;
  answer = -1;
  readonly items: number[] = [];

  /** On a copy of the claimant at rest; `inPlace` goes on with that very claimant. */
  constructor(hosts: Workshop, from: Place, input: Input, inPlace = false) {
    this.#hosts = hosts;
    this.#input = input;
    this.#host = from.host;
    this.disk = from.disk;
    const members = [...from.members];
    if (input.kind === "start") {
      const starts = startsOf(members[from.host] ?? UNKNOWN) + 1;
      // Who was known is dialled again, and a member once more when it answers.
      for (const other of members.keys()) members[other] = UNKNOWN;
      members[from.host] = memberCode(starts, ALIVE);
    }
    this.carrier = new FakeCarrier(hosts, from.host, members);
    if (inPlace && from.claimant !== null) {
      this.claimant = from.claimant;
      this.claimant.attach(this.carrier);
      return;
    }
    this.claimant = newClaimant(hosts, from, members, this.carrier);
    if (from.claimant !== null) {
      const shiftMs = input.kind === "pass" || input.kind === "sleep" ? -input.ms : 0;
      hosts.walker.copy(from.claimant, this.claimant, shiftMs);
    }
  }

  perform(nowMs: number): void {
    const { claimant } = this;
    if (this.#input.kind === "sleep") return;
    this.#give(nowMs);
    claimant.advance(nowMs);
    this.#collect(nowMs, claimant.drain());
    for (let count = 0; claimant.wakeAtMs() <= nowMs; count++) {
      assert(count < WAKES_MAX, "a host has to do with one moment at some time");
      claimant.advance(nowMs);
      const actions = claimant.drain();
      if (actions.length === 0 && this.carrier.isQuiet) claimant.idle();
      this.#collect(nowMs, actions);
    }
  }

  #give(nowMs: number): void {
    const { claimant, carrier } = this;
    const hosts = this.#hosts;
    const input = this.#input;
    switch (input.kind) {
      case "letter":
      case "gossip": {
        const arrival = { via: input.kind, from: endpointOf(input.from) };
        return claimant.receive(nowMs, arrival, hosts.blob(input.payload).bytes);
      }
      case "member":
        return this.#meet(nowMs, input.about, input.code);
      case "persisted":
        this.disk = input.payload;
        return claimant.persisted(nowMs, input.id, undefined);
      case "refused":
        return claimant.persisted(nowMs, input.id, "no space left on device");
      case "compared": {
        this.#meet(nowMs, input.from, input.code);
        const answer = claimant.compared(nowMs, hosts.blob(input.payload).bytes);
        this.answer = hosts.blobId(answer, carrier.members_);
        return;
      }
      case "update": {
        const { bytes, members } = hosts.blob(input.payload);
        for (const [about, code] of members.entries()) {
          if (about !== this.#host && code !== UNKNOWN) this.#learn(nowMs, about, code);
        }
        const update = claimant.update(nowMs, this.#idOf(input.from), bytes);
        if (update !== null) this.answer = hosts.blobId(update);
        return;
      }
      case "updated":
        this.answer = hosts.blobId(claimant.updated(nowMs, hosts.blob(input.payload).bytes));
        return;
      case "merged":
        if (input.payload >= 0) {
          claimant.merge(nowMs, this.#idOf(input.from), hosts.blob(input.payload).bytes);
        }
        return claimant.synced(nowMs, this.#idOf(input.from));
      case "release":
        return claimant.command(nowMs, { kind: "leave", release: true });
      case "forget":
        return claimant.command(nowMs, { kind: "forget", hostId: this.#idOf(input.about) });
      default:
        return; // time passes, or life begins
    }
  }

  #idOf(host: number): string {
    const id = this.#hosts.ids[host];
    assert(id !== undefined, "a host of that number");
    return id;
  }

  /** Truth about a member, or its own word. */
  #meet(nowMs: number, about: number, code: number): void {
    const before = this.carrier.members_[about] ?? UNKNOWN;
    if (before === code || startsOf(code) < startsOf(before)) return;
    const previous = this.carrier.memberAt(about) ?? null;
    this.carrier.members_[about] = code;
    const member = this.carrier.memberAt(about);
    assert(member !== undefined, "who was met is known");
    this.claimant.memberChanged(nowMs, member, previous);
    const isSeen = statusOf(code) === ALIVE || statusOf(code) === LEFT;
    if (!isSeen) return;
    for (const other of this.#hosts.ids.keys()) { // news of members spread by gossip
      if (other === about || other === this.#host) continue;
      if (statusOf(this.carrier.members_[other] ?? UNKNOWN) !== ALIVE) continue;
      this.#send({ kind: "member", from: this.#host, to: other, payload: code, about });
    }
  }

  /** Hearsay of a member: taken when it is news. */
  #learn(nowMs: number, about: number, code: number): void {
    const before = this.carrier.members_[about] ?? UNKNOWN;
    if (before === UNKNOWN || startsOf(code) > startsOf(before)) this.#meet(nowMs, about, code);
  }

  #send(item: Item): void {
    this.items.push(this.#hosts.itemId(item));
  }

  #collect(nowMs: number, actions: readonly Action<ClaimEvent>[]): void {
    const from = this.#host;
    for (const action of actions) {
      if (action.kind !== "persist") continue;
      const payload = this.#hosts.blobId(action.bytes);
      this.#send({ kind: "disk", from, to: from, payload, about: action.id });
    }
    for (const item of this.carrier.take()) this.#send(item);
    for (const to of this.carrier.takeSyncs()) {
      const payload = this.#hosts.blobId(this.claimant.compare(nowMs));
      const about = this.carrier.members_[from] ?? UNKNOWN;
      this.#send({ kind: "ask", from, to, payload, about });
    }
    const isGoing = this.claimant.snapshot().state === "released" && this.claimant.isLeaveOver;
    if (isGoing) this.#send({ kind: "leave", from, to: from, payload: 0, about: 0 });
  }
}
