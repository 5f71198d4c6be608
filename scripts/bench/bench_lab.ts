/** A lab with `dist/gossamer` for a benchmark, in a process that takes everything with it when it ends. */
import { Lab } from "../../mod/lab/lab.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { spawnSandboxed, watchParent } from "../../mod/lab/sandbox.ts";
import { Workspace } from "../../mod/lab/workspace.ts";
import type { Figure } from "./statistics.ts";

const FOLDER_VARIABLE = "GOSSAMER_BENCH_FOLDER";
const MARK = "\x1egossamer-figures ";

const root = decodeURIComponent(new URL("../..", import.meta.url).pathname);

const EXECUTABLE_VARIABLE = "GOSSAMER_BENCH_EXECUTABLE";

/** The program measured: `dist/gossamer`, or what GOSSAMER_BENCH_EXECUTABLE names. */
export function benchExecutable(): string {
  return Deno.env.get(EXECUTABLE_VARIABLE) ?? `${root}dist/gossamer`;
}

/** Whether the program measured is one that somebody named, and not ours to build. */
export function isGivenExecutable(): boolean {
  return Deno.env.has(EXECUTABLE_VARIABLE);
}

/** Runs one benchmark file as init of a pid namespace; its talk goes to stderr, its figures come back. */
export async function runBenchmark(file: string, args: readonly string[]): Promise<Figure[]> {
  const workspace = new Workspace();
  try {
    const child = spawnSandboxed([Deno.execPath(), "run", "-A", "--no-check", file, ...args], {
      stdout: "piped",
      env: { [FOLDER_VARIABLE]: workspace.path },
    });
    const output = await new Response(child.stdout).text();
    const { code } = await child.status;
    await child.stdin.close().catch(() => {});
    if (code !== 0) throw new Error(`${file} ended with exit code ${code}`);
    const line = output.split("\n").find((text) => text.startsWith(MARK));
    return line === undefined ? [] : JSON.parse(line.slice(MARK.length));
  } finally {
    workspace.close();
  }
}

/** For a benchmark's own process: measures, hands the figures over and ends. */
export async function benchmark(measure: (folder: string) => Promise<Figure[]>): Promise<void> {
  const folder = Deno.env.get(FOLDER_VARIABLE);
  if (folder === undefined) throw new Error("Run the benchmarks with deno task bench");
  watchParent(() => Deno.exit(1));
  console.log(MARK + JSON.stringify(await measure(folder)));
  Deno.exit(0);
}

/** A lab of its own for one run; its folder is a fresh one. */
export function benchLab(
  folder: string,
  run: string,
  hosts: number,
  family: 4 | 6 = 4,
): Promise<Lab> {
  const directory = `${folder}/${run}`;
  Deno.mkdirSync(directory);
  return Lab.open({ hosts, command: [benchExecutable()], directory, family });
}

/** Polls every millisecond or so; returns the time of performance.now() at which it held. */
export async function momentOf(holds: () => boolean, withinMs = 20_000): Promise<number> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`It did not happen within ${withinMs} ms`);
    await sleep(1);
  }
  return performance.now();
}

/** Progress for the person who waits. */
export function progress(text: string): void {
  console.error(text);
}
