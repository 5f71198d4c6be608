/** The UDP backend with real agents: containers talk through the agents themselves, and what becomes of that without them. */
import assert from "node:assert/strict";
import { closeDescriptor } from "../../ffi/socket.ts";
import { openOffloadSocket } from "../../ffi/udp_offload.ts";
import { linkDelete, linkGet } from "../../ffi/route/link.ts";
import { addressAdd } from "../../ffi/route/address.ts";
import { routeAdd, routeDelete, routeDump } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import { ContinuousPing, pingUntilAnswered } from "../../mod/lab/ping.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { assertAllCarry } from "./carrier.ts";
import { DEVICE, PROTOCOL, startOne, statusOf, until, untilStatus } from "./cluster.ts";
import { assertAllPairsTalk } from "./direct_routes.ts";
import { probe } from "./raw_probe.ts";
import { scenario } from "./scenario.ts";
import { dropAddress, giveAddress, setMtu } from "./underlay_changes.ts";

const UDP = "--backend=udp";
const UDP_DEVICE = "flannel0";
const TIME_EXCEEDED = 11;
const UNREACHABLE = 3;

scenario(import.meta, "udp: five hosts whose agents carry the packets", { hosts: 5 }, async (
  { lab, step, note },
) => {
  const { hosts } = lab;
  const [h1, h2, h3] = [lab.host(1), lab.host(2), lab.host(3)];
  const container = (host: Host) => {
    const [first] = host.containers;
    assert(first !== undefined, `${host.name} has a container`);
    return first;
  };
  await step("every host has the device, and one route for the whole network", async () => {
    for (const host of hosts) {
      startOne(host, hosts, UDP);
      await host.waitForSubnet();
    }
    for (const host of hosts) {
      await untilStatus(host, "all peers", ({ overlay }) => overlay.peersProgrammed === 4);
      assert.deepEqual(routesOf(host), ["10.244.0.0/16"]);
      assert.match(host.subnetText() ?? "", /^FLANNEL_MTU=1472$/m);
      assert.equal(host.deviceMtu(UDP_DEVICE), 1472);
      const { subnet } = await host.waitForSubnet();
      assert.deepEqual(host.deviceAddresses(UDP_DEVICE), [subnet.replace("/24", "/32")]);
    }
  });
  await step("containers talk with full packets, and are told of longer ones", async () => {
    await Promise.all(hosts.map((host) => host.addContainer()));
    await assertAllPairsTalk(hosts);
  });
  await step("TCP and UDP arrive byte for byte between all of them", async () => {
    await assertAllCarry(hosts.map(container), { tcpBytes: 2_000_000, udpBytes: 1_400 });
  });
  await step("status says what was carried to whom, and nothing was dropped", async () => {
    const status = await statusOf(h2);
    assert.deepEqual(status.problems, []);
    const { device, mac, inSync, udp } = status.overlay;
    assert.deepEqual([device, mac, inSync], [UDP_DEVICE, null, true]);
    assert.deepEqual([udp?.port, udp?.running, udp?.restarts], [8285, true, 0]);
    const { multicast: _, ...drops } = udp?.drops ?? {};
    assert.ok(Object.values(drops).every((count) => count === 0), JSON.stringify(drops));
    for (const { name, path, backend, traffic } of status.members) {
      assert.equal(backend, "udp");
      if (name === h2.name) continue;
      assert.equal(path, "udp");
      assert.ok((traffic?.sentBytes ?? 0) > 4_000_000 && (traffic?.receivedBytes ?? 0) > 4_000_000);
    }
    assert.match((await h2.gossamer("status")).stdout, /flannel0 \(udp\), MTU 1472, UDP port 8285/);
    for (const command of [["report"], ["ping", "h1"], ["doctor"]]) {
      const { code, stdout, stderr } = await h2.gossamer(...command);
      assert.equal(code, 0, `${command.join(" ")}: ${stdout}${stderr}`);
    }
  });
  await step("traceroute sees what it sees with VXLAN: both hosts and the container", async () => {
    const [from, to] = [container(h1), container(h2)];
    const bridge = from.address.replace(/\.\d+$/, ".1");
    const device = to.address.replace(/\.\d+$/, ".0");
    const path = [];
    for (const ttl of [1, 2, 3]) path.push(await probe(from.namespace, to.address, { ttl }));
    assert.deepEqual(path.map((hop) => [hop?.from, hop?.type]), [
      [bridge, TIME_EXCEEDED],
      [device, TIME_EXCEEDED],
      [to.address, 0],
    ]);
  });
  await step("a packet to a subnet that nobody has is answered as unreachable", async () => {
    const answer = await probe(container(h1).namespace, "10.244.0.9");
    assert.deepEqual([answer?.type, answer?.code], [UNREACHABLE, 1]);
    const fromHost = await probe(h1.namespace, "10.244.0.9");
    assert.deepEqual([fromHost?.type, fromHost?.code], [UNREACHABLE, 1]);
    const drops = (await statusOf(h1)).overlay.udp?.drops;
    assert.equal(drops?.["no-host"], 2);
  });
  await step("a smaller MTU on the way is found out", async () => {
    setMtu(h2, UNDERLAY_DEVICE, 1400);
    await until("MTU announced", [], () => h2.deviceMtu(UDP_DEVICE) === 1372);
    await until("MTU known", [], async () => {
      const answer = await probe(container(h1).namespace, container(h2).address, {
        payloadBytes: 1_472 - 28,
        timeoutMs: 200,
      });
      return answer?.type === UNREACHABLE && answer.code === 4 && answer.mtu === 1372;
    });
    setMtu(h2, UNDERLAY_DEVICE, 1500);
    await until("MTU as before", [], () => h2.subnetText()?.includes("MTU=1472") === true);
  });
  await step("a restart keeps the device, and the subnet", async () => {
    const [index, text] = [indexOf(h2), h2.subnetText()];
    const pings = new ContinuousPing(container(h1).namespace, container(h2).address, 5);
    await h2.stop();
    assert.equal(indexOf(h2), index, "the device stays without an agent");
    assert.deepEqual(routesOf(h2), ["10.244.0.0/16"]);
    h2.start(UDP);
    await untilStatus(h2, "ready again", ({ ready }) => ready);
    assert.equal(indexOf(h2), index);
    assert.equal(h2.subnetText(), text);
    await talk(container(h1), container(h2));
    const { sent, lost, longestGapMs } = await pings.stop();
    note(`restart: ${lost} of ${sent} pings lost, ${longestGapMs.toFixed(0)} ms without an answer`);
    assert.ok(lost > 0 && lost < sent, "the agent carries them");
  });
  await step("kill -9 takes the packets along, and nothing else", async () => {
    const index = indexOf(h2);
    await h2.kill();
    assert.equal(indexOf(h2), index);
    const lost = await probe(container(h1).namespace, container(h2).address, { timeoutMs: 200 });
    assert.equal(lost, null, "nobody carries packets of a dead agent");
    await talk(container(h1), container(h3));
    const status = await untilStatus(h1, "dead", ({ cluster }) => cluster.dead === 1);
    const dead = status.members.find(({ name }) => name === h2.name);
    assert.notEqual(dead?.kernel, "answers");
    h2.start(UDP);
    await untilStatus(h2, "ready again", ({ ready }) => ready);
    note(`answered again after ${(await talk(container(h1), container(h2))).toFixed(0)} ms`);
  });
  await step("a device that somebody deletes is made again, and carries packets", async () => {
    linkDelete(h3.namespace.netlink, indexOf(h3));
    await talk(container(h1), container(h3));
    await talk(container(h3), container(h1));
    const { overlay } = await untilStatus(h3, "in sync", (status) => status.overlay.inSync);
    assert.ok(overlay.udp !== undefined && overlay.udp.restarts > 0);
  });
  await step("a device that somebody renames is made again, too", async () => {
    const { code } = await h3.namespace.output(["ip", "link", "set", UDP_DEVICE, "name", "other0"]);
    if (code !== 0) return note("left out: this kernel renames no device that is up");
    await talk(container(h1), container(h3));
    await talk(container(h3), container(h1));
  });
  await step(
    "a host that moves, or has a second address, is heard under the one it announces",
    async () => {
      dropAddress(h3);
      const { netlink } = h3.namespace;
      const second = { index: h3.namespace.deviceIndex(UNDERLAY_DEVICE), prefixLength: 24 };
      giveAddress(h3, 53);
      addressAdd(netlink, { ...second, address: "192.168.100.153" });
      // What the kernel would choose by itself is the other one.
      const from = { destination: "192.168.100.1/32", preferredSource: "192.168.100.153" };
      routeAdd(netlink, { ...from, index: second.index });
      const { members } = await untilStatus(
        h1,
        "moved",
        (status) => status.members.some(({ address }) => address === "192.168.100.53"),
      );
      assert.equal(members.length, 5);
      await talk(container(h1), container(h3));
      await talk(container(h3), container(h1));
      routeDelete(netlink, { ...from, index: second.index });
    },
  );
  await step("who changes the backend leaves nothing of the old one, and is named", async () => {
    await h3.stop();
    h3.start("--backend=vxlan");
    await untilStatus(h3, "ready with VXLAN", ({ ready }) => ready);
    assert.equal(linkGet(h3.namespace.netlink, UDP_DEVICE), null);
    await untilStatus(
      h1,
      "named",
      ({ problems }) => problems.some(({ code }) => code === "peer-backend"),
    );
    await h3.stop();
    h3.start(UDP);
    await untilStatus(h3, "ready with UDP", ({ ready }) => ready);
    assert.equal(linkGet(h3.namespace.netlink, DEVICE), null);
    await talk(container(h1), container(h3));
  });
  await step("a port that somebody else has is named, and taken when it is free", async () => {
    await h3.stop();
    const fd = h3.namespace.run(() => openOffloadSocket(0, 8285));
    h3.start(UDP);
    const { problems } = await untilStatus(
      h3,
      "named",
      (status) => !status.ready && status.problems.some(({ code }) => code === "udp-stopped"),
    );
    assert.match(problems[0]?.text ?? "", /Address already in use/);
    closeDescriptor(fd);
    await untilStatus(h3, "ready", ({ ready, problems: left }) => ready && left.length === 0);
    await talk(container(h3), container(h1));
  });
  await step("leaving with release takes device and routes away", async () => {
    await h3.gossamer("leave", "--release");
    assert.equal(linkGet(h3.namespace.netlink, UDP_DEVICE), null);
    await h2.stop();
    assert.match((await h2.gossamer("cleanup", "--dry-run")).stdout, /^ip link delete flannel0$/m);
    await h2.gossamer("cleanup");
    assert.equal(linkGet(h2.namespace.netlink, UDP_DEVICE), null);
  });
});

interface End {
  readonly namespace: Host["namespace"];
  readonly address: string;
}

async function talk(from: End, to: End): Promise<number> {
  const began = performance.now();
  const { kind } = await pingUntilAnswered(from.namespace, to.address, { withinMs: 10_000 });
  assert.equal(kind, "answered", `${from.address} -> ${to.address}`);
  return performance.now() - began;
}

function indexOf(host: Host): number {
  const index = linkGet(host.namespace.netlink, UDP_DEVICE)?.index;
  assert(index !== undefined, `${host.name} has no ${UDP_DEVICE}`);
  return index;
}

function routesOf(host: Host): string[] {
  return routeDump(host.namespace.netlink, { index: indexOf(host) })
    .filter(({ protocol }) => protocol === PROTOCOL).map(({ destination }) => destination);
}
