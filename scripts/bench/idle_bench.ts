/** What five agents cost that have nothing to do: memory, and CPU over a minute. */
import { machinePid } from "../../mod/lab/process_table.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { benchLab, benchmark, progress } from "./bench_lab.ts";
import { cpuSeconds, memoryOf } from "./process_cost.ts";
import { type Figure, spreadOf, spreadText } from "./statistics.ts";

const HOSTS = 5;
/** Gossip, start-up garbage and the compiler have settled by then. */
const SETTLE_MS = 15_000;
const WATCHED_MS = 60_000;

await benchmark(async (folder): Promise<Figure[]> => {
  const lab = await benchLab(folder, "idle", HOSTS);
  for (const host of lab.hosts) {
    host.start(...(host.number === 1 ? [] : [`--join=${lab.host(1).address}`]));
    await host.waitForSubnet();
  }
  progress(`${HOSTS} agents idle for ${(SETTLE_MS + WATCHED_MS) / 1000} s`);
  await sleep(SETTLE_MS);
  const pids = lab.hosts.map((host) => {
    const pid = machinePid(host.agent.pid);
    if (pid === null) throw new Error(`The agent of ${host.name} is not in /proc`);
    return pid;
  });
  const before = pids.map(cpuSeconds);
  const began = performance.now();
  await sleep(WATCHED_MS);
  const minutes = (performance.now() - began) / 60_000;
  const cpu = pids.map((pid, index) => (cpuSeconds(pid) - (before[index] ?? 0)) / minutes);
  const memory = pids.map(memoryOf);
  await lab.close();
  const text = (values: number[], digits?: number) => spreadText(spreadOf(values), digits);
  return [
    {
      name: "idle: resident, MiB",
      measured: text(memory.map(({ residentMiB }) => residentMiB)),
      aim: "<= 60",
      rivals: "flanneld 35 + etcd 35, serf 15, bare Deno 41",
    },
    {
      name: "idle: private dirty, MiB",
      measured: text(memory.map(({ privateDirtyMiB }) => privateDirtyMiB)),
      aim: "<= 25",
      rivals: "flanneld 9 + etcd 16, serf 6.6, bare Deno 12",
    },
    {
      name: "idle: CPU, s a minute",
      measured: text(cpu, 3),
      aim: "-",
      rivals: "flanneld 0.34, serf 0.12",
    },
  ];
});
