/**
 * A dead agent is not a dead host. An agent that is killed costs no packet, however long it stays away. A host whose
 * kernel is silent as well is withdrawn, and whoever talks to it is told so at once; it returns by itself, with its agent or
 * without.
 */
import assert from "node:assert/strict";
import { familyOf } from "../../mod/address/cidr.ts";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { ContinuousPing, ping, pingUntilAnswered } from "../../mod/lab/ping.ts";
import {
  actualKernel,
  assertKernels,
  deviceOf,
  startCluster,
  until,
  untilStatus,
  waitForMesh,
} from "../e2e/cluster.ts";
import type { Stage } from "../e2e/scenario.ts";

/** So long after joining nobody counts as gone: who restarted at the same moment may not have been heard yet. */
const SETTLED_MS_MAX = 60_000;
/** A suspicion that nobody confirms lasts 24 s at most, and each of the lost must be probed first. */
const DEATHS_MS_MAX = 60_000;
/** A silence of 30 s is borne, and who is given up is asked every 10 s. */
const WITHDRAWN_MS_MAX = 45_000;
const BACK_MS_MAX = 25_000;
/** Each side tries one of the lost every 15 s or so, at random. */
const HEALED_MS_MAX = 120_000;

/** Longer than all of it takes. */
export const DEAD_AGENT_MS_MAX = 400_000;

/** With four hosts, whose agents are started with those flags. */
export async function deadAgent({ lab, step, note }: Stage, ...flags: string[]): Promise<void> {
  const { hosts } = lab;
  const [h1, h2, h3, h4] = [lab.host(1), lab.host(2), lab.host(3), lab.host(4)];
  await step("a cluster whose containers talk", async () => {
    await startCluster(hosts, ...flags);
    await Promise.all(hosts.map((host) => host.addContainer()));
  });
  const pings = new ContinuousPing(containerOf(h1).namespace, containerOf(h2).address, 20);
  await step("an agent is killed, and its kernel answers for it", async () => {
    await h2.kill();
    await untilKernel(h1, h2, "answers", SETTLED_MS_MAX + DEATHS_MS_MAX);
    const { stdout } = await h1.gossamer("members");
    assert.match(stdout, /^h2 .* dead .*agent down, overlay up/m);
    assertKernels([h1, h3, h4], hosts);
  });
  await step(
    "another host is cut off, and is withdrawn when it has been silent for a while",
    async () => {
      h3.setCable(false);
      const cutAtMs = performance.now();
      await untilKernel(h1, h3, "silent", DEATHS_MS_MAX + WITHDRAWN_MS_MAX);
      note(`withdrawn ${seconds(cutAtMs)} after the cable was pulled`);
      const { stdout } = await h1.gossamer("members");
      assert.match(stdout, /^h3 .* dead .*agent and overlay down/m);
      await until("only the way to ask is left", [h1], () => {
        const routes = actualKernel(h1).routes.map((line) => line.split(" ")[0]);
        return routes.length === 3 && routes.includes(gatewayOf(h3));
      });
    },
  );
  await step("whoever talks to it is told at once that it cannot be reached", async () => {
    const outcome = await ping(h1.namespace, containerOf(h3).address);
    assert.equal(outcome.kind, "refused", "not lost");
    assert.match(outcome.reason, /EHOSTUNREACH/);
  });
  await step("the one whose agent is dead is cut off as well, and withdrawn", async () => {
    const { sent, lost } = await pings.stop();
    note(`${sent} pings to the host without an agent, ${lost} lost`);
    assert.equal(lost, 0);
    h2.setCable(false);
    await untilKernel(h1, h2, "silent", WITHDRAWN_MS_MAX + BACK_MS_MAX);
  });
  await step("its kernel comes back without its agent, and is reached again", async () => {
    h2.setCable(true);
    await untilKernel(h1, h2, "answers", BACK_MS_MAX);
    await assertTalk(h1, h2);
  });
  await step("the other comes back whole", async () => {
    h3.setCable(true);
    const backAtMs = performance.now();
    await untilKernel(h1, h3, null, HEALED_MS_MAX);
    note(`all of it ${seconds(backAtMs)} after the cable was plugged in`);
    await assertTalk(h1, h3);
  });
  await step("and the dead agent, started again, finds everything as it was", async () => {
    h2.start(`--join=${h1.address}`, ...flags);
    await untilKernel(h1, h2, null, HEALED_MS_MAX);
    await waitForMesh(hosts);
    assertKernels(hosts);
  });
}

function containerOf(host: Host) {
  const [container] = host.containers;
  assert(container !== undefined);
  return container;
}

/** Where the route leads by which a withdrawn host is asked. */
function gatewayOf(host: Host): string {
  const [address] = host.deviceAddresses(deviceOf(host), familyOf(host.address));
  assert(address !== undefined);
  return address;
}

async function untilKernel(
  host: Host,
  of: Host,
  state: StatusView["members"][number]["kernel"],
  withinMs: number,
): Promise<void> {
  await untilStatus(
    host,
    `${host.name} knows of ${of.name}'s kernel: ${state}`,
    ({ members }) => {
      const member = members.find(({ name }) => name === of.name);
      return member?.kernel === state && (state !== null || member.status === "alive");
    },
    withinMs,
  );
}

async function assertTalk(one: Host, other: Host): Promise<void> {
  for (const [from, to] of [[one, other], [other, one]] as const) {
    const { namespace } = containerOf(from);
    const outcome = await pingUntilAnswered(namespace, containerOf(to).address, {
      withinMs: 15_000,
    });
    assert.equal(outcome.kind, "answered", `${from.name} -> ${to.name}`);
  }
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}
