/** Packets and streams that no agent sends change nothing and kill nothing. */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import { ContinuousPing, pingUntilAnswered } from "../../mod/lab/ping.ts";
import { actualKernel, startCluster, startOne, statusOf, waitForMesh } from "./cluster.ts";
import { scenario, type Stage } from "./scenario.ts";

const PACKETS = 10_000;

/** Replays the same attack; another number is another attack. */
const SEED = 20_26;

scenario(import.meta, "malformed packets and streams change nothing and kill nothing", {
  hosts: 4,
}, async (stage) => {
  const { lab, step } = stage;
  const cluster = lab.hosts.slice(0, 3);
  await startCluster(cluster);
  await Promise.all(cluster.map((host) => host.addContainer()));
  await step(`${PACKETS} malformed packets`, () => endure(stage, cluster));
  await step("a host can still join", async () => {
    const newcomer = lab.host(4);
    startOne(newcomer, lab.hosts);
    await newcomer.waitForSubnet();
    await waitForMesh(lab.hosts);
  });
});

async function endure({ lab, note }: Stage, cluster: readonly Host[]): Promise<void> {
  const attacker = await lab.addHost();
  lab.hosts.pop(); // It is plugged in, but no host of the cluster.
  const [from, to] = cluster.map((host) => host.containers[0]);
  assert(from !== undefined && to !== undefined);
  await pingUntilAnswered(from.namespace, to.address, { withinMs: 5000 });
  const before = await Promise.all(cluster.map(observed));
  const traffic = new ContinuousPing(from.namespace, to.address, 5);
  const { code, stdout, stderr } = await attacker.namespace.output([
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    new URL("attacker.ts", import.meta.url).pathname,
    ...cluster.map(({ address }) => address),
    "--packets",
    String(PACKETS),
    "--seed",
    String(SEED),
  ]);
  const pings = await traffic.stop();
  assert.equal(code, 0, stderr);
  note(stdout.trim());
  note(`${pings.sent} pings between containers meanwhile, ${pings.lost} lost`);
  for (const host of cluster) assert(host.running, `${host.name} ended`);
  assert.deepEqual(await Promise.all(cluster.map(observed)), before);
  assert.equal(pings.lost, 0);
  await attacker.close();
}

/** Everything that must be as it was: what status says, what the kernel holds, what the file says. */
async function observed(host: Host) {
  const { ready, host: self, cluster, overlay, members, problems, ...rest } = await statusOf(host);
  // The first host learns of its majority when there is one, attacked or not.
  const { strength: _, ...claim } = rest.claim;
  return {
    pid: host.agent.pid,
    ready,
    id: self.id,
    alive: cluster.alive,
    dead: cluster.dead,
    left: cluster.left,
    claim,
    repairs: overlay.repairs,
    members: members.map(({ id, name, address, subnet, claim, mac }) =>
      [id, name, address, subnet, claim, mac].join(" ")
    ).sort(),
    // That somebody of another cluster knocks is what status should say.
    problems: problems.filter(({ code }) => code !== "other-cluster" && code !== "other-key"),
    kernel: actualKernel(host),
    subnetFile: host.subnetText(),
    written: Deno.statSync(host.subnetFile).mtime?.getTime(),
  };
}
