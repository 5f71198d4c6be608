/** Hosts whose underlays carry packets of different lengths: told, or with `--mtu min` followed. */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import { pingUntilAnswered } from "../../mod/lab/ping.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { DEVICE, startOne, statusOf, until, untilStatus, waitForMesh } from "./cluster.ts";
import { scenario } from "./scenario.ts";
import { setMtu } from "./underlay_changes.ts";

const USUAL = 1450;
const SMALL = 1350;
/** IPv4 and ICMP. */
const PING_HEADERS = 28;

scenario(import.meta, "hosts with different MTUs", { hosts: 3 }, async ({ lab, step }) => {
  const { hosts } = lab;
  const [h1, h2, h3] = [lab.host(1), lab.host(2), lab.host(3)];
  const have = (mtu: number) => hosts.every((host) => mtuOf(host) === mtu);
  await step("a smaller host is named by the others, and nothing changes", async () => {
    setMtu(h3, UNDERLAY_DEVICE, SMALL + 50);
    for (const host of hosts) {
      startOne(host, hosts);
      await host.waitForSubnet();
    }
    await waitForMesh(hosts);
    assert.deepEqual(hosts.map(mtuOf), [USUAL, USUAL, SMALL]);
    for (const host of [h1, h2]) {
      const { problems } = await statusOf(host);
      assert.deepEqual(problems.map(({ code }) => code), ["mtu-differs"]);
      assert.match(problems[0]?.text ?? "", /send 1450 bytes, and those of h3 .* take 1350/);
    }
    assert.deepEqual((await statusOf(h3)).problems, []);
  });
  await step("with --mtu min all have the smallest, and the longest packets pass", async () => {
    for (const host of hosts) {
      await host.stop();
      startOne(host, hosts, "--mtu=min");
      await untilStatus(host, "ready", ({ ready }) => ready);
    }
    await waitForMesh(hosts);
    await until("all have the smallest MTU", hosts, () => have(SMALL));
    await Promise.all(hosts.map((host) => host.addContainer()));
    for (const from of hosts) {
      for (const to of hosts) await assertLongestPasses(from, to);
      assert.deepEqual((await statusOf(from)).problems, []);
    }
  });
  await step("it is followed up when the host's underlay carries more", async () => {
    setMtu(h3, UNDERLAY_DEVICE, USUAL + 50);
    await until("all have the usual MTU", hosts, () => have(USUAL));
  });
  await step("and down again, without a gap in the device", async () => {
    const device = h1.namespace.deviceIndex(DEVICE);
    setMtu(h2, UNDERLAY_DEVICE, SMALL + 50);
    await until("all have the smallest MTU", hosts, () => have(SMALL));
    assert.equal(h1.namespace.deviceIndex(DEVICE), device);
  });
  await step("a host that gives its subnet back counts no more", async () => {
    await h2.gossamer("leave", "--release");
    await until("the others have the usual MTU", hosts, () => {
      return mtuOf(h1) === USUAL && mtuOf(h3) === USUAL;
    });
  });
});

/** Of device and subnet.env, once they agree. */
function mtuOf(host: Host): number | null {
  const text = /FLANNEL_MTU=(\d+)/.exec(host.subnetText() ?? "")?.[1];
  const mtu = host.deviceMtu(DEVICE);
  return Number(text) === mtu ? mtu : null;
}

async function assertLongestPasses(from: Host, to: Host): Promise<void> {
  const [source, target] = [from.containers[0], to.containers[0]];
  assert(source !== undefined && target !== undefined);
  if (from === to) return;
  assert.equal(source.mtu, SMALL);
  const options = { payloadBytes: SMALL - PING_HEADERS, dontFragment: true, withinMs: 5000 };
  const outcome = await pingUntilAnswered(source.namespace, target.address, options);
  assert.equal(outcome.kind, "answered", `${from.name} -> ${to.name}: ${outcome.kind}`);
}
