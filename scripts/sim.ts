/**
 * Hosts under random faults in virtual time: thousands of seeds over all cores, every rule checked after every step
 * (docs/simulator.md).
 *
 *   deno task sim                      1,000 seeds of 20 hosts
 *   deno task sim --seeds 50 --from 7  other ones
 *   deno task sim --hosts 5            another size
 *   deno task sim --nightly            10,000 seeds of 3 to 100 hosts
 *   deno task sim --claims             2,000 seeds of 3 to 200 whole hosts, membership and claims
 *   deno task sim --claims --nightly   20,000, and 40 of --formed
 *   deno task sim --formed             a few seeds of 1,000 whole hosts that have been a cluster for long
 *
 * Of a failing seed the smallest schedule that still fails, its story and its picture are written to a folder. The last
 * line is `N passed, N failed`.
 */
import { parseArgs } from "node:util";
import {
  type CampaignKind,
  type CampaignNews,
  claimHosts,
  membershipHosts,
  type Task,
} from "../mod/sim/campaign.ts";
import type { FailureReport } from "../mod/sim/report.ts";
import { ClaimReport } from "../mod/sim/claim_report.ts";
import { countsLine } from "./test_report.ts";

const SEEDS = 1000;
const NIGHTLY_SEEDS = 10_000;
const HOSTS = 20;
const CLAIM_SEEDS = 2000;
const CLAIM_NIGHTLY_SEEDS = 20_000;
const FORMED_SEEDS = 8;
const FORMED_NIGHTLY_SEEDS = 40;
const FORMED_HOSTS = 1000;
/** Reports in all: shrinking takes a while, and ten stories of one bug say no more than three. */
const REPORTS_MAX = 3;
/** Two hosts of different minds may say a lot. */
const MESSAGE_LENGTH_MAX = 300;
/** Seeds between lines of progress where nobody watches. */
const PROGRESS_EACH = 250;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    hosts: { type: "string" },
    claims: { type: "boolean", default: false },
    formed: { type: "boolean", default: false },
    nightly: { type: "boolean", default: false },
    out: { type: "string" },
    workers: { type: "string" },
  },
});

const kind: CampaignKind = values.formed ? "formed" : values.claims ? "claims" : "membership";
const seeds = count("seeds", values.seeds) ?? usualSeeds();
const fromSeed = count("from", values.from) ?? 1;
const hosts = count("hosts", values.hosts) ?? usualHosts();
const workers = Math.min(
  seeds,
  count("workers", values.workers) ?? navigator.hardwareConcurrency,
);

const startedMs = performance.now();
const failures: Extract<CampaignNews, { kind: "run" }>[] = [];
const settled: number[] = [];
let passed = 0;
let steps = 0;
let virtualMs = 0;
let folder = values.out;
let reports = 0;
const claimReport = new ClaimReport();
/** The largest first, so that no worker is left alone with one at the end. */
const queue = tasks().sort((one, other) => one.hosts - other.hosts || other.seed - one.seed);
const total = queue.length;

await Promise.all(Array.from({ length: workers }, () => runWorker()));

for (const { seed, hosts, message } of failures) {
  console.log(`seed ${seed}, ${hosts} hosts: ${message.slice(0, MESSAGE_LENGTH_MAX)}`);
}
if (kind !== "membership") console.log(claimReport.text());
const missing = isWhole() ? claimReport.missing() : [];
if (missing.length > 0) {
  console.log(
    `Never occurred, and so was not tested: ${missing.join("; ")}. Either a rule or the ` +
      "generator (mod/sim/generate_claims.ts) has changed, or mod/sim/claim_outcomes.ts is outdated",
  );
}
settled.sort((one, other) => one - other);
const seconds = (performance.now() - startedMs) / 1000;
console.log(
  `${total} seeds from ${fromSeed}, ${
    hosts ?? (kind === "claims" ? "3 to 200" : "3 to 100")
  } hosts each: ` +
    `${(virtualMs / 3_600_000).toFixed(1)} hours of cluster time, ` +
    `${(steps / 1e6).toFixed(1)} million steps in ${seconds.toFixed(0)} s; of one mind after ` +
    `${at(0.5)} s (median), ${at(1)} s (longest)`,
);
const failed = failures.length + (missing.length > 0 ? 1 : 0);
console.log(countsLine({ passed, failed, skipped: 0 }));
Deno.exit(failed === 0 ? 0 : 1);

/** A worker gets the next seed when it is done with one: seeds take from milliseconds to half a minute. */
function runWorker(): Promise<void> {
  const worker = new Worker(new URL("./sim_worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve) => {
    const giveNext = () => {
      const next = queue.pop();
      if (next === undefined) {
        worker.terminate();
        return resolve();
      }
      worker.postMessage({ ...next, isReported: reports < REPORTS_MAX } satisfies Task);
    };
    worker.onmessage = ({ data }: MessageEvent<CampaignNews>) => {
      if (data.kind === "run") return note(data);
      if (data.kind === "report") return write(data.report);
      giveNext();
    };
    worker.onerror = (event) => {
      console.error(`A worker ended: ${event.message}`);
      Deno.exit(1);
    };
    giveNext();
  });
}

function note(run: Extract<CampaignNews, { kind: "run" }>): void {
  if (run.rule === null) passed++;
  else failures.push(run);
  claimReport.add(run.coverage, run.measures);
  steps += run.steps;
  virtualMs += run.virtualMs;
  if (run.settledAfterMs !== null) settled.push(run.settledAfterMs);
  const done = passed + failures.length;
  const line = `${done} of ${total} seeds, ${failures.length} failed`;
  if (Deno.stderr.isTerminal()) {
    const end = done === total ? "\n" : "\r";
    Deno.stderr.writeSync(new TextEncoder().encode(`${line}${end}`));
  } else if (done % PROGRESS_EACH === 0) console.error(line);
}

function write(report: FailureReport): void {
  reports++;
  folder ??= Deno.makeTempDirSync({ prefix: "gossamer-sim-" });
  Deno.mkdirSync(folder, { recursive: true });
  const path = `${folder}/seed-${report.seed}`;
  Deno.writeTextFileSync(`${path}.txt`, report.scenario);
  Deno.writeTextFileSync(`${path}.log`, report.story);
  Deno.writeTextFileSync(`${path}.svg`, report.svg);
  console.log(
    `seed ${report.seed} fails: ${report.failure.message}\n` +
      `  smallest: ${report.hosts} hosts, ${report.faults} faults: ${report.shrunkFailure.message}\n` +
      `  ${path}.txt (gossamer simulate --scenario), .log (story), .svg (picture)`,
  );
}

function at(quantile: number): string {
  const ms = settled[Math.min(settled.length - 1, Math.floor(quantile * settled.length))] ?? 0;
  return (ms / 1000).toFixed(1);
}

function tasks(): Omit<Task, "isReported">[] {
  const found = Array.from({ length: seeds }, (_, index) => fromSeed + index)
    .map((seed) => ({ kind, seed, hosts: hosts ?? hostsOf(seed) }));
  const hasFormed = kind === "claims" && values.nightly && hosts === null;
  const formed = Array.from(
    { length: hasFormed ? FORMED_NIGHTLY_SEEDS : 0 },
    (_, index) => ({ kind: "formed" as const, seed: fromSeed + index, hosts: FORMED_HOSTS }),
  );
  return [...found, ...formed];
}

function usualSeeds(): number {
  if (kind === "claims") return values.nightly ? CLAIM_NIGHTLY_SEEDS : CLAIM_SEEDS;
  if (kind === "formed") return FORMED_SEEDS;
  return values.nightly ? NIGHTLY_SEEDS : SEEDS;
}

/** Of each run; null for a mix. */
function usualHosts(): number | null {
  if (kind === "formed") return FORMED_HOSTS;
  return values.nightly || kind === "claims" ? null : HOSTS;
}

function hostsOf(seed: number): number {
  return kind === "claims" ? claimHosts(seed) : membershipHosts(seed);
}

/** Whether all was played that is to show every outcome. */
function isWhole(): boolean {
  return kind === "claims" && hosts === null && seeds >= CLAIM_SEEDS;
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  console.error(`--${name}: ${JSON.stringify(text)} is not a whole number above 0`);
  Deno.exit(2);
}
