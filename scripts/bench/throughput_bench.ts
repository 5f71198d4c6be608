/**
 * Throughput, small packets and latency between containers of two hosts, over VXLAN and over host-gw, against the bare
 * underlay: every round measures each thing on every path in turn, and only what one round measured is compared, for a
 * machine is not as fast in one minute as in the next. Beside ours runs the same made by hand, without agents: the kernel
 * carries the packets, and what is asked is whether it was told to as well as can be.
 *
 * Needs `iperf3` and `ping` (Debian's iperf3 and iputils-ping), `ip` and `bridge` on this machine.
 */
import { pingUntilAnswered } from "../../mod/lab/ping.ts";
import { benchmark, progress } from "./bench_lab.ts";
import { labByHand } from "./by_hand.ts";
import { type Figure, spreadOf, spreadText } from "./statistics.ts";
import {
  containerPath,
  type Path,
  roundTrips,
  smallPackets,
  startLab,
  startServer,
  tcp,
} from "./two_hosts.ts";

const ROUNDS = 11;
const SECONDS = 1;
const PINGS = 500;
const SMALL_BYTES = 64;
/** Two runs of one and the same differ by as much. */
const NOISE = 0.1;

/** What is measured, and what it is called. */
const MEASURES = ["tcp1", "tcp4", "sent", "received", "rtt"] as const;
type Measured = Record<typeof MEASURES[number], number>;

const NAMES: Readonly<Record<keyof Measured, string>> = {
  tcp1: "TCP 1 stream, Gbit/s",
  tcp4: "TCP 4 streams, Gbit/s",
  sent: `UDP ${SMALL_BYTES} B, sent, kpps`,
  received: `UDP ${SMALL_BYTES} B, received, kpps`,
  rtt: "ping, mean, us",
};

/** flannel 0.20.2 on the reference machine: the figure, and for a path its ratio to the underlay of that run. */
const FLANNEL: Readonly<Record<string, Readonly<Record<keyof Measured, readonly number[]>>>> = {
  underlay: { tcp1: [16.3], tcp4: [32.3], sent: [164.5], received: [159.9], rtt: [8] },
  vxlan: {
    tcp1: [12.0, 0.73],
    tcp4: [18.5, 0.54],
    sent: [67.0, 0.41],
    received: [66.1, 0.41],
    rtt: [21, 2.6],
  },
  "host-gw": {
    tcp1: [13.7, 0.90],
    tcp4: [26.4, 0.82],
    sent: [100.4, 0.61],
    received: [99.7, 0.62],
    rtt: [14, 1.8],
  },
};

async function roundTrip(path: Path): Promise<number> {
  const times = await roundTrips(path, PINGS);
  return times.reduce((sum, time) => sum + time, 0) / times.length;
}

/** One after the other, each on every path before the next. */
const TESTS: readonly ((path: Path) => Promise<Partial<Measured>>)[] = [
  async (path) => ({ tcp1: await tcp(path, SECONDS, 1) }),
  async (path) => ({ tcp4: await tcp(path, SECONDS, 4) }),
  (path) => smallPackets(path, SECONDS, SMALL_BYTES),
  async (path) => ({ rtt: await roundTrip(path) }),
];

async function measureRound(paths: readonly Path[]): Promise<Map<string, Partial<Measured>>> {
  const measured = new Map<string, Partial<Measured>>();
  for (const test of TESTS) {
    for (const path of paths) {
      measured.set(path.name, { ...measured.get(path.name), ...await test(path) });
    }
  }
  return measured;
}

function medianRatio(values: readonly number[], others: readonly number[]): number {
  return spreadOf(values.map((value, index) => value / (others[index] ?? NaN))).median;
}

function figuresOf(
  measure: keyof Measured,
  rounds: readonly ReadonlyMap<string, Partial<Measured>>[],
): Figure[] {
  const values = (name: string) => rounds.map((round) => round.get(name)?.[measure] ?? NaN);
  const bare = values("underlay");
  return Object.entries(FLANNEL).map(([name, flannel]): Figure => {
    const own = values(name);
    const [value, ratio] = flannel[measure];
    const text = spreadText(spreadOf(own), own.some((one) => one >= 100) ? 0 : 1);
    if (name === "underlay") {
      return { name: `${NAMES[measure]}: underlay`, measured: text, aim: "-", rivals: `${value}` };
    }
    const toBare = medianRatio(own, bare);
    const byHand = values(`${name} by hand`);
    const toHand = medianRatio(own, byHand);
    // Of times less is better.
    const isEqual = measure === "rtt" ? toHand <= 1 + NOISE : toHand >= 1 - NOISE;
    return {
      name: `- ${name}`,
      measured: `${text}, ratio ${toBare.toFixed(2)}`,
      aim: `${toHand.toFixed(2)} of by hand: ${isEqual ? "met" : "MISSED"}`,
      rivals: `by hand ratio ${medianRatio(byHand, bare).toFixed(2)}; ` +
        `flannel ${value}, ratio ${ratio?.toFixed(2)}`,
    };
  });
}

await benchmark(async (folder): Promise<Figure[]> => {
  const vxlan = await startLab(folder, "vxlan");
  const hostGw = await startLab(folder, "host-gw", "--backend=host-gw");
  const handVxlan = await labByHand(folder, "vxlan-by-hand", "vxlan");
  const handHostGw = await labByHand(folder, "host-gw-by-hand", "host-gw");
  const [from, to] = [vxlan.host(1), vxlan.host(2)];
  const paths: readonly Path[] = [
    { name: "underlay", from: from.namespace, to: to.namespace, address: to.address },
    containerPath("vxlan", vxlan),
    containerPath("vxlan by hand", handVxlan),
    containerPath("host-gw", hostGw),
    containerPath("host-gw by hand", handHostGw),
  ];
  const servers = paths.map(startServer);
  for (const path of paths) await pingUntilAnswered(path.from, path.address, { withinMs: 5_000 });
  const rounds: Map<string, Partial<Measured>>[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Who goes first changes, for what goes before may warm or tire the machine.
    const order = paths.map((_, index) => paths[(index + round) % paths.length])
      .filter((path) => path !== undefined);
    const measured = await measureRound(order);
    rounds.push(measured);
    progress(`round ${round + 1} of ${ROUNDS}: ${JSON.stringify(Object.fromEntries(measured))}`);
  }
  for (const server of servers) server.kill("SIGKILL");
  for (const lab of [vxlan, hostGw, handVxlan, handHostGw]) await lab.close();
  return MEASURES.flatMap((name) => figuresOf(name, rounds));
});
