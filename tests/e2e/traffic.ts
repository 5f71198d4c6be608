/** Pings between containers that go on while a scenario does something to the agents: what users would notice. */
import assert from "node:assert/strict";
import type { Container } from "../../mod/lab/container.ts";
import type { Host } from "../../mod/lab/host.ts";
import type { Lab } from "../../mod/lab/lab.ts";
import { ContinuousPing, pingUntilAnswered, sleep } from "../../mod/lab/ping.ts";

const PING_INTERVAL_MS = 5;

/** Starts pinging between containers, given by their hosts' numbers, once that works. */
export async function startTraffic(
  lab: Lab,
  ...paths: readonly (readonly [from: number, to: number])[]
): Promise<ContinuousPing[]> {
  const ends = paths.map(([from, to]) => [lab.host(from), lab.host(to)].map(containerOf));
  const traffic: ContinuousPing[] = [];
  for (const [from, to] of ends) {
    assert(from !== undefined && to !== undefined);
    const outcome = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5000 });
    assert.equal(outcome.kind, "answered", `${from.address} -> ${to.address}`);
    traffic.push(new ContinuousPing(from.namespace, to.address, PING_INTERVAL_MS));
  }
  await sleep(20 * PING_INTERVAL_MS);
  return traffic;
}

/** Ends the pings; every one must have been answered. */
export async function assertNothingLost(
  traffic: readonly ContinuousPing[],
  note: (text: string) => void,
): Promise<void> {
  for (const pings of traffic) {
    const { sent, lost, longestGapMs, refusals } = await pings.stop();
    note(`${sent} pings sent, ${lost} lost`);
    assert.deepEqual({ lost, longestGapMs, refusals }, { lost: 0, longestGapMs: 0, refusals: [] });
  }
}

function containerOf(host: Host): Container {
  const container = host.containers[0];
  assert(container !== undefined, `${host.name} has no container`);
  return container;
}
