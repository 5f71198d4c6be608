/**
 * A host's underlay changes while its agent runs and its containers talk: another address, another network card, another
 * name, a smaller MTU. The subnet stays, nobody is renumbered, and traffic goes on by itself; how soon is printed.
 */
import assert from "node:assert/strict";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { ContinuousPing, pingUntilAnswered, sleep } from "../../mod/lab/ping.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import {
  assertKernels,
  DEVICE,
  startOne,
  statusOf,
  until,
  untilStatus,
  waitForMesh,
} from "./cluster.ts";
import { generateKey, giveKey, keyFileOf } from "./encryption.ts";
import { scenario, type Stage } from "./scenario.ts";
import { TcpStream } from "./tcp_stream.ts";
import { dropAddress, giveAddress, plug, rename, setMtu, unplug } from "./underlay_changes.ts";

/** What people are promised is seconds; the machine may be busy. */
const RECOVERED_WITHIN_MS = 15_000;
const PING_INTERVAL_MS = 5;
/** Answers after which a way is taken to work again: half a second of them, far more than were under way. */
const SETTLED_PINGS = 100;
const RENAMED = "lan0";
/** Short of what membership takes to declare the host dead, so that its own recovery is what is seen. */
const WITHOUT_MS = 2_000;

scenario(
  import.meta,
  "a host whose underlay changes keeps its subnet",
  { hosts: 3 },
  async (stage) => {
    const { lab } = stage;
    const [h2, survives] = [lab.host(2), await startTalking(stage)];
    const device = h2.namespace.deviceIndex(DEVICE);
    const sameDevice = () => assert.equal(h2.namespace.deviceIndex(DEVICE), device);

    await survives("another address", () => {
      dropAddress(h2);
      giveAddress(h2, 52);
    });
    await survives("a smaller MTU", async () => {
      setMtu(h2, UNDERLAY_DEVICE, 1400);
      await until("subnet.env has the new MTU", lab.hosts, () => mtuOfFile(h2) === 1350);
      assert.equal(h2.deviceMtu(DEVICE), 1350);
    });
    await survives("another name", () => rename(h2, UNDERLAY_DEVICE, RENAMED));
    sameDevice();
    await survives("another network card with the same address", async () => {
      unplug(lab, h2);
      plug(lab, h2, 52);
      await until("subnet.env has the MTU again", lab.hosts, () => mtuOfFile(h2) === 1450);
    });
    await survives("another network card with another address", () => {
      unplug(lab, h2);
      plug(lab, h2, 62);
    });
  },
);

scenario(
  import.meta,
  "with sealed gossip as well: addresses that are swapped, or missing for a while",
  { hosts: 3 },
  async (stage) => {
    const { lab } = stage;
    const [h2, h3] = [lab.host(2), lab.host(3)];
    const key = await generateKey(h2);
    for (const host of lab.hosts) giveKey(host, key);
    const survives = await startTalking(stage, keyFileOf);

    await survives("two hosts swap their addresses", () => {
      for (const host of [h2, h3]) dropAddress(host);
      giveAddress(h2, 3);
      giveAddress(h3, 2);
    });
    await survives(`no address for ${WITHOUT_MS} ms`, async () => {
      await withoutUnderlay(h2, () => dropAddress(h2));
      giveAddress(h2, 72);
    });
    await survives(`no network card for ${WITHOUT_MS} ms`, async () => {
      await withoutUnderlay(h2, () => unplug(lab, h2));
      plug(lab, h2, 72);
    });
  },
);

/** Nothing is torn down but what the kernel takes, and the agent says what is missing. */
async function withoutUnderlay(host: Host, take: () => void): Promise<void> {
  const text = host.subnetText();
  take();
  const isTold = ({ problems }: StatusView) =>
    problems.some(({ code }) => code === "underlay-changed");
  await untilStatus(host, "the loss is told", isTold);
  await sleep(WITHOUT_MS);
  const status = await statusOf(host);
  assert.deepEqual([status.claim.state, host.subnetText()], ["held", text]);
}

/**
 * A cluster whose containers talk, and what checks that it survives a change: the pings of the second host, a connection
 * from the first one, every kernel, and who holds what.
 */
async function startTalking(stage: Stage, keyFile?: (host: Host) => string) {
  const { lab, step } = stage;
  const { hosts } = lab;
  for (const host of hosts) {
    startOne(host, hosts, ...(keyFile === undefined ? [] : [`--key-file=${keyFile(host)}`]));
    await host.waitForSubnet();
  }
  await waitForMesh(hosts);
  await Promise.all(hosts.map((host) => host.addContainer()));
  const [h1, h2, h3] = [lab.host(1), lab.host(2), lab.host(3)];
  const before = await Promise.all(hosts.map(identity));
  const tcp = await TcpStream.open(containerOf(h1), containerOf(h2));
  return (what: string, change: () => Promise<void> | void) =>
    step(what, async () => {
      const pings = await startPings(h2, [h1, h3]);
      await change();
      await recovered(stage, h2, pings, what);
      await tcp.moves(RECOVERED_WITHIN_MS);
      await waitForMesh(hosts);
      assertKernels(hosts);
      assert.deepEqual(await Promise.all(hosts.map(identity)), before);
      await healthy(hosts);
    });
}

/**
 * What may not change: who the host is, and which subnet it holds since when. Its strength may: the first host learns
 * of its majority when there is one.
 */
async function identity(host: Host) {
  const { host: { id }, claim: { strength: _, ...claim } } = await statusOf(host);
  return { id, ...claim };
}

/** Pings from a container of one host to those of others and back, which work when it returns. */
async function startPings(host: Host, others: readonly Host[]): Promise<ContinuousPing[]> {
  const own = containerOf(host);
  const paths = others.map(containerOf).flatMap((other) => [[own, other], [other, own]] as const);
  const pings: ContinuousPing[] = [];
  for (const [from, to] of paths) {
    const outcome = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5000 });
    assert.equal(outcome.kind, "answered", `${from.address} -> ${to.address}`);
    pings.push(new ContinuousPing(from.namespace, to.address, PING_INTERVAL_MS));
  }
  return pings;
}

/** Waits until each ping is answered again, and says for how long it was not. */
async function recovered(
  { note, lab }: Stage,
  host: Host,
  pings: readonly ContinuousPing[],
  what: string,
): Promise<void> {
  const answers = () => pings.map((ping) => ping.count.received);
  const before = answers();
  await until(
    `traffic of ${host.name} after: ${what}`,
    lab.hosts,
    () => answers().every((count, index) => count > (before[index] ?? 0) + SETTLED_PINGS),
    RECOVERED_WITHIN_MS,
  );
  const gaps = (await Promise.all(pings.map((ping) => ping.stop()))).map((count) =>
    count.longestGapMs
  );
  note(`${what}: no answer for ${Math.max(...gaps)} ms`);
}

/** No problem is left but that one host takes shorter packets, and every host sees every other alive. */
async function healthy(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    const status = await untilStatus(
      host,
      `${host.name} is well`,
      (found) =>
        found.ready && found.overlay.inSync &&
        found.problems.every(({ code }) => code === "mtu-differs") &&
        found.cluster.alive === hosts.length,
      30_000,
    );
    assert.equal(status.overlay.repairs, 0);
    const addresses = status.members.map(({ address }) => address).sort();
    assert.deepEqual(addresses, hosts.map(({ address }) => address).sort());
  }
}

function mtuOfFile(host: Host): number {
  return Number(/FLANNEL_MTU=(\d+)/.exec(host.subnetText() ?? "")?.[1]);
}

function containerOf(host: Host) {
  const container = host.containers[0];
  assert(container !== undefined, `${host.name} has no container`);
  return container;
}
