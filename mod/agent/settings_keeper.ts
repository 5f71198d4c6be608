/** Keeps the host's settings as the overlay needs them. It has no timer of its own: it looks whenever the overlay is looked at. */
import { reasonOf } from "../base/errors.ts";
import type { HostSetting, HostSettings } from "../base/host_setting.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import { diffSettings, settingText, sysctlName } from "../overlay/host_settings.ts";

export class SettingsKeeper {
  readonly #settings: HostSettings;
  readonly #log: Log;
  /** What was as wanted at some time: to set it again is a repair. */
  readonly #kept = new Set<string>();
  readonly #failed = new Map<string, Problem>();
  #repairs = 0;

  constructor(settings: HostSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  /** Times that something was set that had been as wanted before. */
  get repairs(): number {
    return this.#repairs;
  }

  get problems(): readonly Problem[] {
    return [...this.#failed.values()];
  }

  /** Compares and sets what differs. Never throws: what cannot be set is a problem. */
  reconcile(desired: readonly HostSetting[]): void {
    const plan = new Set(diffSettings(desired, (setting) => this.#read(setting)));
    const wanted = new Set(desired.map(settingText));
    for (const text of this.#failed.keys()) if (!wanted.has(text)) this.#failed.delete(text);
    for (const setting of desired) {
      const text = settingText(setting);
      if (plan.has(setting)) this.#set(setting, text);
      else this.#failed.delete(text);
      if (!this.#failed.has(text)) this.#kept.add(text);
    }
  }

  #read(setting: HostSetting): string | null {
    try {
      return this.#settings.read(setting);
    } catch {
      return null;
    }
  }

  #set(setting: HostSetting, text: string): void {
    const before = this.#read(setting);
    try {
      this.#settings.write(setting);
    } catch (error) {
      if (!this.#failed.has(text)) {
        this.#log.error("a setting of this host cannot be changed", {
          command: text,
          reason: reasonOf(error),
        });
      }
      this.#failed.set(text, problemOf(setting, text, reasonOf(error)));
      return;
    }
    this.#failed.delete(text);
    const isRepair = this.#kept.has(text);
    if (isRepair) this.#repairs++;
    if (isRepair) this.#log.warning("repaired a setting of this host", { command: text, before });
    else this.#log.info("set what the overlay needs of this host", { command: text, before });
  }
}

function problemOf(setting: HostSetting, text: string, reason: string): Problem {
  if (setting.kind === "tx-checksum") {
    return {
      code: "tx-checksum",
      severity: "warning",
      text: `${setting.device} leaves checksums to hardware: ${reason}`,
      remedy: `Run "${text}" once the reason is out of the way, or leave out --tx-checksum off`,
    };
  }
  const name = sysctlName(setting.name);
  return {
    code: setting.name === "net/ipv4/ip_forward" ? "ip-forward-off" : "sysctl-refused",
    severity: "warning",
    text: `${name} is not ${setting.value}, and the agent cannot set it: ${reason}`,
    remedy: `Run "${text}" on the host, and put it into /etc/sysctl.d to keep it`,
  };
}
