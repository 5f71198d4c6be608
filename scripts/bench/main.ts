/**
 * `deno task bench`: the figures of the README and of the records of decisions, measured on this machine.
 * Builds `dist/gossamer` first. Takes about five minutes; names of benchmarks as arguments run only those.
 * `deno task bench serf` compares with serf itself and takes twenty more, so it runs only when it is named;
 * `--quick` makes that one short. `deno task bench claims` measures claims in virtual time, some minutes, when it is named;
 * `deno task bench overlay` programs thousands of peers, two minutes; `deno task bench throughput` fills the network between
 * two hosts, three minutes, and needs iperf3 and ping. `deno task bench cni` calls CNI plugins for ten seconds, and needs
 * those of containernetworking.
 *
 * Rivals' figures are from the reference machine (2 cores, 24 GiB): flannel 0.20.2 with etcd 3.4, serf 0.9.4.
 */
import { benchExecutable, isGivenExecutable, runBenchmark } from "./bench_lab.ts";
import { claimFigures } from "./claims_bench.ts";
import { type Figure, figureTable } from "./statistics.ts";

const root = decodeURIComponent(new URL("../..", import.meta.url).pathname);

/** Run only when they are named. */
const ON_DEMAND: ReadonlySet<string> = new Set([
  "claims",
  "cni",
  "overlay",
  "serf",
  "throughput",
]);

const BENCHMARKS: ReadonlyMap<string, (flags: readonly string[]) => Promise<Figure[]>> = new Map([
  ["size", () => Promise.resolve([fileSize()])],
  ["join5", () => runBenchmark(fileOf("join_bench.ts"), ["5"])],
  ["join20", () => runBenchmark(fileOf("join_bench.ts"), ["20"])],
  ["repair", () => runBenchmark(fileOf("repair_bench.ts"), [])],
  ["idle", () => runBenchmark(fileOf("idle_bench.ts"), [])],
  ["claims", (flags: readonly string[]) => Promise.resolve(claimFigures(flags))],
  ["overlay", () => runBenchmark(fileOf("overlay_bench.ts"), [])],
  ["serf", (flags: readonly string[]) => runBenchmark(fileOf("serf_bench.ts"), flags)],
  ["cni", () => runBenchmark(fileOf("cni_bench.ts"), [])],
  ["throughput", () => runBenchmark(fileOf("throughput_bench.ts"), [])],
  ["udp", (flags: readonly string[]) => runBenchmark(fileOf("udp_bench.ts"), flags)],
]);

function fileOf(name: string): string {
  return new URL(name, import.meta.url).href;
}

function fileSize(): Figure {
  const { size } = Deno.statSync(benchExecutable());
  return {
    name: "size of the file, MiB",
    measured: (size / 2 ** 20).toFixed(1),
    aim: "-",
    rivals: "flanneld 37.5, etcd 20.5, serf 8.1",
  };
}

async function build(): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/build.ts", "--if-stale", "--form=launcher"],
    cwd: root,
    stdout: "null",
  }).output();
  if (!success) throw new Error("dist/gossamer was not built");
}

async function main(args: readonly string[]): Promise<void> {
  const names = args.filter((text) => !text.startsWith("--"));
  const flags = args.filter((text) => text.startsWith("--"));
  const unknown = names.find((name) => !BENCHMARKS.has(name));
  if (unknown !== undefined) {
    console.error(
      `There is no benchmark "${unknown}"; there are ${[...BENCHMARKS.keys()].join(", ")}`,
    );
    Deno.exit(2);
  }
  if (!isGivenExecutable()) await build();
  const figures: Figure[] = [];
  for (const [name, run] of BENCHMARKS) {
    const isWanted = names.length === 0 ? !ON_DEMAND.has(name) : names.includes(name);
    if (isWanted) figures.push(...await run(flags));
  }
  if (figures.length > 0) console.log(figureTable(figures));
}

if (import.meta.main) await main(Deno.args);
