/** `gossamer doctor` finds each fault that is planted, before the first start and beside a running agent. */
import assert from "node:assert/strict";
import { addressAdd, addressDelete } from "../../ffi/route/address.ts";
import { linkDelete, linkGet, linkSet } from "../../ffi/route/link.ts";
import { routeAdd, routeDelete } from "../../ffi/route/route.ts";
import { vethAdd } from "../../ffi/route/veth.ts";
import { vxlanAdd } from "../../ffi/route/vxlan.ts";
import type { Finding } from "../../mod/doctor/finding.ts";
import type { Host } from "../../mod/lab/host.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { DEVICE, startOne, untilStatus } from "./cluster.ts";
import { drop, nft, undrop } from "./dropping.ts";
import { canLosePackets } from "./packet_loss.ts";
import { scenario } from "./scenario.ts";

const leftOut = canLosePackets() ? undefined : "needs nft: install the package nftables";
const HOUR_MS = 3_600_000;

scenario(import.meta, "doctor finds what is planted", { hosts: 2, leftOut }, async (stage) => {
  const { lab, step } = stage;
  const [h1, h2] = [lab.host(1), lab.host(2)];
  const { netlink } = h1.namespace;
  const index = h1.namespace.deviceIndex(UNDERLAY_DEVICE);
  await step("nothing on a host without faults", async () => {
    const { code, findings, text } = await doctor(h1);
    assert.equal(code, 0, text);
    assert.deepEqual(wrong(findings), [], text);
    assert.deepEqual(
      new Set(findings.map(({ verdict }) => verdict)),
      new Set(["ok"]),
    );
  });
  await step("a privilege that is missing", async () => {
    const without = ["setpriv", "--bounding-set=-net_admin,-net_raw", "--"];
    const { code, findings } = await doctor(h1, [], without);
    assert.equal(code, 1);
    assert.match(textOf(findings, "privileges", "FAIL"), /CAP_NET_ADMIN is not in effect/);
  });
  await step("a port that another program has", async () => {
    const socket = h1.namespace.run(() =>
      Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 7947 })
    );
    try {
      const { code, findings } = await doctor(h1);
      assert.equal(code, 1);
      const text = textOf(findings, "ports", "FAIL");
      assert.match(text, /^UDP port 7947 is taken by the program deno \(process \d+\)$/);
    } finally {
      socket.close();
    }
  });
  await step("devices and addresses that are in the way", async () => {
    const foreign = vxlanAdd(netlink, { name: DEVICE, vxlan: { id: 1, port: 8472 } });
    let found = await doctor(h1);
    assert.match(textOf(found.findings, "overlay-device", "FAIL"), /gossamer did not make/);
    linkDelete(netlink, foreign.index);
    const other = vxlanAdd(netlink, { name: "vx", vxlan: { id: 1, port: 8472 } });
    const address = { index, address: "10.244.3.1", prefixLength: 24 };
    addressAdd(netlink, address);
    found = await doctor(h1);
    assert.match(textOf(found.findings, "overlay-device", "FAIL"), /^The VXLAN device vx has/);
    assert.match(textOf(found.findings, "network-overlap", "FAIL"), /10\.244\.3\.1\/24 on eth0/);
    addressDelete(netlink, address);
    linkDelete(netlink, other.index);
  });
  await step("somebody else with this host's address", async () => {
    const address = {
      index: h2.namespace.deviceIndex(UNDERLAY_DEVICE),
      address: h1.address,
      prefixLength: 24,
    };
    addressAdd(h2.namespace.netlink, address);
    const { findings } = await doctor(h1);
    addressDelete(h2.namespace.netlink, address);
    const mac = linkGet(h2.namespace.netlink, UNDERLAY_DEVICE)?.address ?? "none";
    const text = textOf(findings, "duplicate-address", "FAIL");
    assert(text.includes(mac) && text.includes(h1.address), text);
  });
  await step("firewalls before gossip, the overlay and what is forwarded", async () => {
    await drop(h1, "udp dport 8472");
    await nft(
      h1,
      "table ip f { chain forward { type filter hook forward priority 0; policy drop; }; }",
    );
    const { code, findings } = await doctor(h1);
    assert.equal(code, 1);
    const input = textOf(findings, "firewall-input", "FAIL");
    assert.match(input, /^nftables drops what comes in to UDP 8472 \(overlay\): table inet e2e_/);
    assert.match(
      textOf(findings, "firewall-forward", "FAIL"),
      /policy of the chain forward is drop/,
    );
    await undrop(h1);
    // A policy, with what everybody has before it.
    await nft(
      h1,
      "table inet f { chain input { type filter hook input priority 0; policy drop; " +
        'ct state established,related accept; iif "lo" accept; icmp type echo-reply accept; ' +
        "tcp dport { 22, 80 } accept; udp dport 7947 accept; }; }",
    );
    const again = await doctor(h1);
    const text = textOf(again.findings, "firewall-input", "FAIL");
    assert.match(text, /UDP 8472 \(overlay\): table inet f, the policy of input$/);
    await nft(h1, "delete table inet f; delete table ip f");
  });
  await step("a way that carries less than the devices at its ends", async () => {
    linkSet(lab.underlay.namespace.netlink, h2.port.index, { mtu: 1400 });
    const { code, findings } = await doctor(h1, [`--join=${h2.address}`, "--mtu=1380"]);
    linkSet(lab.underlay.namespace.netlink, h2.port.index, { mtu: 1500 });
    assert.equal(code, 1);
    const text = textOf(findings, "underlay-mtu", "FAIL");
    assert.match(text, /carries packets of 1400 bytes, and the overlay sends 1430$/);
  });
  await step("strict filters on a way that goes in circles", async () => {
    vethAdd(netlink, { name: "eth1", peer: { name: "eth1-peer" } });
    const eth1 = h1.namespace.deviceIndex("eth1");
    linkSet(netlink, eth1, { up: true });
    addressAdd(netlink, { index: eth1, address: "172.16.0.1", prefixLength: 24 });
    const route = { destination: `${h2.address}/32`, index: eth1 };
    routeAdd(netlink, route);
    h1.namespace.writeSysctl(`net/ipv4/conf/${UNDERLAY_DEVICE}/rp_filter`, "1");
    const { findings } = await doctor(h1, [`--join=${h2.address}`]);
    assert.match(textOf(findings, "rp-filter", "warn"), /rp_filter is strict on eth0.* by eth1/);
    routeDelete(netlink, route);
    linkDelete(netlink, eth1);
    h1.namespace.writeSysctl(`net/ipv4/conf/${UNDERLAY_DEVICE}/rp_filter`, "0");
  });
  await step("a clock, a name and a folder that cannot be right", async () => {
    Deno.writeTextFileSync(`${h1.directory}/file`, "");
    const ahead = new Date(Date.now() + HOUR_MS);
    Deno.writeTextFileSync(`${h1.stateDir}/claim.state`, "");
    Deno.utimeSync(`${h1.stateDir}/claim.state`, ahead, ahead);
    const flags = ["--name=localhost", `--subnet-file=${h1.directory}/file/subnet.env`];
    const { findings } = await doctor(h1, flags);
    Deno.removeSync(`${h1.stateDir}/claim.state`);
    assert.match(textOf(findings, "clock", "warn"), /was last written later/);
    assert.match(textOf(findings, "host-name", "warn"), /localhost/);
    assert.match(textOf(findings, "disk", "FAIL"), /cannot be written/);
  });
  await step("what the agent says, and what it runs with, beside it", async () => {
    for (const host of lab.hosts) {
      startOne(host, lab.hosts, "--vxlan-port=4789");
      await host.waitForSubnet();
    }
    for (const host of lab.hosts) await untilStatus(host, "ready", ({ ready }) => ready);
    const well = await doctor(h1);
    assert.deepEqual(wrong(well.findings), [], well.text);
    assert.equal(well.code, 0);
    assert.match(textOf(well.findings, "ports", "ok"), /UDP 4789 are the agent's/);
    assert.match(textOf(well.findings, "agent", "ok"), /^h1 is ready and has 10\.244\./);
    assert.match(textOf(well.findings, "underlay-mtu", "ok"), /1500 bytes pass to h2$/);
    await drop(h1, "udp dport 4789");
    const broken = await doctor(h1);
    assert.match(textOf(broken.findings, "firewall-input", "FAIL"), /UDP 4789/);
  });
});

interface Result {
  readonly code: number;
  readonly findings: readonly Finding[];
  readonly text: string;
}

/** As on the host itself, with folders of its own. */
async function doctor(
  host: Host,
  flags: readonly string[] = [],
  before: readonly string[] = [],
): Promise<Result> {
  const { code, stdout, stderr } = await host.namespace.output(
    [
      ...before,
      ...host.command,
      "doctor",
      "--json",
      `--name=${host.name}`,
      `--state-dir=${host.stateDir}`,
      `--run-dir=${host.runDir}`,
      `--subnet-file=${host.subnetFile}`,
      ...flags,
    ].filter((flag, at, all) => isLast(flag, at, all)),
    { env: host.environment },
  );
  assert(stdout !== "", stderr);
  return { code, findings: JSON.parse(stdout).findings, text: stdout };
}

/** Whether no later flag takes its place. */
function isLast(flag: string, at: number, all: readonly string[]): boolean {
  const name = /^--[a-z-]+=/.exec(flag)?.[0];
  return name === undefined || name === "--bounding-set=" ||
    !all.slice(at + 1).some((later) => later.startsWith(name));
}

function wrong(findings: readonly Finding[]): string[] {
  return findings.filter(({ verdict }) => verdict !== "ok").map(({ name }) => name);
}

function textOf(findings: readonly Finding[], name: string, verdict: Finding["verdict"]): string {
  const found = findings.find((finding) => finding.name === name && finding.verdict === verdict);
  assert(found !== undefined, `no ${verdict} ${name} in ${JSON.stringify(findings, null, 1)}`);
  return found.finding;
}
