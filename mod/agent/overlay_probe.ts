/**
 * Pings the VTEPs of peers through the overlay all the time, a few a second, each in its turn and by each family: only that says
 * that packets of containers get there and back. Gossip takes other ways, and the device cannot tell whose silence it hears.
 */
import { familyOf } from "../address/cidr.ts";
import { deviceAddressOf } from "../address/network.ts";
import { ipv6HalfOf } from "../address/pool.ts";
import { reasonOf } from "../base/errors.ts";
import { backendOf } from "../claim/record.ts";
import type { Problem } from "../base/problem.ts";
import type { HostEvent } from "../claim/host_core.ts";
import { openOtherEcho } from "../host/echo.ts";
import { startTimer } from "../host/timer.ts";
import { isSilent, type OverlayHealth, type WayHealth } from "./overlay_health.ts";
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

/** The way to one peer by one family. */
interface Way {
  readonly hostId: string;
  /** Of the peer's VTEP in the overlay. */
  readonly address: string;
  readonly isIpv6Half: boolean;
  lost: number;
  rttMs: number | null;
  answeredAtMs: number | null;
}

export class OverlayProbe implements Companion {
  readonly #inside: Pick<Inside, "snapshot" | "overlay" | "log">;
  readonly #ports: ProbePorts;
  /** By the VTEP's address. */
  readonly #ways = new Map<string, Way>();
  /** Which address' turn comes next. */
  #turns: string[] = [];
  readonly #sockets = new Map<4 | 6, ProbeSocket>();
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
    const health = new Map<string, OverlayHealth>();
    for (const way of this.#ways.values()) {
      if (!way.isIpv6Half) health.set(way.hostId, healthOf(way));
    }
    for (const way of this.#ways.values()) {
      const first = health.get(way.hostId);
      if (way.isIpv6Half && first !== undefined) {
        health.set(way.hostId, { ...first, ipv6: healthOf(way) });
      }
    }
    return health;
  }

  event({ kind }: HostEvent): void {
    const isAboutPeers = kind === "owners-changed" || kind.startsWith("member-");
    if (isAboutPeers) this.#followsDue = FOLLOWS_AFTER_CHANGE;
  }

  problems(): Problem[] {
    const health = this.overlayHealth();
    const silent = this.#inside.snapshot().swim.members.flatMap(({ id, name, status }) => {
      const known = health.get(id);
      return status === "alive" && known !== undefined && isSilent(known) ? [{ name, known }] : [];
    });
    const [first] = silent;
    if (first === undefined) return [];
    const named = silent.slice(0, NAMED_MAX).map(({ name }) => name).join(", ");
    const more = silent.length > NAMED_MAX ? ` and ${silent.length - NAMED_MAX} more` : "";
    const isIpv6Alone = silent.every(({ known }) => known.state !== "silent");
    const pings = isIpv6Alone ? "IPv6 pings" : "pings";
    return [{
      code: "overlay-silent",
      severity: "warning",
      text:
        `The agents of ${named}${more} answer, but ${pings} through the overlay do not come back`,
      remedy: `Run gossamer ping ${first.name}: it says which layer fails`,
    }];
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    // A wait that is under way keeps the descriptor; its end closes it.
    if (!this.#isBusy) this.#closeSockets();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const ways = [...this.#ways.values()];
    const evenMs = ROUND_MS / Math.max(1, this.#turns.length);
    const longestMs = ways.some(isLost) ? SILENT_TICK_MS : TICK_MS_MAX;
    const tickMs = ways.some(isDoubtful)
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
      this.#closeSockets();
    } finally {
      this.#isBusy = false;
      if (this.#isClosed) this.#closeSockets();
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
    const { paths, ipv6 } = this.#inside.overlay();
    const hasHalves = ipv6 !== undefined && ipv6 !== null;
    const wanted = new Map<string, Pick<Way, "hostId" | "isIpv6Half">>();
    for (const { hostId, subnet, vtep } of claim.owners) {
      if (hostId === swim.self.id || !alive.has(hostId)) continue;
      // Bare packets may go to hosts without such a device.
      const hasDevice = paths.get(hostId) !== undefined && backendOf(vtep) !== "host-gw";
      if (!hasDevice) continue;
      wanted.set(deviceAddressOf(subnet), { hostId, isIpv6Half: false });
      const isHalved = hasHalves && vtep.ipv6 !== undefined;
      const half = isHalved ? ipv6HalfOf(claim.pool, subnet) : null;
      if (half !== null) wanted.set(deviceAddressOf(half), { hostId, isIpv6Half: true });
    }
    for (const [address, { hostId }] of this.#ways) {
      if (wanted.get(address)?.hostId !== hostId) this.#ways.delete(address);
    }
    for (const [address, peer] of wanted) {
      if (this.#ways.has(address)) continue;
      this.#ways.set(address, { ...peer, address, lost: 0, rttMs: null, answeredAtMs: null });
      this.#turns.unshift(address);
    }
    this.#turns = this.#turns.filter((address) => this.#ways.has(address));
  }

  /** Those of whom a ping was lost come first: what is lost is known soon. Then a few of the silent, then who is due. */
  #batch(tickMs: number): Way[] {
    const ways = this.#turns.map((address) => this.#ways.get(address)).filter((way) => !!way);
    const doubtful = ways.filter(isDoubtful).sort((one, other) => other.lost - one.lost);
    const silent = ways.filter(isLost).slice(0, SILENT_ASKED_MAX);
    const due = Math.ceil((this.#turns.length * tickMs) / ROUND_MS);
    const size = Math.min(BATCH_MAX, due + doubtful.length + silent.length);
    const batch = [...new Set([...doubtful, ...silent, ...ways])].slice(0, size);
    const asked = new Set(batch.map(({ address }) => address));
    this.#turns = [...this.#turns.filter((address) => !asked.has(address)), ...asked];
    return batch;
  }

  async #ask(batch: readonly Way[]): Promise<void> {
    const families = [4, 6] as const;
    const asked = families.map((family) =>
      this.#askBy(family, batch.filter(({ address }) => familyOf(address) === family))
    );
    const failed = (await Promise.allSettled(asked)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  async #askBy(family: 4 | 6, batch: readonly Way[]): Promise<void> {
    if (batch.length === 0) return;
    const socket = this.#socketOf(family);
    socket.receive(); // what came too late
    const sent = new Map<number, { way: Way; atMs: number }>();
    for (const way of batch) {
      this.#sequence = (this.#sequence + 1) & 0xffff;
      const atMs = this.#ports.nowMs();
      sent.set(this.#sequence, { way, atMs });
      socket.send(way.address, this.#sequence);
    }
    const endMs = this.#ports.nowMs() + ANSWER_MS_MAX;
    while (sent.size > 0 && !this.#isClosed) {
      const leftMs = endMs - this.#ports.nowMs();
      if (leftMs <= 0) break;
      await socket.arrival(Math.min(leftMs, WAIT_MS_MAX));
      const nowMs = this.#ports.nowMs();
      for (const { from, sequence } of socket.receive()) {
        const question = sent.get(sequence);
        if (question === undefined || question.way.address !== from) continue;
        sent.delete(sequence);
        question.way.lost = 0;
        question.way.rttMs = nowMs - question.atMs;
        question.way.answeredAtMs = nowMs;
      }
    }
    if (this.#isClosed) return;
    for (const { way } of sent.values()) way.lost++;
  }

  #socketOf(family: 4 | 6): ProbeSocket {
    const socket = this.#sockets.get(family) ?? this.#ports.openEcho(family);
    this.#sockets.set(family, socket);
    return socket;
  }

  #closeSockets(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }
}

/** It was not asked yet, or a ping was lost and nobody knows yet whether that means anything. */
function isDoubtful({ lost, answeredAtMs }: Way): boolean {
  return (lost > 0 || answeredAtMs === null) && lost < SILENT_AFTER;
}

function isLost({ lost }: Way): boolean {
  return lost >= SILENT_AFTER;
}

function healthOf(way: Way): WayHealth {
  const { rttMs, answeredAtMs } = way;
  const state = isLost(way) ? "silent" : answeredAtMs === null ? "unknown" : "answers";
  return { state, rttMs, answeredAtMs };
}

export function openOverlayProbe(inside: Inside): OverlayProbe {
  return new OverlayProbe(inside, {
    nowMs: () => performance.now(),
    startTimer,
    openEcho: openOtherEcho,
  });
}
