/** Has a running agent do what a changed configuration says. */
import type { Log } from "../base/log.ts";
import type { HostCommand } from "../claim/host_core.ts";
import type { DataPath } from "./data_path.ts";
import type { AgentConfig } from "./config.ts";
import { firewallConfig } from "./firewall_wish.ts";
import { placeOf } from "./options.ts";
import type { ReloadPlan } from "./reload_plan.ts";
import type { UnderlayKeeper } from "./underlay_keeper.ts";

/** The parts of the agent that follow. */
export interface ReloadedParts {
  readonly mac: string;
  readonly log: Log;
  readonly underlay: Pick<UnderlayKeeper, "setMtu" | "present" | "overlay">;
  readonly dataPath: Pick<DataPath, "change">;
  command(command: HostCommand): void;
}

/** Throws UserError, before anything is changed, when this host does not allow it. */
export function applyReload(before: AgentConfig, plan: ReloadPlan, parts: ReloadedParts): void {
  const { config, changed } = plan;
  if (changed.length === 0) return;
  const { underlay, mac, log, dataPath } = parts;
  if (changed.includes("mtu")) underlay.setMtu(config.mtu);
  log.change({ level: config.logLevel, format: config.logFormat });
  const gone = before.join.filter((seed) => !config.join.includes(seed));
  const added = config.join.filter((seed) => !before.join.includes(seed));
  if (gone.length > 0) parts.command({ kind: "drop-seeds", seeds: gone });
  if (added.length > 0) parts.command({ kind: "join", seeds: added });
  if (changed.includes("mtu")) {
    const { vtep } = placeOf(config, underlay.present, mac);
    parts.command({ kind: "set-vtep", vtep });
  }
  dataPath.change({
    overlay: underlay.overlay(mac),
    firewall: firewallConfig(config),
    txChecksum: config.txChecksum,
    followsMtu: config.followsMtu,
    onRenumber: config.onRenumber,
  });
}
