/** Clusters of IPv6 alone whose packets travel bare: host-gw, and direct routes beside VXLAN. */
import assert from "node:assert/strict";
import { routeDelete, routeDump } from "../../ffi/route/route.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { PROTOCOL, startOne, statusOf, untilStatus } from "./cluster.ts";
import { assertAllPairsTalk, directRoutes, hasDevice, waitForRoutes } from "./direct_routes.ts";
import { scenario } from "./scenario.ts";

const NETWORK = "--network=fd00:10:244::/56";
const HEALED_WITHIN_MS = 1000;

scenario(import.meta, "IPv6 alone, bare", { hosts: 3, family: 6 }, async ({ lab, step }) => {
  const { hosts } = lab;
  const [first] = hosts;
  assert(first !== undefined);
  const startAll = async (...flags: string[]) => {
    for (const host of hosts) {
      startOne(host, hosts, NETWORK, ...flags);
      await untilStatus(host, "ready", ({ ready }) => ready);
    }
    await waitForRoutes(hosts);
  };
  await step(
    "host-gw: a route to every other host, no device, the underlay's full MTU",
    async () => {
      await startAll("--backend=host-gw");
      for (const host of hosts) assert.equal(hasDevice(host), false, host.name);
      await Promise.all(hosts.map((host) => host.addContainer()));
      for (const { containers } of hosts) assert.equal(containers[0]?.mtu, 1500);
      await assertAllPairsTalk(hosts);
      const { overlay, members } = await statusOf(first);
      assert.equal(overlay.peersDirect, 2);
      assert.deepEqual(members.map(({ path }) => path).sort(), ["direct", "direct", null]);
    },
  );
  await step("all routes deleted: made again", async () => {
    const { netlink } = first.namespace;
    const index = first.namespace.deviceIndex(UNDERLAY_DEVICE);
    for (const { destination, protocol } of routeDump(netlink, { family: 6, index })) {
      if (protocol === PROTOCOL) routeDelete(netlink, { destination, index });
    }
    await waitForRoutes(hosts, HEALED_WITHIN_MS);
  });
  await step(
    "direct routes beside VXLAN: the device is there, and packets go without it",
    async () => {
      for (const host of hosts) await host.stop();
      await startAll("--direct-routing");
      for (const host of hosts) {
        assert.equal(hasDevice(host), true, host.name);
        assert.equal(directRoutes(host).length, 2);
      }
      const { problems } = await statusOf(first);
      assert.deepEqual(problems, []);
    },
  );
});
