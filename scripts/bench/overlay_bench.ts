/** Programming and repairing thousands of peers, beside `ip -batch` and `bridge -batch` doing the same entries. */
import type { RunFigures } from "./overlay/one_run.ts";
import { benchmark, progress } from "./bench_lab.ts";
import { type Figure, spreadOf, spreadText } from "./statistics.ts";

const RUNS = 7;
const ONE_RUN = new URL("overlay/one_run.ts", import.meta.url).href;
/** The kernel takes the namespaces of a run apart after it, under the lock that the next one needs. */
const PAUSE_MS = 1_000;

async function runOnce(peers: number, run: number): Promise<RunFigures> {
  const order = run % 2 === 0 ? "ours-first" : "tools-first";
  const args = ["run", "-A", "--no-check", ONE_RUN, String(peers), order];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function figuresOf(peers: number): Promise<Figure[]> {
  const runs: RunFigures[] = [];
  for (let run = 0; run < RUNS; run++) {
    runs.push(await runOnce(peers, run));
    progress(`${peers} peers: run ${run + 1} of ${RUNS}`);
  }
  return [...programming(peers, runs), ...keeping(peers, runs)];
}

function summary(peers: number, runs: readonly RunFigures[]) {
  return {
    text: (values: readonly number[], digits = 0) => spreadText(spreadOf(values), digits),
    name: (what: string) => `overlay, ${peers} peers: ${what}`,
    of: (pick: (run: RunFigures) => number) => runs.map(pick),
  };
}

function programming(peers: number, runs: readonly RunFigures[]): Figure[] {
  const { text, name, of } = summary(peers, runs);
  return [
    {
      name: name("from nothing, ms"),
      measured: text(of(({ programMs }) => programMs)),
      aim: "-",
      rivals: `ip + bridge -batch ${text(of(({ toolsMs }) => toolsMs))}`,
    },
    {
      name: name("from nothing by warm code, ms"),
      measured: text(of(({ programWarmMs }) => programWarmMs)),
      aim: "-",
      rivals: "-",
    },
    {
      name: name("from nothing by warm code, ratio to the tools in the same run"),
      measured: text(of(({ programWarmMs, toolsMs }) => programWarmMs / toolsMs), 2),
      aim: "<= 0.8",
      rivals: "1",
    },
    {
      name: name("from nothing, ratio to the tools in the same run"),
      measured: text(of(({ programMs, toolsMs }) => programMs / toolsMs), 2),
      aim: "<= 0.8",
      rivals: "1",
    },
    {
      name: name("from nothing, processor time, ms (by warm code)"),
      measured: `${text(of(({ programCpuMs }) => programCpuMs))} (${
        text(of(({ programWarmCpuMs }) => programWarmCpuMs))
      })`,
      aim: "-",
      rivals: text(of(({ toolsCpuMs }) => toolsCpuMs)),
    },
  ];
}

function keeping(peers: number, runs: readonly RunFigures[]): Figure[] {
  const { text, name, of } = summary(peers, runs);
  return [
    {
      name: name("from nothing, longest pause of everything else, ms"),
      measured: text(of(({ blockedMs }) => blockedMs)),
      aim: "-",
      rivals: "-",
    },
    {
      name: name("1 % of the entries missing, found and repaired, ms"),
      measured: text(of(({ repairMs }) => repairMs)),
      aim: "-",
      rivals: `ip + bridge -batch, all again ${text(of(({ toolsRepairMs }) => toolsRepairMs))}`,
    },
    {
      name: name("the same, ratio to the tools in the same run"),
      measured: text(of(({ repairMs, toolsRepairMs }) => repairMs / toolsRepairMs), 2),
      aim: "<= 0.8",
      rivals: "1",
    },
    {
      name: name("resync without changes, first after the start, ms"),
      measured: text(of(({ resyncMs }) => resyncMs[0] ?? NaN), 1),
      aim: "<= 100",
      rivals: "-",
    },
    {
      name: name("resync without changes, ms"),
      measured: text(runs.flatMap(({ resyncMs }) => resyncMs.slice(1)), 1),
      aim: "<= 100",
      rivals: "-",
    },
  ];
}

await benchmark(async () => [...await figuresOf(1_000), ...await figuresOf(5_000)]);
