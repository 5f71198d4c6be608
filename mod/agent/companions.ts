/**
 * What runs beside the agent once the race to the subnet is over: it is told what happens and may look at everything, but
 * gossip, claims and the kernel never wait for it, and its faults end nothing.
 */
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import type { HostEvent, HostSnapshot } from "../claim/host_core.ts";
import type { AgentConfig } from "./config.ts";
import type { ControlTarget } from "./control.ts";
import type { OverlayHealth } from "./overlay_health.ts";
import type { OverlayStatus } from "./overlay_keeper.ts";

/** So long the end of the agent waits for all of them. */
const CLOSE_MS_MAX = 500;

export interface Companion {
  /** Something happened; the view has noted it. */
  event?(event: HostEvent): void;
  /** A batch of inputs was taken in: members, claims or the kernel may be others now. */
  settled?(): void;
  /** The configuration is about to be read again. */
  reloading?(): void;
  /** It was, whatever came of it. */
  reloaded?(): void;
  /** What it found wrong, for `status`; asked whenever somebody looks, so it only tells what it knows already. */
  problems?(): readonly Problem[];
  /** What it knows of the way through the overlay to each peer, by host id. */
  overlayHealth?(): ReadonlyMap<string, OverlayHealth>;
  close(): void | Promise<void>;
}

/** What a companion may look at and ask for. */
export interface Inside {
  /** What the agent runs with at this moment. */
  readonly config: () => AgentConfig;
  readonly log: Log;
  readonly snapshot: () => HostSnapshot;
  readonly overlay: () => OverlayStatus;
  /** All that `status` shows. */
  readonly problems: () => readonly Problem[];
  /** The same that the control socket answers with. */
  readonly target: ControlTarget;
}

/** Why a companion is opened. */
export interface Occasion {
  /** The agent runs already; otherwise it starts. */
  readonly isReload: boolean;
  /** The one that ended for it, and has ended. */
  readonly before: Companion | null;
}

const START: Occasion = { isReload: false, before: null };

export interface CompanionKind {
  /** Settings that it reads when it is opened: when one of them changes, it is closed and opened again. */
  readonly reads?: readonly (keyof AgentConfig)[];
  /** Opens it, loading what it needs; null when the configuration does not ask for it. */
  readonly open: (inside: Inside, occasion: Occasion) => Promise<Companion | null>;
}

export class Companions {
  readonly #log: Log;
  #companions: Companion[] = [];
  readonly #kinds = new Map<Companion, CompanionKind>();
  /** Settles when nothing is being opened; never rejects. */
  #opening: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Opens all, one after the other; one that cannot be opened is told of in the log and left out. */
  async open(inside: Inside, kinds: readonly CompanionKind[]): Promise<void> {
    await this.#openAll(inside, kinds, () => START);
  }

  async #openAll(
    inside: Inside,
    kinds: readonly CompanionKind[],
    occasionOf: (kind: CompanionKind) => Occasion,
  ): Promise<void> {
    this.#opening = this.#opening.then(() => this.#openEach(inside, kinds, occasionOf));
    await this.#opening;
  }

  async #openEach(
    inside: Inside,
    kinds: readonly CompanionKind[],
    occasionOf: (kind: CompanionKind) => Occasion,
  ): Promise<void> {
    for (const kind of kinds) {
      try {
        const companion = await kind.open(inside, occasionOf(kind));
        if (companion === null) continue;
        if (this.#isClosed) await companion.close();
        else {
          this.#companions.push(companion);
          this.#kinds.set(companion, kind);
        }
      } catch (error) {
        this.#log.error("a companion of the agent could not start", { reason: reasonOf(error) });
      }
    }
  }

  /** Settings changed: whoever reads one of them begins anew. */
  async reopen(
    inside: Inside,
    kinds: readonly CompanionKind[],
    changed: readonly (keyof AgentConfig)[],
  ): Promise<void> {
    await this.#opening; // at the start, those that are concerned may not be there yet
    const isConcerned = ({ reads = [] }: CompanionKind) =>
      reads.some((setting) => changed.includes(setting));
    const before = new Map<CompanionKind, Companion>();
    const ending = this.#companions.filter((companion) => {
      const kind = this.#kinds.get(companion);
      if (kind === undefined || !isConcerned(kind)) return false;
      before.set(kind, companion);
      return true;
    });
    this.#companions = this.#companions.filter((companion) => !ending.includes(companion));
    await Promise.all(ending.map((companion) => this.#end(companion)));
    ending.forEach((companion) => this.#kinds.delete(companion));
    const occasionOf = (kind: CompanionKind) => ({
      isReload: true,
      before: before.get(kind) ?? null,
    });
    await this.#openAll(inside, kinds.filter(isConcerned), occasionOf);
  }

  /** The configuration is about to be read again. */
  reloading(): void {
    this.#each((companion) => companion.reloading?.());
  }

  /** It was, whatever came of it. */
  reloaded(): void {
    this.#each((companion) => companion.reloaded?.());
  }

  event(event: HostEvent): void {
    this.#each((companion) => companion.event?.(event));
  }

  settled(): void {
    this.#each((companion) => companion.settled?.());
  }

  problems(): Problem[] {
    const problems: Problem[] = [];
    this.#each((companion) => problems.push(...companion.problems?.() ?? []));
    return problems;
  }

  /** See {@linkcode Companion}. */
  overlayHealth(): ReadonlyMap<string, OverlayHealth> {
    const health: [string, OverlayHealth][] = [];
    this.#each((companion) => health.push(...companion.overlayHealth?.() ?? []));
    return new Map(health);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const companions = this.#companions;
    this.#companions = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS_MAX);
    });
    await Promise.race([Promise.all(companions.map((one) => this.#end(one))), late]);
    clearTimeout(timer);
  }

  async #end(companion: Companion): Promise<void> {
    try {
      await companion.close();
    } catch (error) {
      this.#log.error("a companion of the agent did not end well", { reason: reasonOf(error) });
    }
  }

  /** One that throws is asked no more. */
  #each(ask: (companion: Companion) => void): void {
    for (const companion of this.#companions) {
      try {
        ask(companion);
      } catch (error) {
        this.#companions = this.#companions.filter((one) => one !== companion);
        const stack = error instanceof Error ? error.stack : undefined;
        this.#log.error("a companion of the agent failed", { reason: reasonOf(error), stack });
        void this.#end(companion);
      }
    }
  }
}
