/**
 * Keeps the kernel as the cores want it: desired state, dump, diff, apply. Runs when owners change, when the kernel says
 * that something changed, and on a slow timer; never because somebody merely believes that a change was made.
 */
import { familyOf } from "../address/cidr.ts";
import { reasonOf } from "../base/errors.ts";
import type { KernelState, OperationFailure } from "../base/kernel_objects.ts";
import type { Problem } from "../base/problem.ts";
import { isSame } from "../base/same.ts";
import { isInterruption } from "../host/interruption.ts";
import { startTimer } from "../host/timer.ts";
import { overlayDevice } from "../overlay/backend.ts";
import { type Desired, desiredState, type OverlayConfig } from "../overlay/desired.ts";
import { diffState, type KernelAbilities, programmedPeers } from "../overlay/diff.ts";
import type { FlannelPeer } from "../overlay/flannel.ts";
import { hasMadeDevice, isMoveUnknown, isOutdated } from "../overlay/outdated.ts";
import type { Plan } from "../overlay/plan.ts";
import { withRetired } from "../overlay/retired.ts";
import { ownHalf } from "../overlay/udp.ts";
import { keepUnknown } from "../overlay/settling.ts";
import { operationText } from "../overlay/text.ts";
import type { OverlayPorts, OverlayStatus, OverlayWish } from "./overlay_ports.ts";

export type { OverlayPorts, OverlayStatus, OverlayWish } from "./overlay_ports.ts";

/**
 * How often the kernel is compared although nothing is known to have changed: at first, while time alone may change what is
 * wanted; and then, when it is the last resort behind the kernel's own notifications. With 20 peers a comparison takes
 * more than 1 ms of processor time: made every 10 s, 6 % of what an idle agent takes.
 */
const UNSETTLED_AUDIT_INTERVAL_MS = 10_000;
const AUDIT_INTERVAL_MS = 30_000;
/** How soon after a refusal the kernel is asked again. */
const RETRY_MS = 1_000;
/** How soon it is looked at again after its answers were lost; twice as long each time, up to the above. */
const LOOK_AGAIN_MS = 20;
/** So often in a row answers are lost before somebody is told: 20 + 40 + 80 + 160 ms. */
const LOSSES_UNSAID_MAX = 4;
/**
 * Plans with more changes are applied on another thread, while gossip goes on. So many take 20 ms, twice as long while
 * the agent is young; the way to the other thread and back costs 10 ms.
 */
const AT_ONCE_MAX = 3_500;
/**
 * Reconciling takes at most a third of the time: after a run of d ms the next waits 2 d. With few peers d is below a
 * millisecond; with 5,000 it is about 100, and a storm of notifications still leaves room for gossip.
 */
const PAUSE_FACTOR = 2;

/** What is wanted up or down, and not just left alone. */
type Wanted = Extract<OverlayWish, { want: "up" | "down" }>;

/** One comparison. */
interface Look {
  readonly wish: Wanted;
  readonly desired: Desired;
  readonly before: KernelState;
  readonly plan: Plan;
  /** Whether what is wanted was there when we last looked. */
  readonly isRepair: boolean;
}

/** `later`: a long plan is being applied. `outdated`: the kernel changed meanwhile, or lost its answers. */
type Outcome = "clean" | "refused" | "outdated" | "later";

export class OverlayKeeper {
  #config: OverlayConfig;
  readonly #ports: OverlayPorts;
  #abilities: KernelAbilities = { movesDevices: true };
  #stopWatching: () => void = () => {};
  #cancelTimer: () => void = () => {};
  #timerAtMs = Infinity;
  #earliestMs = 0;
  /** When what was refused is tried again; -Infinity when nothing was. */
  #retryAtMs = -Infinity;
  /** The desired state at the last clean pass: a plan against an unchanged one is a repair. */
  #cleanFor: Desired | null = null;
  /** Subnets and addresses of the peers that were wanted before everything was settled. */
  readonly #wantedBefore = new Set<string>();
  /** While a long plan is being applied; settles when that is over. */
  #applying: Promise<void> | null = null;
  /** Whether the rest of that plan is to be left out, since other things are wanted now. */
  #isOvertaken = false;
  /** Whether a look is due as soon as it has been applied. */
  #isLookDue = false;
  /** Whether the last long plan met a kernel that had changed: the next that does is a fault. */
  #wasOutOfDate = false;
  /** Answers lost in a row. */
  #losses = 0;
  #looksRepeated = 0;
  #stopped = false;
  /** Whether nothing of other backends' devices is left: nobody makes them again. */
  #isAllRetired = false;
  #wasUp = false;
  #isNewDevice = false;
  #subnetFileWritten = false;
  #inSync = false;
  #wantedPeers: Desired["peers"] = [];
  #peersProgrammed = 0;
  #repairs = 0;
  #lastError: string | null = null;
  /** What the log was told of the last error, less what differs from one attempt to the next. */
  #lastSaid: string | null = null;
  #problems: readonly Problem[] = [];
  #flannelPeers: readonly FlannelPeer[] = [];

  constructor(config: OverlayConfig, ports: OverlayPorts) {
    this.#config = config;
    this.#ports = ports;
  }

  /** Listens to the kernel from now on. */
  start(): void {
    this.#stopWatching = this.#ports.kernel.watch(() => this.#noticed());
    this.#schedule(this.#ports.nowMs() + UNSETTLED_AUDIT_INTERVAL_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#stopWatching();
  }

  status(): OverlayStatus {
    const { backend, underlay, mac } = this.#config;
    return {
      device: overlayDevice(this.#config, familyOf(underlay.address)) ?? underlay.device,
      mac: backend === "host-gw" || backend === "udp" ? null : mac,
      mtu: this.#config.mtu,
      inSync: this.#inSync,
      subnetFileWritten: this.#subnetFileWritten,
      peersWanted: this.#wantedPeers.length,
      peersProgrammed: this.#peersProgrammed,
      paths: new Map(this.#wantedPeers.map(({ hostId, path }) => [hostId, path])),
      deadPeers: new Map(),
      repairs: this.#repairs,
      looksRepeated: this.#looksRepeated,
      lastError: this.#lastError,
      problems: this.#problems,
      flannelPeers: this.#flannelPeers,
    };
  }

  /** What is wanted at this moment. */
  wanted(): { config: OverlayConfig; wish: OverlayWish } {
    const wish = this.#ports.wish();
    const isLeft = wish.want === "down" && !this.#wasUp; // see #reconcile
    return { config: this.#config, wish: isLeft ? { want: "unchanged" } : wish };
  }

  /** The underlay or the MTU are others from now on; done when it returns, if the kernel lets us. */
  move(config: OverlayConfig): void {
    this.#config = config;
    this.#retryAtMs = -Infinity;
    this.reconcileNow();
  }

  /** Compares now, or as soon as the pause after the last run is over. */
  reconcileSoon(): void {
    if (this.#stopped) return;
    if (this.#applying !== null) {
      this.#isLookDue = true;
      return;
    }
    if (this.#ports.nowMs() >= this.#earliestMs) this.#reconcile(true);
    else this.#schedule(this.#earliestMs);
  }

  /** The kernel told of a change. After a refusal that may be the trace of our own attempt, so the retry's time counts. */
  #noticed(): void {
    if (this.#ports.nowMs() >= this.#retryAtMs) this.reconcileSoon();
  }

  /** Compares now, whatever the last run cost: for the last run of a host that leaves. */
  reconcileNow(): void {
    this.#isOvertaken = true;
    this.#reconcile(false);
  }

  /** Settles when no long plan is being applied: what is left of one is left out. */
  async quiet(): Promise<void> {
    this.#isOvertaken = true;
    await this.#applying;
  }

  #reconcile(mayTakeLong: boolean): void {
    const startMs = this.#ports.nowMs();
    const wish = this.#ports.wish();
    // Until our first claim is held, what an earlier run left behind keeps carrying traffic.
    if (wish.want === "unchanged" || (wish.want === "down" && !this.#wasUp)) return;
    if (wish.want === "paused") return this.#pause();
    this.#wasUp = true;
    this.#ended(startMs, wish, this.#attempt(wish, mayTakeLong));
  }

  /** Twice when the kernel changed under our hands. Whoever changes it all the time does not keep us here. */
  #attempt(wish: Wanted, mayTakeLong: boolean): Outcome {
    try {
      const outcome = this.#pass(wish, mayTakeLong, false);
      if (outcome !== "outdated") return outcome;
      this.#looksRepeated++;
      return this.#pass(wish, mayTakeLong, true);
    } catch (error) {
      return this.#interrupted(error);
    }
  }

  /** When to look next. */
  #ended(startMs: number, wish: Wanted, outcome: Outcome): void {
    const endMs = this.#ports.nowMs();
    this.#earliestMs = endMs + PAUSE_FACTOR * (endMs - startMs);
    if (outcome === "later") return;
    if (outcome === "outdated") {
      this.#retryAtMs = endMs + Math.min(RETRY_MS, LOOK_AGAIN_MS * 2 ** (this.#losses - 1));
    } else {
      this.#losses = 0;
      this.#retryAtMs = outcome === "refused" ? endMs + RETRY_MS : -Infinity;
    }
    const auditMs = wish.want === "up" && wish.settled
      ? AUDIT_INTERVAL_MS
      : UNSETTLED_AUDIT_INTERVAL_MS;
    this.#schedule(outcome === "clean" ? endMs + auditMs : this.#retryAtMs);
  }

  /** What was read or done is not known. */
  #interrupted(error: unknown): Outcome {
    const text = `the kernel could not be read or changed: ${reasonOf(error)}`;
    if (!isInterruption(error)) {
      this.#fail(text);
      return "refused";
    }
    this.#losses++;
    this.#looksRepeated++;
    this.#inSync = false;
    if (this.#losses > LOSSES_UNSAID_MAX) this.#fail(text);
    return "outdated";
  }

  /** Takes what is ours out of the kernel, whatever is wanted: the subnet is another host's. Nothing is kept from now on. */
  takeDown(): void {
    this.stop();
    this.#isOvertaken = true;
    this.#attempt({ want: "down" }, false);
  }

  #schedule(atMs: number): void {
    if (this.#stopped || atMs >= this.#timerAtMs) return;
    this.#cancelTimer();
    this.#timerAtMs = atMs;
    this.#cancelTimer = startTimer(() => {
      this.#timerAtMs = Infinity;
      this.reconcileSoon();
    }, Math.max(0, Math.ceil(atMs - this.#ports.nowMs())));
  }

  /** The kernel takes the device along with the one below it: to make it again is no repair. */
  #pause(): void {
    this.#inSync = false;
    this.#cleanFor = null;
    this.#schedule(this.#ports.nowMs() + RETRY_MS);
  }

  #dump(device: string): KernelState {
    const { underlay, backend, ipv6 } = this.#config;
    const family = familyOf(underlay.address);
    const state = this.#ports.kernel.dump(device, underlay.index, family);
    const isShared = backend === "udp" && (family === 6 || ipv6 !== undefined);
    return isShared ? ownHalf(state, family) : state;
  }

  #look(wish: Wanted): Look {
    const desired = wish.want === "up"
      ? desiredState(this.#config, wish.own, wish.owners, wish.silent)
      : desiredState(this.#config, null, []);
    const before = this.#dump(desired.device);
    const full = diffState(desired, before, this.#abilities);
    const careful = wish.want === "down" || wish.settled
      ? full
      : keepUnknown(full, wish.records, this.#config, this.#wantedBefore);
    const plan = this.#isAllRetired
      ? careful
      : withRetired(careful, desired, (device) => this.#dump(device));
    this.#isAllRetired = plan === careful;
    this.#remember(desired, wish);
    const isRepair = plan.operations.length > 0 && this.#cleanFor !== null &&
      isSame({ ...this.#cleanFor, problems: [] }, { ...desired, problems: [] });
    return { wish, desired, before, plan, isRepair };
  }

  /** One dump, diff and apply; a long plan is only begun. */
  #pass(wish: Wanted, mayTakeLong: boolean, isLast: boolean): Outcome {
    const look = this.#look(wish);
    const { operations } = look.plan;
    if (mayTakeLong && operations.length > (this.#ports.atOnceMax ?? AT_ONCE_MAX)) {
      this.#applying = this.#applyLater(look);
      return "later";
    }
    const failures = operations.length === 0 ? [] : this.#ports.kernel.apply(operations);
    return this.#conclude(look, failures, isLast);
  }

  /** Applied while other things go on; those that changed what is wanted, or the kernel, are looked into at the end. */
  async #applyLater(look: Look): Promise<void> {
    let outcome: Outcome;
    this.#isOvertaken = this.#isLookDue = this.#inSync = false;
    try {
      const isOvertaken = () => this.#isOvertaken || this.#stopped;
      const failures = await this.#ports.kernel.applyLater(look.plan.operations, isOvertaken);
      if (this.#stopped) return;
      const isOutOfDate = !this.#wasOutOfDate && failures.some(isOutdated);
      this.#wasOutOfDate = isOutOfDate;
      const isUnclear = isOvertaken() || this.#isLookDue || isOutOfDate;
      if (isUnclear) this.#looksRepeated++;
      outcome = isUnclear ? "outdated" : this.#conclude(look, failures, true);
    } catch (error) {
      if (this.#stopped) return;
      outcome = this.#interrupted(error);
    } finally {
      this.#applying = null;
    }
    if (outcome === "outdated" && this.#losses === 0) this.#reconcile(true);
    else this.#ended(this.#ports.nowMs(), look.wish, outcome);
  }

  /** @param isLast whether what is outdated is a fault by now. */
  #conclude(look: Look, failures: readonly OperationFailure[], isLast: boolean): Outcome {
    const { wish, desired, before, plan } = look;
    this.#isNewDevice ||= hasMadeDevice(plan.operations, failures);
    if (this.#abilities.movesDevices && failures.some(isMoveUnknown)) {
      this.#abilities = { movesDevices: false };
      return "outdated";
    }
    if (!isLast && failures.length > 0 && failures.every(isOutdated)) return "outdated";
    this.#report(plan, failures, look.isRepair);
    this.#problems = [...desired.problems, ...plan.problems];
    this.#wantedPeers = desired.peers;
    this.#flannelPeers = plan.flannel ?? [];
    if (wish.want === "up") {
      this.#ports.wants?.(wish.own, desired.peers, this.#config.underlay, this.#isNewDevice);
      this.#isNewDevice = false;
    }
    const clean = failures.length === 0 && plan.problems.length === 0;
    this.#peersProgrammed = clean ? desired.peers.length : programmedPeers(
      desired,
      plan.operations.length === 0 ? before : this.#dump(desired.device),
    );
    this.#inSync = clean && wish.want === "up";
    this.#cleanFor = clean ? desired : null;
    if (clean) this.#lastError = this.#lastSaid = null;
    this.#subnetFileWritten = clean && wish.want === "up" && this.#ports.up(wish.own);
    if (wish.want === "down") this.#ports.down();
    return !clean || (wish.want === "up" && !this.#subnetFileWritten) ? "refused" : "clean";
  }

  /** What this run has wanted itself is no riddle of an earlier one; once all is settled nothing is. */
  #remember({ peers }: Desired, wish: OverlayWish): void {
    if (wish.want !== "up" || wish.settled) return this.#wantedBefore.clear();
    for (const { subnet, neighbour } of peers) {
      this.#wantedBefore.add(subnet);
      if (neighbour !== null) this.#wantedBefore.add(neighbour.address);
    }
  }

  #report(plan: Plan, failures: readonly OperationFailure[], isRepair: boolean): void {
    const { log } = this.#ports;
    const changes = plan.operations.length;
    if (isRepair && changes > 0 && failures.length === 0) {
      this.#repairs += changes;
      log.warning("repaired what somebody changed in the kernel", {
        changes,
        first: plan.operations.slice(0, 1).map((operation) => operationText(operation)).join(),
      });
    } else if (changes > 0) {
      log.debug("programmed the kernel", { changes, refused: failures.length });
    }
    if (log.writes("debug")) {
      for (const operation of plan.operations) log.debug(operationText(operation));
    }
    const [failure] = failures;
    if (failure !== undefined) {
      const what = operationText(failure.operation);
      this.#fail(`${what}: ${failure.message}`, failures.length, `${what}: ${failure.code}`);
    }
    for (const problem of plan.problems) this.#fail(problem.text);
  }

  /** Says a thing once, not at each retry. */
  #fail(text: string, count = 1, said = text): void {
    if (this.#lastSaid !== said) {
      this.#ports.log.error("the overlay is not as wanted", { reason: text, failures: count });
    }
    this.#lastSaid = said;
    this.#lastError = text;
    this.#inSync = false;
  }
}
