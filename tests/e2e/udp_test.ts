/** The UDP backend with real agents: containers talk through the agents themselves, and what becomes of that without them. */
import assert from "node:assert/strict";
import { linkGet } from "../../ffi/route/link.ts";
import { routeDump } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import { PROTOCOL, startOne, statusOf, untilStatus } from "./cluster.ts";
import { assertAllPairsTalk } from "./direct_routes.ts";
import { scenario } from "./scenario.ts";

const UDP = "--backend=udp";
const DEVICE = "flannel0";

scenario(import.meta, "udp: five hosts whose agents carry the packets", { hosts: 5 }, async (
  { lab: { hosts }, step },
) => {
  await step("every host has the device, and one route for the whole network", async () => {
    for (const host of hosts) {
      startOne(host, hosts, UDP);
      await host.waitForSubnet();
    }
    for (const host of hosts) {
      await untilStatus(host, "all peers", ({ overlay }) => overlay.peersProgrammed === 4);
      assert.deepEqual(routesOf(host), ["10.244.0.0/16"]);
      assert.match(host.subnetText() ?? "", /^FLANNEL_MTU=1472$/m);
      assert.equal(host.deviceMtu(DEVICE), 1472);
    }
  });
  await step("containers talk with full packets, and are told of longer ones", async () => {
    await Promise.all(hosts.map((host) => host.addContainer()));
    await assertAllPairsTalk(hosts);
  });
  await step("status says so", async () => {
    const status = await statusOf(hosts[1]!);
    assert.deepEqual(status.problems, []);
  });
});

function routesOf(host: Host): string[] {
  const index = linkGet(host.namespace.netlink, DEVICE)?.index;
  assert(index !== undefined, `${host.name} has no ${DEVICE}`);
  return routeDump(host.namespace.netlink, { index })
    .filter(({ protocol }) => protocol === PROTOCOL).map(({ destination }) => destination);
}
