/** What benchmarks of the network between two hosts share: a way between two namespaces, and iperf3 and ping along it. */
import type { Lab } from "../../mod/lab/lab.ts";
import type { Namespace } from "../../mod/lab/namespace.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { benchLab } from "./bench_lab.ts";

const PING_INTERVAL_S = 0.002;
const SERVER_PORT = 5_201;
/** iperf3's server listens some milliseconds after it was started. */
const ATTEMPTS = 50;
const RETRY_MS = 20;

export interface Path {
  readonly name: string;
  readonly from: Namespace;
  readonly to: Namespace;
  readonly address: string;
}

/** Two hosts with agents and a container each; hosts of IPv6 alone where the flags name such a network. */
export async function startLab(folder: string, name: string, ...flags: string[]): Promise<Lab> {
  const isIpv6 = flags.some((flag) => flag.startsWith("--network=") && flag.includes("::"));
  const lab = await benchLab(folder, name, 2, isIpv6 ? 6 : 4);
  for (const host of lab.hosts) {
    host.start(...flags, ...(host.number === 1 ? [] : [`--join=${lab.host(1).address}`]));
    await host.waitForSubnet();
    await host.addContainer();
  }
  return lab;
}

export function containerPath(name: string, lab: Lab): Path {
  const [from, to] = lab.hosts.map((host) => host.containers[0]);
  if (from === undefined || to === undefined) throw new Error("A host has no container");
  return { name, from: from.namespace, to: to.namespace, address: to.address };
}

/** iperf3's server at the path's end, until it is killed. */
export function startServer({ to }: Path): Deno.ChildProcess {
  return to.spawn(["iperf3", "-s", "-p", String(SERVER_PORT)], { stdin: "null", stdout: "null" });
}

/** One run of a program that prints JSON or lines; tried again while nobody listens. */
async function run(
  from: Namespace,
  command: readonly string[],
  isRefusal: (stdout: string) => boolean = () => false,
): Promise<string> {
  for (let attempt = 1;; attempt++) {
    const { code, stdout, stderr } = await from.output(command);
    if (code === 0 && !isRefusal(stdout)) return stdout;
    if (attempt === ATTEMPTS) throw new Error(`${command.join(" ")}: ${stderr}${stdout}`);
    await sleep(RETRY_MS);
  }
}

/** Of the `end` of what iperf3 --json prints, what is asked for here. */
interface IperfEnd {
  /** Of TCP. */
  readonly sum_received: { bytes: number; seconds: number; bits_per_second: number };
  /** Of UDP. */
  readonly sum: { seconds: number; packets: number; lost_packets: number };
  /** Per cent of one core. */
  readonly cpu_utilization_percent: { host_total: number; remote_total: number };
}

export async function iperf(
  { from, address }: Path,
  seconds: number,
  ...args: string[]
): Promise<IperfEnd> {
  const client = ["iperf3", "-J", "-c", address, "-p", String(SERVER_PORT), "-t", String(seconds)];
  // While the server is still at the end of the test before, the client says so and ends well.
  const isBusy = (text: string) => JSON.parse(text).error !== undefined;
  return JSON.parse(await run(from, [...client, ...args], isBusy)).end;
}

/** Received, in Gbit/s. */
export async function tcp(path: Path, seconds: number, streams: number): Promise<number> {
  return (await iperf(path, seconds, "-P", String(streams))).sum_received.bits_per_second / 1e9;
}

/** As fast as the sender can, in thousands of packets a second. */
export async function smallPackets(
  path: Path,
  seconds: number,
  bytes: number,
): Promise<{ sent: number; received: number }> {
  const { sum } = await iperf(path, seconds, "-u", "-b", "0", "-l", String(bytes));
  const thousands = (packets: number) => packets / sum.seconds / 1000;
  return { sent: thousands(sum.packets), received: thousands(sum.packets - sum.lost_packets) };
}

/** Microseconds of each ping that was answered. */
export async function roundTrips(path: Path, count: number): Promise<number[]> {
  const pings = ["ping", "-i", String(PING_INTERVAL_S), "-c", String(count), path.address];
  return [...(await run(path.from, pings)).matchAll(/ time=([\d.]+) ms/g)]
    .map(([, milliseconds]) => Number(milliseconds) * 1000);
}
