/** A cluster that goes from VXLAN to host-gw and back, host by host, without losing a packet. */
import assert from "node:assert/strict";
import { routeLines } from "../../mod/lab/kernel_text.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { assertKernels, DEVICE, startOne, statusOf, until, untilStatus } from "../e2e/cluster.ts";
import { assertAllPairsTalk, hasDevice, hasRoutes, waitForRoutes } from "../e2e/direct_routes.ts";
import { scenario } from "../e2e/scenario.ts";
import { assertNothingLost, startTraffic } from "../e2e/traffic.ts";

const DIRECT = "--direct-routing";
const HOST_GW = "--backend=host-gw";

scenario(
  import.meta,
  "from VXLAN to host-gw and back, host by host, without a lost packet",
  { hosts: 3, timeLimitMs: 300_000 },
  async ({ lab, step, note }) => {
    const { hosts } = lab;
    const switchTo = async (...flags: string[]) => {
      const traffic = await startTraffic(lab, [1, 2], [2, 1], [2, 3], [3, 1]);
      for (const host of hosts) {
        await host.stop();
        host.start(...flags);
        await untilStatus(
          host,
          "ready",
          ({ ready, cluster }) => ready && cluster.alive === hosts.length,
        );
        await sleep(200);
      }
      return traffic;
    };
    await step("VXLAN", async () => {
      for (const host of hosts) {
        startOne(host, hosts);
        await host.waitForSubnet();
      }
      await Promise.all(hosts.map((host) => host.addContainer()));
      await assertAllPairsTalk(hosts);
    });
    await step("then direct routes besides", async () => {
      const traffic = await switchTo(DIRECT);
      await waitForRoutes(hosts);
      await assertNothingLost(traffic, note);
      for (const host of hosts) assert.deepEqual(routeLines(host.namespace, DEVICE), []);
    });
    await step("then host-gw", async () => {
      const traffic = await switchTo(HOST_GW);
      await waitForRoutes(hosts);
      await assertNothingLost(traffic, note);
    });
    await step("the VXLAN device is taken away once everybody was heard", async () => {
      for (const host of hosts) assert.equal(hasDevice(host), true, "some may not know yet");
      const traffic = await startTraffic(lab, [1, 2], [2, 3]);
      await until("gone", hosts, () => !hosts.some(hasDevice), 90_000);
      await assertNothingLost(traffic, note);
    });
    await step("and back", async () => {
      await assertNothingLost(await switchTo(DIRECT), note);
      await waitForRoutes(hosts);
      await assertNothingLost(await switchTo(), note);
      await until("no bare routes", hosts, () => hosts.every((host) => hasRoutes(host, [])));
      assertKernels(hosts);
      for (const host of hosts) assert.deepEqual((await statusOf(host)).problems, []);
    });
  },
);
