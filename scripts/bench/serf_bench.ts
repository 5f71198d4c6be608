/**
 * gossamer and serf side by side: 20 hosts, on each an agent of both, which join, die, idle and lose
 * packets at the same time in the same namespaces. `deno task bench serf` takes about 20 minutes, with
 * `--quick` (one kill, windows of 30 s; for those who work on it) about four.
 *
 * Needs root, the programs `serf` and `nft`, and a machine that does nothing else meanwhile.
 */
import { Lab } from "../../mod/lab/lab.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { benchExecutable, benchmark, progress } from "./bench_lab.ts";
import { Cluster } from "./serf/cluster.ts";
import { type Contestant, gossamer, serf } from "./serf/contestant.ts";
import {
  type Cost,
  type Death,
  type Join,
  measureCosts,
  measureDeaths,
  measureJoin,
} from "./serf/measure.ts";
import { setLoss, watchNetwork } from "./serf/network.ts";
import {
  deathFigures,
  idleFigures,
  joinFigures,
  lossFigures,
  type Pair,
  tightFigures,
} from "./serf/table.ts";
import type { Figure } from "./statistics.ts";

const HOSTS = 20;
const LOSSES_PERCENT = [10, 30] as const;

interface Plan {
  readonly joins: number;
  readonly kills: number;
  readonly killsUnderLoss: number;
  /** Start-up garbage and the compiler have settled by then. */
  readonly settleMs: number;
  readonly idleMs: number;
  readonly lossMs: number;
}

const FULL: Plan = {
  joins: 5,
  kills: 7,
  killsUnderLoss: 5,
  settleMs: 120_000,
  idleMs: 60_000,
  lossMs: 300_000,
};

const QUICK: Plan = {
  joins: 1,
  kills: 1,
  killsUnderLoss: 1,
  settleMs: 15_000,
  idleMs: 30_000,
  lossMs: 30_000,
};

/** Between a change of the loss and what is measured under it. */
const LOSS_SETTLE_MS = 10_000;

class Bench {
  readonly #plan: Plan;
  readonly #folder: string;
  readonly #lab: Lab;
  readonly #own: Contestant;
  readonly #serf = serf();
  readonly #tight: Contestant | null;
  #runs = 0;

  constructor(plan: Plan, folder: string, lab: Lab, tight: Contestant | null) {
    this.#plan = plan;
    this.#folder = folder;
    this.#lab = lab;
    this.#own = gossamer(benchExecutable(), "default");
    this.#tight = tight;
  }

  async run(): Promise<Figure[]> {
    const contestants = [this.#own, this.#serf, ...(this.#tight === null ? [] : [this.#tight])];
    await watchNetwork(this.#lab, contestants);
    const { gossamer, serf, joins } = await this.#join();
    const figures = joinFigures(HOSTS, joins);
    const pair = [gossamer, serf] as const;
    progress(`idle, ${seconds(this.#plan.settleMs)} to settle`);
    await sleep(this.#plan.settleMs);
    const idle = await measureCosts(this.#lab, pair, this.#plan.idleMs);
    figures.push(...idleFigures(pairOf(idle)));
    const tight = await this.#startTight();
    const all = tight === null ? pair : [...pair, tight];
    const deaths = await this.#kill(all, this.#plan.kills);
    figures.push(...deathFigures("no loss", pairOf(deaths)));
    const [, rivalDeaths = [], tightDeaths = []] = deaths;
    for (const percent of LOSSES_PERCENT) {
      const { costs, deaths } = await this.#lose(percent, percent === 10 ? all : pair);
      figures.push(...lossFigures(percent, this.#plan.lossMs / 60_000, pairOf(costs)));
      figures.push(...deathFigures(`${percent} % loss`, pairOf(deaths)));
      const [, , lossy] = costs;
      if (tight !== null && lossy !== undefined) {
        figures.push(...tightFigures({ deaths: tightDeaths, lossy, rivalDeaths }));
        await tight.killAll();
      }
    }
    return figures;
  }

  /** Each contestant alone, several times; the last cluster of each goes on running. */
  async #join(): Promise<{ gossamer: Cluster; serf: Cluster; joins: Pair<readonly Join[]> }> {
    const joins: { gossamer: Join[]; serf: Join[] } = { gossamer: [], serf: [] };
    for (let run = 1;; run++) {
      const gossamer = await this.#joinOne(this.#own, run, joins.gossamer);
      // The measured one has the machine to itself; who stays waits for the end.
      if (run < this.#plan.joins) await gossamer.killAll();
      const serf = await this.#joinOne(this.#serf, run, joins.serf);
      if (run === this.#plan.joins) return { gossamer, serf, joins };
      await serf.killAll();
    }
  }

  async #joinOne(contestant: Contestant, run: number, joins: Join[]): Promise<Cluster> {
    const cluster = this.#cluster(contestant);
    const join = await measureJoin(cluster, HOSTS);
    joins.push(join);
    progress(
      `${contestant.name}, join ${run}: all ${join.allMs.toFixed(0)} ms, ` +
        `one ${join.oneMs.toFixed(0)} ms`,
    );
    return cluster;
  }

  async #startTight(): Promise<Cluster | null> {
    if (this.#tight === null) return null;
    const cluster = this.#cluster(this.#tight);
    await measureJoin(cluster, HOSTS);
    return cluster;
  }

  async #lose(
    percent: number,
    clusters: readonly Cluster[],
  ): Promise<{ costs: Cost[]; deaths: Death[][] }> {
    progress(`${percent} % loss for ${seconds(this.#plan.lossMs)}`);
    await setLoss(this.#lab, percent);
    await sleep(LOSS_SETTLE_MS);
    const costs = await measureCosts(this.#lab, clusters, this.#plan.lossMs);
    const deaths = await this.#kill(clusters.slice(0, 2), this.#plan.killsUnderLoss);
    return { costs, deaths };
  }

  /** In every cluster at the same time. */
  async #kill(clusters: readonly Cluster[], kills: number): Promise<Death[][]> {
    progress(`${kills} x kill -9 of an agent of each`);
    return await Promise.all(clusters.map((cluster) => measureDeaths(cluster, kills)));
  }

  #cluster(contestant: Contestant): Cluster {
    const folder = `${this.#folder}/run${++this.#runs}`;
    Deno.mkdirSync(folder);
    return new Cluster(contestant, this.#lab, folder);
  }
}

/** The first two results: clusters are always in the order gossamer, serf, tight. */
function pairOf<Result>([gossamer, serf]: readonly Result[]): Pair<Result> {
  if (gossamer === undefined || serf === undefined) throw new Error("A result is missing");
  return { gossamer, serf };
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

/** What is missing and how to get it; null when the benchmark can run. */
function whyNot(): string | null {
  for (const [program, args] of [["serf", "version"], ["nft", "--version"]] as const) {
    try {
      new Deno.Command(program, { args: [args], stdout: "null", stderr: "null" }).outputSync();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return `There is no program ${program} here; on Debian: apt-get install serf nftables`;
    }
  }
  return null;
}

/** Older builds have no such flag. */
async function hasTightProfile(): Promise<boolean> {
  const { stdout } = await new Deno.Command(benchExecutable(), { args: ["up", "--help"] }).output();
  return new TextDecoder().decode(stdout).includes("--gossip-profile");
}

await benchmark(async (folder): Promise<Figure[]> => {
  const reason = whyNot();
  if (reason !== null) {
    progress(`The comparison with serf is left out. ${reason}`);
    return [];
  }
  const tight = await hasTightProfile() ? gossamer(benchExecutable(), "tight") : null;
  if (tight === null) progress("This gossamer has no --gossip-profile; the tight one is left out");
  const lab = await Lab.open({ hosts: HOSTS, command: [benchExecutable()], directory: folder });
  const figures = await new Bench(Deno.args.includes("--quick") ? QUICK : FULL, folder, lab, tight)
    .run();
  await lab.close();
  return figures;
});
