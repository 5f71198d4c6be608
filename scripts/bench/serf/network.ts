/**
 * What happens to the contestants' packets: counted as they leave, and lost as they arrive, by nftables
 * in each host's namespace. The programs share the namespaces, so their ports tell them apart.
 */
import type { Lab } from "../../../mod/lab/lab.ts";
import { UNDERLAY_DEVICE } from "../../../mod/lab/underlay.ts";
import type { Contestant } from "./contestant.ts";

const TABLE = "ip bench";
/** nftables counts from the IP header on; each packet has an Ethernet header before it. */
const ETHERNET_BYTES = 14;

/** What the agent of one host has sent. */
export interface Traffic {
  readonly packets: number;
  /** With IP and Ethernet headers. */
  readonly bytes: number;
}

/** Counts each contestant's packets from now on, of UDP and TCP alike. */
export async function watchNetwork(lab: Lab, contestants: readonly Contestant[]): Promise<void> {
  const counters = contestants.map(({ name }) => `counter ${name} { }`);
  const rules = contestants.flatMap(({ name, port }) => [
    `oifname "${UNDERLAY_DEVICE}" th sport ${port} counter name ${name}`,
    `oifname "${UNDERLAY_DEVICE}" th sport != ${port} th dport ${port} counter name ${name}`,
  ]);
  await everywhere(
    lab,
    [
      `table ${TABLE} {`,
      ...counters,
      "chain sent { type filter hook output priority 0;",
      ...rules.map((rule) => `meta l4proto { tcp, udp } ${rule}`),
      "}",
      "chain received { type filter hook prerouting priority -300; }",
      "}",
    ].join("\n"),
  );
}

/** Each packet that arrives is lost with that probability from now on; ARP never is. */
export async function setLoss(lab: Lab, percent: number): Promise<void> {
  const rule = `iifname "${UNDERLAY_DEVICE}" meta l4proto { tcp, udp } ` +
    `numgen random mod 100 < ${percent} drop`;
  const flush = `flush chain ${TABLE} received`;
  await everywhere(
    lab,
    percent === 0 ? flush : `${flush}\nadd rule ${TABLE} received ${rule}`,
  );
}

/** What each host's agent has sent so far, in the hosts' order. */
export async function trafficOf(lab: Lab, contestant: Contestant): Promise<Traffic[]> {
  return await Promise.all(lab.hosts.map(async ({ namespace }) => {
    const text = await nft(namespace, ["list", "counter", ...TABLE.split(" "), contestant.name]);
    const [, packets, bytes] = /packets (\d+) bytes (\d+)/.exec(text) ?? [];
    if (packets === undefined) throw new Error(`nft says nothing of a counter: ${text}`);
    return {
      packets: Number(packets),
      bytes: Number(bytes) + ETHERNET_BYTES * Number(packets),
    };
  }));
}

async function everywhere(lab: Lab, commands: string): Promise<void> {
  await Promise.all(lab.hosts.map(({ namespace }) => nft(namespace, [commands])));
}

async function nft(
  namespace: Lab["hosts"][number]["namespace"],
  args: readonly string[],
): Promise<string> {
  const { code, stdout, stderr } = await namespace.output(["nft", ...args]);
  if (code !== 0) throw new Error(`nft: ${stderr.trim()}`);
  return stdout;
}
