/** The host-gw backend with real agents: bare packets of the underlay's full MTU, and routes that stay as they should be. */
import assert from "node:assert/strict";
import { linkSet } from "../../ffi/route/link.ts";
import { routeAdd, routeDelete, routeDump } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { PROTOCOL, startOne, statusOf, until, untilStatus } from "./cluster.ts";
import {
  assertAllPairsTalk,
  directRoutes,
  expectedRoutes,
  hasDevice,
  hasRoutes,
  waitForRoutes,
} from "./direct_routes.ts";
import { scenario, type Stage } from "./scenario.ts";
import { assertNothingLost, startTraffic } from "./traffic.ts";
import { dropAddress, giveAddress, plug, setMtu, unplug } from "./underlay_changes.ts";

const HOST_GW = "--backend=host-gw";
/** The bound that the project promises. */
const HEALED_WITHIN_MS = 1000;
const GATEWAY = "192.168.100.254";

const UNDERLAY_LOST = "the underlay set down and up";

/** Ways to lose routes; the kernel says nothing of those that go with a device. */
const DAMAGES: readonly (readonly [what: string, damage: (host: Host) => void])[] = [
  ["one route deleted", (host) => deleteRoutes(host, 1)],
  ["all routes deleted", (host) => deleteRoutes(host, Infinity)],
  [UNDERLAY_LOST, (host) => {
    const index = host.namespace.deviceIndex(UNDERLAY_DEVICE);
    linkSet(host.namespace.netlink, index, { up: false });
    linkSet(host.namespace.netlink, index, { up: true });
    routeAdd(host.namespace.netlink, { destination: "0.0.0.0/0", gateway: GATEWAY, index });
  }],
];

scenario(import.meta, "host-gw: four hosts whose packets travel bare", { hosts: 4 }, async (
  stage,
) => {
  const { lab, step, note } = stage;
  const { hosts } = lab;
  const [h1, h2, h3, h4] = [lab.host(1), lab.host(2), lab.host(3), lab.host(4)];
  await step("every host has a route to every other, and no device of its own", async () => {
    for (const host of hosts) {
      startOne(host, hosts, HOST_GW);
      await host.waitForSubnet();
    }
    await waitForRoutes(hosts);
    for (const host of hosts) {
      assert.equal(hasDevice(host), false, host.name);
      assert.equal(mtuOfFile(host), 1500);
    }
  });
  await step("containers talk with the underlay's full MTU", async () => {
    await Promise.all(hosts.map((host) => host.addContainer()));
    await assertAllPairsTalk(hosts);
  });
  await step("status says how packets travel", async () => {
    const status = await statusOf(h2);
    assert.deepEqual(status.problems, []);
    assert.equal(status.cluster.backend, "host-gw");
    const { device, mac, mtu, inSync, peersDirect, repairs } = status.overlay;
    assert.deepEqual([device, mac, mtu, inSync, peersDirect, repairs], [
      UNDERLAY_DEVICE,
      null,
      1500,
      true,
      3,
      0,
    ]);
    const paths = status.members.map(({ name, path, backend }) => [name, path, backend]);
    assert.deepEqual(
      paths,
      hosts.map(({ name }) => [name, name === "h2" ? null : "direct", "host-gw"]),
    );
  });
  for (const [what, damage] of DAMAGES) {
    await step(what, () => healAfter(stage, h2, what, damage));
  }
  await step("a restart loses nothing, and subnet.env stays byte for byte", async () => {
    const text = h2.subnetText();
    const traffic = await startTraffic(lab, [1, 2], [2, 3], [3, 2]);
    await h2.stop();
    h2.start(HOST_GW);
    await untilStatus(h2, "ready again", ({ ready }) => ready);
    await assertNothingLost(traffic, note);
    assert.equal(h2.subnetText(), text);
  });
  await step("who leaves while an agent is dead is forgotten at its next start", async () => {
    await h3.kill();
    const gone = expectedRoutes(h3, [h4]);
    await h4.gossamer("leave", "--release");
    assert.deepEqual(directRoutes(h4), []);
    const rest = [h1, h2, h3];
    await until("the others know", rest, () => [h1, h2].every((host) => hasRoutes(host, rest)));
    assert.ok(gone !== null && directRoutes(h3).includes(gone[0] ?? ""));
    h3.start(HOST_GW);
    await waitForRoutes(rest);
    h4.start(HOST_GW, `--join=${h1.address}`);
    await h4.waitForSubnet();
    await waitForRoutes(hosts);
  });
  await step("another address of the underlay: the subnet stays, routes follow", async () => {
    const { claim } = await statusOf(h2);
    dropAddress(h2);
    giveAddress(h2, 52);
    note(`another address: routes everywhere after ${(await waitForRoutes(hosts)).toFixed(0)} ms`);
    assert.equal((await statusOf(h2)).claim.subnet, claim.subnet);
    await assertAllPairsTalk(hosts.slice(0, 3));
  });
  await step("another network card", async () => {
    unplug(lab, h2);
    plug(lab, h2, 62);
    note(`another card: routes everywhere after ${(await waitForRoutes(hosts)).toFixed(0)} ms`);
    await assertAllPairsTalk(hosts.slice(0, 3));
  });
  await step("another MTU of the underlay is the overlay's", async () => {
    setMtu(h2, UNDERLAY_DEVICE, 1400);
    await until("subnet.env says so", hosts, () => mtuOfFile(h2) === 1400);
  });
  await step("somebody else's route to a peer's subnet is told and stays", () => foreign(stage));
  await step("cleanup prints and removes what is left, and nothing else", async () => {
    const before = directRoutes(h3);
    await h3.stop();
    assert.deepEqual(directRoutes(h3), before);
    const files = [`--subnet-file=${h3.subnetFile}`];
    const { stdout } = await h3.gossamer("cleanup", "--dry-run", ...files);
    const routes = before.map((line) =>
      `ip route delete ${line.replace(" proto", ` dev ${UNDERLAY_DEVICE} proto`)}`
    );
    const floor = `ip route delete unreachable 10.244.0.0/16 proto ${PROTOCOL} metric 4000000000`;
    const lines = stdout.trimEnd().split("\n").filter((line) => !line.startsWith("nft "));
    assert.deepEqual(lines.sort(), [...routes, floor].sort());
    await h3.gossamer("cleanup", ...files);
    assert.deepEqual(directRoutes(h3), []);
  });
});

async function healAfter(
  { note }: Stage,
  host: Host,
  what: string,
  damage: (host: Host) => void,
): Promise<void> {
  const before = directRoutes(host);
  const { overlay } = await statusOf(host);
  damage(host);
  const ms = await until(
    what,
    [host],
    () => JSON.stringify(directRoutes(host)) === JSON.stringify(before),
  );
  note(`${what}: healed after ${ms.toFixed(1)} ms`);
  assert(ms < HEALED_WITHIN_MS, `${what}: healed after ${ms} ms`);
  const after = await untilStatus(host, "in sync again", (status) => status.overlay.inSync);
  // What goes with the underlay itself is nobody's doing, if the agent sees it while it is down.
  if (what === UNDERLAY_LOST) return;
  assert(after.overlay.repairs > overlay.repairs, "status counts the repair");
}

/** The route of a peer is taken by somebody else while its own is away. */
async function foreign({ lab }: Stage): Promise<void> {
  const [h1, h4] = [lab.host(1), lab.host(4)];
  const { netlink } = h1.namespace;
  const index = h1.namespace.deviceIndex(UNDERLAY_DEVICE);
  const [destination = ""] = expectedRoutes(h1, [h4])?.[0]?.split(" ") ?? [];
  await h1.stop();
  routeDelete(netlink, { destination, index });
  routeAdd(netlink, { destination, gateway: GATEWAY, index });
  h1.start(HOST_GW);
  const status = await untilStatus(
    h1,
    "the foreign route is told",
    ({ overlay }) => overlay.lastError !== null,
  );
  assert.match(status.overlay.lastError ?? "", /which gossamer did not make/);
  assert.equal(status.ready, false);
  const [there] = routeDump(netlink, { family: 4 }).filter((route) =>
    route.destination === destination
  );
  assert.equal(there?.gateway, GATEWAY);
  routeDelete(netlink, { destination, index, gateway: GATEWAY });
  await untilStatus(h1, "ready once it is gone", ({ ready }) => ready);
}

function deleteRoutes(host: Host, count: number): void {
  const index = host.namespace.deviceIndex(UNDERLAY_DEVICE);
  for (const line of directRoutes(host).slice(0, count)) {
    const [destination = ""] = line.split(" ");
    routeDelete(host.namespace.netlink, { destination, index });
  }
}

function mtuOfFile(host: Host): number {
  return Number(/FLANNEL_MTU=(\d+)/.exec(host.subnetText() ?? "")?.[1]);
}
