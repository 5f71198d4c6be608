/**
 * A host of the lab: a namespace with an address on the underlay, a state of its own on disk, and the
 * agent under test.
 *
 * The agent is always the real program, started as a process; the lab never calls into its modules.
 */
import { addressDump } from "../../ffi/route/address.ts";
import { linkDelete, linkGet } from "../../ffi/route/link.ts";
import { AgentProcess } from "./agent_process.ts";
import { Container, CONTAINER_BRIDGE } from "./container.ts";
import { type CommandResult, Namespace } from "./namespace.ts";
import { ping, type PingOptions, type PingOutcome, sleep } from "./ping.ts";
import { parseSubnetFile, type SubnetFile } from "./subnet_file.ts";
import type { Port, Underlay } from "./underlay.ts";

/** A generous bound for anything that normally takes well under a second, on a busy machine. */
export const PATIENCE_MS = 15_000;

/** An agent that has no socket by then has none. */
const CONTROL_MS_MAX = 2_000;

/** Between two looks at something outside, such as a file. */
const POLL_MS = 2;

export class Host {
  readonly name: string;
  readonly number: number;
  /** Underlay address; whoever gives the host another one says so here. */
  address: string;
  readonly namespace: Namespace;
  readonly directory: string;
  /** Whoever gives the host another network card says so here. */
  port: Port;
  readonly containers: Container[] = [];
  /** The program under test and its fixed arguments. */
  command: readonly string[];
  readonly #underlay: Underlay;
  readonly #earlier: AgentProcess[] = [];
  #agent: AgentProcess | null = null;

  constructor(
    underlay: Underlay,
    number: number,
    options: { readonly command: readonly string[]; readonly directory: string },
  ) {
    this.number = number;
    this.name = `h${number}`;
    this.directory = `${options.directory}/${this.name}`;
    this.namespace = new Namespace(this.name);
    this.port = underlay.plug(this.namespace, number);
    this.address = this.port.address;
    this.#underlay = underlay;
    this.command = options.command;
    for (const folder of ["state", "run"]) {
      Deno.mkdirSync(`${this.directory}/${folder}`, { recursive: true });
    }
  }

  get stateDir(): string {
    return `${this.directory}/state`;
  }

  get runDir(): string {
    return `${this.directory}/run`;
  }

  get subnetFile(): string {
    return `${this.directory}/subnet.env`;
  }

  /** Variables that whatever is started from now on has besides. */
  variables: Readonly<Record<string, string>> = {};

  /** What makes every gossamer command inside talk to this host's agent. */
  get environment(): Record<string, string> {
    return { GOSSAMER_RUN_DIR: this.runDir, NO_COLOR: "1", ...this.variables };
  }

  /** The agent started last, running or not. */
  get agent(): AgentProcess {
    if (this.#agent === null) throw new Error(`No agent was started on ${this.name} yet`);
    return this.#agent;
  }

  get running(): boolean {
    return this.#agent !== null && this.#agent.ended === null;
  }

  /** Starts `gossamer up` with this host's own folders and the given further flags. */
  start(...flags: readonly string[]): AgentProcess {
    if (this.running) throw new Error(`The agent of ${this.name} runs already`);
    if (this.#agent !== null) this.#earlier.push(this.#agent);
    const own = [
      `--name=${this.name}`,
      `--state-dir=${this.stateDir}`,
      `--run-dir=${this.runDir}`,
      `--subnet-file=${this.subnetFile}`,
    ];
    this.#agent = new AgentProcess(
      this.namespace,
      [...this.command, "up", ...own, ...flags],
      this.environment,
    );
    return this.#agent;
  }

  /** Asks the agent to end, as systemd would, and waits for it. */
  async stop(signal: "SIGTERM" | "SIGINT" = "SIGTERM"): Promise<Deno.CommandStatus> {
    this.agent.signal(signal);
    return await this.agent.wait();
  }

  /** `kill -9`: the agent gets no chance to say or save anything. */
  async kill(): Promise<void> {
    this.agent.signal("SIGKILL");
    await this.agent.wait();
  }

  /** Runs a gossamer command on this host to its end; where the agent runs, once it can be asked. */
  async gossamer(...args: readonly string[]): Promise<CommandResult> {
    await this.#control();
    return await this.namespace.output([...this.command, ...args], { env: this.environment });
  }

  /** The agent may be asked a few milliseconds after it wrote `subnet.env`; on a busy machine a few more. */
  async #control(): Promise<void> {
    const deadline = performance.now() + CONTROL_MS_MAX;
    while (this.running && performance.now() < deadline) {
      if (exists(`${this.runDir}/gossamer.sock`)) return;
      await sleep(POLL_MS);
    }
  }

  /** `gossamer status --json`, taken apart; null while the agent cannot be asked. */
  async status(): Promise<StatusView | null> {
    const { stdout } = await this.gossamer("status", "--json");
    return stdout.trim() === "" ? null : JSON.parse(stdout);
  }

  /** The file's bytes as text, or null while there is none. */
  subnetText(): string | null {
    try {
      return Deno.readTextFileSync(this.subnetFile);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Waits until the agent has written `subnet.env`; throws if it does not. */
  async waitForSubnet(withinMs = PATIENCE_MS): Promise<SubnetFile> {
    const deadline = performance.now() + withinMs;
    while (true) {
      const text = this.subnetText();
      if (text !== null) return parseSubnetFile(text);
      if (!this.running) throw new Error(`The agent of ${this.name} ended before it had a subnet`);
      if (performance.now() > deadline) {
        throw new Error(`The agent of ${this.name} has no subnet after ${withinMs} ms`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Adds a container with the next free address of this host's subnet, and waits until it is reachable. */
  async addContainer(): Promise<Container> {
    const text = this.subnetText();
    if (text === null) throw new Error(`${this.name} has no subnet for a container`);
    const container = new Container(
      this.namespace,
      parseSubnetFile(text),
      this.containers.length + 1,
    );
    this.containers.push(container);
    await container.ready();
    return container;
  }

  /** Pings from the host itself. */
  ping(destination: string, options: PingOptions = {}): Promise<PingOutcome> {
    return ping(this.namespace, destination, options);
  }

  /** Addresses of a device, such as `["10.244.7.0/32"]`, of one family; link-local ones of IPv6 left out. */
  deviceAddresses(device: string, family: 4 | 6 = 4): string[] {
    const link = linkGet(this.namespace.netlink, device);
    if (link === null) return [];
    return addressDump(this.namespace.netlink, { index: link.index, family })
      .filter(({ address }) => !address.startsWith("fe80:"))
      .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
  }

  /** MTU of a device in bytes; null when there is no such device. */
  deviceMtu(device: string): number | null {
    return linkGet(this.namespace.netlink, device)?.mtu ?? null;
  }

  /** Cuts this host off the underlay, as a pulled cable would; `true` mends it. */
  setCable(connected: boolean): void {
    this.#underlay.setCable(this.port, connected);
  }

  /** What the agent has written, start by start; empty if none was started. */
  log(): string {
    const agents = [...this.#earlier, ...(this.#agent === null ? [] : [this.#agent])];
    return agents.flatMap((agent, index) => {
      const ended = agent.ended;
      const state = ended === null ? "running" : `ended with ${ended.signal ?? ended.code}`;
      const output = (agent.stderr + agent.stdout).trimEnd();
      return [`--- ${this.name}, start ${index + 1}, ${state} ---`, output || "(no output)"];
    }).join("\n");
  }

  /** Ends the agent at once and takes the host's namespaces away. */
  async close(): Promise<void> {
    if (this.running) await this.kill();
    for (const container of this.containers) container.close();
    if (linkGet(this.namespace.netlink, CONTAINER_BRIDGE) !== null) {
      linkDelete(this.namespace.netlink, this.namespace.deviceIndex(CONTAINER_BRIDGE));
    }
    this.namespace.close();
  }
}

/** The part of `status --json`, schema 1, that the lab and its tests rely on. */
export interface StatusView {
  schema: number;
  ready: boolean;
  host: { id: string; name: string; address: string; gossipPort: number; incarnation: number };
  cluster: {
    network: string;
    backend: string;
    alive: number;
    suspect: number;
    dead: number;
    left: number;
    seeds: { seed: string; state: string }[];
  };
  claim: {
    state: string;
    stage: string;
    subnet: string | null;
    strength: number | null;
    since: string | null;
    conflicts: number;
    renumberings: number;
    lastConflict: { subnet: string; won: boolean; why: string } | null;
    history: { kind: string; at: string }[];
  };
  overlay: {
    device: string;
    mac: string | null;
    mtu: number;
    inSync: boolean;
    peersWanted: number;
    peersProgrammed: number;
    peersDirect: number;
    repairs: number;
    lastError: string | null;
    /** With dual stack. */
    ipv6?: { peersProgrammed: number } | null;
    /** With `--backend udp`. */
    udp?: { port: number; running: boolean; restarts: number; drops: Record<string, number> };
  };
  firewall: {
    inSync: boolean;
    masquerade: boolean;
    guard: boolean;
    members: number;
    strangers: number;
    repairs: number;
  } | null;
  members: {
    id: string;
    name: string;
    address: string;
    status: string;
    subnet: string | null;
    claim: string;
    mac: string | null;
    backend: string | null;
    path: "vxlan" | "direct" | "udp" | null;
    kernel: "answers" | "checking" | "silent" | null;
    overlay?: { state: "answers" | "silent" | "unknown"; rttMs: number | null } | null;
    /** With `--backend udp`. */
    traffic?: {
      sentPackets: number;
      sentBytes: number;
      receivedPackets: number;
      receivedBytes: number;
    };
  }[];
  problems: { code: string; severity: string; text: string; remedy: string }[];
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
