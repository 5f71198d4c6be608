/**
 * The agents of one contestant, one on each lab host, and what each has said of the others, all timed by
 * this one process: the moment at which a line was read.
 */
import type { Lab } from "../../../mod/lab/lab.ts";
import { sleep } from "../../../mod/lab/ping.ts";
import { machinePid } from "../../../mod/lab/process_table.ts";
import type { Contestant, Place, Sighting } from "./contestant.ts";

/** Between two looks at what was read; the times come from the lines, not from here. */
const POLL_MS = 10;

/** One line about a member; times are of performance.now(). */
export interface Remark extends Sighting {
  readonly observer: string;
  readonly atMs: number;
}

export class Agent {
  readonly place: Place;
  readonly startedAtMs: number;
  /** When it said its first word; NaN until then. */
  firstWordAtMs = NaN;
  /** Members that it holds for alive; itself is never among them. */
  readonly alive = new Set<string>();
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<unknown>;
  #machinePid: number | null = null;

  constructor(
    lab: Lab,
    index: number,
    place: Place,
    command: readonly string[],
    hear: (line: string, atMs: number) => void,
  ) {
    this.place = place;
    this.startedAtMs = performance.now();
    this.#child = lab.host(index + 1).namespace.spawn(command, {
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    });
    const heard = (line: string, atMs: number) => {
      if (Number.isNaN(this.firstWordAtMs)) this.firstWordAtMs = atMs;
      hear(line, atMs);
    };
    this.#ended = Promise.all([
      this.#child.status,
      eachLine(this.#child.stdout, heard),
      eachLine(this.#child.stderr, heard),
    ]);
  }

  /** Its number in /proc. */
  get machinePid(): number {
    this.#machinePid ??= machinePid(this.#child.pid);
    if (this.#machinePid === null) throw new Error(`${this.place.name} is not in /proc`);
    return this.#machinePid;
  }

  /** `kill -9`; settles when the process is gone and everything it said was read. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

export class Cluster {
  readonly contestant: Contestant;
  readonly remarks: Remark[] = [];
  readonly #lab: Lab;
  readonly #folder: string;
  readonly #agents = new Map<string, Agent>();

  /** @param folder an existing one, for this cluster alone */
  constructor(contestant: Contestant, lab: Lab, folder: string) {
    this.contestant = contestant;
    this.#lab = lab;
    this.#folder = folder;
  }

  get agents(): Agent[] {
    return [...this.#agents.values()];
  }

  agent(name: string): Agent {
    const agent = this.#agents.get(name);
    if (agent === undefined) throw new Error(`${this.contestant.name} does not run on ${name}`);
    return agent;
  }

  /** Starts the agent on the n-th host, from 0; all but the first join through the first host. */
  start(index: number): Agent {
    const { name, address } = this.#lab.host(index + 1);
    const place = { name, address, folder: `${this.#folder}/${name}` };
    Deno.mkdirSync(place.folder, { recursive: true });
    const seed = index === 0 ? null : this.#lab.host(1).address;
    const command = this.contestant.command(place, seed);
    const agent: Agent = new Agent(this.#lab, index, place, command, (line, atMs) => {
      const sighting = this.contestant.read(line);
      if (sighting !== null && sighting.name !== name) this.#remark(agent, sighting, atMs);
    });
    this.#agents.set(name, agent);
    return agent;
  }

  async kill(name: string): Promise<void> {
    const agent = this.agent(name);
    this.#agents.delete(name);
    await agent.kill();
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#agents.keys()].map((name) => this.kill(name)));
  }

  /** Whether every agent holds every other for alive. */
  isWhole(): boolean {
    const names = [...this.#agents.keys()];
    return this.agents.every((agent) =>
      names.every((name) => name === agent.place.name || agent.alive.has(name))
    );
  }

  /** Others that hold `name` for alive. */
  friendsOf(name: string): string[] {
    return this.agents.filter(({ alive }) => alive.has(name)).map(({ place }) => place.name);
  }

  /** Times of each observer's last such remark about `name` since then. */
  lastRemarks(kind: Sighting["kind"], name: string, sinceMs: number): Map<string, number> {
    const times = new Map<string, number>();
    for (const remark of this.remarks) {
      if (remark.kind !== kind || remark.name !== name || remark.atMs < sinceMs) continue;
      times.set(remark.observer, remark.atMs);
    }
    return times;
  }

  #remark(agent: Agent, { kind, name }: Sighting, atMs: number): void {
    this.remarks.push({ kind, name, observer: agent.place.name, atMs });
    if (kind === "alive") agent.alive.add(name);
    else agent.alive.delete(name);
  }
}

/** Waits; says whether it held in time. */
export async function waitFor(holds: () => boolean, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function eachLine(
  stream: ReadableStream<Uint8Array>,
  hear: (line: string, atMs: number) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const atMs = performance.now();
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) hear(line, atMs);
  }
}
