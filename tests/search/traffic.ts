/**
 * What is on its way between hosts, and what becomes of it when it arrives: the part of the search that is the same whatever
 * goes wrong.
 */
import assert from "node:assert/strict";
import type { Hosts } from "./hosts.ts";
import type { Input, Item } from "./input.ts";
import { ALIVE, LEFT, memberCode, startsOf, statusOf, UNKNOWN } from "./member_code.ts";
import type { Local, Step } from "./place.ts";
import type { State } from "./state.ts";

export class Traffic {
  readonly hosts: Hosts;
  /** What went wrong within one host since this was last set to null. */
  breach: string | null = null;
  readonly #recordBlobs = new Map<number, readonly { host: number; payload: number }[]>();
  readonly #compares = new Map<number, number>();

  constructor(hosts: Hosts) {
    this.hosts = hosts;
  }

  local(state: State, host: number): Local {
    return this.hosts.local(state.locals[host] ?? -1);
  }

  item(kind: Item["kind"], from: number, to: number, payload: number, about: number): number {
    return this.hosts.itemId({ kind, from, to, payload, about });
  }

  sees(state: State, host: number, other: number): boolean {
    const code = this.local(state, host).members[other] ?? UNKNOWN;
    return statusOf(code) === ALIVE && code === this.codeOf(state, other);
  }

  codeOf(state: State, host: number): number {
    return this.local(state, host).members[host] ?? UNKNOWN;
  }

  isConnected(state: State, one: number, other: number): boolean {
    return this.local(state, one).view.isUp && this.local(state, other).view.isUp &&
      !isCut(state.side, one, other);
  }

  step(state: State, host: number, input: Input): Step {
    const step = this.hosts.step(state.locals[host] ?? -1, this.hosts.inputId(input));
    state.locals[host] = step.to;
    if (step.breach !== null) this.breach ??= `${this.hosts.label(host)}: ${step.breach}`;
    for (const id of step.items) this.push(state, id);
    return step;
  }

  /** On its way, if it can arrive and has anything to say. */
  push(state: State, id: number): void {
    const item = this.hosts.item(id);
    const { kind, from, to } = item;
    if (from !== to && !this.isConnected(state, from, to)) return;
    if (kind !== "disk" && state.queue.includes(id)) return;
    if (kind === "gossip" && this.#isSuperfluous(state, id, item)) return;
    if (kind === "member" && !this.#isMemberNews(state, item)) return;
    if (kind === "ask" && state.queue.some((other) => isAsk(this.hosts.item(other), from, to))) {
      return;
    }
    state.queue.push(id);
  }

  deliver(state: State, item: Item): void {
    const { kind, from, to, payload, about } = item;
    const { view } = this.local(state, to);
    if (kind === "start") {
      if (!view.isUp) this.step(state, to, { kind: "start" });
      return;
    }
    if (!view.isUp) return;
    switch (kind) {
      case "letter":
      case "gossip":
        this.step(state, to, { kind, from, payload });
        return;
      case "member":
        if (this.#isTrue(state, about, payload)) {
          this.step(state, to, { kind: "member", about, code: payload });
        }
        return;
      case "disk":
        this.step(state, to, { kind: "persisted", id: about, payload });
        return;
      case "ask": {
        if (!this.isConnected(state, from, to)) return;
        const input = { kind: "compared", from, payload, code: about } as const;
        const { answer } = this.step(state, to, input);
        this.push(state, this.item("answer", to, from, answer, 0));
        return;
      }
      case "answer":
        return this.#finishSync(state, from, to, payload);
      case "leave": {
        if (view.stage !== "released") return;
        const code = memberCode(startsOf(this.codeOf(state, to)), LEFT);
        this.step(state, to, { kind: "left" });
        this.end(state, to);
        return this.tellOfMember(state, to, code);
      }
      case "wake":
        this.step(state, to, { kind: "wake" });
        return;
    }
  }

  #finishSync(state: State, from: number, to: number, payload: number): void {
    const { answer } = this.step(state, to, { kind: "update", from, payload });
    let rest = -1;
    if (answer >= 0) {
      if (!this.isConnected(state, from, to)) return;
      rest = this.step(state, from, { kind: "updated", payload: answer }).answer;
    }
    this.step(state, to, { kind: "merged", from, payload: rest });
  }

  /** Whether news of a member are not overtaken by events: a detector that is perfect says nothing wrong. */
  #isTrue(state: State, about: number, code: number): boolean {
    return startsOf(code) >= startsOf(this.codeOf(state, about)) || statusOf(code) === ALIVE;
  }

  ask(state: State, from: number, to: number): void {
    const local = this.local(state, from);
    assert(local.claimant !== null, "who calls is up");
    // Opening a sync changes nothing, so it needs no step.
    const payload = this.#compare(local);
    this.push(state, this.item("ask", from, to, payload, local.members[from] ?? UNKNOWN));
  }

  #compare(local: Local): number {
    let payload = this.#compares.get(local.id);
    if (payload === undefined) {
      assert(local.claimant !== null, "who calls is up");
      payload = this.hosts.blobId(local.claimant.compare(1e9));
      this.#compares.set(local.id, payload);
    }
    return payload;
  }

  tellOfMember(state: State, about: number, code: number): void {
    for (const other of state.locals.keys()) {
      if (other === about || isCut(state.side, about, other)) continue;
      if ((this.local(state, other).members[about] ?? UNKNOWN) === UNKNOWN) continue;
      this.push(state, this.item("member", other, other, code, about));
    }
  }

  /** What was under way with a process ends with it; its packets may still arrive. */
  end(state: State, host: number): void {
    const isOver = (id: number) => {
      const { kind, from, to } = this.hosts.item(id);
      if (kind === "letter" || kind === "gossip" || kind === "member") return to === host;
      return kind !== "start" && (from === host || to === host);
    };
    state.queue = state.queue.filter((id) => !isOver(id));
    state.late = state.late.filter((id) => !isOver(id));
    if (state.paused - 1 === host) state.paused = state.passes = 0;
  }

  #isMemberNews(state: State, { to, payload, about }: Item): boolean {
    const known = this.local(state, to).members[about] ?? UNKNOWN;
    return known !== payload && startsOf(payload) >= startsOf(known);
  }

  /** Gossip of what the host knows, or will be told by a letter that is under way. */
  #isSuperfluous(state: State, id: number, { from, to }: Item): boolean {
    const { records } = this.local(state, to).view;
    const letters = state.queue.filter((other) => {
      const { kind, from: sender, to: receiver } = this.hosts.item(other);
      return kind === "letter" && sender === from && receiver === to;
    });
    return this.#told(id).every(({ host, payload }) => {
      if (records[host]?.payload === payload) return true;
      return letters.some((letter) => this.#told(letter).some((told) => told.payload === payload));
    });
  }

  /** The records that an item tells, as payloads. */
  #told(id: number): readonly { host: number; payload: number }[] {
    let told = this.#recordBlobs.get(id);
    if (told === undefined) {
      told = this.hosts.told(this.hosts.item(id).payload).map((record) => ({
        host: this.hosts.ids.indexOf(record.hostId),
        payload: this.hosts.blobId(this.hosts.tree.encodeRecord(record)),
      }));
      this.#recordBlobs.set(id, told);
    }
    return told;
  }
}

function isAsk({ kind, from, to }: Item, one: number, other: number): boolean {
  return kind === "ask" && from === one && to === other;
}

export function isCut(side: number, one: number, other: number): boolean {
  return (side >> one & 1) !== (side >> other & 1);
}
