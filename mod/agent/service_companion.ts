/**
 * Tells the service manager how the agent is: `READY=1` when containers may be started, so that Docker and others can be ordered
 * behind it; one line of status; a sign of life from the event loop for the watchdog; and the end.
 */
import { reasonOf } from "../base/errors.ts";
import { type ServiceManager, serviceManager } from "../host/service_manager.ts";
import { startTimer } from "../host/timer.ts";
import type { Companion, Inside } from "./companions.ts";
import { whyNotReady } from "./readiness.ts";

/** How often it is looked whether something else is to be said, at least. */
const LOOK_MS = 2_000;
/** While no seed answers, starting takes as long as it takes: each look gives it so much more, and a hung agent none. */
const MORE_TIME_MS = 30_000;

export interface ServiceClock {
  nowMs(): number;
  /** See host/timer.ts. */
  startTimer(callback: () => void, delayMs: number): () => void;
}

const REAL_CLOCK: ServiceClock = { nowMs: () => performance.now(), startTimer };

type Looked = Pick<Inside, "snapshot" | "overlay" | "problems" | "log">;

/** In one line: what `systemctl status` shows. */
export function serviceStatus(inside: Pick<Looked, "snapshot" | "overlay" | "problems">): string {
  const { swim, claim } = inside.snapshot();
  const overlay = inside.overlay();
  const why = whyNotReady(inside.snapshot(), overlay);
  const alive = swim.members.filter(({ status }) => status === "alive").length;
  const problems = inside.problems().length;
  return [
    why ?? `${claim.subnet} held`,
    `${alive} of ${swim.members.length} hosts alive`,
    ...(why === null ? [`${overlay.peersProgrammed} peers programmed`] : []),
    ...(problems === 0 ? [] : [problems === 1 ? "1 problem" : `${problems} problems`]),
  ].join("; ").replace(/[\r\n]+/g, " ");
}

export class ServiceCompanion implements Companion {
  readonly #inside: Looked;
  readonly #manager: ServiceManager;
  readonly #clock: ServiceClock;
  readonly #lookMs: number;
  #cancelTimer: () => void = () => {};
  #isReady = false;
  #status = "";
  #refusal: string | null = null;
  #isClosed = false;

  constructor(inside: Looked, manager: ServiceManager, clock: ServiceClock = REAL_CLOCK) {
    this.#inside = inside;
    this.#manager = manager;
    this.#clock = clock;
    // Half of what is asked for, as sd_watchdog_enabled(3) advises.
    this.#lookMs = Math.min(LOOK_MS, (manager.watchdogMs ?? Infinity) / 2);
    this.#look();
  }

  /** Whoever waits for the subnet shall not wait for the next look. */
  settled(): void {
    if (!this.#isReady && this.#inside.overlay().subnetFileWritten) this.#look();
  }

  /** One that starts is not ready in any case. */
  reloading(): void {
    if (this.#isReady) this.#tell(["RELOADING=1", `MONOTONIC_USEC=${this.#manager.nowUsec()}`]);
  }

  reloaded(): void {
    if (this.#isReady) this.#tell(["READY=1"]);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#tell(["STOPPING=1", "STATUS=stopping; the overlay stays up"]);
  }

  #look(): void {
    if (this.#isClosed) return;
    const lines = this.#manager.watchdogMs === null ? [] : ["WATCHDOG=1"];
    const isReady = whyNotReady(this.#inside.snapshot(), this.#inside.overlay()) === null;
    if (!this.#isReady) {
      lines.push(isReady ? "READY=1" : `EXTEND_TIMEOUT_USEC=${MORE_TIME_MS * 1000}`);
    }
    this.#isReady ||= isReady;
    const status = serviceStatus(this.#inside);
    if (status !== this.#status) lines.push(`STATUS=${status}`);
    this.#status = status;
    if (lines.length > 0) this.#tell(lines);
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.startTimer(() => this.#look(), this.#lookMs);
  }

  #tell(lines: readonly string[]): void {
    try {
      this.#manager.tell(lines);
      this.#refusal = null;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== this.#refusal) {
        this.#inside.log.warning("the service manager cannot be told", { reason });
      }
      this.#refusal = reason;
    }
  }
}

/** Null when this process is nobody's service. */
export function openService(inside: Inside): ServiceCompanion | null {
  const manager = serviceManager((name) => Deno.env.get(name), Deno.pid);
  return manager === null ? null : new ServiceCompanion(inside, manager);
}
