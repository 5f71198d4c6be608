/**
 * The shadow of faults: what was wrong with which host, and when it ended. What the protocol promises to healthy and
 * connected hosts is checked only where no shadow lies.
 */
import type { Fault, HostName, LinkOptions } from "./fault.ts";

/** What can be wrong with a host or between hosts. */
export type Trouble =
  /** Down, just started, or leaving. */
  | "absent"
  /** Stood still, or its clock jumped. */
  | "late"
  /** Blocked around sending and receiving. */
  | "frozen"
  /** Its links, or some of them, carry nothing, too little, or too late. */
  | "network";

export const ALL_TROUBLES: readonly Trouble[] = ["absent", "late", "frozen", "network"];

/** Less loss than this is no excuse for anything. */
export const HARMLESS_LOSS_RATE = 0.1;

/** What of the network excuses nothing. */
export interface Harmless {
  /** Of packets, 0 to 1. */
  readonly lossRate: number;
  /** In one direction, with jitter. */
  readonly delayMs: number;
  readonly bytesPerMs: number;
}

/** A delay leaves an ack well within the probe timeout of 500 ms, both ways; a datagram of 1400 B takes 14 ms. */
const HARMLESS: Harmless = {
  lossRate: HARMLESS_LOSS_RATE,
  delayMs: 50,
  bytesPerMs: 100,
};

/** One direction between two hosts. */
interface Link {
  readonly ends: readonly [HostName, HostName];
  isCut: boolean;
  options: LinkOptions;
}

/** A host's own troubles: until when they lasted, Infinity while they do. */
type Troubles = Record<Trouble, number>;

export class Shadow {
  readonly #harmless: Harmless;
  readonly #hosts = new Map<HostName, Troubles>();
  /** What single directions have of their own, by `from>to`. */
  readonly #links = new Map<string, Link>();
  #network: LinkOptions = {};
  #isPartitioned = false;
  /** Until when all links were suspect; Infinity while they are. */
  #networkUntilMs = -Infinity;

  constructor(harmless = HARMLESS) {
    this.#harmless = harmless;
  }

  /** A fault has happened. */
  note(nowMs: number, fault: Fault): void {
    switch (fault.kind) {
      case "partition":
        this.#isPartitioned = true;
        return this.#noteNetwork(nowMs);
      case "heal":
        this.#isPartitioned = false;
        for (const link of this.#links.values()) {
          link.isCut = false;
          link.options = {};
          this.#noteEnds(nowMs, link);
        }
        return this.#noteNetwork(nowMs);
      case "network":
        this.#network = { ...this.#network, ...fault.options };
        return this.#noteNetwork(nowMs);
      case "cut":
      case "mend":
      case "link":
        return this.#noteLink(nowMs, fault);
      default:
        return this.#noteHost(nowMs, fault);
    }
  }

  /** Everything that has an end has ended. */
  calm(nowMs: number): void {
    this.#network = {};
    this.note(nowMs, { kind: "heal" });
    for (const troubles of this.#hosts.values()) {
      for (const trouble of ["late", "frozen"] as const) {
        if (troubles[trouble] === Infinity) troubles[trouble] = nowMs;
      }
    }
  }

  /** A host has just started. */
  noteStart(nowMs: number, host: HostName): void {
    const troubles = this.#of(host);
    troubles.absent = nowMs;
    endGait(troubles, nowMs); // of another life
  }

  /** Whether one of these troubles was with a host since that time. */
  isOn(host: HostName, sinceMs: number, troubles: readonly Trouble[]): boolean {
    const own = this.#of(host);
    return troubles.some((trouble) =>
      own[trouble] > sinceMs || (trouble === "network" && this.#networkUntilMs > sinceMs)
    );
  }

  /** Whether the whole network was in trouble since that time. */
  isOnNetwork(sinceMs: number): boolean {
    return this.#networkUntilMs > sinceMs;
  }

  #noteNetwork(nowMs: number): void {
    const isBad = this.#isPartitioned || !isHarmless(this.#network, this.#harmless);
    if (isBad) this.#networkUntilMs = Infinity;
    else if (this.#networkUntilMs === Infinity) this.#networkUntilMs = nowMs;
  }

  #noteLink(nowMs: number, fault: Extract<Fault, { from: HostName }>): void {
    const { from, to } = fault;
    const key = `${from}>${to}`;
    const link = this.#links.get(key) ?? { ends: [from, to], isCut: false, options: {} };
    this.#links.set(key, link);
    if (fault.kind === "link") link.options = { ...link.options, ...fault.options };
    else link.isCut = fault.kind === "cut";
    this.#noteEnds(nowMs, link);
  }

  #noteEnds(nowMs: number, { ends }: Link): void {
    for (const host of ends) {
      const troubles = this.#of(host);
      const isBad = [...this.#links.values()].some((link) =>
        link.ends.includes(host) && (link.isCut || !isHarmless(link.options, this.#harmless))
      );
      if (isBad) troubles.network = Infinity;
      else if (troubles.network === Infinity) troubles.network = nowMs;
    }
  }

  #noteHost(nowMs: number, fault: Extract<Fault, { host: HostName }>): void {
    const troubles = this.#of(fault.host);
    switch (fault.kind) {
      case "kill":
        troubles.absent = Infinity;
        return endGait(troubles, nowMs);
      case "leave":
      case "release":
        troubles.absent = Infinity;
        return;
      case "boot":
      case "reinstall":
      case "replace":
      case "join":
        troubles.absent = nowMs;
        return;
      case "pause":
        troubles.late = Infinity;
        return;
      case "freeze":
        troubles.frozen = Infinity;
        return;
      case "resume":
      case "jump":
        troubles.late = nowMs;
        return;
      case "thaw":
        troubles.frozen = nowMs;
        return;
    }
  }

  #of(host: HostName): Troubles {
    let troubles = this.#hosts.get(host);
    if (troubles === undefined) {
      troubles = { absent: -Infinity, late: -Infinity, frozen: -Infinity, network: -Infinity };
      this.#hosts.set(host, troubles);
    }
    return troubles;
  }
}

/** A process that is gone neither stands still nor is it frozen. */
function endGait(troubles: Troubles, nowMs: number): void {
  troubles.late = Math.min(troubles.late, nowMs);
  troubles.frozen = Math.min(troubles.frozen, nowMs);
}

function isHarmless(options: LinkOptions, harmless: Harmless): boolean {
  const { lossRate = 0, datagramLossRate = 0, delayMs = 0, jitterMs = 0 } = options;
  return lossRate <= harmless.lossRate && datagramLossRate === 0 &&
    delayMs + jitterMs <= harmless.delayMs &&
    (options.bytesPerMs ?? Infinity) >= harmless.bytesPerMs;
}
