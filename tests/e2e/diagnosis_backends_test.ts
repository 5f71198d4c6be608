/** `doctor`, `ping` and the round trips of `status` where packets do not travel in VXLAN, or not over IPv4. */
import assert from "node:assert/strict";
import type { WayDocument } from "../../mod/cli/ask_host.ts";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { startOne, untilStatus } from "./cluster.ts";
import { scenario } from "./scenario.ts";

const LAYERS = ["underlay", "gossip-udp", "gossip-tcp", "overlay", "underlay-mtu"];

scenario(import.meta, "diagnosis with host-gw", { hosts: 2 }, async ({ lab, step }) => {
  const h1 = lab.host(1);
  await step("every layer that there is answers, and nothing is wrong", async () => {
    for (const host of lab.hosts) {
      startOne(host, lab.hosts, "--backend=host-gw");
      await host.waitForSubnet();
    }
    await untilStatus(h1, "a peer", ({ overlay }) => overlay.peersProgrammed === 1);
    const way = await pingOf(h1, "h2");
    assert.equal(way.broken, null, JSON.stringify(way.findings));
    assert.deepEqual(way.findings.map(({ name }) => name), LAYERS);
    assert.deepEqual([way.overlay, way.overlayBytes, way.underlayBytes], [null, 1500, 1500]);
    await assertWell(h1);
  });
});

scenario(import.meta, "diagnosis with the UDP backend", { hosts: 2 }, async ({ lab, step }) => {
  const h1 = lab.host(1);
  await step("every layer answers, and nothing is wrong", async () => {
    for (const host of lab.hosts) {
      startOne(host, lab.hosts, "--backend=udp");
      await host.waitForSubnet();
    }
    await untilStatus(h1, "the way to h2 is known", isKnown);
    const way = await pingOf(h1, "h2");
    assert.equal(way.broken, null, JSON.stringify(way.findings));
    assert.deepEqual([way.overlayBytes, way.underlayBytes], [1472, 1500]);
    await assertWell(h1);
  });
});

scenario(import.meta, "diagnosis over IPv6 alone", { hosts: 2, family: 6 }, async (stage) => {
  const { hosts } = stage.lab;
  const h1 = stage.lab.host(1);
  await stage.step("every layer answers, and nothing is wrong", async () => {
    for (const host of hosts) {
      const join = host === h1 ? [] : [`--join=[${h1.address}]`];
      host.start("--network=fd00:10:244::/56", "--subnet-len=64", ...join);
      await host.waitForSubnet();
    }
    // The kernel looks for a second whether somebody else has the VTEP's address.
    await untilStatus(h1, "the way to h2 is known", isKnown);
    const way = await pingOf(h1, "h2");
    assert.equal(way.broken, null, JSON.stringify(way.findings));
    assert.deepEqual([way.overlayBytes, way.underlayBytes], [1430, 1500]);
    await assertWell(h1);
  });
});

function isKnown({ members }: StatusView): boolean {
  return members.some(({ overlay }) => overlay?.state === "answers");
}

async function pingOf(host: Host, other: string): Promise<WayDocument> {
  const { stdout, stderr } = await host.gossamer("ping", other, "--json");
  assert(stdout !== "", stderr);
  return JSON.parse(stdout);
}

/** The lab's hosts share one machine's kernel, its disk and its clock; what the doctor says of those is not about the backend. */
async function assertWell(host: Host): Promise<void> {
  const folders = [`--state-dir=${host.stateDir}`, `--subnet-file=${host.subnetFile}`];
  const { code, stdout } = await host.gossamer("doctor", ...folders);
  assert.deepEqual(stdout.split("\n").filter((line) => !/^(ok .*)?$/.test(line)), []);
  assert.equal(code, 0);
}
