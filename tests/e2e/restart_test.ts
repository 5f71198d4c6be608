/** What an agent's death, restart and leaving do to traffic, to subnets and to the kernel's tables. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { linkGet } from "../../ffi/route/link.ts";
import { neighbourDump, neighbourReplace } from "../../ffi/route/neighbour.ts";
import { routeAdd, routeDelete, routeDump } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import { sleep } from "../../mod/lab/ping.ts";
import {
  actualKernel,
  assertKernels,
  DEVICE,
  expectedKernel,
  overlayMac,
  startCluster,
  startOne,
  until,
  untilStatus,
  waitForMesh,
} from "./cluster.ts";
import { scenario, type Stage } from "./scenario.ts";
import { assertNothingLost, startTraffic } from "./traffic.ts";

/** Time with a dead agent that the pings have to bridge: 200 pings. */
const DEAD_MS = 1000;

scenario(import.meta, "agents die, return and leave", { hosts: 3 }, async (stage) => {
  const { hosts } = stage.lab;
  await startCluster(hosts);
  await Promise.all(hosts.map((host) => host.addContainer()));
  const { step } = stage;
  await step("kill -9 loses no packet, and the agent returns as it was", () => killOne(stage));
  await step(
    "SIGTERM leaves the overlay up, and the agent returns as it was",
    () => stopOne(stage),
  );
  await step("all killed at once, all return without a seed as they were", () => killAll(stage));
  await step("leave --release removes the subnet here and at every peer", () => leave(stage));
  await step("a host that was released joins again", async () => {
    startOne(stage.lab.host(3), hosts);
    await waitForMesh(hosts);
  });
  await step(
    "who leaves and who joins while an agent is dead is known at its next start",
    () => changeWhileDead(stage),
  );
  await step("cleanup removes what is ours and nothing else", async () => {
    await stage.lab.host(2).stop();
    await cleanUp(stage.lab.host(2));
  });
});

async function killOne({ lab, note }: Stage): Promise<void> {
  const host = lab.host(2);
  const before = memory(host);
  const traffic = await startTraffic(lab, [1, 2], [2, 3]);
  await host.kill();
  await sleep(DEAD_MS);
  assert.deepEqual(actualKernel(host), before.kernel);
  await returns(host, lab.hosts);
  await sleep(DEAD_MS);
  await assertNothingLost(traffic, note);
  assert.deepEqual(memory(host), before);
  assertKernels(lab.hosts);
}

async function stopOne({ lab, note }: Stage): Promise<void> {
  const host = lab.host(2);
  const before = memory(host);
  const traffic = await startTraffic(lab, [1, 2], [2, 3]);
  const status = await host.stop();
  assert.deepEqual([status.code, status.signal], [0, null], `${host.name} ended`);
  await sleep(DEAD_MS);
  assert.deepEqual(memory(host), before);
  // A stop is no release: the others keep the subnet for it, and their routes.
  assertKernels([lab.host(1), lab.host(3)], lab.hosts);
  await returns(host, lab.hosts);
  await sleep(DEAD_MS);
  await assertNothingLost(traffic, note);
  assert.deepEqual(memory(host), before);
  assertKernels(lab.hosts);
}

async function killAll({ lab, note }: Stage): Promise<void> {
  const { hosts } = lab;
  const before = hosts.map(memory);
  const traffic = await startTraffic(lab, [1, 2], [2, 3]);
  await Promise.all(hosts.map((host) => host.kill()));
  await sleep(DEAD_MS);
  for (const host of hosts) host.start(); // No seed: they remember each other.
  for (const host of hosts) {
    await untilStatus(
      host,
      `${host.name} sees all`,
      (view) => view.ready && view.cluster.alive === hosts.length,
    );
  }
  await assertNothingLost(traffic, note);
  assert.deepEqual(hosts.map(memory), before);
  assertKernels(hosts);
}

async function leave({ lab, note }: Stage): Promise<void> {
  const host = lab.host(3);
  const rest = [lab.host(1), lab.host(2)];
  const { code, stderr } = await host.gossamer("leave", "--release");
  assert.equal(code, 0, stderr);
  const status = await host.agent.wait();
  assert.equal(status.code, 0, `${host.name} ended`);
  assert.equal(linkGet(host.namespace.netlink, DEVICE), null, "the VTEP is gone");
  assert.deepEqual(routesOfOurs(host), []);
  await waitForMesh(rest);
  await assertNothingLost(await startTraffic(lab, [1, 2]), note);
}

/** The membership that an agent finds is another one than it left: nothing stale is left, nothing is missing. */
async function changeWhileDead({ lab, note }: Stage): Promise<void> {
  const [h1, h2, h3] = [lab.host(1), lab.host(2), lab.host(3)];
  const before = memory(h2);
  const traffic = await startTraffic(lab, [1, 2], [2, 1]);
  await h2.kill();
  const { code, stderr } = await h3.gossamer("leave", "--release");
  assert.equal(code, 0, stderr);
  await h3.agent.wait();
  const h4 = await lab.addHost();
  startOne(h4, [h1]);
  await h4.waitForSubnet();
  const now = [h1, h2, h4];
  await until(
    "the others know",
    now,
    () =>
      [h1, h4].every((host) => isDeepStrictEqual(actualKernel(host), expectedKernel(host, now))),
  );
  assert.deepEqual(memory(h2), before, "nobody looks after the dead agent's kernel");
  startOne(h2, [h1]);
  await waitForMesh(now);
  await assertNothingLost(traffic, note);
  assert.equal(h2.subnetText(), before.subnetFile);
}

/** Everything of a host that a restart must not change. */
function memory(host: Host) {
  return {
    subnetFile: host.subnetText(),
    mac: overlayMac(host),
    index: linkGet(host.namespace.netlink, DEVICE)?.index,
    kernel: actualKernel(host),
  };
}

async function returns(host: Host, hosts: readonly Host[]): Promise<void> {
  startOne(host, hosts);
  await untilStatus(
    host,
    `${host.name} is ready`,
    (status) => status.ready && status.cluster.alive === hosts.length,
  );
}

function routesOfOurs(host: Host): string[] {
  return routeDump(host.namespace.netlink, { family: 4, table: null, protocol: 71 })
    .map(({ destination }) => destination);
}

/** Foreign objects on our device and beside it survive a cleanup; the dry run says what it will do. */
async function cleanUp(host: Host): Promise<void> {
  const { netlink } = host.namespace;
  const index = host.namespace.deviceIndex(DEVICE);
  const foreign = { destination: "10.250.0.0/16", index, scope: 253 };
  const elsewhere = {
    destination: "10.251.0.0/16",
    index: host.namespace.deviceIndex("eth0"),
    table: 100,
    scope: 253,
  };
  routeAdd(netlink, foreign);
  routeAdd(netlink, elsewhere);
  neighbourReplace(netlink, { index, address: "10.250.0.9", linkAddress: "02:00:00:00:00:09" });
  const before = actualKernel(host);

  const dry = await host.gossamer("cleanup", "--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  assert.deepEqual(actualKernel(host), before, "a dry run changes nothing");
  const ours = before.routes.filter((line) => line.includes("proto 71"));
  assert(ours.length > 0);
  for (const line of ours) {
    const destination = line.split(" ")[0] ?? "";
    assert.match(dry.stdout, new RegExp(`^ip route delete ${destination} .*dev ${DEVICE}`, "m"));
  }
  assert.doesNotMatch(dry.stdout, /10\.25[01]\./, "foreign objects are none of its business");

  const real = await host.gossamer("cleanup");
  assert.equal(real.code, 0, real.stderr);
  assert.deepEqual(routesOfOurs(host), []);
  const { routes, neighbours, forwarding, addresses } = actualKernel(host);
  assert.deepEqual(routes, ["10.250.0.0/16 proto static scope link"]);
  assert.deepEqual(neighbours, ["10.250.0.9 lladdr 02:00:00:00:00:09 PERMANENT"]);
  assert.deepEqual(forwarding, []);
  // The kernel would take the foreign route along with the device's last address.
  assert.deepEqual(addresses, before.addresses);
  assert.match(real.stderr, /10\.250\.0\.0\/16/, "what keeps the device is named");
  const tables = routeDump(netlink, { family: 4, table: 100 });
  assert.deepEqual(tables.map(({ destination }) => destination), ["10.251.0.0/16"]);

  routeDelete(netlink, foreign);
  const again = await host.gossamer("cleanup");
  assert.equal(again.code, 0, again.stderr);
  assert.equal(linkGet(netlink, DEVICE), null, "nothing foreign is left on the device, so it goes");
  assert.deepEqual(neighbourDump(netlink, { index }), []);
}
