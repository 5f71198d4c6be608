/**
 * Two minutes in which everything goes wrong at once, by a seeded script: objects are deleted, devices and networks flap,
 * agents are killed, hosts get other addresses. In the end every host is as it should be, and what is not ours is as it was.
 *
 * `GOSSAMER_CHAOS_SEED` plays another script, `GOSSAMER_CHAOS_SECONDS` a longer one.
 */
import assert from "node:assert/strict";
import { addressAdd } from "../../ffi/route/address.ts";
import { bridgeAdd } from "../../ffi/route/bridge.ts";
import { fdbReplace } from "../../ffi/route/fdb.ts";
import { linkGet, linkSet } from "../../ffi/route/link.ts";
import { neighbourReplace } from "../../ffi/route/neighbour.ts";
import { routeAdd, routeDump } from "../../ffi/route/route.ts";
import { vxlanAdd } from "../../ffi/route/vxlan.ts";
import { Random } from "../../mod/base/random.ts";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { forwardingLines, neighbourLines, routeLines } from "../../mod/lab/kernel_text.ts";
import { pingUntilAnswered, sleep } from "../../mod/lab/ping.ts";
import { assertKernels, DEVICE, startOne, untilStatus, waitForMesh } from "../e2e/cluster.ts";
import { DAMAGES } from "../e2e/damages.ts";
import { scenario, type Stage } from "../e2e/scenario.ts";
import { dropAddress, giveAddress, restoreWayOut } from "../e2e/underlay_changes.ts";

const HOSTS = 5;
const SEED = Number(Deno.env.get("GOSSAMER_CHAOS_SEED") ?? 5);
const CHAOS_MS = 1000 * Number(Deno.env.get("GOSSAMER_CHAOS_SECONDS") ?? 120);
/** Who was away long enough to be declared dead is looked for every 15 s or so, by one of the others. */
const HEALED_MS_MAX = 120_000;
/** A peer that was silent in the overlay is asked again every two seconds or so. */
const CALM_MS_MAX = 30_000;
const SHORT_CUT_MS = 4_000;
const LONG_CUT_MS = 40_000;
/** Addresses that hosts move to begin here: none is ever used twice. */
const FIRST_FREE_ADDRESS = 50;

/** What may happen to one host, and how often compared with the others. */
const EVENTS: readonly (readonly [weight: number, what: string, happen: Happen])[] = [
  [10, "damage", damage],
  [2, "agent killed", killed],
  [2, "agent stopped", stopped],
  [2, "device flaps", flap],
  [2, "cable pulled", pulled],
  [1, "another address", moved],
];

interface Play {
  readonly stage: Stage;
  readonly endMs: number;
  readonly random: Random;
  /** How often each thing has happened. */
  readonly told: Map<string, number>;
  /** How often the host has moved. */
  readonly moves: { count: number };
}

type Happen = (play: Play, host: Host) => Promise<void>;

scenario(import.meta, "whatever happens, every host becomes what it should be", {
  hosts: HOSTS,
  timeLimitMs: CHAOS_MS + HEALED_MS_MAX + 60_000,
}, async (stage) => {
  const { lab, step, note } = stage;
  const { hosts } = lab;
  const told = new Map<string, number>();
  await step("a cluster, and things on its hosts that are none of its business", async () => {
    for (const host of hosts) {
      startOne(host, hosts);
      await host.waitForSubnet();
    }
    await waitForMesh(hosts);
    await Promise.all(hosts.map((host) => host.addContainer()));
    for (const host of hosts) addForeign(host);
  });
  const before = {
    subnets: hosts.map((host) => host.subnetText()),
    foreign: hosts.map(foreign),
  };
  await step(`${CHAOS_MS / 1000} s of faults, script ${SEED}`, async () => {
    const endMs = performance.now() + CHAOS_MS;
    await Promise.all(hosts.map((host) => {
      const random = new Random(SEED * 1000 + host.number);
      return suffer({ stage, endMs, random, told, moves: { count: 0 } }, host);
    }));
    note([...told].map(([what, count]) => `${what} ${count}`).sort().join(", "));
  });
  await step("every host is as it should be, and nobody has another subnet", async () => {
    for (const host of hosts) if (!host.running) restart(host, hosts);
    const began = performance.now();
    const isWhole = ({ ready, members, overlay }: StatusView) =>
      ready && overlay.inSync && members.length === HOSTS &&
      members.every(({ status }) => status === "alive");
    await Promise.all(
      hosts.map((host) => untilStatus(host, "all see all", isWhole, HEALED_MS_MAX)),
    );
    await waitForMesh(hosts);
    note(`whole ${((performance.now() - began) / 1000).toFixed(1)} s after the last fault`);
    assertKernels(hosts);
    assert.deepEqual(hosts.map((host) => host.subnetText()), before.subnets);
    for (const host of hosts) {
      // Whose pings did not come back is asked again within seconds.
      const calm = ({ problems }: StatusView) => problems.length === 0;
      const { claim } = await untilStatus(host, "no problem is left", calm, CALM_MS_MAX);
      assert.deepEqual([claim.state, claim.conflicts], ["held", 0], host.name);
    }
  });
  await step("containers of all hosts talk to each other", async () => {
    const containers = hosts.flatMap((host) => host.containers);
    for (const from of containers) {
      for (const to of containers) {
        if (from === to) continue;
        const outcome = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5000 });
        assert.equal(outcome.kind, "answered", `${from.address} -> ${to.address}`);
      }
    }
  });
  await step("nothing foreign has changed", () => {
    assert.deepEqual(hosts.map(foreign), before.foreign);
  });
});

/** One thing after another happens to that host, by the script. */
async function suffer(play: Play, host: Host): Promise<void> {
  const { random, endMs } = play;
  const total = EVENTS.reduce((sum, [weight]) => sum + weight, 0);
  while (true) {
    await sleep(100 + random.below(2_000));
    if (performance.now() > endMs) return;
    let turn = random.below(total);
    const event = EVENTS.find(([weight]) => (turn -= weight) < 0);
    assert(event !== undefined);
    const [, what, happen] = event;
    play.told.set(what, (play.told.get(what) ?? 0) + 1);
    await happen(play, host);
  }
}

/** Something of the overlay is taken away or changed; not where the device is missing anyway. */
function damage({ random }: Play, host: Host): Promise<void> {
  const [damage] = random.sample(DAMAGES, 1);
  assert(damage !== undefined);
  if (linkGet(host.namespace.netlink, DEVICE) === null) return Promise.resolve();
  const [, act] = damage;
  try {
    act(host);
  } catch {
    // There was nothing left to take: the agent is down, or has not come that far.
  }
  return Promise.resolve();
}

async function killed({ stage, random }: Play, host: Host): Promise<void> {
  await host.kill();
  await sleep(random.below(4_000));
  restart(host, stage.lab.hosts);
}

async function stopped({ stage, random }: Play, host: Host): Promise<void> {
  await host.stop();
  await sleep(random.below(2_000));
  restart(host, stage.lab.hosts);
}

/** It joins through whoever is known by then. */
function restart(host: Host, hosts: readonly Host[]): void {
  const others = hosts.filter((other) => other !== host);
  host.start(`--join=${others.map(({ address }) => address).join(",")}`);
}

async function flap({ random }: Play, host: Host): Promise<void> {
  const { netlink } = host.namespace;
  const index = host.namespace.deviceIndex("eth0");
  linkSet(netlink, index, { up: false });
  await sleep(random.below(3_000));
  linkSet(netlink, index, { up: true });
  restoreWayOut(host);
}

async function pulled({ random, endMs }: Play, host: Host): Promise<void> {
  host.setCable(false);
  // One in four lasts until the others have declared it dead.
  const cutMs = random.below(random.below(4) === 0 ? LONG_CUT_MS : SHORT_CUT_MS);
  await sleep(Math.min(cutMs, Math.max(0, endMs - performance.now())));
  host.setCable(true);
}

async function moved({ random, moves }: Play, host: Host): Promise<void> {
  dropAddress(host);
  await sleep(random.below(2_000));
  giveAddress(host, FIRST_FREE_ADDRESS + HOSTS * moves.count++ + host.number);
}

/** A bridge, another overlay, routes of several kinds. */
function addForeign(host: Host): void {
  const { netlink } = host.namespace;
  bridgeAdd(netlink, { name: "foreign0", up: true });
  const bridge = host.namespace.deviceIndex("foreign0");
  addressAdd(netlink, { index: bridge, address: "172.31.0.1", prefixLength: 24 });
  routeAdd(netlink, { destination: "172.30.0.0/16", gateway: "172.31.0.9", index: bridge });
  routeAdd(netlink, {
    destination: "10.251.0.0/16",
    gateway: "172.31.0.9",
    index: bridge,
    table: 100,
  });
  vxlanAdd(netlink, {
    name: "flannel.9",
    up: true,
    vxlan: { id: 9, port: 8473, learning: false },
  });
  const other = host.namespace.deviceIndex("flannel.9");
  addressAdd(netlink, { index: other, address: "10.9.0.0", prefixLength: 32 });
  const mac = "02:00:00:00:09:01";
  neighbourReplace(netlink, { index: other, address: "10.9.1.0", linkAddress: mac });
  fdbReplace(netlink, { index: other, linkAddress: mac, destination: "172.31.0.9" });
  routeAdd(netlink, {
    destination: "10.9.1.0/24",
    gateway: "10.9.1.0",
    index: other,
    onlink: true,
  });
}

/** All of it, as text. */
function foreign(host: Host) {
  const { namespace } = host;
  return ["foreign0", "flannel.9"].map((device) => ({
    device,
    addresses: host.deviceAddresses(device),
    routes: routeLines(namespace, device),
    // The kernel makes one of each for every multicast group that it joins, which takes it a while.
    neighbours: neighbourLines(namespace, device).filter((line) => !line.endsWith("NOARP")),
    forwarding: forwardingLines(namespace, device).filter((line) => !line.startsWith("33:33:")),
    elsewhere: routeDump(namespace.netlink, { family: 4, table: 100 })
      .map(({ destination, gateway }) => `${destination} via ${gateway}`),
  }));
}
