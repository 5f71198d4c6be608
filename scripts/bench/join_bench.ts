/**
 * How fast a host joins: from the start of `dist/gossamer up` to its `subnet.env`, and to its route,
 * neighbour and FDB entry in the kernels of all others, seen by netlink monitors in their namespaces.
 *
 * Argument: how many hosts there are with the new one.
 */
import { type MonitorEvent, openMonitor } from "../../ffi/route/monitor.ts";
import type { Host } from "../../mod/lab/host.ts";
import { routeLines } from "../../mod/lab/kernel_text.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { benchLab, benchmark, momentOf, progress } from "./bench_lab.ts";
import { type Figure, spreadOf, spreadText } from "./statistics.ts";

const RUNS = 9;
const DEVICE = "flannel.1";
/** After the others have formed a cluster: their gossip has nothing left to say. */
const CALM_MS = 1500;

interface Join {
  /** Milliseconds after the start of the new agent. */
  readonly subnetFileMs: number;
  /** When its log says that it began, after the runtime and the program were loaded. */
  readonly beganMs: number;
  /** When its log says that it holds its claim. */
  readonly heldMs: number;
  readonly slowestPeerMs: number;
  readonly ownKernelMs: number;
}

/** Watches one peer's kernel until it holds the three entries of a new host. */
class PeerWatch {
  readonly complete: Promise<number>;
  readonly #seen = new Map<string, number>();
  readonly #resolve: (atMs: number) => void;
  readonly #close: () => void;

  constructor(peer: Host, newcomer: Host) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.complete = promise;
    this.#resolve = resolve;
    const monitor = peer.namespace.run(() =>
      openMonitor((events) => {
        const now = performance.now();
        for (const event of events) this.#see(event, newcomer, now);
      })
    );
    this.#close = () => monitor.close();
  }

  close(): void {
    this.#close();
  }

  #see(event: MonitorEvent, newcomer: Host, now: number): void {
    if (event.kind === "overrun" || event.kind === "link" || event.kind === "address") return;
    if (event.change !== "new") return;
    if (event.kind === "fdb" && event.entry.destination !== newcomer.address) return;
    if (event.kind === "route" && !event.route.onlink) return;
    if (event.kind === "neighbour" && event.neighbour.protocol === null) return;
    this.#seen.set(event.kind, now);
    if (this.#seen.size === 3) this.#resolve(now);
  }
}

async function measureJoin(folder: string, run: number, hosts: number): Promise<Join> {
  const lab = await benchLab(folder, `join${run}`, hosts);
  const others = lab.hosts.slice(0, -1);
  const newcomer = lab.host(hosts);
  const [seed] = others;
  if (seed === undefined) throw new Error("A join needs a host to join");
  for (const host of others) {
    host.start(...(host === seed ? [] : [`--join=${seed.address}`]));
    await host.waitForSubnet();
  }
  await momentOf(() => others.every((host) => routes(host) === others.length - 1));
  await sleep(CALM_MS);
  const watches = others.map((peer) => new PeerWatch(peer, newcomer));
  const agent = newcomer.start(`--join=${seed.address}`);
  const started = agent.startedAtMs;
  const [subnetFile, ownKernel, ...peers] = await Promise.all([
    momentOf(() => newcomer.subnetText() !== null),
    momentOf(() => routes(newcomer) === others.length),
    ...watches.map((watch) => watch.complete),
  ]);
  for (const watch of watches) watch.close();
  await lab.close();
  const logged = (holds: (line: LogLine) => boolean) => logTimeMs(agent.stderr, holds) - started;
  return {
    beganMs: logged(({ message }) => message === "gossamer starts"),
    heldMs: logged(({ message, state }) => message === "claim" && state === "held"),
    subnetFileMs: subnetFile - started,
    ownKernelMs: ownKernel - started,
    slowestPeerMs: Math.max(...peers) - started,
  };
}

/** The part of a JSON log line that is looked at. */
interface LogLine {
  readonly time: string;
  readonly message: string;
  readonly state?: string;
}

/** Time of the first such line on the clock of performance.now(); the log's resolution is 1 ms. */
function logTimeMs(log: string, holds: (line: LogLine) => boolean): number {
  for (const text of log.split("\n")) {
    if (!text.startsWith("{")) continue;
    const line: LogLine = JSON.parse(text);
    if (holds(line)) return Date.parse(line.time) - performance.timeOrigin;
  }
  return NaN;
}

function routes(host: Host): number {
  return routeLines(host.namespace, DEVICE).length;
}

await benchmark(async (folder): Promise<Figure[]> => {
  const hosts = Number(Deno.args[0]);
  const joins: Join[] = [];
  for (let run = 1; run <= RUNS; run++) {
    const join = await measureJoin(folder, run, hosts);
    joins.push(join);
    progress(
      `join of host ${hosts}, run ${run}: subnet.env ${join.subnetFileMs.toFixed(1)} ms, ` +
        `all others ${join.slowestPeerMs.toFixed(1)} ms`,
    );
  }
  const few = hosts <= 5;
  const text = (pick: (join: Join) => number) => spreadText(spreadOf(joins.map(pick)));
  return [
    {
      name: `${hosts} hosts: start to subnet.env, ms`,
      measured: text((join) => join.subnetFileMs),
      aim: few ? "<= 100, better < 43" : "< 56",
      rivals: few ? "flannel + etcd 43.3" : "flannel + etcd 55.7",
    },
    {
      name: `${hosts} hosts: - of it until the program runs`,
      measured: text((join) => join.beganMs),
      aim: "-",
      rivals: "-",
    },
    {
      name: `${hosts} hosts: - of it from there until the claim is held`,
      measured: text((join) => join.heldMs - join.beganMs),
      aim: "-",
      rivals: "-",
    },
    {
      name: `${hosts} hosts: start to routes, neighbours, FDB on all others, ms`,
      measured: text((join) => join.slowestPeerMs),
      aim: "-",
      rivals: few ? "flannel + etcd 26.2" : "flannel + etcd 38.9",
    },
    {
      name: `${hosts} hosts: claim held to all others programmed, ms`,
      measured: text((join) => join.slowestPeerMs - join.heldMs),
      aim: "a few",
      rivals: few ? "flannel 1.5 after its lease" : "flannel 6.6 after its lease",
    },
  ];
});
