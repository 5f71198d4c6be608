/**
 * What the network does to a cluster: splits it in two for two minutes, splits it while one side forgets
 * the other, and loses three packets of ten for a minute. Three clusters suffer at the same time, because
 * the two minutes are real ones.
 *
 * Whatever happens to membership meanwhile, no subnet changes. Who is silent for long is withdrawn until it answers, who is
 * forgotten goes, and in the end everybody sees everybody again.
 */
import assert from "node:assert/strict";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { routeLines } from "../../mod/lab/kernel_text.ts";
import { Lab } from "../../mod/lab/lab.ts";
import { pingUntilAnswered, sleep } from "../../mod/lab/ping.ts";
import {
  actualKernel,
  assertKernels,
  DEVICE,
  expectedKernel,
  startCluster,
  statusOf,
  waitForMesh,
} from "../e2e/cluster.ts";
import { canLosePackets, losePackets } from "../e2e/packet_loss.ts";
import { scenario, type Stage } from "../e2e/scenario.ts";

const SPLIT_MS = 120_000;
/** A suspicion that nobody confirms lasts 24 s at most, and each of the lost must be probed first. */
const DEATHS_MS_MAX = 60_000;
const LOSS_PERCENT = 30;
const LOSS_MS = 60_000;
/** Each side tries one of the lost every 15 s or so, at random: eight times that is enough for bad luck. */
const HEAL_MS_MAX = 120_000;
const LOOK_MS = 1_000;
const KERNEL_LOOK_MS = 100;
const TIME_LIMIT_MS = 420_000;

/** A cluster cut in two, and what its hosts had before. */
interface Split {
  readonly lab: Lab;
  readonly sides: readonly [readonly Host[], readonly Host[]];
  readonly subnets: readonly (string | null)[];
}

scenario(import.meta, "clusters outlive a split of two minutes, and a network that loses packets", {
  hosts: 6,
  timeLimitMs: TIME_LIMIT_MS,
}, async (stage) => {
  const { lab, step, note } = stage;
  const forgetfulLab = await furtherLab(stage, "forgetful");
  const lossyLab = await furtherLab(stage, "lossy");
  const labs = [lab, forgetfulLab, lossyLab];
  await step("three clusters form", async () => {
    for (const { hosts } of labs) await startCluster(hosts);
    await Promise.all(labs.flatMap(({ hosts }) => hosts).map((host) => host.addContainer()));
  });
  const split = splitInTwo(lab);
  const forgetful = splitInTwo(forgetfulLab);
  const splitAtMs = performance.now();
  const loss = Promise.allSettled([suffer(lossyLab, note)]); // its outcome is a step of its own
  await step("both sides of a split declare the other dead", async () => {
    const sides = [...split.sides, ...forgetful.sides];
    await Promise.all(sides.map((side) => untilSeen(side, seesOnly(side), DEATHS_MS_MAX)));
    note(`both sides had declared the other dead after ${secondsSince(splitAtMs)}`);
  });
  await step("one side restarts and remembers nobody of the other", () => forgetAll(forgetful));
  await step("another side is told to forget a host", () => forgetOne(split));
  await step(`${LOSS_PERCENT} % loss for ${LOSS_MS / 1000} s withdraws nothing`, async () => {
    const [outcome] = await loss;
    if (outcome?.status === "rejected") throw outcome.reason;
  });
  await step("two minutes later each side works, with the subnets it had", async () => {
    await sleep(Math.max(0, splitAtMs + SPLIT_MS - performance.now()));
    for (const { sides: [left, right] } of [split, forgetful]) {
      await Promise.all([assertTalk(left), assertTalk(right)]);
    }
    for (const { lab, subnets } of [split, forgetful]) assert.deepEqual(subnetsOf(lab), subnets);
    const [left, right] = split.sides;
    assertWithdrawn(left, right.slice(0, -1)); // the last one is forgotten there
    assertWithdrawn(right, left);
    assertWithdrawn(...forgetful.sides);
  });
  await step("healed: everybody sees everybody, and nobody has changed", async () => {
    for (const { lab } of [split, forgetful]) lab.heal();
    await Promise.all([split, forgetful].map((each) => assertHealed(each, note)));
  });
});

async function furtherLab({ folder, executable }: Stage, name: string): Promise<Lab> {
  const directory = `${folder}/${name}`;
  Deno.mkdirSync(directory);
  return await Lab.open({ hosts: 5, command: [executable], directory });
}

/** The first three hosts here, the others there. */
function splitInTwo(lab: Lab): Split {
  const subnets = subnetsOf(lab);
  const sides = [lab.hosts.slice(0, 3), lab.hosts.slice(3)] as const;
  lab.partition(...sides);
  return { lab, sides, subnets };
}

function subnetsOf({ hosts }: Lab): (string | null)[] {
  return hosts.map((host) => host.subnetText());
}

/** Waits until the status of each host satisfies a condition; asks once a second, as a person would. */
async function untilSeen(
  hosts: readonly Host[],
  holds: (status: StatusView) => boolean,
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  await Promise.all(hosts.map(async (host) => {
    while (true) {
      const status = await host.status();
      if (status !== null && holds(status)) return;
      if (performance.now() > deadline) {
        throw new Error(`${host.name}: not within ${withinMs} ms; ${JSON.stringify(status)}`);
      }
      await sleep(LOOK_MS);
    }
  }));
}

/** The hosts of one side are alive, all others dead. */
function seesOnly(side: readonly Host[]): (status: StatusView) => boolean {
  const names = new Set(side.map(({ name }) => name));
  return ({ members }) =>
    members.every(({ name, status }) => status === (names.has(name) ? "alive" : "dead"));
}

/** Killed, robbed of the file with the members, and started again with no seed on the other side. */
async function forgetAll({ sides: [, side] }: Split): Promise<void> {
  const before = side.map((host) => host.subnetText());
  await Promise.all(side.map((host) => host.kill()));
  for (const [index, host] of side.entries()) {
    Deno.removeSync(`${host.stateDir}/members.state`);
    const seed = side[(index + 1) % side.length];
    assert(seed !== undefined && seed !== host);
    host.start(`--join=${seed.address}`);
  }
  await untilSeen(
    side,
    ({ ready, members }) =>
      ready && members.length === side.length && members.every(({ status }) => status === "alive"),
    DEATHS_MS_MAX,
  );
  assert.deepEqual(side.map((host) => host.subnetText()), before);
}

/** The one side gives up the last host of the other, and what leads to it. */
async function forgetOne({ sides: [left, right] }: Split): Promise<void> {
  const [host] = left;
  const lost = right.at(-1);
  assert(host !== undefined && lost !== undefined);
  const { code, stderr } = await host.gossamer("forget", lost.name);
  assert.equal(code, 0, stderr);
  const isForgotten = ({ members }: StatusView) =>
    members.some(({ name, status }) => name === lost.name && status === "left");
  await untilSeen(left, isForgotten, DEATHS_MS_MAX);
}

/** Loses packets for a minute and looks at every kernel all the time. */
async function suffer(lab: Lab, note: (text: string) => void): Promise<void> {
  if (!canLosePackets()) return note("no packets were lost: there is no nft (package nftables)");
  const { hosts } = lab;
  const subnets = subnetsOf(lab);
  await losePackets(hosts, LOSS_PERCENT);
  const endAtMs = performance.now() + LOSS_MS;
  while (performance.now() < endAtMs) {
    for (const host of hosts) {
      const routes = routeLines(host.namespace, DEVICE);
      assert.equal(routes.length, hosts.length - 1, `${host.name} routes to all: ${routes}`);
    }
    await sleep(KERNEL_LOOK_MS);
  }
  const failures = hosts.map((host) => host.agent.stderr.split('"member failed').length - 1);
  note(`${LOSS_PERCENT} % loss: ${failures.reduce((sum, count) => sum + count)} false failures`);
  await losePackets(hosts, 0);
  await assertWhole(lab, subnets);
}

async function assertHealed({ lab, subnets }: Split, note: (text: string) => void): Promise<void> {
  const healedAtMs = performance.now();
  await untilSeen(lab.hosts, seesOnly(lab.hosts), HEAL_MS_MAX);
  note(
    `all ${lab.hosts.length} saw all again ${secondsSince(healedAtMs)} after the split was healed`,
  );
  await assertWhole(lab, subnets);
}

/** Of hosts that were silent for long, each kernel keeps what is needed to ask them: of the route that to their VTEP. */
function assertWithdrawn(side: readonly Host[], lost: readonly Host[]): void {
  const narrow = lost.map((host) => {
    const subnet = expectedKernel(host, [host])?.addresses[0]?.split("/")[0] ?? "";
    return [`${subnet}/24 `, `${subnet}/32 `] as const;
  });
  for (const host of side) {
    const wanted = expectedKernel(host, [...side, ...lost]);
    assert(wanted !== null);
    const routes = wanted.routes.map((line) =>
      narrow.reduce((text, [wide, alone]) => text.replace(wide, alone), line)
    );
    assert.deepEqual(actualKernel(host), { ...wanted, routes: routes.sort() }, host.name);
  }
}

/** All alive, all kernels complete, containers talk across, and nobody has another subnet than before. */
async function assertWhole(lab: Lab, subnets: readonly (string | null)[]): Promise<void> {
  const { hosts } = lab;
  await untilSeen(hosts, seesOnly(hosts), HEAL_MS_MAX);
  await waitForMesh(hosts);
  assertKernels(hosts);
  await assertTalk(hosts);
  assert.deepEqual(subnetsOf(lab), subnets);
  for (const host of hosts) {
    const { claim } = await statusOf(host);
    assert.deepEqual({ state: claim.state, conflicts: claim.conflicts }, {
      state: "held",
      conflicts: 0,
    });
    assert.doesNotMatch(host.log(), /had to change its subnet/, host.name);
  }
}

/** Every container pings every other. */
async function assertTalk(hosts: readonly Host[]): Promise<void> {
  for (const from of hosts.flatMap(({ containers }) => containers)) {
    for (const to of hosts.flatMap(({ containers }) => containers)) {
      if (from === to) continue;
      const outcome = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5000 });
      assert.equal(outcome.kind, "answered", `${from.address} -> ${to.address}`);
    }
  }
}

function secondsSince(atMs: number): string {
  return `${((performance.now() - atMs) / 1000).toFixed(1)} s`;
}
