/**
 * The agent: joins the pure cores to this host. Packets and timers go in, actions come out, the kernel is kept as the
 * claims want it, subnet.env is written when containers may start.
 */
import { poolFamily } from "../address/pool.ts";
import type { PersistedDocument } from "../base/core.ts";
import { ExitCode, UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { Random } from "../base/random.ts";
import { GOSSIP_PORT_DEFAULT } from "../base/limits.ts";
import { VERSION } from "../base/version.ts";
import {
  type HostCommand,
  HostCore,
  type HostEvent,
  type HostSnapshot,
} from "../claim/host_core.ts";
import { openFirewall } from "../host/firewall.ts";
import type { DeviceLock } from "../host/device_lock.ts";
import { hostSettings } from "../host/host_settings.ts";
import type { HostKernel } from "../host/kernel.ts";
import { resolveSeed } from "../host/resolve.ts";
import type { Store } from "../host/store.ts";
import { setStarting, startTimer } from "../host/timer.ts";
import type { Transport } from "../host/transport.ts";
import type { ForgetAnswer, JoinAnswer, LeaveAnswer } from "./api.ts";
import { AgentPool } from "./agent_pool.ts";
import { AgentSignals } from "./agent_signals.ts";
import { AgentKeys } from "./agent_keys.ts";
import { AgentPings } from "./agent_pings.ts";
import { type AgentParts, randomSeed } from "./agent_parts.ts";
import { AliveMark } from "./alive_mark.ts";
import { applyReload } from "./apply_reload.ts";
import { COMPANIONS } from "./companion_list.ts";
import { Companions, type Inside } from "./companions.ts";
import type { AgentConfig } from "./config.ts";
import { ControlServer, type ControlTarget } from "./control.ts";
import { DataPath } from "./data_path.ts";
import { Driver } from "./driver.ts";
import { openLog } from "./event_log.ts";
import { containerDevices } from "../overlay/foreign_drops.ts";
import { firewallConfig } from "./firewall_wish.ts";
import { giveUpIdentity } from "./another_identity.ts";
import type { Identity } from "./identity.ts";
import { forgetTarget } from "./forget.ts";
import { placeOf } from "./options.ts";
import { refuseOtherFamily } from "./request_body.ts";
import { Reloader, type Reread } from "./reloader.ts";
import type { ReloadPlan } from "./reload_plan.ts";
import type { UnderlayKeeper } from "./underlay_keeper.ts";
import { AgentView } from "./view.ts";

/**
 * The control socket takes 4 ms to open, so it waits for the subnet; but somebody may ask why there is none, so not for
 * longer than nobody notices.
 */
const CONTROL_WAIT_MS_MAX = 50;
/** A stop waits this long for the announcement to leave; the overlay does not depend on it. */
const LEAVE_MS_MAX = 1_500;

/** How an agent ends: with the process, or to begin anew under the identity that its state directory has now. */
export type End = ExitCode | "another-identity";

export class Agent {
  #config: AgentConfig;
  readonly #log: Log;
  readonly #kernel: HostKernel;
  readonly #lock: DeviceLock;
  readonly #store: Store;
  readonly #transport: Transport;
  readonly #driver: Driver<HostCommand, HostEvent, HostSnapshot>;
  readonly #dataPath: DataPath;
  readonly #underlay: UnderlayKeeper;
  readonly #mac: string;
  readonly #view: AgentView;
  readonly #keys: AgentKeys;
  readonly #pings: AgentPings;
  readonly #pool: AgentPool;
  #control: Promise<ControlServer> | null = null;
  #cancelControl: () => void = () => {};
  #isStopping = false;
  #isFinishing = false;
  #claimsChanged = false;
  #poolChanged = false;
  readonly #left = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<End>();
  readonly #identity: Identity;
  readonly #aliveMark: AliveMark;
  readonly #companions: Companions;
  readonly #reloader: Reloader;
  readonly #signals = new AgentSignals({
    stop: (signal) => void this.#stop(signal),
    reload: () => void this.#reload(),
  });
  #inside: Inside | null = null;

  constructor(config: AgentConfig, reread: Reread, parts: AgentParts) {
    const { options } = parts;
    this.#config = config;
    this.#log = openLog(config);
    this.#companions = new Companions(this.#log);
    this.#kernel = parts.kernel;
    this.#lock = parts.lock;
    this.#store = parts.store;
    this.#identity = parts.identity;
    this.#aliveMark = new AliveMark(() => parts.store.touch("claim"));
    this.#transport = parts.transport;
    this.#mac = options.claim.vtep.mac;
    this.#underlay = parts.underlay;
    this.#driver = new Driver(new HostCore(options, new Random(randomSeed())), {
      nowMs: () => performance.now(),
      send: (to, bytes) => this.#transport.send(to, bytes),
      request: (id, to, bytes, timeoutMs) => this.#transport.request(id, to, bytes, timeoutMs),
      answer: (id, bytes) => this.#transport.answer(id, bytes),
      resolve: (seed) => resolveSeed(seed, GOSSIP_PORT_DEFAULT, poolFamily(config.pool)),
      persist: (document, bytes) => this.#persist(document, bytes),
      event: (event) => this.#event(event),
      fault: (input, error) => this.#view.fault(input, error),
      settled: () => this.#settled(),
    });
    const core = {
      snapshot: () => this.#driver.snapshot(),
      command: (command: HostCommand) => this.#driver.feed({ kind: "command", command }),
    };
    this.#pool = new AgentPool({
      base: config.pool,
      log: this.#log,
      ...core,
      overlap: (network) => this.#underlay.overlapWith(network),
    });
    this.#keys = new AgentKeys({ keyFile: config.keyFile, ...core });
    this.#pings = new AgentPings(core);
    this.#dataPath = this.#openDataPath();
    this.#reloader = new Reloader({
      hasUnreadKeys: () => this.#keys.hasUnread(),
      log: this.#log,
      running: () => this.#config,
      reread,
      apply: (plan) => this.#apply(plan),
    });
    this.#view = new AgentView({
      config: () => this.#config,
      log: this.#log,
      store: parts.store,
      identity: parts.identity,
      identitiesLost: parts.identitiesLost,
      snapshot: () => this.#driver.snapshot(),
      overlay: () => this.#dataPath.status(),
      overlayHealth: () => this.#companions.overlayHealth(),
      otherProblems: () =>
        [this.#underlay, this.#pool, this.#reloader, this.#companions]
          .flatMap((part) => part.problems()),
    });
  }

  #openDataPath(): DataPath {
    const config = this.#config;
    return new DataPath({
      overlay: this.#underlay.overlay(this.#mac),
      subnetFile: config.subnetFile,
      onRenumber: config.onRenumber,
      followsMtu: config.followsMtu,
      kernel: this.#kernel,
      firewall: { config: firewallConfig(config), open: openFirewall },
      settings: { host: hostSettings, txChecksum: config.txChecksum },
      containerDevices: (subnet) =>
        containerDevices(this.#kernel.hostNetwork(true).devices, subnet),
      log: this.#log,
      snapshot: () => this.#driver.snapshot(),
      isUnderlayThere: () => this.#underlay.isThere(),
      hookEnded: (old, now, isDone) => this.#view.history.hookEnded(old, now, isDone),
    });
  }

  /** What it runs with at this moment. */
  get config(): AgentConfig {
    return this.#config;
  }

  /** Runs until it is told to stop. */
  async run(): Promise<End> {
    const { device, address } = this.#underlay.present;
    this.#log.info("gossamer starts", {
      version: VERSION,
      name: this.#config.name,
      device,
      address,
      seeds: this.#config.join.join(",") || "none",
    });
    for (const notice of this.#identity.notices) this.#log.error(notice);
    this.#transport.start({
      packet: (from, bytes) => this.#driver.feed({ kind: "packet", from, bytes }),
      request: (id, from, bytes) => this.#driver.feed({ kind: "request", id, from, bytes }),
      answer: (id, bytes) => this.#driver.feed({ kind: "answer", id, bytes }),
      failed: (id, reason) => this.#driver.feed({ kind: "failed", id, reason }),
    });
    this.#driver.feed({ kind: "wake" });
    // While the first answers are on their way:
    this.#dataPath.start();
    this.#cancelControl = startTimer(() => this.#openControl(), CONTROL_WAIT_MS_MAX);
    this.#signals.listen();
    return await this.#finished.promise;
  }

  /** The race to the subnet is over, or has become a wait: what was put off is loaded now. */
  #openControl(): void {
    this.#cancelControl();
    if (this.#control !== null) return;
    setStarting(false);
    this.#aliveMark.start();
    this.#underlay.start(this.#log, () => this.#moved());
    const target: ControlTarget = {
      status: () => this.#view.status(),
      subnets: () => this.#view.subnets(),
      why: (what) => this.#view.why(what),
      metrics: () => this.#view.metrics(),
      events: this.#view.events,
      plan: () => this.#dataPath.plan(),
      join: (seeds) => this.#join(seeds),
      leave: (release) => this.#leave(release),
      keys: () => this.#keys.list(),
      forget: (host, force) => this.#forget(host, force),
      ping: (host) => this.#pings.ask(host),
      changeKeys: (change, force) => this.#keys.change(change, force),
      pool: () => this.#pool.list(),
      changePool: (change) => this.#pool.change(change),
    };
    this.#control = ControlServer.open(this.#config.runDir, target);
    this.#control.catch((error) => this.#finished.reject(error));
    const snapshot = () => this.#driver.snapshot();
    const overlay = () => this.#dataPath.status();
    const problems = () => this.#view.problems();
    const config = () => this.#config;
    this.#inside = { config, log: this.#log, snapshot, overlay, problems, target };
    void this.#companions.open(this.#inside, COMPANIONS);
  }

  #event(event: HostEvent): void {
    this.#view.note(event);
    this.#companions.event(event);
    if (
      event.kind === "owners-changed" || event.kind === "claim-changed" ||
      event.kind === "pool-changed"
    ) {
      this.#claimsChanged = true;
      // What is ours in the kernel is told by the pool's networks, and what is a container's.
      if (event.kind === "pool-changed") this.#underlay.followPool(event.pool);
      this.#poolChanged ||= event.kind === "pool-changed";
    } else if (event.kind.startsWith("member-")) {
      this.#dataPath.membersChanged();
    } else if (event.kind === "renumbered") {
      this.#dataPath.renumbered(event.old, event.new);
    } else if (event.kind === "identity-lost") {
      queueMicrotask(() => this.#loseIdentity(event)); // the step under way comes first
    } else if (event.kind === "left") this.#left.resolve();
    else if (event.kind === "keys-done") this.#keys.done(event.request, event.outcome);
    else if (event.kind === "pinged") this.#pings.done(event.request, event.outcome);
  }

  /** Another host is this one as well: what is in the kernel is its, and this one begins anew. */
  #loseIdentity(other: { readonly id: string; readonly endpoint: string }): void {
    if (this.#isFinishing) return;
    this.#driver.stop();
    this.#dataPath.takeDown();
    try {
      giveUpIdentity(this.#store, other, this.#identity.machine);
      void this.#finish("another-identity");
    } catch (error) {
      this.#finished.reject(error);
    }
  }

  /** The underlay is another one, or back: the kernel first, then everybody is told. */
  #moved(): void {
    this.#dataPath.move(this.#underlay.overlay(this.#mac));
    const { endpoint, vtep } = placeOf(this.#config, this.#underlay.present, this.#mac);
    this.#driver.feed({ kind: "command", command: { kind: "move", endpoint } });
    this.#driver.feed({ kind: "command", command: { kind: "set-vtep", vtep } });
  }

  /** After each batch of inputs: the kernel follows at once, in the same turn of the event loop. */
  #settled(): void {
    this.#companions.settled();
    if (!this.#claimsChanged) return;
    this.#claimsChanged = false;
    if (this.#poolChanged) this.#dataPath.move(this.#underlay.overlay(this.#mac));
    else this.#dataPath.follow();
    this.#poolChanged = false;
    if (this.#control !== null || !this.#dataPath.status().subnetFileWritten) return;
    // Not in this turn: packets have come in meanwhile.
    this.#cancelControl();
    this.#cancelControl = startTimer(() => this.#openControl(), 0);
  }

  /** Gossip keys live where the operator keeps them, everything else in the state directory. */
  #persist(document: PersistedDocument, bytes: Uint8Array): void {
    if (document === "keys") this.#keys.persist(bytes);
    else this.#store.write(document, bytes);
  }

  /** Throws UserError when no host of this cluster can be reached there. */
  #join(seeds: readonly string[]): JoinAnswer {
    refuseOtherFamily(seeds, this.#config.pool);
    this.#driver.feed({ kind: "command", command: { kind: "join", seeds: [...seeds] } });
    return { seeds: [...seeds] };
  }

  /** Throws UserError when it is not clear whom to forget, or not right. */
  #forget(host: string, force: boolean): ForgetAnswer {
    const { swim, claim } = this.#driver.snapshot();
    const answer = forgetTarget({ ...swim, claims: claim.records }, host, force);
    const { id, name } = answer;
    this.#log.info("a host is forgotten", { id, name, status: answer.status });
    this.#driver.feed({ kind: "command", command: { kind: "forget", id, force } });
    return answer;
  }

  /**
   * Announces leaving; with `release` the subnet goes back to the pool and the overlay leaves this host. Throws UserError,
   * and stays, when the release could not be written down.
   */
  async #leave(release: boolean): Promise<LeaveAnswer> {
    const { subnet } = this.#driver.snapshot().claim;
    this.#driver.feed({ kind: "command", command: { kind: "leave", release } });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LEAVE_MS_MAX);
    });
    await Promise.race([this.#left.promise, late]);
    clearTimeout(timer);
    const isKept = release && subnet !== null && this.#driver.snapshot().claim.state !== "released";
    if (!isKept && release) await this.#dataPath.quiet().then(() => this.#dataPath.followNow());
    queueMicrotask(() => void this.#finish(isKept ? ExitCode.failed : ExitCode.done));
    if (!isKept) return { released: release ? subnet : null };
    throw new UserError(
      `this host left, but ${subnet} is not released: the state directory ${this.#config.stateDir} cannot be written`,
      { remedy: "make room there or repair it, start the agent again and repeat leave --release" },
    );
  }

  async #reload(): Promise<void> {
    if (this.#isStopping) return;
    this.#companions.reloading();
    await this.#reloader.reload();
    this.#companions.reloaded();
  }

  /** Throws UserError, before anything is changed, when this host does not allow it. */
  async #apply(plan: ReloadPlan): Promise<void> {
    applyReload(this.#config, plan, {
      mac: this.#mac,
      log: this.#log,
      underlay: this.#underlay,
      dataPath: this.#dataPath,
      command: (command) => this.#driver.feed({ kind: "command", command }),
    });
    this.#config = plan.config;
    if (this.#inside !== null) {
      await this.#companions.reopen(this.#inside, COMPANIONS, plan.changed);
    }
  }

  async #stop(signal: string): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const isCarrier = this.#config.backend === "udp";
    if (isCarrier) this.#log.info("stopping; no packets until the next agent", { signal });
    else this.#log.info("stopping; the overlay stays up", { signal });
    await this.#leave(false);
  }

  async #finish(end: End): Promise<void> {
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    this.#signals.close();
    this.#aliveMark.stop();
    await this.#companions.close();
    this.#driver.stop();
    this.#dataPath.stop();
    this.#view.history.close();
    this.#underlay.stop();
    this.#cancelControl();
    await (await this.#control)?.close();
    await this.#transport.close();
    this.#kernel.close();
    this.#store.close();
    this.#lock.release();
    this.#finished.resolve(end);
  }
}
