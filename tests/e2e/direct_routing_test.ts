/**
 * Direct routing with real agents: bare packets on the own link, VXLAN to hosts behind a router, and each peer in the other
 * way as soon as the network is another one.
 */
import assert from "node:assert/strict";
import { routeAdd, routeDelete } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import { routeLines } from "../../mod/lab/kernel_text.ts";
import { ContinuousPing, pingUntilAnswered } from "../../mod/lab/ping.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { DEVICE, startOne, statusOf, until, untilStatus } from "./cluster.ts";
import {
  assertAllPairsTalk,
  directRoutes,
  expectedRoutes,
  hasRoutes,
  replaceAddress,
  Segments,
} from "./direct_routes.ts";
import { scenario } from "./scenario.ts";
import { assertNothingLost, startTraffic } from "./traffic.ts";

const DIRECT = "--direct-routing";
const HOST_GW = "--backend=host-gw";
/** Behind the router of the first segment. */
const ROUTER = "192.168.100.254";

scenario(
  import.meta,
  "direct routing: bare packets on the own link, VXLAN through the router",
  { hosts: 5 },
  async ({ lab, step, note }) => {
    const { hosts } = lab;
    const [h1, h2, h3, h4, h5] = [1, 2, 3, 4, 5].map((number) => lab.host(number)) as [
      Host,
      Host,
      Host,
      Host,
      Host,
    ];
    const segments = new Segments(lab);
    const near = [h1, h2];
    const far = [h3, h4];
    await step("hosts on two segments form a mesh of both kinds", async () => {
      for (const host of far) await segments.move(host);
      for (const host of [...near, ...far]) {
        startOne(host, hosts, DIRECT);
        await host.waitForSubnet();
      }
      await until("both kinds", hosts, () => isMixed(near, far) && isMixed(far, near));
      await Promise.all([...near, ...far].map((host) => host.addContainer()));
      await assertAllPairsTalk([...near, ...far]);
      assert.deepEqual(await pathsOf(h1), { h2: "direct", h3: "vxlan", h4: "vxlan" });
    });
    await step("what travels bare is not on the VXLAN device", async () => {
      const before = transmitted(h1);
      const [from, to] = [h1.containers[0], h2.containers[0]];
      assert(from !== undefined && to !== undefined);
      const outcome = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5000 });
      assert.equal(outcome.kind, "answered");
      assert.equal(transmitted(h1), before);
      const behind = h3.containers[0];
      assert(behind !== undefined);
      await pingUntilAnswered(from.namespace, behind.address, { withinMs: 5000 });
      assert(transmitted(h1) > before, "what does not is");
    });
    await step("a host that takes VXLAN alone gets that, on the same link too", async () => {
      startOne(h5, hosts);
      await h5.waitForSubnet();
      await untilPaths(h1, { h2: "direct", h3: "vxlan", h4: "vxlan", h5: "vxlan" });
      assert.deepEqual(directRoutes(h5), []);
      await h5.addContainer();
      await assertAllPairsTalk([h1, h5]);
    });
    await step("a route that leads past the link is noticed, and its end", async () => {
      const traffic = await startTraffic(lab, [1, 2], [2, 1]);
      const { netlink } = h1.namespace;
      const index = h1.namespace.deviceIndex(UNDERLAY_DEVICE);
      const detour = { destination: `${h2.address}/32`, gateway: ROUTER, index };
      routeAdd(netlink, detour);
      await until("VXLAN", hosts, () => hasRoutes(h1, []));
      assert.equal((await pathsOf(h1))["h2"], "vxlan");
      routeDelete(netlink, detour);
      const ms = await until("bare again", hosts, () => hasRoutes(h1, [h2]));
      note(`after the detour bare again: ${ms.toFixed(1)} ms`);
      await assertNothingLost(traffic, note);
    });
    await step("a host moves to the other segment", async () => {
      const [own, other] = [h2.containers[0], h3.containers[0]];
      assert(own !== undefined && other !== undefined);
      const ping = new ContinuousPing(own.namespace, other.address, 5);
      await segments.move(h2);
      await until("neighbours there", hosts, () => isMixed([h1], [h2, h3, h4]));
      await until("all know", hosts, () => [h2, h3, h4].every((host) => knows(host, [h2, h3, h4])));
      const { longestGapMs } = await ping.stop();
      note(`moved to the other segment: no answer for ${longestGapMs} ms`);
      await assertAllPairsTalk([h1, h2, h3, h4]);
      assert.deepEqual(await pathsOf(h2), {
        h1: "vxlan",
        h3: "direct",
        h4: "direct",
        h5: "vxlan",
      });
    });
    await step("an address that stands alone has no neighbours", async () => {
      replaceAddress(h2, "192.168.101", 32);
      await until("VXLAN to all", hosts, () => hasRoutes(h2, []));
      await assertAllPairsTalk([h1, h2, h3]);
    });
    await step("host-gw behind a router reaches nobody there, and says so", async () => {
      await h1.stop();
      h1.start(HOST_GW, `--join=${h3.address}`);
      const status = await untilStatus(
        h1,
        "the problem",
        ({ problems }) => problems.some(({ code }) => code === "peer-not-adjacent"),
      );
      assert.deepEqual(status.problems.filter(({ code }) => code === "peer-backend").length, 1);
      assert.deepEqual(directRoutes(h1), []);
    });
  },
);

/** Whether each of `group` reaches the others of it bare, and `others` by VXLAN. */
function isMixed(group: readonly Host[], others: readonly Host[]): boolean {
  return group.every((host) =>
    hasRoutes(host, group) && others.every((other) => hasVxlanRoute(host, other))
  );
}

function knows(host: Host, group: readonly Host[]): boolean {
  return hasRoutes(host, group);
}

function hasVxlanRoute(host: Host, other: Host): boolean {
  const [line] = expectedRoutes(host, [other]) ?? [];
  const subnet = line?.split(" ")[0] ?? "none";
  return vxlanRoutes(host).some((route) => route.startsWith(`${subnet} `));
}

function vxlanRoutes(host: Host): string[] {
  return routeLines(host.namespace, DEVICE);
}

async function pathsOf(host: Host): Promise<Record<string, string>> {
  const { members } = await statusOf(host);
  return Object.fromEntries(
    members.filter(({ path }) => path !== null).map(({ name, path }) => [name, String(path)]),
  );
}

async function untilPaths(host: Host, paths: Record<string, string>): Promise<void> {
  const wanted = JSON.stringify(paths);
  await untilStatus(host, wanted, ({ members }) => {
    const found = members.filter(({ path }) => path !== null)
      .map(({ name, path }) => [name, String(path)] as const);
    return JSON.stringify(Object.fromEntries(found)) === wanted;
  });
}

/** Packets that this host's VXLAN device has sent. */
function transmitted(host: Host): number {
  const text = host.namespace.run(() => Deno.readTextFileSync("/proc/thread-self/net/dev"));
  const line = text.split("\n").find((one) => one.trim().startsWith(`${DEVICE}:`));
  assert(line !== undefined, `${host.name} has no ${DEVICE}`);
  return Number(line.split(":")[1]?.trim().split(/\s+/)[9]);
}
