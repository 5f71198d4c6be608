/**
 * Pings the VTEPs of peers through the overlay all the time, a few a second, each in its turn: only that says that packets of
 * containers get there and back. Gossip takes other ways, and the device cannot tell whose silence it hears.
 */
import { deviceAddressOf } from "../address/network.ts";
import { reasonOf } from "../base/errors.ts";
import { backendOf } from "../claim/record.ts";
import type { Problem } from "../base/problem.ts";
import type { HostEvent } from "../claim/host_core.ts";
import { openOtherEcho } from "../host/echo.ts";
import { startTimer } from "../host/timer.ts";
import type { OverlayHealth } from "./overlay_health.ts";
import type { Companion, Inside } from "./companions.ts";

/** Each peer is asked about so often, as long as there are few. */
const ROUND_MS = 10_000;
/** Shortest time between two batches: a wake-up costs an idle agent more than a packet. */
const TICK_MS_MIN = 1_000;
/** Longest: a new peer waits for it. */
const TICK_MS_MAX = 5_000;
/** In one batch: 16 packets a second, and 5,000 peers in 313 s. About 40 us of processor time each, asking and hearing. */
const BATCH_MAX = 16;
/** Answers are waited for so long, and in one piece no longer than nobody notices at the agent's end. */
const ANSWER_MS_MAX = 1_000;
const WAIT_MS_MAX = 250;
/** In a row without an answer, then a peer is silent: at 30 % loss each way, where 0.51 of round trips fail, 0.51^4 = 0.07. */
export const SILENT_AFTER = 4;
/** Who is there is looked up so often, and at the next two batches after a change: of 5,000 peers that takes 2 ms. */
const FOLLOW_MS = 10_000;
const FOLLOWS_AFTER_CHANGE = 2;
/** So often a few of the silent are asked besides: whose way is whole again is not called silent for long. */
const SILENT_TICK_MS = 2_000;
const SILENT_ASKED_MAX = 4;
/** Named in one sentence. */
const NAMED_MAX = 5;

/** Questions through the overlay; ffi's EchoSocket has these methods. */
export interface ProbeSocket {
  send(destination: string, sequence: number): boolean;
  receive(): readonly { readonly from: string; readonly sequence: number }[];
  /** Settles when something came in, or the time is over. */
  arrival(timeoutMs: number): Promise<void>;
  close(): void;
}

export interface ProbePorts {
  nowMs(): number;
  /** See host/timer.ts. */
  startTimer(callback: () => void, delayMs: number): () => void;
  /** Throws where this process may not ask. */
  openEcho(family: 4 | 6): ProbeSocket;
}

interface Peer {
  readonly hostId: string;
  readonly address: string;
  lost: number;
  rttMs: number | null;
  answeredAtMs: number | null;
}

export class OverlayProbe implements Companion {
  readonly #inside: Pick<Inside, "snapshot" | "overlay" | "log">;
  readonly #ports: ProbePorts;
  readonly #peers = new Map<string, Peer>();
  /** Whose turn comes next, by host id. */
  #turns: string[] = [];
  #socket: ProbeSocket | null = null;
  #followAtMs = -Infinity;
  #followsDue = 0;
  #sequence = 0;
  #cancelTimer: () => void = () => {};
  #isBusy = false;
  #isClosed = false;
  #refusal: string | null = null;

  constructor(inside: Pick<Inside, "snapshot" | "overlay" | "log">, ports: ProbePorts) {
    this.#inside = inside;
    this.#ports = ports;
    this.#schedule();
  }

  /** By host id; those that were never asked are not in it. */
  overlayHealth(): ReadonlyMap<string, OverlayHealth> {
    return new Map([...this.#peers].map(([hostId, { lost, rttMs, answeredAtMs }]) => {
      const state = lost >= SILENT_AFTER ? "silent" : answeredAtMs === null ? "unknown" : "answers";
      return [hostId, { state, rttMs, answeredAtMs }];
    }));
  }

  event({ kind }: HostEvent): void {
    const isAboutPeers = kind === "owners-changed" || kind.startsWith("member-");
    if (isAboutPeers) this.#followsDue = FOLLOWS_AFTER_CHANGE;
  }

  problems(): Problem[] {
    const { members } = this.#inside.snapshot().swim;
    const silent = members.filter(({ id, status }) =>
      status === "alive" && (this.#peers.get(id)?.lost ?? 0) >= SILENT_AFTER
    );
    if (silent.length === 0) return [];
    const named = silent.slice(0, NAMED_MAX).map(({ name }) => name).join(", ");
    const more = silent.length > NAMED_MAX ? ` and ${silent.length - NAMED_MAX} more` : "";
    return [{
      code: "overlay-silent",
      severity: "warning",
      text: `The agents of ${named}${more} answer, but pings through the overlay do not come back`,
      remedy: `Run gossamer ping ${silent[0]?.name ?? ""}: it says which layer fails`,
    }];
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    // A wait that is under way keeps the descriptor; its end closes it.
    if (!this.#isBusy) this.#closeSocket();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const peers = [...this.#peers.values()];
    const evenMs = ROUND_MS / Math.max(1, this.#turns.length);
    const longestMs = peers.some(isSilent) ? SILENT_TICK_MS : TICK_MS_MAX;
    const tickMs = peers.some(isDoubtful)
      ? TICK_MS_MIN
      : Math.min(longestMs, Math.max(TICK_MS_MIN, evenMs));
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.startTimer(() => void this.#tick(tickMs), tickMs);
  }

  async #tick(tickMs: number): Promise<void> {
    this.#isBusy = true;
    try {
      this.#follow();
      await this.#ask(this.#batch(tickMs));
      this.#refusal = null;
    } catch (error) {
      const reason = reasonOf(error);
      if (this.#refusal !== reason) {
        this.#inside.log.warning("the overlay cannot be pinged", { reason });
      }
      this.#refusal = reason;
      this.#closeSocket();
    } finally {
      this.#isBusy = false;
      if (this.#isClosed) this.#closeSocket();
      else this.#schedule();
    }
  }

  /** Who is there now, and has a VTEP of its own. */
  #follow(): void {
    const nowMs = this.#ports.nowMs();
    if (nowMs < this.#followAtMs && this.#followsDue === 0) return;
    this.#followAtMs = nowMs + FOLLOW_MS;
    this.#followsDue = Math.max(0, this.#followsDue - 1);
    const { swim, claim } = this.#inside.snapshot();
    const alive = new Set(
      swim.members.filter(({ status }) => status === "alive").map(({ id }) => id),
    );
    const { paths } = this.#inside.overlay();
    const wanted = new Map<string, string>();
    for (const { hostId, subnet, vtep } of claim.owners) {
      if (hostId === swim.self.id || !alive.has(hostId)) continue;
      // Bare packets may go to hosts without such a device.
      const hasDevice = paths.get(hostId) !== undefined && backendOf(vtep) !== "host-gw";
      if (hasDevice) wanted.set(hostId, deviceAddressOf(subnet));
    }
    for (const [hostId, { address }] of this.#peers) {
      if (wanted.get(hostId) !== address) this.#peers.delete(hostId);
    }
    for (const [hostId, address] of wanted) {
      if (this.#peers.has(hostId)) continue;
      this.#peers.set(hostId, { hostId, address, lost: 0, rttMs: null, answeredAtMs: null });
      this.#turns.unshift(hostId);
    }
    this.#turns = this.#turns.filter((hostId) => this.#peers.has(hostId));
  }

  /** Those of whom a ping was lost come first: what is lost is known soon. Then a few of the silent, then who is due. */
  #batch(tickMs: number): Peer[] {
    const peers = this.#turns.map((hostId) => this.#peers.get(hostId)).filter((peer) => !!peer);
    const doubtful = peers.filter(isDoubtful).sort((one, other) => other.lost - one.lost);
    const silent = peers.filter(isSilent).slice(0, SILENT_ASKED_MAX);
    const due = Math.ceil((this.#turns.length * tickMs) / ROUND_MS);
    const size = Math.min(BATCH_MAX, due + doubtful.length + silent.length);
    const batch = [...new Set([...doubtful, ...silent, ...peers])].slice(0, size);
    const asked = new Set(batch.map(({ hostId }) => hostId));
    this.#turns = [...this.#turns.filter((hostId) => !asked.has(hostId)), ...asked];
    return batch;
  }

  async #ask(batch: readonly Peer[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    this.#socket ??= this.#ports.openEcho(first.address.includes(":") ? 6 : 4);
    const socket = this.#socket;
    socket.receive(); // what came too late
    const sent = new Map<number, { peer: Peer; atMs: number }>();
    for (const peer of batch) {
      this.#sequence = (this.#sequence + 1) & 0xffff;
      const atMs = this.#ports.nowMs();
      sent.set(this.#sequence, { peer, atMs });
      socket.send(peer.address, this.#sequence);
    }
    const endMs = this.#ports.nowMs() + ANSWER_MS_MAX;
    while (sent.size > 0 && !this.#isClosed) {
      const leftMs = endMs - this.#ports.nowMs();
      if (leftMs <= 0) break;
      await socket.arrival(Math.min(leftMs, WAIT_MS_MAX));
      const nowMs = this.#ports.nowMs();
      for (const { from, sequence } of socket.receive()) {
        const question = sent.get(sequence);
        if (question === undefined || question.peer.address !== from) continue;
        sent.delete(sequence);
        question.peer.lost = 0;
        question.peer.rttMs = nowMs - question.atMs;
        question.peer.answeredAtMs = nowMs;
      }
    }
    if (this.#isClosed) return;
    for (const { peer } of sent.values()) peer.lost++;
  }

  #closeSocket(): void {
    this.#socket?.close();
    this.#socket = null;
  }
}

/** It was not asked yet, or a ping was lost and nobody knows yet whether that means anything. */
function isDoubtful({ lost, answeredAtMs }: Peer): boolean {
  return (lost > 0 || answeredAtMs === null) && lost < SILENT_AFTER;
}

function isSilent({ lost }: Peer): boolean {
  return lost >= SILENT_AFTER;
}

export function openOverlayProbe(inside: Inside): OverlayProbe {
  return new OverlayProbe(inside, {
    nowMs: () => performance.now(),
    startTimer,
    openEcho: openOtherEcho,
  });
}
