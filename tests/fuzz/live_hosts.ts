/**
 * A few whole hosts that talk over a network without delay or loss, and everything they said: living targets for hostile
 * bytes, and a source of good bytes that knows every message there is.
 */
import assert from "node:assert/strict";
import { vtepMac } from "../../mod/address/mac.ts";
import { makePool } from "../../mod/address/pool.ts";
import type { Action, Input } from "../../mod/base/core.ts";
import { Random } from "../../mod/base/random.ts";
import { type HostCommand, HostCore, type HostEvent } from "../../mod/claim/host_core.ts";
import { LAN_TIMINGS } from "../../mod/swim/timings.ts";
import type { Keyring } from "../../mod/wire/keyring.ts";

const POOL = makePool({ network: "10.244.0.0/16" });
export const LABEL = "fuzz";

/** What was said, sealed as it was. */
export interface Traffic {
  readonly packets: Uint8Array[];
  readonly requests: Uint8Array[];
  readonly answers: Uint8Array[];
  readonly documents: Map<string, Uint8Array[]>;
  /** What of all these reached the host that it was for. */
  readonly delivered: Uint8Array[];
}

export class LiveHost {
  readonly core: HostCore;
  readonly endpoint: string;
  readonly id: string;
  /** Questions of this host that nobody has answered: answers to them are awaited. */
  readonly openRequests: number[] = [];

  constructor(number: number, keys: Keyring | undefined) {
    this.endpoint = `192.0.2.${number}:7947`;
    this.id = number.toString(16).padStart(32, "0");
    const instance = number.toString(16).padStart(16, "0");
    const seeds = number === 1 ? [] : ["192.0.2.1:7947"];
    this.core = new HostCore({
      swim: {
        label: LABEL,
        self: {
          id: this.id,
          name: `h${number}`,
          endpoint: this.endpoint,
          instance,
          version: "0.1.0",
        },
        incarnation: 0,
        timings: LAN_TIMINGS,
        seeds,
        remembered: [],
        ...(keys === undefined ? {} : { keys }),
      },
      claim: {
        cluster: LABEL,
        pool: POOL,
        pin: null,
        bootstrap: false,
        seedsGiven: seeds.length > 0,
        vtep: { address: `192.0.2.${number}`, port: 8472, mac: vtepMac(this.id, 1) },
        hostId: this.id,
        instance,
        restored: null,
      },
    }, new Random(number));
  }

  /** All that this host believes, as text; what it merely counts is left out. */
  digest(): string {
    const { swim, claim } = this.core.snapshot();
    const { counters: _, ...beliefs } = swim;
    return JSON.stringify([beliefs, { ...claim, sinceByHost: [...claim.sinceByHost] }]);
  }
}

interface Delivery {
  readonly host: LiveHost;
  readonly input: Input<HostCommand>;
}

export class LiveHosts {
  readonly hosts: readonly LiveHost[];
  readonly traffic: Traffic = {
    packets: [],
    requests: [],
    answers: [],
    documents: new Map(),
    delivered: [],
  };
  nowMs = 0;
  /** What nobody gets, to leave questions open. */
  isCutOff = false;
  #queue: Delivery[] = [];
  readonly #askers = new Map<number, { host: LiveHost; id: number }>();
  #nextRequest = 1;

  constructor(count: number, keys?: Keyring) {
    this.hosts = Array.from({ length: count }, (_, index) => new LiveHost(index + 1, keys));
    for (const host of this.hosts) this.#queue.push({ host, input: { kind: "wake" } });
    this.runFor(0);
  }

  /** The first one: everybody's seed. */
  get first(): LiveHost {
    const [first] = this.hosts;
    assert(first !== undefined);
    return first;
  }

  /** Gives one host an input, and everybody what follows from it at once. */
  feed(host: LiveHost, input: Input<HostCommand>): Action<HostEvent>[] {
    const actions = host.core.step(this.nowMs, input);
    for (const action of actions) this.#perform(host, action);
    return actions;
  }

  /** Lets time pass and all that is due happen. */
  runFor(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.feed(next.host, next.input);
      }
      const host = this.hosts.reduce((soonest, other) =>
        other.core.wakeAtMs() < soonest.core.wakeAtMs() ? other : soonest
      );
      if (host.core.wakeAtMs() > endMs) break;
      this.nowMs = Math.max(this.nowMs, host.core.wakeAtMs());
      this.feed(host, { kind: "wake" });
    }
    this.nowMs = endMs;
  }

  #perform(host: LiveHost, action: Action<HostEvent>): void {
    switch (action.kind) {
      case "send":
        this.traffic.packets.push(action.bytes);
        return this.#deliver(action.to, {
          kind: "packet",
          from: host.endpoint,
          bytes: action.bytes,
        });
      case "request": {
        const id = this.#nextRequest++;
        this.traffic.requests.push(action.bytes);
        this.#askers.set(id, { host, id: action.id });
        host.openRequests.push(action.id);
        const { bytes } = action;
        return this.#deliver(action.to, { kind: "request", id, from: host.endpoint, bytes });
      }
      case "answer": {
        this.traffic.answers.push(action.bytes);
        const asker = this.#askers.get(action.id);
        if (asker === undefined) return; // a question of the fuzzer
        const at = asker.host.openRequests.indexOf(asker.id);
        if (at >= 0) asker.host.openRequests.splice(at, 1);
        const { id } = asker;
        this.#queue.push({ host: asker.host, input: { kind: "answer", id, bytes: action.bytes } });
        return;
      }
      case "resolve": {
        const { seed } = action;
        this.#queue.push({ host, input: { kind: "resolved", seed, endpoints: [seed] } });
        return;
      }
      case "persist": {
        const { document, bytes, id } = action;
        const written = this.traffic.documents.get(document) ?? [];
        this.traffic.documents.set(document, [...written, bytes]);
        this.#queue.push({ host, input: { kind: "persisted", id } });
        return;
      }
      case "event":
        return;
    }
  }

  #deliver(to: string, input: Input<HostCommand>): void {
    const host = this.hosts.find(({ endpoint }) => endpoint === to);
    if (host === undefined || this.isCutOff) return;
    if ("bytes" in input) this.traffic.delivered.push(input.bytes);
    this.#queue.push({ host, input });
  }
}

/** Hosts that have met and hold subnets; one was lost, one left: the talk of these has every kind of news. */
export function talkativeHosts(keys?: Keyring): LiveHosts {
  const live = new LiveHosts(4, keys);
  live.runFor(20_000);
  const last = live.hosts.at(-1);
  assert(last !== undefined);
  live.feed(last, { kind: "command", command: { kind: "leave", release: true } });
  live.runFor(5_000);
  live.isCutOff = true; // everybody suspects everybody, over streams too
  live.runFor(8_000);
  live.isCutOff = false;
  live.runFor(60_000);
  return live;
}
