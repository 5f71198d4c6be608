/** Each check of the doctor on a host with the fault that it is there for, and on one without. */
import assert from "node:assert/strict";
import type { ForeignTable } from "../../../mod/base/firewall_objects.ts";
import { CHECKS } from "../../../mod/doctor/checks/all.ts";
import { examine } from "../../../mod/doctor/doctor.ts";
import type { DoctorHost } from "../../../mod/doctor/doctor_host.ts";
import { findingProblem, findingText } from "../../../mod/doctor/finding.ts";
import { AGENT, device, fakeHost, member, SETUP } from "../../support/fake_doctor_host.ts";

/** What is not well, as lines. */
async function wrong(host: DoctorHost): Promise<string[]> {
  return (await examine(host, CHECKS)).filter(({ verdict }) => verdict !== "ok").map(findingText);
}

/** A base chain with one rule, or with a policy alone. */
function table(hook: "input" | "forward", policy: "accept" | "drop"): ForeignTable {
  const name = hook.toUpperCase();
  return {
    family: "ip",
    name: "filter",
    chains: [{ name, base: { priority: 0, policy }, rules: [] }],
  };
}

Deno.test("a host without faults, with an agent and without, has nothing but ok", async () => {
  assert.deepEqual(await wrong(fakeHost()), []);
  assert.deepEqual(await wrong(fakeHost({ agent: AGENT })), []);
  const names = (await examine(fakeHost(), CHECKS)).map(({ name }) => name);
  assert.deepEqual(names.sort(), CHECKS.map(({ name }) => name).sort());
});

const FAULTS: {
  name: string;
  host: Partial<DoctorHost>;
  sysctls?: Record<string, string>;
  line: RegExp;
}[] = [
  {
    name: "no CAP_NET_ADMIN",
    host: { hasCapability: () => false },
    line: /^FAIL privileges: CAP_NET_ADMIN is not in effect/,
  },
  {
    name: "no CAP_NET_RAW",
    host: { hasCapability: (name) => name === "CAP_NET_ADMIN" },
    line: /^warn privileges: CAP_NET_RAW/,
  },
  {
    name: "a kernel without VXLAN",
    host: { whyNoVxlan: () => "Operation not supported" },
    line: /^FAIL kernel: This kernel makes no VXLAN device: Operation not supported/,
  },
  {
    name: "no underlay",
    host: { network: () => ({ devices: [device("eth0", 2, null)], routes: [] }) },
    line: /^FAIL underlay: .* - /,
  },
  {
    name: "a part of the overlay's network in use",
    host: {
      network: () => ({
        ...fakeHost().network(),
        devices: [device("eth0", 2, "192.168.100.1"), device("eth1", 3, "10.244.9.1")],
      }),
    },
    line: /^FAIL network-overlap: .*10\.244\.9\.1\/24 on eth1/,
  },
  {
    name: "flanneld",
    host: { programs: () => ["systemd", "flanneld"] },
    line: /^FAIL overlay-device: flanneld runs/,
  },
  {
    name: "a device of flannel's",
    host: {
      network: () => ({
        ...fakeHost().network(),
        devices: [
          device("eth0", 2, "192.168.100.1"),
          { ...device("flannel.1", 3, null), kind: "vxlan" },
        ],
      }),
    },
    line: /^FAIL overlay-device: There is a device flannel\.1 .* flannel's - .*--adopt-flannel/,
  },
  {
    name: "another device with that number",
    host: { vxlanDevices: () => [{ name: "vx", vni: 1, port: 8472, isOwn: false }] },
    line: /^FAIL overlay-device: The VXLAN device vx has number 1 on port 8472 already/,
  },
  {
    name: "a gossip port in use",
    host: {
      portOwner: (_, port) => port === 7947 ? { kind: "program", name: "consul", pid: 7 } : null,
    },
    line: /^FAIL ports: TCP port 7947 is taken by the program consul \(process 7\)/,
  },
  {
    name: "a VXLAN port in use by a program",
    host: { portOwner: (_, port) => port === 8472 ? { kind: "unknown" } : null },
    line: /^FAIL ports: UDP port 8472 is taken by another program/,
  },
  {
    name: "a firewall before gossip",
    host: { tables: (hook) => hook === "input" ? [table("input", "drop")] : [] },
    line:
      /^FAIL firewall-input: .*TCP 7947 \(gossip\), UDP 8472 \(overlay\).* - .*iptables -I INPUT/,
  },
  {
    name: "a firewall before containers",
    host: { tables: (hook) => hook === "forward" ? [table("forward", "drop")] : [] },
    line: /^FAIL firewall-forward: .*policy of the chain FORWARD is drop - .*iptables -I FORWARD/,
  },
  {
    name: "rules that cannot be seen",
    host: { file: (path) => path === "/proc/net/ip_tables_names" ? "filter\nnat\n" : null },
    line: /^warn firewall-forward: There are tables of the older iptables \(filter, nat\)/,
  },
  {
    name: "packets that are not forwarded",
    host: { agent: AGENT },
    sysctls: { "net/ipv4/ip_forward": "0" },
    line: /^FAIL ip-forward: .*sysctl -w net\.ipv4\.ip_forward=1/,
  },
  {
    name: "a strict filter on a way in circles",
    host: {
      routeTo: () => ({ index: 3, preferredSource: null }),
      network: () => ({
        ...fakeHost().network(),
        devices: [device("eth0", 2, "192.168.100.1"), device("eth1", 3, null)],
      }),
    },
    sysctls: { "net/ipv4/conf/all/rp_filter": "1" },
    line: /^warn rp-filter: rp_filter is strict on eth0, but packets to h2 leave by eth1/,
  },
  {
    name: "a bridge whose packets are filtered away",
    host: { tables: (hook) => hook === "forward" ? [table("forward", "drop")] : [] },
    sysctls: { "net/bridge/bridge-nf-call-iptables": "1" },
    line: /^warn bridge-filter: br_netfilter is on, and the chain FORWARD/,
  },
  {
    name: "a duplicate address on the link",
    host: { otherOwner: () => Promise.resolve("02:00:00:00:00:99") },
    line: /^FAIL duplicate-address: Another machine on eth0, 02:00:00:00:00:99, answers/,
  },
  {
    name: "a member with this host's address",
    host: {
      agent: {
        ...AGENT,
        members: [...AGENT.members, member("h3", "192.168.100.1", "02:00:00:00:00:03")],
      },
    },
    line: /^FAIL duplicate-address: The member h3 announces this host's address/,
  },
  {
    name: "a member with this host's MAC address",
    host: {
      agent: {
        ...AGENT,
        members: [...AGENT.members, member("h3", "192.168.100.3", "02:00:00:00:00:01")],
      },
    },
    line: /^FAIL duplicate-address: The member h3 has the MAC address/,
  },
  {
    name: "a member of this host's name",
    host: {
      agent: { ...AGENT, members: [...AGENT.members, member("h1", "192.168.100.3", null)] },
    },
    line: /^warn duplicate-address: Another host at 192\.168\.100\.3 has this host's name h1/,
  },
  {
    name: "a way that carries less",
    host: {
      echo: (_, bytes) =>
        Promise.resolve(bytes <= 1400 ? { kind: "answered", ms: 1 } : { kind: "lost" }),
    },
    line:
      /^FAIL underlay-mtu: .*carries packets of 1400 bytes, and the overlay sends 1500 - .*1350/,
  },
  {
    name: "hosts that answer no ping",
    host: { echo: () => Promise.resolve({ kind: "lost" }) },
    line: /^warn underlay-mtu: No answer to a ping from h2/,
  },
  {
    name: "a clock before its time",
    host: { nowMs: () => 0 },
    line: /^warn clock: The clock says 1970-01-01T00:00:00\.000Z, which cannot be/,
  },
  {
    name: "a clock behind the state directory",
    host: {
      modifiedMs: (path) =>
        path === "/var/lib/gossamer/claim.state" ? Date.parse("2026-11-24T00:00:00Z") : null,
    },
    line: /^warn clock: .*was last written later, at 2026-11-24/,
  },
  {
    name: "a full table of neighbours",
    host: { file: (path) => path.endsWith("arp_cache") ? "entries  allocs\n00000400 0\n" : null },
    sysctls: { "net/ipv4/neigh/default/gc_thresh3": "1024" },
    line: /^FAIL neighbour-table: The table of neighbours is full: 1024 of 1024/,
  },
  {
    name: "more members than neighbours",
    host: {
      agent: {
        ...AGENT,
        members: Array.from({ length: 900 }, (_, at) => member(`n${at}`, `10.0.0.${at}`, null)),
      },
    },
    sysctls: { "net/ipv4/neigh/default/gc_thresh3": "1024" },
    line: /^warn neighbour-table: .*room for 1024, and 900 are needed - .*gc_thresh3=8192/,
  },
  {
    name: "a disk that cannot be written",
    host: {
      whyNotWritable: (folder) => folder === SETUP.stateDir ? "read-only file system" : null,
    },
    line:
      /^FAIL disk: \/var\/lib\/gossamer cannot be written: read-only file system - .*--state-dir/,
  },
  {
    name: "a full disk",
    host: { freeBytes: () => 3_400_000 },
    line: /^warn disk: 3 MB are free for \/var\/lib\/gossamer/,
  },
  {
    name: "a name that many have",
    host: { setup: { ...SETUP, name: "localhost.localdomain" } },
    line: /^warn host-name: This host is called localhost\.localdomain/,
  },
  {
    name: "small buffers",
    host: {},
    sysctls: { "net/core/rmem_default": "65536" },
    line: /^warn receive-buffer: net\.core\.rmem_default is 65536/,
  },
  {
    name: "a full table of connections",
    host: {},
    sysctls: {
      "net/netfilter/nf_conntrack_count": "65500",
      "net/netfilter/nf_conntrack_max": "65536",
    },
    line: /^FAIL conntrack: 65500 of 65536 connections are tracked: new ones are dropped/,
  },
  {
    name: "a nearly full table of connections",
    host: {},
    sysctls: {
      "net/netfilter/nf_conntrack_count": "60000",
      "net/netfilter/nf_conntrack_max": "65536",
    },
    line: /^warn conntrack: 60000 of 65536/,
  },
  {
    name: "an agent that is not ready",
    host: { agent: { ...AGENT, ready: false, claim: { subnet: null, reason: "It waits" } } },
    line: /^FAIL agent: Not ready: It waits - gossamer status says more/,
  },
  {
    name: "what the agent found itself",
    host: {
      agent: {
        ...AGENT,
        problems: [{ code: "mtu-differs", severity: "warning", text: "A text", remedy: "Do it" }],
      },
    },
    line: /^warn mtu-differs: A text - Do it$/,
  },
];

for (const { name, host, sysctls, line } of FAULTS) {
  Deno.test(`the doctor finds ${name}`, async () => {
    const lines = await wrong(fakeHost(host, sysctls));
    assert(lines.some((text) => line.test(text)), `${line} in ${JSON.stringify(lines, null, 1)}`);
    for (const text of lines) assert.match(text, /^(warn|FAIL) [a-z-]+: .+ - .+$/);
  });
}

Deno.test("a check that cannot look says so, and the others go on", async () => {
  const lines = await wrong(fakeHost({
    network: () => {
      throw new Error("netlink is shut");
    },
  }));
  assert(lines.some((line) => /^warn underlay: Cannot be looked at: netlink is shut/.test(line)));
  assert(!lines.some((line) => /conntrack/.test(line)));
});

Deno.test("ports that the agent and the kernel have are in order", async () => {
  const host = fakeHost({
    agent: AGENT,
    portOwner: (_, port) =>
      port === 8472 ? { kind: "kernel" } : { kind: "program", name: "gossamer", pid: 1 },
  });
  assert.deepEqual(await wrong(host), []);
});

Deno.test("a device of flannel's is in order where it is to be taken over", async () => {
  const flannels = { ...device("flannel.1", 3, null), kind: "vxlan" };
  const network = () => ({
    ...fakeHost().network(),
    devices: [device("eth0", 2, "192.168.100.1"), flannels],
  });
  const adopting = { ...SETUP, adoptFlannel: true };
  assert.deepEqual(await wrong(fakeHost({ setup: adopting, network })), []);
  assert.equal((await wrong(fakeHost({ network }))).length, 1);
});

Deno.test("what a finding becomes in status has its name as code, and never ends with ok", () => {
  assert.equal(findingProblem({ name: "a", verdict: "ok", finding: "b", remedy: null }), null);
  assert.deepEqual(findingProblem({ name: "a", verdict: "FAIL", finding: "b", remedy: "c" }), {
    code: "a",
    severity: "warning",
    text: "b",
    remedy: "c",
  });
});
