/**
 * Keeps the kernel as the cores want it: desired state, dump, diff, apply. Runs when owners change, when the kernel says
 * that something changed, and on a slow timer; never because somebody merely believes that a change was made.
 */
import { reasonOf } from "../base/errors.ts";
import type { Kernel, KernelState, OperationFailure } from "../base/kernel_objects.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import type { ClaimRecord } from "../claim/record.ts";
import { startTimer } from "../host/timer.ts";
import { type Desired, desiredState, type OverlayConfig } from "../overlay/desired.ts";
import { diffState, type KernelAbilities, programmedPeers } from "../overlay/diff.ts";
import type { Plan } from "../overlay/plan.ts";
import { keepUnknown } from "../overlay/settling.ts";
import { operationText } from "../overlay/text.ts";
import { deviceName } from "../overlay/vxlan.ts";

/**
 * How often the kernel is compared although nothing is known to have changed: at first, while time alone may change what is
 * wanted; and then, when it is the last resort behind the kernel's own notifications. With 20 peers a comparison takes
 * more than 1 ms of processor time: made every 10 s, 6 % of what an idle agent takes.
 */
const UNSETTLED_AUDIT_INTERVAL_MS = 10_000;
const AUDIT_INTERVAL_MS = 30_000;
/** How soon after a refusal the kernel is asked again. */
const RETRY_MS = 1_000;
/**
 * Reconciling takes at most a third of the time: after a run of d ms the next waits 2 d. With few peers d is below a
 * millisecond; with 5,000 it is about 100, and a storm of notifications still leaves room for gossip.
 */
const PAUSE_FACTOR = 2;

/** What the claims want of the overlay at this moment. */
export type OverlayWish =
  | {
    readonly want: "up";
    readonly own: ClaimRecord;
    readonly owners: readonly ClaimRecord[];
    readonly records: readonly ClaimRecord[];
    /** Whether every claim of the cluster had time to arrive: only then is what nobody claims removed. */
    readonly settled: boolean;
  }
  | { readonly want: "down" }
  /** Not decided yet: what is there stays. */
  | { readonly want: "unchanged" }
  /** There is no underlay to stand on: what is left stays until there is one. */
  | { readonly want: "paused" };

export interface OverlayStatus {
  readonly device: string;
  readonly mac: string | null;
  readonly mtu: number;
  readonly inSync: boolean;
  readonly subnetFileWritten: boolean;
  readonly peersWanted: number;
  readonly peersProgrammed: number;
  readonly repairs: number;
  readonly lastError: string | null;
  readonly problems: readonly Problem[];
}

export interface OverlayPorts {
  readonly kernel: Kernel;
  readonly log: Log;
  nowMs(): number;
  wish(): OverlayWish;
  /** Called when the kernel is as wanted and every peer is programmed; true when subnet.env now says so. */
  up(own: ClaimRecord): boolean;
  /** Called when everything of ours is gone from the kernel. */
  down(): void;
}

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
  /** The desired state as text at the last clean pass: a plan against an unchanged one is a repair. */
  #cleanFor: string | null = null;
  /** Subnets and addresses of the peers that were wanted before everything was settled. */
  readonly #wantedBefore = new Set<string>();
  #stopped = false;
  #wasUp = false;
  #subnetFileWritten = false;
  #inSync = false;
  #peersWanted = 0;
  #peersProgrammed = 0;
  #repairs = 0;
  #lastError: string | null = null;
  /** What the log was told of the last error, less what differs from one attempt to the next. */
  #lastSaid: string | null = null;
  #problems: readonly Problem[] = [];

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
    return {
      device: deviceName(this.#config.vni),
      mac: this.#config.mac,
      mtu: this.#config.mtu,
      inSync: this.#inSync,
      subnetFileWritten: this.#subnetFileWritten,
      peersWanted: this.#peersWanted,
      peersProgrammed: this.#peersProgrammed,
      repairs: this.#repairs,
      lastError: this.#lastError,
      problems: this.#problems,
    };
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
    if (this.#ports.nowMs() >= this.#earliestMs) this.reconcileNow();
    else this.#schedule(this.#earliestMs);
  }

  /** The kernel told of a change. After a refusal that may be the trace of our own attempt, so the retry's time counts. */
  #noticed(): void {
    if (this.#ports.nowMs() >= this.#retryAtMs) this.reconcileSoon();
  }

  /** Compares now, whatever the last run cost: for the last run of a host that leaves. */
  reconcileNow(): void {
    const startMs = this.#ports.nowMs();
    const wish = this.#ports.wish();
    // Until our first claim is held, what an earlier run left behind keeps carrying traffic.
    if (wish.want === "unchanged" || (wish.want === "down" && !this.#wasUp)) return;
    if (wish.want === "paused") return this.#pause();
    this.#wasUp = true;
    let failed = false;
    try {
      failed = this.#pass(wish);
    } catch (error) {
      failed = true;
      this.#fail(`the kernel could not be read or changed: ${reasonOf(error)}`);
    }
    const endMs = this.#ports.nowMs();
    this.#earliestMs = endMs + PAUSE_FACTOR * (endMs - startMs);
    this.#retryAtMs = failed ? endMs + RETRY_MS : -Infinity;
    const auditMs = wish.want === "up" && wish.settled
      ? AUDIT_INTERVAL_MS
      : UNSETTLED_AUDIT_INTERVAL_MS;
    this.#schedule(failed ? this.#retryAtMs : endMs + auditMs);
  }

  /** Takes what is ours out of the kernel, whatever is wanted: the subnet is another host's. Nothing is kept from now on. */
  takeDown(): void {
    this.stop();
    try {
      this.#pass({ want: "down" });
    } catch (error) {
      this.#fail(`the kernel could not be read or changed: ${reasonOf(error)}`);
    }
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

  /** One dump, diff and apply. Returns whether something was refused. */
  #pass(wish: Extract<OverlayWish, { want: "up" | "down" }>): boolean {
    const { kernel } = this.#ports;
    const desired = wish.want === "up"
      ? desiredState(this.#config, wish.own, wish.owners)
      : desiredState(this.#config, null, []);
    const wanted = JSON.stringify([desired.link, desired.address, desired.peers]);
    const before = kernel.dump(desired.device);
    const full = diffState(desired, before, this.#abilities);
    const plan = wish.want === "down" || wish.settled
      ? full
      : keepUnknown(full, wish.records, this.#wantedBefore);
    this.#remember(desired, wish);
    const failures = plan.operations.length === 0 ? [] : kernel.apply(plan.operations);
    if (this.#abilities.movesDevices && failures.some(isMoveUnknown)) {
      this.#abilities = { movesDevices: false };
      return this.#pass(wish);
    }
    this.#report(plan, failures, this.#cleanFor === wanted);
    this.#problems = [...desired.problems, ...plan.problems];
    this.#peersWanted = desired.peers.length;
    const clean = failures.length === 0 && plan.problems.length === 0;
    this.#peersProgrammed = clean
      ? desired.peers.length
      : programmedAfter(desired, before, kernel, plan);
    this.#inSync = clean && wish.want === "up";
    this.#cleanFor = clean ? wanted : null;
    if (clean) this.#lastError = this.#lastSaid = null;
    this.#subnetFileWritten = clean && wish.want === "up" && this.#ports.up(wish.own);
    if (wish.want === "down") this.#ports.down();
    return !clean || (wish.want === "up" && !this.#subnetFileWritten);
  }

  /** What this run has wanted itself is no riddle of an earlier one; once all is settled nothing is. */
  #remember({ peers }: Desired, wish: OverlayWish): void {
    if (wish.want !== "up" || wish.settled) return this.#wantedBefore.clear();
    for (const { subnet, neighbour } of peers) {
      this.#wantedBefore.add(subnet).add(neighbour.address);
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
    for (const operation of plan.operations) log.debug(operationText(operation));
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

function programmedAfter(
  desired: Desired,
  before: KernelState,
  kernel: Kernel,
  plan: Plan,
): number {
  const after = plan.operations.length === 0 ? before : kernel.dump(desired.device);
  return programmedPeers(desired, after);
}

/** The kernel is too old to move a device, or the device is of another make: it is made anew instead. */
function isMoveUnknown({ operation, code }: OperationFailure): boolean {
  return operation.kind === "link-move" && (code === "EOPNOTSUPP" || code === "EINVAL");
}
