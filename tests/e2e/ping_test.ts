/** `gossamer ping` names the layer that fails: each is broken once, by what breaks it in the field. */
import assert from "node:assert/strict";
import { linkSet } from "../../ffi/route/link.ts";
import type { WayDocument } from "../../mod/cli/ask_host.ts";
import type { Host } from "../../mod/lab/host.ts";
import { startCluster, untilStatus } from "./cluster.ts";
import { canLosePackets } from "./packet_loss.ts";
import { scenario } from "./scenario.ts";
import { drop, undrop } from "./dropping.ts";

const leftOut = canLosePackets() ? undefined : "needs nft: install the package nftables";

scenario(import.meta, "ping names the broken layer", { hosts: 3, leftOut }, async (stage) => {
  const { lab, step } = stage;
  const [h1, h2, h3] = [lab.host(1), lab.host(2), lab.host(3)];
  await step("none, when every layer answers", async () => {
    await startCluster(lab.hosts);
    const { code, way } = await pingOf(h1);
    assert.deepEqual([code, way.broken], [0, null]);
    assert(way.gossip.datagramMs !== null && way.gossip.streamMs !== null);
    assert.deepEqual([way.overlayBytes, way.underlayBytes], [1450, 1500]);
    assert(way.overlayFull?.kind === "answered" && way.underlayFull.kind === "answered");
    const { stdout } = await h1.gossamer("ping", h2.address);
    assert.match(stdout, /^h2 at 192\.168\.100\.2, 10\.244\.[^]*\nevery layer answers\n$/);
  });
  await step("the VXLAN port, with a device that sends and receives nothing", async () => {
    await drop(h3, "udp dport 8472");
    const { code, way } = await pingOf(h1, "h3");
    assert.deepEqual([code, way.broken], [1, "overlay"]);
    assert.match(textOf(way, "overlay"), /flannel\.1 sends, and receives nothing/);
  });
  await step("the gossip port, though TCP and the overlay go on", async () => {
    await drop(h2, "udp dport 7947");
    const { code, way } = await pingOf(h1);
    assert.deepEqual([code, way.broken], [1, "gossip-udp"]);
    assert.match(textOf(way, "gossip-udp"), /over TCP but not over UDP 7947/);
    assert.equal(way.overlay?.kind, "answered");
    await undrop(h2);
  });
  await step("TCP of the gossip port", async () => {
    await drop(h2, "tcp dport 7947");
    const { way } = await pingOf(h1);
    assert.equal(way.broken, "gossip-tcp");
    await undrop(h2);
  });
  await step("a way that carries less than the devices at its ends", async () => {
    linkSet(lab.underlay.namespace.netlink, h2.port.index, { mtu: 1400 });
    const { way } = await pingOf(h1);
    assert.equal(way.broken, "underlay-mtu");
    assert.match(textOf(way, "underlay-mtu"), /does not carry packets of 1500 bytes/);
    assert.match(textOf(way, "overlay-mtu"), /^Small packets pass/);
    linkSet(lab.underlay.namespace.netlink, h2.port.index, { mtu: 1500 });
  });
  await step("what the agent found meanwhile by itself", async () => {
    const isFound = ({ code, text }: { code: string; text: string }) =>
      code === "overlay-silent" && text.includes("agents of h3 answer");
    const { members } = await untilStatus(
      h1,
      "the silent overlay is a problem",
      ({ problems }) => problems.some(isFound),
      30_000,
    );
    const stateOf = (wanted: string) => members.find(({ name }) => name === wanted)?.overlay?.state;
    assert.deepEqual([stateOf("h2"), stateOf("h3")], ["answers", "silent"]);
  });
  await step("an agent that is gone, whose kernel carries on", async () => {
    await h2.kill();
    const { way } = await pingOf(h1);
    assert.equal(way.broken, "gossip-udp");
    assert.equal(way.overlay?.kind, "answered");
  });
  await step("nobody, this host itself and a stranger are errors that say what to do", async () => {
    for (const [host, code] of [["h1", 1], ["nobody", 1]] as const) {
      const result = await h1.gossamer("ping", host);
      assert.equal(result.code, code);
      assert.match(result.stderr, / - /);
    }
  });
});

async function pingOf(host: Host, other = "h2"): Promise<{ code: number; way: WayDocument }> {
  const { code, stdout, stderr } = await host.gossamer("ping", other, "--json");
  assert(stdout !== "", stderr);
  return { code, way: JSON.parse(stdout) };
}

function textOf({ findings }: WayDocument, name: string): string {
  return findings.find((finding) => finding.name === name)?.finding ?? "";
}
