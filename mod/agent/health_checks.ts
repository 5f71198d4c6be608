/** Repeats the doctor's cheap checks while the agent runs, and shows what they find as problems. */
import type { Problem } from "../base/problem.ts";
import type { Check } from "../doctor/check.ts";
import type { DoctorHost } from "../doctor/doctor_host.ts";
import { startTimer } from "../host/timer.ts";
import type { Companion, Inside } from "./companions.ts";

/** What they look at changes by people's hands. */
const INTERVAL_MS = 60_000;
/** Not while the cluster forms. */
const FIRST_MS = 15_000;
/** A firewall of thousands of rules takes long to read: no more than a thousandth of the time. */
const PAUSE_FACTOR = 1_000;

export interface HealthPorts {
  nowMs(): number;
  /** See host/timer.ts. */
  startTimer(callback: () => void, delayMs: number): () => void;
  /** The host as it is now; closed after each round. */
  open(): Promise<DoctorHost & { close(): void }>;
  checks(): Promise<readonly Check[]>;
}

export class HealthChecks implements Companion {
  readonly #inside: Pick<Inside, "log">;
  readonly #ports: HealthPorts;
  #problems: readonly Problem[] = [];
  #cancelTimer: () => void = () => {};
  #isClosed = false;

  constructor(inside: Pick<Inside, "log">, ports: HealthPorts) {
    this.#inside = inside;
    this.#ports = ports;
    this.#schedule(FIRST_MS);
  }

  problems(): readonly Problem[] {
    return this.#problems;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed) return;
    this.#cancelTimer = this.#ports.startTimer(() => void this.#look(), delayMs);
  }

  async #look(): Promise<void> {
    const startMs = this.#ports.nowMs();
    try {
      // Loaded when the race to the subnet is long over.
      const { examine } = await import("../doctor/doctor.ts");
      const { findingProblem } = await import("../doctor/finding.ts");
      const checks = await this.#ports.checks();
      const host = await this.#ports.open();
      try {
        const findings = await examine(host, checks);
        const problems = findings.map(findingProblem).filter((problem) => problem !== null);
        if (!this.#isClosed) this.#take(problems);
      } finally {
        host.close();
      }
    } catch (error) {
      this.#inside.log.debug("this host could not be looked at", { reason: String(error) });
    }
    const tookMs = this.#ports.nowMs() - startMs;
    this.#schedule(Math.max(INTERVAL_MS, PAUSE_FACTOR * tookMs));
  }

  /** Each is logged when it appears. */
  #take(problems: readonly Problem[]): void {
    const known = new Set(this.#problems.map(({ text }) => text));
    for (const { code, text, remedy } of problems) {
      if (!known.has(text)) this.#inside.log.warning(text, { code, remedy });
    }
    this.#problems = problems;
  }
}

export function openHealthChecks(inside: Inside): HealthChecks {
  return new HealthChecks(inside, {
    nowMs: () => performance.now(),
    startTimer,
    open: async () => {
      const { RealHost } = await import("../doctor/real_host.ts");
      return new RealHost(inside.config(), inside.target.status());
    },
    checks: async () => {
      const { CHECKS } = await import("../doctor/checks/all.ts");
      return CHECKS.filter(({ isRepeated }) => isRepeated);
    },
  });
}
