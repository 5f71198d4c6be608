/** The lab itself: a network of namespaces that behaves like one of hosts. */
import assert from "node:assert/strict";
import { fdbReplace } from "../../../ffi/route/fdb.ts";
import { neighbourReplace } from "../../../ffi/route/neighbour.ts";
import { routeReplace } from "../../../ffi/route/route.ts";
import { vxlanAdd } from "../../../ffi/route/vxlan.ts";
import { forwardingLines, neighbourLines, routeLines } from "../../../mod/lab/kernel_text.ts";
import { Lab } from "../../../mod/lab/lab.ts";
import type { Namespace } from "../../../mod/lab/namespace.ts";
import { ContinuousPing, ping, pingUntilAnswered } from "../../../mod/lab/ping.ts";
import { Workspace } from "../../../mod/lab/workspace.ts";

/** Large enough for a busy machine; a lost ping is waited for this long. */
const LOST_AFTER_MS = 300;

async function withLab(hosts: number, body: (lab: Lab) => Promise<void>): Promise<void> {
  const workspace = new Workspace();
  const lab = await Lab.open({ hosts, command: ["true"], directory: workspace.path });
  try {
    await body(lab);
  } finally {
    await lab.close();
    workspace.close();
  }
}

// The library stays loaded for the life of the process.
const options = { sanitizeResources: false };

Deno.test(
  "hosts reach each other over an underlay of 1500 bytes",
  options,
  () =>
    withLab(3, async ({ hosts }) => {
      for (const from of hosts) {
        for (const to of hosts) {
          const full = { payloadBytes: 1472, dontFragment: true };
          assert.equal((await from.ping(to.address, full)).kind, "answered");
        }
      }
      const over = await hosts[0]?.ping("192.168.100.2", {
        payloadBytes: 1473,
        dontFragment: true,
      });
      assert.deepEqual(over, { kind: "too-big" });
    }),
);

Deno.test(
  "a ping to nobody is lost, and one without a route is refused",
  options,
  () =>
    withLab(1, async (lab) => {
      const host = lab.host(1);
      const nobody = await host.ping("192.168.100.77", { timeoutMs: LOST_AFTER_MS });
      assert.deepEqual(nobody, { kind: "lost" });
      host.setCable(false);
      host.namespace.run(() => {});
      const refused = await host.ping("255.255.255.255", { timeoutMs: LOST_AFTER_MS });
      assert.equal(refused.kind, "refused");
    }),
);

Deno.test(
  "a partition separates groups of hosts until it is healed",
  options,
  () =>
    withLab(3, async (lab) => {
      const [first, second, third] = [lab.host(1), lab.host(2), lab.host(3)];
      const wait = { timeoutMs: LOST_AFTER_MS };
      lab.partition([first], [second, third]);
      assert.equal((await first.ping(second.address, wait)).kind, "lost");
      assert.equal((await second.ping(third.address)).kind, "answered");
      lab.heal();
      const healed = await pingUntilAnswered(first.namespace, second.address, { withinMs: 5000 });
      assert.equal(healed.kind, "answered");
    }),
);

Deno.test(
  "a continuous ping counts what a cut cable swallows",
  options,
  () =>
    withLab(2, async (lab) => {
      const pings = new ContinuousPing(lab.host(1).namespace, lab.host(2).address, 5);
      while (pings.count.received < 10) await pause(5);
      lab.host(2).setCable(false);
      const cutAt = pings.count.sent;
      while (pings.count.sent < cutAt + 10) await pause(5);
      lab.host(2).setCable(true);
      const mendedAt = pings.count.received;
      while (pings.count.received < mendedAt + 10) await pause(5);
      const { sent, received, lost, longestGapMs, refusals } = await pings.stop(LOST_AFTER_MS);
      assert.equal(sent, received + lost);
      assert(lost >= 9, `${lost} lost`);
      assert(longestGapMs >= 45, `longest gap ${longestGapMs} ms`);
      assert.deepEqual(refusals, []);
    }),
);

Deno.test(
  "containers of one host talk through its bridge",
  options,
  () =>
    withLab(1, async (lab) => {
      const host = lab.host(1);
      Deno.writeTextFileSync(
        host.subnetFile,
        "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\n" +
          "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n",
      );
      const [one, other] = [await host.addContainer(), await host.addContainer()];
      assert.deepEqual([one.address, other.address], ["10.244.7.2", "10.244.7.3"]);
      assert.equal((await ping(one.namespace, other.address)).kind, "answered");
      assert.equal((await ping(one.namespace, host.address)).kind, "answered");
      const over = await ping(one.namespace, other.address, {
        payloadBytes: 1450 - 28 + 1,
        dontFragment: true,
      });
      assert.deepEqual(over, { kind: "too-big" });
    }),
);

Deno.test(
  "kernel tables print as ip and bridge print them",
  options,
  () =>
    withLab(1, async (lab) => {
      const { namespace } = lab.host(1);
      fillTables(namespace);
      for (
        const [command, ours] of [
          ["ip -4 route show dev flannel.1", routeLines(namespace, "flannel.1")],
          ["ip -4 route show dev eth0", routeLines(namespace, "eth0")],
          ["ip -4 neighbour show dev flannel.1", neighbourLines(namespace, "flannel.1")],
          ["bridge fdb show dev flannel.1", forwardingLines(namespace, "flannel.1")],
        ] as const
      ) {
        assert(ours.length > 0, command);
        const theirs = await printed(namespace, command);
        if (theirs !== null) assert.deepEqual(theirs, ours, command);
      }
    }),
);

function fillTables(namespace: Namespace): void {
  const { netlink } = namespace;
  const underlay = namespace.deviceIndex("eth0");
  vxlanAdd(netlink, {
    name: "flannel.1",
    up: true,
    vxlan: { id: 1, link: underlay, local: "192.168.100.1", port: 8472 },
  });
  const index = namespace.deviceIndex("flannel.1");
  const linkAddress = "02:00:00:00:00:09";
  neighbourReplace(netlink, { index, address: "10.244.9.0", linkAddress, protocol: 71 });
  neighbourReplace(netlink, { index, address: "10.244.10.0", linkAddress });
  fdbReplace(netlink, { index, linkAddress, destination: "192.168.100.9" });
  const gateway = "10.244.9.0";
  routeReplace(netlink, {
    destination: "10.244.9.0/24",
    gateway,
    index,
    onlink: true,
    protocol: 71,
  });
  routeReplace(netlink, { destination: "10.250.0.0/16", index, scope: 253 });
}

/** What the program prints, sorted; null where it is not installed. */
async function printed(namespace: Namespace, command: string): Promise<string[] | null> {
  try {
    const { stdout } = await namespace.output(command.split(" "));
    return stdout.split("\n").map((line) => line.trim()).filter((line) => line !== "").sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
