/**
 * Keeps our tables of nf_tables as wanted: desired table, dump, diff, one transaction. Runs when claims change, at once when
 * somebody else changed our table, and on a slow timer. It also looks whether others drop what the overlay forwards.
 */
import { reasonOf } from "../base/errors.ts";
import type {
  AddressFamily,
  Firewall,
  FirewallState,
  FirewallTable,
} from "../base/firewall_objects.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import { foreignTableProblem, nftablesProblem, strangersProblem } from "./firewall_problems.ts";
import { DroppedStrangers } from "./dropped_strangers.ts";
import {
  desiredFirewall,
  type FirewallConfig,
  type FirewallFacts,
  firewallTableName,
  GUARD_CHAIN,
} from "../overlay/firewall.ts";
import { diffFirewall, diffNoFirewall } from "../overlay/firewall_diff.ts";
import { addressFamilyOf } from "../overlay/firewall_elements.ts";
import { firewallOperationText } from "../overlay/firewall_text.ts";
import { foreignDropProblems } from "../overlay/foreign_drops.ts";

/** How often the rules are compared although nobody said that they changed. */
const AUDIT_INTERVAL_MS = 30_000;
/** The same before every claim had time to arrive: then time alone changes what is wanted. */
const UNSETTLED_AUDIT_INTERVAL_MS = 10_000;
/** How soon after a refusal the kernel is asked again. */
const RETRY_MS = 1_000;
/**
 * Others' rules are looked at so long after they changed: kube-proxy writes thousands several times a second, and nobody reads
 * of the problem sooner.
 */
const FOREIGN_LOOK_MS = 2_000;
/**
 * A table of ours that changed is compared so long after the last comparison, at the soonest: whoever undoes each of our
 * repairs takes no more than a few percent of the processor with it.
 */
const REPAIR_PAUSE_MS = 100;
/** Comparing takes at most a third of the time, however many members come at once. */
const PAUSE_FACTOR = 2;
/** How often in a row a table that changes under our hands is compared at once. */
const ATTEMPTS_MAX = 3;
const FAMILIES: readonly AddressFamily[] = ["ip", "ip6"];

/** What the claims want of the packet filter at this moment. */
export type FirewallWish =
  | {
    readonly want: "up";
    /** One for each family of the overlay. */
    readonly facts: readonly FirewallFacts[];
    /** Whether every claim of the cluster had time to arrive: only then members that are not known go. */
    readonly settled: boolean;
  }
  | { readonly want: "down" }
  /** Not decided yet: what is there stays. */
  | { readonly want: "unchanged" };

export interface FirewallStatus {
  readonly inSync: boolean;
  readonly masquerade: boolean;
  readonly guard: boolean;
  /** Addresses that may send VXLAN packets. */
  readonly members: number;
  /** VXLAN packets from others since the table was made. */
  readonly strangers: number;
  readonly repairs: number;
  readonly lastError: string | null;
  readonly problems: readonly Problem[];
}

export interface FirewallPorts {
  /** Throws where the kernel has no nf_tables. */
  open(): Firewall;
  readonly log: Log;
  nowMs(): number;
  /** See host/timer.ts. */
  startTimer(callback: () => void, delayMs: number): () => void;
  wish(): FirewallWish;
  /** The device through which packets from other hosts arrive. */
  overlayDevice(family: AddressFamily): string;
  /** Devices with an address of that subnet. */
  containerDevices?(subnet: string): readonly string[];
}

export class FirewallKeeper {
  #config: FirewallConfig;
  readonly #ports: FirewallPorts;
  #firewall: Firewall | null = null;
  #stopWatching: () => void = () => {};
  #cancelTimer: () => void = () => {};
  #timerAtMs = Infinity;
  #stopped = false;
  /** Families of which a table of ours may be there: at first any. */
  #families: readonly AddressFamily[] = FAMILIES;
  #wasUp = false;
  /** Tables at the last clean pass, as text: a plan against unchanged ones is a repair. */
  #cleanFor: string | null = null;
  #foreignLookAtMs = -Infinity;
  #lastLookMs = -Infinity;
  #earliestMs = -Infinity;
  #inSync = false;
  #subnets: readonly string[] = [];
  #members = 0;
  readonly #strangers = new DroppedStrangers();
  /** What was wanted at the last comparison, done or not. */
  #wanted: string | null = null;
  #repairs = 0;
  #lastError: string | null = null;
  #problems: readonly Problem[] = [];
  #forwardProblems: readonly Problem[] = [];

  constructor(config: FirewallConfig, ports: FirewallPorts) {
    this.#config = config;
    this.#ports = ports;
  }

  /** Whether what containers of this subnet send elsewhere is masqueraded, or nobody asked for it. */
  isReadyFor(subnet: string): boolean {
    return !this.#config.masquerade || (this.#inSync && this.#subnets.includes(subnet));
  }

  /** What is wanted at this moment. */
  wanted(): { config: FirewallConfig; wish: FirewallWish } {
    const wish = this.#ports.wish();
    const isLeft = wish.want === "down" && !this.#wasUp; // see reconcileNow
    return { config: this.#config, wish: isLeft ? { want: "unchanged" } : wish };
  }

  status(): FirewallStatus {
    const { masquerade, guard } = this.#config;
    return {
      inSync: this.#inSync,
      masquerade,
      guard,
      members: this.#members,
      strangers: this.#strangers.count,
      repairs: this.#repairs,
      lastError: this.#lastError,
      problems: [...this.#problems, ...this.#forwardProblems, ...this.#strangerProblems()],
    };
  }

  /**
   * Compares now, or as soon as the pause after the last comparison is over: a new member's packets may be on their way. The
   * first time in the next turn of the event loop: containers wait for what comes before.
   */
  reconcileSoon(): void {
    if (this.#wasUp && this.#ports.nowMs() >= this.#earliestMs) this.reconcileNow();
    else this.#schedule(Math.max(this.#ports.nowMs(), this.#earliestMs));
  }

  /** Compares now; done when it returns, if the kernel lets us. */
  reconcileNow(): void {
    if (this.#stopped) return;
    const wish = this.#ports.wish();
    if (wish.want === "unchanged" || (wish.want === "down" && !this.#wasUp)) return;
    this.#wasUp = wish.want === "up";
    const startMs = this.#ports.nowMs();
    const isDone = this.#attempt(wish);
    this.#lastLookMs = this.#ports.nowMs();
    this.#earliestMs = this.#lastLookMs + PAUSE_FACTOR * (this.#lastLookMs - startMs);
    const audit = wish.want === "up" && !wish.settled
      ? UNSETTLED_AUDIT_INTERVAL_MS
      : AUDIT_INTERVAL_MS;
    this.#schedule(this.#lastLookMs + (isDone ? audit : RETRY_MS));
  }

  /** Takes what is ours out of the kernel, whatever is wanted. Nothing is kept from now on. */
  takeDown(): void {
    if (!this.#stopped) this.#attempt({ want: "down" });
    this.stop();
  }

  /** Other rules are wanted. */
  change(config: FirewallConfig): void {
    this.#config = config;
    this.#cleanFor = null;
    this.#inSync = false;
    this.reconcileSoon();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#stopWatching();
    this.#firewall?.close();
    this.#firewall = null;
  }

  #schedule(atMs: number): void {
    if (this.#stopped || atMs >= this.#timerAtMs) return;
    this.#cancelTimer();
    this.#timerAtMs = atMs;
    this.#cancelTimer = this.#ports.startTimer(() => {
      this.#timerAtMs = Infinity;
      this.reconcileNow();
    }, Math.max(0, Math.ceil(atMs - this.#ports.nowMs())));
  }

  /** Somebody else changed something. */
  #noticed(isOurs: boolean): void {
    if (isOurs) this.#schedule(this.#lastLookMs + REPAIR_PAUSE_MS);
    this.#foreignLookAtMs = Math.min(
      this.#ports.nowMs() + FOREIGN_LOOK_MS,
      this.#foreignLookAtMs === -Infinity ? Infinity : this.#foreignLookAtMs,
    );
    this.#schedule(this.#foreignLookAtMs);
  }

  /** Whether everything is as wanted now. */
  #attempt(wish: Exclude<FirewallWish, { want: "unchanged" }>): boolean {
    for (let attempt = 1;; attempt++) {
      try {
        const firewall = this.#open();
        const isDone = this.#pass(firewall, wish);
        if (wish.want === "up") this.#lookAtOthers(firewall, wish.facts);
        return isDone;
      } catch (error) {
        // The table may have changed between looking and acting: then all of the transaction was refused.
        if (attempt < ATTEMPTS_MAX && this.#firewall !== null) continue;
        this.#fail(reasonOf(error));
        return false;
      }
    }
  }

  #open(): Firewall {
    if (this.#firewall !== null) return this.#firewall;
    const firewall = this.#ports.open();
    const name = firewallTableName(this.#config.vni);
    this.#stopWatching = firewall.watch(name, (isOurs) => this.#noticed(isOurs));
    this.#firewall = firewall;
    return firewall;
  }

  #pass(firewall: Firewall, wish: Exclude<FirewallWish, { want: "unchanged" }>): boolean {
    const tables = wish.want === "up"
      ? wish.facts.map((facts) => desiredFirewall(this.#config, facts))
      : [];
    const wanted = JSON.stringify(tables);
    const problems: Problem[] = [];
    let changes = 0;
    let strangers = 0;
    for (const family of FAMILIES) {
      const table = tables.find((table) => table.family === family);
      if (table === undefined && !this.#families.includes(family)) continue;
      const name = firewallTableName(this.#config.vni);
      const before = firewall.dump(family, name);
      strangers += strangersIn(before);
      const keepsStrangers = wish.want === "up" && !wish.settled;
      const plan = table === undefined
        ? diffNoFirewall(family, name, before)
        : diffFirewall(table, before, keepsStrangers);
      if (plan.isForeign) problems.push(foreignTableProblem(family, name));
      if (plan.operations.length === 0) continue;
      for (const operation of plan.operations) {
        this.#ports.log.debug("firewall", { does: firewallOperationText(operation) });
      }
      firewall.apply(plan.operations);
      changes++;
    }
    this.#families = tables.map(({ family }) => family);
    if (changes > 0 && this.#cleanFor === wanted) this.#repaired(changes);
    this.#conclude(wish, tables, wanted, problems, strangers);
    return problems.length === 0;
  }

  #conclude(
    wish: Exclude<FirewallWish, { want: "unchanged" }>,
    tables: readonly FirewallTable[],
    wanted: string,
    problems: readonly Problem[],
    strangers: number,
  ): void {
    this.#strangers.look(this.#ports.nowMs(), strangers, this.#wanted !== wanted);
    this.#wanted = wanted;
    this.#cleanFor = wanted;
    this.#inSync = problems.length === 0;
    this.#subnets = wish.want === "up" ? wish.facts.map(({ subnet }) => subnet) : [];
    this.#members = tables.flatMap(({ sets }) => sets)
      .filter(({ hasNetworks }) => !hasNetworks)
      .reduce((sum, { elements }) => sum + elements.length, 0);
    this.#problems = problems;
    const [first] = problems;
    if (first !== undefined && first.text !== this.#lastError) {
      this.#ports.log.error(first.text, { remedy: first.remedy });
    }
    this.#lastError = first?.text ?? null;
  }

  #repaired(changes: number): void {
    this.#repairs += changes;
    this.#ports.log.warning("somebody changed gossamer's table of nftables; it is as wanted again");
  }

  /** Not at each pass: their rules may be thousands. */
  #lookAtOthers(firewall: Firewall, all: readonly FirewallFacts[]): void {
    const nowMs = this.#ports.nowMs();
    const isDue = this.#foreignLookAtMs <= nowMs;
    if (!isDue) return;
    this.#foreignLookAtMs = nowMs + AUDIT_INTERVAL_MS;
    const name = firewallTableName(this.#config.vni);
    const problems = all.flatMap((facts) => {
      const family = addressFamilyOf(facts.subnet);
      const network = facts.networks.find((network) => addressFamilyOf(network) === family);
      if (network === undefined) return [];
      return foreignDropProblems({
        forward: firewall.foreignTables("forward", family, name),
        prerouting: firewall.foreignTables("prerouting", family, name),
      }, {
        subnet: facts.subnet,
        network,
        overlayDevice: this.#ports.overlayDevice(family),
        containerDevices: () => this.#ports.containerDevices?.(facts.subnet) ?? [],
      });
    });
    for (const { text, remedy } of problems) {
      if (this.#forwardProblems.some((known) => known.text === text)) continue;
      this.#ports.log.warning(text, { remedy });
    }
    this.#forwardProblems = problems;
  }

  #fail(reason: string): void {
    this.#inSync = false;
    this.#cleanFor = null;
    const problem = nftablesProblem(reason, this.#config.masquerade);
    const { text, remedy } = problem;
    if (this.#lastError !== text) this.#ports.log.error(text, { remedy });
    this.#lastError = text;
    this.#problems = [problem];
  }

  #strangerProblems(): Problem[] {
    if (!this.#strangers.areProblem(this.#ports.nowMs())) return [];
    return [strangersProblem(this.#strangers.count, this.#config.port)];
  }
}

function strangersIn(state: FirewallState): number {
  if (state.kind !== "ours") return 0;
  return state.table.chains.filter(({ name }) => name === GUARD_CHAIN)
    .flatMap(({ rules }) => rules)
    .reduce((sum, { counted }) => sum + (counted ?? 0), 0);
}
