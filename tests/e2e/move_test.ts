/**
 * A host's underlay changes while its agent runs and its containers talk: another address, another network card, another
 * name, a smaller MTU. The subnet stays, nobody is renumbered, and traffic goes on by itself; how soon is printed.
 */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import { ContinuousPing, pingUntilAnswered } from "../../mod/lab/ping.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import {
  assertKernels,
  DEVICE,
  startCluster,
  statusOf,
  until,
  untilStatus,
  waitForMesh,
} from "./cluster.ts";
import { scenario, type Stage } from "./scenario.ts";
import { TcpStream } from "./tcp_stream.ts";
import { dropAddress, giveAddress, plug, rename, setMtu, unplug } from "./underlay_changes.ts";

/** What people are promised is seconds; the machine may be busy. */
const RECOVERED_WITHIN_MS = 15_000;
const PING_INTERVAL_MS = 5;
const RENAMED = "lan0";

scenario(import.meta, "a host whose underlay changes keeps its subnet", { hosts: 3 }, async (
  stage,
) => {
  const { lab, step } = stage;
  const { hosts } = lab;
  const [h1, h2, h3] = [lab.host(1), lab.host(2), lab.host(3)];
  await startCluster(hosts);
  await Promise.all(hosts.map((host) => host.addContainer()));
  const before = await Promise.all(hosts.map(identity));
  const tcp = await TcpStream.open(containerOf(h1), containerOf(h2));

  const survive = async (what: string, change: () => Promise<void> | void) => {
    await step(what, async () => {
      const pings = await startPings(h2, [h1, h3]);
      await change();
      await recovered(stage, h2, pings, what);
      await tcp.moves(RECOVERED_WITHIN_MS);
      await waitForMesh(hosts);
      assertKernels(hosts);
      assert.deepEqual(await Promise.all(hosts.map(identity)), before);
      await healthy(hosts);
    });
  };

  await survive("another address", () => {
    dropAddress(h2);
    giveAddress(h2, 52);
  });
  await survive("the network card is replaced, with the address that it had", () => {
    unplug(lab, h2);
    plug(lab, h2, 52);
  });
  await survive("the network card is replaced, and has another address", () => {
    unplug(lab, h2);
    plug(lab, h2, 62);
  });
  await survive("the network card gets another name", () => {
    rename(h2, UNDERLAY_DEVICE, RENAMED);
  });
  await survive("its MTU is lowered", async () => {
    setMtu(h2, RENAMED, 1400);
    await until("subnet.env has the new MTU", hosts, () => mtuOfFile(h2) === 1350);
    assert.equal(h2.deviceMtu(DEVICE), 1350);
  });
  await tcp.close();
});

/** What may not change: who the host is, and which subnet it holds since when. */
async function identity(host: Host) {
  const status = await statusOf(host);
  return { id: status.host.id, ...status.claim };
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
  const counts = () => pings.map((ping) => ping.count);
  const sentAtChange = counts().map(({ sent }) => sent);
  await until(
    `traffic of ${host.name} after: ${what}`,
    lab.hosts,
    () =>
      counts().every(({ sent, lost }, index) => {
        const since = sent - (sentAtChange[index] ?? 0);
        return since > 20 && since - lost > 10;
      }),
    RECOVERED_WITHIN_MS,
  );
  const gaps = (await Promise.all(pings.map((ping) => ping.stop()))).map((count) =>
    count.longestGapMs
  );
  note(`${what}: no answer for ${Math.max(...gaps)} ms`);
}

/** No problem is left, and every host sees every other alive. */
async function healthy(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    const status = await untilStatus(
      host,
      `${host.name} is well`,
      (found) =>
        found.ready && found.overlay.inSync && found.problems.length === 0 &&
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
