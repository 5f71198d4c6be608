/**
 * What is wanted of this host's kernel as commands for people: everything from nothing, and what differs now. For `report` and
 * `up --dry-run`; nothing is changed here.
 */
import { familyOf } from "../address/cidr.ts";
import { reasonOf } from "../base/errors.ts";
import type {
  AddressFamily,
  Firewall,
  FirewallOperation,
  FirewallState,
} from "../base/firewall_objects.ts";
import type { HostSetting, HostSettings } from "../base/host_setting.ts";
import type { Kernel, KernelState, Operation } from "../base/kernel_objects.ts";
import { desiredState, type OverlayConfig } from "../overlay/desired.ts";
import { diffState } from "../overlay/diff.ts";
import { desiredFirewall, type FirewallConfig, firewallTableName } from "../overlay/firewall.ts";
import { diffFirewall, diffNoFirewall } from "../overlay/firewall_diff.ts";
import { firewallPlanText } from "../overlay/firewall_text.ts";
import { diffSettings, settingText } from "../overlay/host_settings.ts";
import { withRetired } from "../overlay/retired.ts";
import { keepUnknown } from "../overlay/settling.ts";
import { planText } from "../overlay/text.ts";
import type { FirewallWish } from "./firewall_keeper.ts";
import { foreignTableProblem } from "./firewall_problems.ts";
import type { PlanDocument } from "./overlay_documents.ts";
import type { OverlayWish } from "./overlay_ports.ts";

/** One family's overlay. */
export interface WantedOverlay {
  readonly config: OverlayConfig;
  readonly wish: OverlayWish;
}

export interface WantedFirewall {
  readonly config: FirewallConfig;
  readonly wish: FirewallWish;
}

/** All that the keepers of the data path want at one moment. */
export interface HostWish {
  /** IPv4's first. */
  readonly overlays: readonly WantedOverlay[];
  /** Null where nothing is done about the packet filter. */
  readonly firewall: WantedFirewall | null;
  readonly settings: readonly HostSetting[];
}

/** Where it is looked up what there is; these are only read. */
export interface HostLook {
  readonly kernel: Pick<Kernel, "dump">;
  /** Throws where the kernel has no nf_tables; null where nothing is done about the packet filter. */
  readonly openFirewall: (() => Pick<Firewall, "dump" | "close">) | null;
  readonly settings: Pick<HostSettings, "read">;
}

interface NamedPlan {
  readonly config: OverlayConfig;
  readonly operations: readonly Operation[];
}

const EMPTY: KernelState = {
  link: null,
  addresses: [],
  neighbours: [],
  forwarding: [],
  routes: [],
};
const FAMILIES: readonly AddressFamily[] = ["ip", "ip6"];

/** Of one moment; throws what the kernel says when it cannot be read. */
export function planDocument(wish: HostWish, look: HostLook): PlanDocument {
  const [first] = wish.overlays;
  const want = first?.wish.want ?? "unchanged";
  const obstacles: string[] = [];
  return {
    schema: 1,
    want,
    wanted: want === "up" ? commandsFromNothing(wish) : "",
    changes: commandsNow(wish, look, obstacles),
    obstacles,
  };
}

function commandsFromNothing({ overlays, firewall, settings }: HostWish): string {
  const plans = overlays.map(({ config, wish }) => ({
    config,
    operations: wish.want === "up" ? diffState(desired(config, wish), EMPTY).operations : [],
  }));
  const tables = firewall?.wish.want === "up"
    ? firewall.wish.facts.map((facts) => desiredFirewall(firewall.config, facts))
    : [];
  const operations = tables.map((table): FirewallOperation => ({ kind: "table-replace", table }));
  return hostText(plans, settings, operations);
}

function commandsNow(wish: HostWish, look: HostLook, obstacles: string[]): string {
  const newDevices = new Set<string>();
  const plans = wish.overlays.map(({ config, wish: overlay }) => {
    const operations = overlayChanges(config, overlay, look, obstacles);
    for (const operation of operations) {
      if (operation.kind === "link-add") newDevices.add(operation.link.name);
    }
    return { config, operations };
  });
  const isUp = wish.overlays[0]?.wish.want === "up";
  const settings = isUp ? settingChanges(wish.settings, look, newDevices) : [];
  const firewall = wish.firewall === null ? [] : firewallChanges(wish.firewall, look, obstacles);
  return hostText(plans, settings, firewall);
}

/**
 * In an order in which a script can do it: where new devices get no IPv6, their settings come before their addresses. The
 * agent itself does its overlay first and looks again.
 */
function hostText(
  overlays: readonly NamedPlan[],
  settings: readonly HostSetting[],
  firewall: readonly FirewallOperation[],
): string {
  const made: string[] = [];
  const rest: string[] = [];
  for (const { config, operations } of overlays) {
    const first = operations.findIndex(({ kind }) => !kind.startsWith("link-"));
    const end = first === -1 ? operations.length : first;
    made.push(namedPlan(config, operations.slice(0, end)));
    rest.push(namedPlan(config, operations.slice(end)));
  }
  return [...made, settingsText(settings), ...rest, firewallPlanText(firewall)].join("");
}

function desired(config: OverlayConfig, wish: Extract<OverlayWish, { want: "up" }>) {
  return desiredState(config, wish.own, wish.owners, wish.silent);
}

/** As the keeper of the overlay would change it, but for what it remembers to have wanted since its start. */
function overlayChanges(
  config: OverlayConfig,
  wish: OverlayWish,
  { kernel }: HostLook,
  obstacles: string[],
): readonly Operation[] {
  if (wish.want === "unchanged" || wish.want === "paused") return [];
  const wanted = wish.want === "up" ? desired(config, wish) : desiredState(config, null, []);
  const { underlay } = config;
  const now = kernel.dump(wanted.device, underlay.index, familyOf(underlay.address));
  const full = diffState(wanted, now);
  const isCertain = wish.want === "down" || wish.settled;
  const plan = withRetired(
    isCertain ? full : keepUnknown(full, wish.records, config, new Set()),
    wanted,
    (device) => kernel.dump(device, underlay.index, familyOf(underlay.address)),
  );
  obstacles.push(...[...wanted.problems, ...plan.problems].map(({ text }) => text));
  return plan.operations;
}

/** Of a device that is yet to be made nothing can be read. */
function settingChanges(
  settings: readonly HostSetting[],
  look: HostLook,
  newDevices: ReadonlySet<string>,
): HostSetting[] {
  const read = (setting: HostSetting) => {
    try {
      return look.settings.read(setting);
    } catch {
      return null;
    }
  };
  const differing = new Set(diffSettings(settings, read));
  const isOfNew = (setting: HostSetting) =>
    [...newDevices].some((device) =>
      setting.kind === "sysctl" ? setting.name.includes(`/${device}/`) : setting.device === device
    );
  return settings.filter((setting) => differing.has(setting) || isOfNew(setting));
}

function firewallChanges(
  { config, wish }: WantedFirewall,
  look: HostLook,
  obstacles: string[],
): FirewallOperation[] {
  if (wish.want === "unchanged") return [];
  const name = firewallTableName(config.vni);
  const tables = wish.want === "up"
    ? wish.facts.map((facts) => desiredFirewall(config, facts))
    : [];
  const states = firewallStates(name, look, obstacles);
  const keepsStrangers = wish.want === "up" && !wish.settled;
  return FAMILIES.flatMap((family) => {
    const table = tables.find((table) => table.family === family);
    const state = states.get(family) ?? { kind: "absent" };
    const plan = table === undefined
      ? diffNoFirewall(family, name, state)
      : diffFirewall(table, state, keepsStrangers);
    if (plan.isForeign) obstacles.push(foreignTableProblem(family, name).text);
    return plan.operations;
  });
}

/** What cannot be read is taken for absent, and said. */
function firewallStates(name: string, look: HostLook, obstacles: string[]) {
  const states = new Map<AddressFamily, FirewallState>();
  if (look.openFirewall === null) return states;
  try {
    const firewall = look.openFirewall();
    try {
      for (const family of FAMILIES) states.set(family, firewall.dump(family, name));
    } finally {
      firewall.close();
    }
  } catch (error) {
    obstacles.push(`The tables of nftables cannot be read: ${reasonOf(error)}`);
  }
  return states;
}

function namedPlan({ underlay }: OverlayConfig, operations: readonly Operation[]): string {
  return planText(
    operations,
    (index) => index === underlay.index ? underlay.device : `if${index}`,
  );
}

function settingsText(settings: readonly HostSetting[]): string {
  return settings.map((setting) => `${settingText(setting)}\n`).join("");
}
