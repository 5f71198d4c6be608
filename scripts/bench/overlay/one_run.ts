/**
 * One run of the overlay's benchmark in a process of its own, as cold as an agent that has just started: prints a line of
 * JSON with milliseconds. Arguments: peers, and whether the batch tools go first.
 *
 * Ours is the keeper of the agent, listening to the kernel: from the claims in memory to a second look that finds
 * everything. The tools get text that lies there already, made of the same plan.
 */
import { fdbDeleteRequest } from "../../../ffi/route/fdb.ts";
import { neighbourDeleteRequest } from "../../../ffi/route/neighbour.ts";
import { routeDeleteRequest } from "../../../ffi/route/route.ts";
import { OverlayKeeper } from "../../../mod/agent/overlay_keeper.ts";
import { assert } from "../../../mod/base/assert.ts";
import { Log } from "../../../mod/base/log.ts";
import { openKernel } from "../../../mod/host/kernel.ts";
import { desiredState } from "../../../mod/overlay/desired.ts";
import { diffState } from "../../../mod/overlay/diff.ts";
import { EMPTY_STATE } from "./empty_state.ts";
import { cpuSeconds } from "../process_cost.ts";
import { claimOf, Site } from "./peers.ts";
import { BatchTools } from "./batch_tools.ts";

const DRIFT_SHARE = 0.01;
const RESYNCS = 9;

export interface RunFigures {
  readonly programMs: number;
  /** The same once more in another namespace, by code that the compiler has seen by then. */
  readonly programWarmMs: number;
  /** Longest time for which nothing else could run. */
  readonly blockedMs: number;
  readonly toolsMs: number;
  /** Processor time, all threads and the kernel: what other work on the machine does not lengthen. */
  readonly programCpuMs: number;
  readonly programWarmCpuMs: number;
  readonly toolsCpuMs: number;
  readonly repairMs: number;
  readonly toolsRepairMs: number;
  readonly resyncMs: readonly number[];
}

const [peersText = "", order = ""] = Deno.args;
const peers = Number(peersText);
const owners = Array.from({ length: peers + 1 }, (_, index) => claimOf(index + 1));
const [own] = owners;
assert(own !== undefined, "there is a host 1");

const tools = new BatchTools(
  diffState(desiredState(new Site().config, own, owners), EMPTY_STATE).operations,
);
const figures = order === "tools-first"
  ? { ...programByTools(), ...await program() }
  : { ...await program(), ...programByTools() };
console.log(JSON.stringify(figures));
Deno.exit(0); // closing thousands of entries would only keep the next run waiting

function programByTools() {
  const site = new Site();
  const cpu = cpuMeter();
  const toolsMs = tools.program(site.namespace);
  const toolsCpuMs = cpu();
  const toolsRepairMs = tools.replace(site.namespace);
  return { toolsMs, toolsCpuMs, toolsRepairMs };
}

function openKeeper() {
  const site = new Site();
  const kernel = site.namespace.run(() => openKernel());
  const keeper = new OverlayKeeper(site.config, {
    kernel,
    log: new Log({
      level: "error",
      format: "text",
      write: (line) => console.error(line),
      now: () => "",
    }),
    nowMs: () => performance.now(),
    wish: () => ({
      want: "up",
      own: claimOf(1),
      owners,
      records: owners,
      networks: ["10.0.0.0/8"],
      silent: new Set(),
      settled: true,
    }),
    up: () => true,
    down: () => {},
  });
  site.namespace.run(() => keeper.start());
  return { site, kernel, keeper };
}

async function programOnce(keeper: OverlayKeeper): Promise<number> {
  const began = performance.now();
  keeper.reconcileSoon();
  await until(() => keeper.status().inSync);
  return performance.now() - began;
}

async function program() {
  const { site, kernel, keeper } = openKeeper();
  const gaps = watchGaps();
  const cpu = cpuMeter();
  const programMs = await programOnce(keeper);
  const programCpuMs = cpu();
  const blockedMs = gaps();
  const resyncMs: number[] = [];
  for (let run = 0; run < RESYNCS; run++) {
    await pause(300);
    resyncMs.push(timed(() => keeper.reconcileNow()));
  }
  const { netlink } = site.namespace;
  const index = site.namespace.deviceIndex("flannel.1");
  const drift = Array.from({ length: Math.round(peers * DRIFT_SHARE) }, (_, nth) => {
    const { subnet, vtep } = claimOf(2 + nth * Math.round(1 / DRIFT_SHARE));
    const address = subnet.slice(0, subnet.indexOf("/"));
    return [
      routeDeleteRequest({ destination: subnet, index }),
      neighbourDeleteRequest({ address, index }),
      fdbDeleteRequest({ linkAddress: vtep.mac, destination: vtep.address, index }),
    ];
  }).flat();
  const before = keeper.status().repairs;
  const refused = netlink.request(drift).filter(({ error }) => error !== null);
  assert(refused.length === 0, "all of the drift is made");
  const repairMs = timed(() => keeper.reconcileNow());
  assert(keeper.status().repairs === before + drift.length, "all of the drift is repaired");
  keeper.stop();
  await kernel.close();
  const another = openKeeper();
  await pause(300);
  const warmCpu = cpuMeter();
  const programWarmMs = await programOnce(another.keeper);
  const programWarmCpuMs = warmCpu();
  another.keeper.stop();
  return {
    programMs,
    programCpuMs,
    programWarmMs,
    programWarmCpuMs,
    blockedMs,
    resyncMs,
    repairMs,
  };
}

/** Returns the milliseconds since then, of this process and of its children that ended. */
function cpuMeter(): () => number {
  const before = cpuSeconds("self");
  return () => (cpuSeconds("self") - before) * 1000;
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(1);
}

/** Ticks as a gossip timer would; returns how late the latest tick was. */
function watchGaps(): () => number {
  let last = performance.now();
  let most = 0;
  const tick = () => {
    const now = performance.now();
    most = Math.max(most, now - last);
    last = now;
  };
  const timer = setInterval(tick, 1);
  return () => {
    tick();
    clearInterval(timer);
    return most;
  };
}
