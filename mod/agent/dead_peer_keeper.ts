/**
 * Asks the kernels of hosts whose agents are gone, through the overlay, whether they still carry packets; says when what is
 * known of one of them changes.
 */
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import { DeadPeers, type DeadPeerState } from "../overlay/dead_peers.ts";

/** Answers of a round of questions are looked for so long after it: in the same rack, the same city, on the same planet. */
const LOOKS_AFTER_MS = [5, 50, 400] as const;

/** A host whose agent is gone. */
export interface GonePeer {
  readonly name: string;
  readonly subnet: string;
  /** What its kernel answers on: its VTEP's address in the overlay, or the underlay's where packets go without one. */
  readonly address: string;
}

/** Questions to kernels; ffi's EchoSocket has these methods. */
export interface Echo {
  send(destination: string, sequence: number): boolean;
  receive(): readonly { readonly from: string }[];
  close(): void;
}

export interface DeadPeerPorts {
  nowMs(): number;
  /** See host/timer.ts. */
  startTimer(callback: () => void, delayMs: number): () => void;
  readonly log: Log;
  /** Throws SysError where this process may not ask. */
  openEcho(family: 4 | 6): Echo;
  /** Who is withdrawn, or what is known of somebody, is another now. */
  changed(): void;
}

export class DeadPeerKeeper {
  readonly #ports: DeadPeerPorts;
  readonly #peers = new DeadPeers();
  #gone: ReadonlyMap<string, GonePeer> = new Map();
  #hostOfAddress = new Map<string, string>();
  readonly #echoes = new Map<4 | 6, Echo>();
  #looksAtMs: number[] = [];
  #sequence = 0;
  #problem: Problem | null = null;
  #cancelTimer: () => void = () => {};
  #stopped = false;

  constructor(ports: DeadPeerPorts) {
    this.#ports = ports;
  }

  /** Takes in whose agents are gone, by host id; everybody else is there. */
  follow(gone: ReadonlyMap<string, GonePeer>): void {
    if (this.#stopped || (gone.size === 0 && this.#gone.size === 0)) return;
    this.#gone = gone;
    this.#hostOfAddress = new Map([...gone].map(([hostId, { address }]) => [address, hostId]));
    const isChanged = this.#peers.follow(this.#ports.nowMs(), new Set(gone.keys()));
    if (gone.size === 0) this.#close();
    if (isChanged) this.#ports.changed();
    this.#run();
  }

  /** By host id, of those whose agents are gone. */
  get states(): ReadonlyMap<string, DeadPeerState> {
    return this.#peers.states();
  }

  /** Hosts whose subnets are not to be routed. */
  silent(): ReadonlySet<string> {
    return this.#peers.silent();
  }

  problems(): readonly Problem[] {
    return this.#problem === null ? [] : [this.#problem];
  }

  stop(): void {
    this.#stopped = true;
    this.#close();
  }

  #close(): void {
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    for (const echo of this.#echoes.values()) echo.close();
    this.#echoes.clear();
    this.#looksAtMs = [];
    this.#problem = null;
  }

  /** Looks for answers, gives up, asks; then sleeps until there is something to do. */
  #run(): void {
    if (this.#stopped || this.#gone.size === 0 || this.#problem !== null) return;
    const nowMs = this.#ports.nowMs();
    try {
      const isAnswered = this.#look(nowMs);
      const givenUp = this.#peers.advance(nowMs);
      for (const hostId of givenUp) {
        this.#say(hostId, "agent is gone and its kernel does not answer; its subnet is withdrawn");
      }
      if (isAnswered || givenUp.length > 0) this.#ports.changed();
      this.#ask(nowMs);
    } catch (error) {
      return this.#fail(error);
    }
    const wakeMs = Math.min(this.#peers.wakeAtMs(), ...this.#looksAtMs);
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.startTimer(
      () => this.#run(),
      Math.max(0, Math.ceil(wakeMs - nowMs)),
    );
  }

  #look(nowMs: number): boolean {
    this.#looksAtMs = this.#looksAtMs.filter((atMs) => atMs > nowMs);
    let isChanged = false;
    for (const echo of this.#echoes.values()) {
      for (const { from } of echo.receive()) {
        const hostId = this.#hostOfAddress.get(from);
        if (hostId === undefined || !this.#peers.answered(nowMs, hostId)) continue;
        isChanged = true;
        this.#say(hostId, "agent is gone, but its kernel still carries packets");
      }
    }
    return isChanged;
  }

  #ask(nowMs: number): void {
    const before = this.#looksAtMs.length;
    for (const hostId of this.#peers.due(nowMs)) {
      const address = this.#gone.get(hostId)?.address;
      if (address === undefined) continue;
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.#echo(address.includes(":") ? 6 : 4).send(address, this.#sequence);
      if (this.#looksAtMs.length === before) {
        this.#looksAtMs.push(...LOOKS_AFTER_MS.map((afterMs) => nowMs + afterMs));
      }
    }
  }

  #echo(family: 4 | 6): Echo {
    const open = this.#echoes.get(family);
    if (open !== undefined) return open;
    const echo = this.#ports.openEcho(family);
    this.#echoes.set(family, echo);
    return echo;
  }

  /** Who may not ask keeps what is there: to withdraw without having asked would be to take a dead agent for a dead host. */
  #fail(error: unknown): void {
    this.#close();
    this.#problem = {
      code: "overlay-not-asked",
      severity: "warning",
      text: "Hosts whose agents are gone cannot be asked whether their kernels still carry " +
        `packets: ${reasonOf(error)}; their entries stay`,
      remedy: "Give the agent CAP_NET_RAW",
    };
    this.#ports.log.warning(this.#problem.text, { remedy: this.#problem.remedy });
  }

  #say(hostId: string, what: string): void {
    const peer = this.#gone.get(hostId);
    if (peer === undefined) return;
    this.#ports.log.info(what, { name: peer.name, subnet: peer.subnet });
  }
}
