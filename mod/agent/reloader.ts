/** Reads the configuration again while the agent runs: what can change does, what cannot is named, what is wrong is left. */
import { reasonOf, UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import type { AgentConfig } from "./config.ts";
import { planReload, type ReloadPlan, settingNames } from "./reload_plan.ts";

/** The configuration as flags, environment and files have it now. Throws ConfigError. */
export type Reread = () => Promise<AgentConfig>;

export interface ReloadPorts {
  readonly log: Log;
  /** What the agent runs with. */
  running(): AgentConfig;
  readonly reread: Reread;
  /** Whether the key file holds keys that the agent does not have: it reads them when it starts. */
  hasUnreadKeys(): boolean;
  /** Runs with that from now on. Throws UserError, and changes nothing, where this host does not allow it. */
  apply(plan: ReloadPlan): Promise<void>;
}

export class Reloader {
  readonly #ports: ReloadPorts;
  #underWay: Promise<void> | null = null;
  #isAskedAgain = false;
  #refusal: Problem | null = null;
  #waiting: readonly string[] = [];

  constructor(ports: ReloadPorts) {
    this.#ports = ports;
  }

  /** Done when the configuration is as it is now; never rejects. One at a time: whoever asks meanwhile is heard afterwards. */
  async reload(): Promise<void> {
    this.#isAskedAgain = true;
    this.#underWay ??= this.#reloadAll();
    await this.#underWay;
  }

  problems(): Problem[] {
    const problems: Problem[] = this.#refusal === null ? [] : [this.#refusal];
    if (this.#waiting.length > 0) {
      problems.push({
        code: "restart-needed",
        severity: "warning",
        text: `Changed settings wait for the next start of the agent: ${this.#waiting.join(", ")}`,
        remedy: "Restart the agent, which leaves the overlay up, or put them back and reload",
      });
    }
    return problems;
  }

  async #reloadAll(): Promise<void> {
    while (this.#isAskedAgain) {
      this.#isAskedAgain = false;
      await this.#reloadOnce();
    }
    this.#underWay = null;
  }

  async #reloadOnce(): Promise<void> {
    const { log, running, reread, apply } = this.#ports;
    try {
      const plan = planReload(running(), await reread());
      await apply(plan);
      this.#refusal = null;
      const keys = this.#ports.hasUnreadKeys() ? ["key-file"] : [];
      this.#waiting = [...new Set([...plan.waiting, ...keys])];
      log.info("the configuration was read again", {
        changed: settingNames(plan.changed).join(",") || "nothing",
        waiting: this.#waiting.join(",") || undefined,
      });
    } catch (error) {
      const reason = reasonOf(error);
      const remedy = error instanceof UserError ? error.remedy : undefined;
      log.error("the configuration is not taken over; the agent goes on as before", {
        reason,
        remedy,
      });
      this.#refusal = {
        code: "configuration-refused",
        severity: "warning",
        text: `The configuration was to be read again, and is not taken over: ${reason}`,
        remedy: `${remedy ?? "Put it right"}; then reload again. gossamer config check reads it`,
      };
    }
  }
}
