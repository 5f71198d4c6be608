/**
 * The data path of this host: the kernel kept as the claims want it, subnet.env for whoever starts containers, and the
 * operator's command when the subnet had to change.
 */
import { familyOf } from "../address/cidr.ts";
import { networksOf } from "../address/pool.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import type { Firewall } from "../base/firewall_objects.ts";
import type { HostSetting, HostSettings } from "../base/host_setting.ts";
import type { HostSnapshot } from "../claim/host_core.ts";
import type { ClaimRecord } from "../claim/record.ts";
import { openEcho } from "../host/echo.ts";
import { startTimer } from "../host/timer.ts";
import { overlayDevice } from "../overlay/backend.ts";
import type { OverlayConfig } from "../overlay/desired.ts";
import type { FirewallConfig } from "../overlay/firewall.ts";
import { flannelProblem } from "../overlay/flannel.ts";
import { containersMtu, fittedMtu, mtuDiffers } from "../overlay/mtu.ts";
import { desiredSettings, type OverlayDevice } from "../overlay/host_settings.ts";
import { subnetEnvText } from "../overlay/subnet_env.ts";
import { FirewallKeeper } from "./firewall_keeper.ts";
import { firewallWish } from "./firewall_wish.ts";
import { planDocument } from "./host_plan.ts";
import { Ipv6Half } from "./ipv6_half.ts";
import { OverlayKeeper, type OverlayStatus, type OverlayWish } from "./overlay_keeper.ts";
import { DeadPeerKeeper } from "./dead_peer_keeper.ts";
import { goneHosts } from "./gone_hosts.ts";
import type { PlanDocument } from "./overlay_documents.ts";
import type { PatientKernel } from "./overlay_ports.ts";
import { type OwnSubnets, type TunnelKeeper, tunnelOf } from "./tunnel_keeper.ts";
import { runRenumberHook } from "./renumber_hook.ts";
import { SettingsKeeper } from "./settings_keeper.ts";
import { hostName } from "./status.ts";
import { SubnetFileKeeper } from "./subnet_file_keeper.ts";

/**
 * How long after joining everything that nobody claims is kept: members that restarted at the same moment have
 * retried their seeds and synced within it (seed retries are at most 30 s apart).
 */
const SETTLE_MS = 45_000;

export interface DataPathOptions {
  readonly overlay: OverlayConfig;
  readonly subnetFile: string;
  readonly onRenumber: string | null;
  /** `--mtu min`: the overlay's MTU follows the smallest of the cluster. */
  readonly followsMtu?: boolean;
  readonly kernel: PatientKernel;
  /** Without it nothing is done about the packet filter. */
  readonly firewall?: { readonly config: FirewallConfig; readonly open: () => Firewall };
  /** Without it kernel parameters and offloads stay as they are. */
  readonly settings?: { readonly host: HostSettings; readonly txChecksum: boolean };
  /** Devices with an address of that subnet: containers are behind them. */
  readonly containerDevices?: (subnet: string) => readonly string[];
  readonly log: Log;
  readonly snapshot: () => HostSnapshot;
  /** Whether there is an underlay for the overlay to stand on. */
  readonly isUnderlayThere: () => boolean;
  /** `--on-renumber` ended for this change of the subnet, well or not. */
  readonly hookEnded?: (old: string, now: string, isDone: boolean) => void;
}

/** What an agent may be told to do otherwise while it runs. */
export interface DataPathChange {
  readonly overlay: OverlayConfig;
  readonly firewall: FirewallConfig;
  readonly txChecksum: boolean;
  readonly followsMtu: boolean;
  readonly onRenumber: string | null;
}

export class DataPath {
  #options: DataPathOptions;
  readonly #keeper: OverlayKeeper;
  /** Null without dual stack. */
  readonly #ipv6: Ipv6Half | null;
  /** Null but with the UDP backend. */
  readonly #tunnel: TunnelKeeper | null;
  readonly #firewall: FirewallKeeper | null;
  readonly #settings: SettingsKeeper | null;
  readonly #deadPeers: DeadPeerKeeper;
  /** As the underlay leaves it. */
  #base: OverlayConfig;
  /** As it is used, see {@linkcode fittedMtu}. */
  #overlay: OverlayConfig;
  readonly #startedMs = performance.now();
  #joinedAtMs: number | null = null;
  #isAnnounced = false;
  readonly #subnetFile: SubnetFileKeeper;
  #renumbered: { old: string; new: string } | null = null;

  constructor(options: DataPathOptions) {
    this.#options = options;
    this.#subnetFile = new SubnetFileKeeper(options.subnetFile, options.log);
    this.#base = options.overlay;
    this.#overlay = options.overlay;
    this.#keeper = new OverlayKeeper(options.overlay, {
      kernel: options.kernel,
      log: options.log,
      nowMs: () => performance.now(),
      wish: () => this.#wish(),
      wants: (own, ...others) => this.#tunnel?.follow(this.#ownSubnets(own), ...others),
      up: (own) => this.#up(own),
      down: () => this.#down(),
    });
    const { ipv6, backend } = options.overlay;
    // Not within the comparison that may have been under way.
    const ready = () => queueMicrotask(() => this.#keeper.reconcileSoon());
    this.#tunnel = backend === "udp" ? tunnelOf(options.overlay, options.log, ready) : null;
    this.#ipv6 = ipv6 === undefined ? null : new Ipv6Half(ipv6, {
      kernel: options.kernel,
      log: options.log,
      nowMs: () => performance.now(),
      wish: () => this.#wish(),
      pool: () => options.snapshot().claim.pool,
      nameOf: (hostId) => hostName(options.snapshot(), hostId),
      up: () => this.#ipv6IsUp(),
      madeDevice: () => this.#tunnel?.deviceMade(),
    });
    const { firewall, settings, log } = options;
    this.#firewall = firewall === undefined ? null : new FirewallKeeper(firewall.config, {
      open: firewall.open,
      log: options.log,
      nowMs: () => performance.now(),
      startTimer,
      wish: () =>
        firewallWish(
          options.snapshot(),
          this.#isSettled(),
          this.#keeper.status().flannelPeers?.map(({ address }) => address),
        ),
      ...(options.containerDevices === undefined
        ? {}
        : { containerDevices: options.containerDevices }),
      overlayDevice: (family) =>
        (family === "ip" ? this.#keeper : this.#ipv6?.keeper ?? this.#keeper).status().device,
    });
    this.#settings = settings === undefined ? null : new SettingsKeeper(settings.host, log);
    this.#deadPeers = new DeadPeerKeeper({
      nowMs: () => performance.now(),
      startTimer,
      log: options.log,
      openEcho,
      // Not within the comparison that may have asked.
      changed: () => queueMicrotask(() => this.follow()),
    });
  }

  /** Listens to the kernel from now on. */
  start(): void {
    this.#ipv6?.keeper.start();
    this.#keeper.start();
  }

  /** The claims changed: the kernel follows at once. */
  follow(): void {
    const fitted = this.#fitted();
    if (containersMtu(fitted) !== containersMtu(this.#overlay)) this.#use(fitted);
    this.#ipv6?.keeper.reconcileSoon(); // first, since subnet.env tells of both
    this.#keeper.reconcileSoon();
    this.#firewall?.reconcileSoon();
  }

  /** Somebody's agent came or went: its kernel may have to be asked. */
  membersChanged(): void {
    if (this.#isSettled()) this.#followGone();
  }

  /** The underlay is another one, or there again: the device and subnet.env follow at once. */
  move(overlay: OverlayConfig): void {
    this.#base = overlay;
    this.#use(this.#fitted());
  }

  /** The operator wants it otherwise: kernel, firewall and subnet.env follow at once. */
  change(to: DataPathChange): void {
    const { firewall, settings } = this.#options;
    this.#options = {
      ...this.#options,
      onRenumber: to.onRenumber,
      followsMtu: to.followsMtu,
      ...(firewall === undefined ? {} : { firewall: { ...firewall, config: to.firewall } }),
      ...(settings === undefined ? {} : { settings: { ...settings, txChecksum: to.txChecksum } }),
    };
    this.#firewall?.change(to.firewall);
    this.move(to.overlay);
  }

  #use(overlay: OverlayConfig): void {
    this.#overlay = overlay;
    if (overlay.ipv6 !== undefined) this.#ipv6?.move(overlay.ipv6);
    this.#keeper.move(overlay);
  }

  #fitted(): OverlayConfig {
    if (this.#options.followsMtu !== true) return this.#base;
    const { record, records } = this.#options.snapshot().claim;
    return fittedMtu(this.#base, record?.hostId ?? "", records);
  }

  #mtuProblem(): Problem | null {
    const snapshot = this.#options.snapshot();
    const { state, record, records } = snapshot.claim;
    if (state !== "held" || record === null) return null;
    const nameOf = (hostId: string) => hostName(snapshot, hostId);
    return mtuDiffers(containersMtu(this.#overlay), record.hostId, records, nameOf);
  }

  /** As {@linkcode follow}, and done when it returns: for a host that leaves. */
  followNow(): void {
    this.#ipv6?.keeper.reconcileNow();
    this.#keeper.reconcileNow();
    this.#firewall?.reconcileNow();
  }

  /** Settles when nothing is under way that {@linkcode followNow} could not undo. */
  async quiet(): Promise<void> {
    await Promise.all([this.#ipv6?.keeper.quiet(), this.#keeper.quiet()]);
  }

  /** This host had to change its subnet: the operator's command runs once the new one is in place. */
  renumbered(old: string, now: string): void {
    this.#renumbered = { old, new: now };
  }

  /** The subnet turned out to be another host's: nothing of it may stay. Nothing is kept in order from now on. */
  takeDown(): void {
    this.#tunnel?.stop();
    this.#ipv6?.keeper.takeDown();
    this.#keeper.takeDown();
    this.#firewall?.takeDown();
  }

  stop(): void {
    this.#deadPeers.stop();
    this.#tunnel?.stop();
    this.#ipv6?.keeper.stop();
    this.#keeper.stop();
    this.#firewall?.stop();
  }

  status(): OverlayStatus {
    const status = this.#keeper.status();
    const { states: deadPeers } = this.#deadPeers;
    const firewall = this.#firewall?.status() ?? null;
    const filtered = firewall?.problems ?? [];
    const set = this.#settings?.problems ?? [];
    const tunnel = this.#tunnel?.status() ?? null;
    const further = [
      ...this.#deadPeers.problems(),
      ...this.#tunnel?.problems() ?? [],
      ...filtered,
      ...set,
      this.#subnetFile.problem,
      this.#mtuProblem(),
      flannelProblem(status.flannelPeers ?? []),
    ];
    const known = [...status.problems, ...this.#ipv6?.problems() ?? []];
    const problems = [...known, ...further.filter((problem) => problem !== null)];
    const ipv6 = this.#ipv6?.status() ?? null;
    const repairs = status.repairs + (this.#settings?.repairs ?? 0) + (ipv6?.repairs ?? 0);
    const inSync = status.inSync && ipv6?.inSync !== false && tunnel?.isRunning !== false;
    return { ...status, inSync, repairs, deadPeers, problems, firewall, ipv6, tunnel };
  }

  /** What is wanted of the kernel as commands, and what differs now. Throws what the kernel says when it cannot be read. */
  plan(): PlanDocument {
    const { kernel, firewall, settings } = this.#options;
    const keepers = [this.#keeper, this.#ipv6?.keeper].filter((keeper) => keeper !== undefined);
    return planDocument({
      overlays: keepers.map((keeper) => keeper.wanted()),
      firewall: this.#firewall?.wanted() ?? null,
      settings: settings === undefined ? [] : this.#desiredSettings(),
    }, {
      kernel,
      openFirewall: firewall?.open ?? null,
      settings: settings?.host ?? { read: () => null },
    });
  }

  #wish(): OverlayWish {
    const { claim } = this.#options.snapshot();
    const settled = this.#isSettled();
    const { owners, records } = claim;
    if (claim.state === "held" && claim.record !== null) {
      if (!this.#options.isUnderlayThere()) return { want: "paused" };
      if (settled) this.#followGone();
      const silent = this.#deadPeers.silent();
      return { want: "up", own: claim.record, owners, records, settled, silent };
    }
    // While a host looks for its next subnet, the old device stays: one switch instead of two. A host that finds none,
    // or wants none, takes it down.
    const isOver = claim.state === "released" || claim.state === "waiting";
    return { want: isOver ? "down" : "unchanged" };
  }

  #isSettled(): boolean {
    const { swim, claim } = this.#options.snapshot();
    const nowMs = performance.now();
    if (swim.joined && claim.complete) this.#joinedAtMs ??= nowMs;
    return this.#joinedAtMs !== null && nowMs - this.#joinedAtMs >= SETTLE_MS;
  }

  /** Before everybody had time to be heard, nobody is gone. */
  #followGone(): void {
    this.#deadPeers.follow(goneHosts(this.#options.snapshot(), this.#overlay));
  }

  #desiredSettings(): HostSetting[] {
    const { underlay } = this.#overlay;
    const family = familyOf(underlay.address);
    const device = overlayDevice(this.#overlay, family);
    const devices: OverlayDevice[] = [{ family, device, underlay: underlay.device }];
    if (this.#ipv6 !== null) {
      const ipv6Device = overlayDevice(this.#overlay, 6);
      devices.push({ family: 6, device: ipv6Device, underlay: underlay.device });
    }
    return desiredSettings(devices, this.#options.settings?.txChecksum ?? true);
  }

  #ownSubnets({ subnet }: ClaimRecord): OwnSubnets {
    const { owners } = this.#options.snapshot().claim;
    return { subnet, ipv6: this.#ipv6?.subnets(subnet, owners) ?? null };
  }

  /** The kernel is as wanted: say so to Docker and others. */
  #up(own: ClaimRecord): boolean {
    // Each look at the overlay that finds it as wanted is one at the host's settings as well.
    this.#settings?.reconcile(this.#desiredSettings());
    const { onRenumber, firewall } = this.#options;
    // Once it is there, IPv6 that is gone is no reason to hold back what is to be said of IPv4.
    if (this.#ipv6?.keeper.status().inSync === false && !this.#subnetFile.isOurs) return false;
    if (this.#tunnel?.isReady === false && !this.#subnetFile.isOurs) return false;
    if (!this.#isMasquerading(own.subnet)) return false;
    const text = subnetEnvText({
      networks: networksOf(this.#options.snapshot().claim.pool),
      subnet: own.subnet,
      ...this.#ipv6?.envOf(own.subnet),
      mtu: containersMtu(this.#overlay),
      ipMasq: firewall?.config.masquerade ?? false,
    });
    if (!this.#subnetFile.write(text)) return false;
    this.#announce(own);
    const renumbered = this.#renumbered;
    if (renumbered?.new === own.subnet && onRenumber !== null) {
      this.#renumbered = null;
      void this.#runHook(onRenumber, renumbered);
    }
    return true;
  }

  /** What waited for it need not wait any more. */
  #ipv6IsUp(): void {
    if (!this.#subnetFile.isOurs) queueMicrotask(() => this.#keeper.reconcileSoon());
  }

  /** Docker leaves it to us where the file says so: no container may start before. */
  #isMasquerading(subnet: string): boolean {
    if (this.#firewall === null || this.#firewall.isReadyFor(subnet)) return true;
    this.#firewall.reconcileNow();
    return this.#firewall.isReadyFor(subnet);
  }

  async #runHook(command: string, change: { old: string; new: string }): Promise<void> {
    const isDone = await runRenumberHook(command, change.old, change.new, this.#options.log);
    this.#options.hookEnded?.(change.old, change.new, isDone);
  }

  /** The subnet is no longer ours: nobody may start containers in it. */
  #down(): void {
    this.#tunnel?.pause();
    this.#subnetFile.remove();
  }

  /** The facts that matter, once. */
  #announce(own: ClaimRecord): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    const { swim, claim } = this.#options.snapshot();
    this.#options.log.info("ready", {
      subnet: own.subnet,
      address: own.vtep.address,
      members: swim.members.length,
      peers: claim.owners.length - 1,
      afterMs: Math.round(performance.now() - this.#startedMs),
    });
  }
}
