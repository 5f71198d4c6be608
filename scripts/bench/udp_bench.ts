/**
 * What `--backend udp` carries, beside the bare underlay, our own VXLAN and, with `--flanneld=PATH`, flannel's udp backend:
 * every round measures each thing on every path in turn, and only what one round measured is compared. Then the same of TCP
 * where the underlay segments and joins nothing for us, and where it loses one packet of a hundred. With `--ipv6` also our
 * udp between hosts of IPv6 alone.
 *
 * Needs `iperf3`, `ping`, `ethtool` and `nft`; for flannel `etcd` and `etcdctl`. `--rounds=N` for fewer or more than five.
 */
import { parseArgs } from "node:util";
import type { Lab } from "../../mod/lab/lab.ts";
import { pingUntilAnswered } from "../../mod/lab/ping.ts";
import { machinePid } from "../../mod/lab/process_table.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { benchmark, progress } from "./bench_lab.ts";
import { type FlannelLab, flannelLab } from "./flanneld.ts";
import { cpuSeconds } from "./process_cost.ts";
import { type Figure, spreadOf, spreadText } from "./statistics.ts";
import {
  containerPath,
  iperf,
  type Path,
  roundTrips,
  smallPackets,
  startLab,
  startServer,
  tcp,
} from "./two_hosts.ts";

const ROUNDS = "5";
const SECONDS = 2;
const PINGS = 500;
const SMALL_BYTES = 64;
const OFFLOADS = ["tso", "gso", "gro", "tx-udp-segmentation"];

/** Where packets go along, and who carries them. */
interface Carried extends Path {
  readonly hosts: Lab["hosts"];
  readonly processes: readonly number[];
}

type Row = Readonly<Record<string, number>>;
/** By measure, then by path; a run each. */
type Results = Map<string, Map<string, number[]>>;

async function cpuPerGigabit(path: Carried): Promise<Row> {
  const busy = () => path.processes.reduce((sum, process) => sum + cpuSeconds(process), 0);
  const before = busy();
  const { sum_received: received, cpu_utilization_percent: ends } = await iperf(path, SECONDS);
  const gigabits = received.bytes * 8 / 1e9;
  const seconds = busy() - before + (ends.host_total + ends.remote_total) / 100 * received.seconds;
  return {
    "TCP 1 stream, Gbit/s": gigabits / received.seconds,
    "CPU s per Gbit": seconds / gigabits,
  };
}

const TESTS: readonly ((path: Carried) => Promise<Row>)[] = [
  cpuPerGigabit,
  async (path) => ({ "TCP 4 streams, Gbit/s": await tcp(path, SECONDS, 4) }),
  async (path) => {
    const { received } = await smallPackets(path, SECONDS, SMALL_BYTES);
    return { [`UDP ${SMALL_BYTES} B received, kpps`]: received };
  },
  async (path) => ({ "ping, median, us": spreadOf(await roundTrips(path, PINGS)).median }),
];

async function everyHost({ hosts }: Carried, ...command: string[]): Promise<void> {
  for (const { namespace, name } of hosts) {
    const { code, stderr } = await namespace.output(command);
    if (code !== 0) throw new Error(`${command[0]} on ${name}: ${stderr}`);
  }
}

async function setOffloads(path: Carried, value: "on" | "off"): Promise<void> {
  const features = OFFLOADS.flatMap((feature) => [feature, value]);
  await everyHost(path, "ethtool", "-K", UNDERLAY_DEVICE, ...features);
}

const LOSS = "table inet loss { chain in { type filter hook prerouting priority -300; " +
  `iifname "${UNDERLAY_DEVICE}" numgen random mod 100 < 1 drop; }; }`;

/** Puts each path's underlay into another state for its TCP test. */
const CONDITIONS = [
  {
    name: "TCP 1 stream without offloads of the underlay, Gbit/s",
    begin: (path: Carried) => setOffloads(path, "off"),
    end: (path: Carried) => setOffloads(path, "on"),
  },
  {
    name: "TCP 1 stream with 1 % loss, Gbit/s",
    begin: (path: Carried) => everyHost(path, "nft", LOSS),
    end: (path: Carried) => everyHost(path, "nft", "delete table inet loss"),
  },
] as const;

async function measureRound(paths: readonly Carried[], results: Results): Promise<void> {
  for (const test of TESTS) {
    for (const path of paths) note(results, path, await test(path));
  }
  for (const { name, begin, end } of CONDITIONS) {
    for (const path of paths) {
      await begin(path);
      note(results, path, { [name]: await tcp(path, SECONDS, 1) });
      await end(path);
    }
  }
}

function note(results: Results, { name }: Path, row: Row): void {
  progress(`${name}: ${JSON.stringify(row)}`);
  for (const [measure, value] of Object.entries(row)) {
    const byPath = results.get(measure) ?? new Map<string, number[]>();
    results.set(measure, byPath.set(name, [...byPath.get(name) ?? [], value]));
  }
}

/** What is asked of each measure: that a ratio or the value itself is at least, or at most, so much. */
const GOALS: Readonly<Record<string, { readonly to?: "vxlan"; least?: number; most?: number }>> = {
  "TCP 1 stream, Gbit/s": { to: "vxlan", least: 0.9 },
  "CPU s per Gbit": { most: 0.39 },
  [`UDP ${SMALL_BYTES} B received, kpps`]: { least: 114 },
  "ping, median, us": { most: 80 },
  "TCP 1 stream without offloads of the underlay, Gbit/s": { to: "vxlan", least: 0.6 },
  "TCP 1 stream with 1 % loss, Gbit/s": { to: "vxlan", least: 0.8 },
};

function figuresOf(measure: string, byPath: ReadonlyMap<string, readonly number[]>): Figure[] {
  const values = byPath.get("udp") ?? [];
  const ratioTo = (name: string) => {
    const others = byPath.get(name);
    if (others === undefined) return NaN;
    return spreadOf(values.map((value, round) => value / (others[round] ?? NaN))).median;
  };
  const goal = GOALS[measure];
  const judged = goal?.to === undefined ? spreadOf(values).median : ratioTo(goal.to);
  const isMet = judged >= (goal?.least ?? -Infinity) && judged <= (goal?.most ?? Infinity);
  const wanted = goal?.least === undefined ? `<= ${goal?.most}` : `>= ${goal.least}`;
  const rivals = [...byPath].filter(([name]) => name !== "udp")
    .map(([name, runs]) =>
      `${name} ${digits(spreadOf(runs).median)} (x${ratioTo(name).toFixed(2)})`
    );
  return [{
    name: measure,
    measured: spreadText(spreadOf(values), spreadOf(values).median >= 100 ? 0 : 2),
    aim: goal === undefined ? "-" : `${wanted}: ${isMet ? "met" : "MISSED"}`,
    rivals: rivals.join(", "),
  }];
}

function digits(value: number): string {
  return value.toFixed(value >= 100 ? 0 : 2);
}

function ours(name: string, lab: Lab): Carried {
  const processes = lab.hosts.map(({ agent }) => agent.pid);
  return { ...containerPath(name, lab), hosts: lab.hosts, processes: onMachine(processes) };
}

function theirs({ lab, processes }: FlannelLab): Carried {
  return {
    ...containerPath("flannel udp", lab),
    hosts: lab.hosts,
    processes: onMachine(processes),
  };
}

function onMachine(processes: readonly number[]): number[] {
  return processes.map((process) => {
    const pid = machinePid(process);
    if (pid === null) throw new Error(`Process ${process} is not in /proc`);
    return pid;
  });
}

await benchmark(async (folder): Promise<Figure[]> => {
  const { values: { rounds, flanneld, ipv6 } } = parseArgs({
    args: [...Deno.args],
    options: {
      rounds: { type: "string", default: ROUNDS },
      flanneld: { type: "string" },
      ipv6: { type: "boolean", default: false },
    },
  });
  const vxlan = await startLab(folder, "vxlan");
  const udp = await startLab(folder, "udp", "--backend=udp");
  const network = "--network=fd00:10:244::/56";
  const alone = ipv6 ? [await startLab(folder, "udp6", "--backend=udp", network)] : [];
  const flannel = flanneld === undefined ? [] : [await flannelLab(folder, flanneld)];
  const [from, to] = [vxlan.host(1), vxlan.host(2)];
  const bare = { name: "underlay", from: from.namespace, to: to.namespace, address: to.address };
  const paths: readonly Carried[] = [
    { ...bare, hosts: vxlan.hosts, processes: [] },
    ours("vxlan", vxlan),
    ours("udp", udp),
    ...alone.map((lab) => ours("udp over IPv6", lab)),
    ...flannel.map(theirs),
  ];
  const servers = paths.map(startServer);
  for (const path of paths) await pingUntilAnswered(path.from, path.address, { withinMs: 5_000 });
  const results: Results = new Map();
  for (let round = 0; round < Number(rounds); round++) {
    // Who goes first changes, for what goes before may warm or tire the machine.
    const order = paths.map((_, index) => paths[(index + round) % paths.length])
      .filter((path) => path !== undefined);
    await measureRound(order, results);
  }
  for (const server of servers) server.kill("SIGKILL");
  return [...results].flatMap(([measure, byPath]) => figuresOf(measure, byPath));
});
