/** What doctor looks at where the cluster is of IPv6 alone: the IPv6 of each thing, and nothing that IPv6 does not have. */
import { deepEqual, equal, match } from "node:assert/strict";
import { makePool } from "../../../mod/address/pool.ts";
import type { Check } from "../../../mod/doctor/check.ts";
import { duplicateAddress } from "../../../mod/doctor/checks/duplicate_address.ts";
import { firewallInput } from "../../../mod/doctor/checks/firewall_input.ts";
import { ipForward } from "../../../mod/doctor/checks/ip_forward.ts";
import { neighbourTable } from "../../../mod/doctor/checks/neighbour_table.ts";
import { networkOverlap } from "../../../mod/doctor/checks/network_overlap.ts";
import { overlayDevice } from "../../../mod/doctor/checks/overlay_device.ts";
import { rpFilter } from "../../../mod/doctor/checks/rp_filter.ts";
import { underlay } from "../../../mod/doctor/checks/underlay.ts";
import { underlayMtu } from "../../../mod/doctor/checks/underlay_mtu.ts";
import type { DoctorHost } from "../../../mod/doctor/doctor_host.ts";
import { hostDevice, hostRoute } from "../../support/host_network.ts";

/** As the real one gives it where hosts talk over IPv6. */
const NETWORK = {
  devices: [
    hostDevice(2, "eth0", ["fd00:100::1/64"]),
    hostDevice(7, "flannel-v6.1", [], { kind: "vxlan" }),
  ],
  routes: [hostRoute("::/0", 2), hostRoute("fd00:100::/64", 2, { protocol: 2 })],
  family: 6,
} as const;

/** What was asked for, and what IPv4 would be asked for throws. */
function hostOf(changes: object = {}) {
  const asked: string[] = [];
  const host = {
    setup: {
      interfaces: [],
      interfacePatterns: [],
      interfaceCanReach: null,
      pool: makePool({ network: "fd00:10:244::/56" }),
      backend: "vxlan",
      vni: 1,
      vxlanPort: 8472,
      gossipPort: 7947,
      mtu: null,
    },
    agent: null,
    network: () => NETWORK,
    routeTo: () => null,
    programs: () => [],
    vxlanDevices: () => [],
    tables: () => [],
    hasCapability: () => true,
    otherOwner: () => Promise.reject(new Error("ARP was asked")),
    others: () => Promise.resolve([{ name: "h2", address: "fd00:100::2" }]),
    echo: (address: string, bytes: number) => {
      asked.push(`${address} ${bytes}`);
      return Promise.resolve({ kind: "answered", ms: 1 });
    },
    sysctl: (path: string) => {
      asked.push(path);
      return path === "net/ipv6/neigh/default/gc_thresh3" ? "1024" : "0";
    },
    file: (path: string) => {
      asked.push(path);
      return null;
    },
    ...changes,
  } as unknown as DoctorHost;
  return { host, asked };
}

async function found(check: Check, changes: object = {}) {
  const { host, asked } = hostOf(changes);
  const [finding] = await check.run(host);
  return { text: `${finding?.verdict} ${finding?.finding}`, asked };
}

Deno.test("forwarding and neighbours are those of IPv6", async () => {
  const forwarding = await found(ipForward);
  match(forwarding.text, /^ok net\.ipv6\.conf\.all\.forwarding is 0; gossamer up sets it/);
  deepEqual(forwarding.asked, ["net/ipv6/conf/all/forwarding"]);
  const neighbours = await found(neighbourTable);
  match(neighbours.text, /^ok 0 of 1024 neighbours/);
  deepEqual(neighbours.asked, [
    "net/ipv6/neigh/default/gc_thresh3",
    "/proc/net/stat/ndisc_cache",
  ]);
});

Deno.test("what IPv6 does not have is not looked for", async () => {
  match((await found(rpFilter)).text, /^ok IPv6 has no such filter/);
  match((await found(duplicateAddress)).text, /^ok Nobody else on eth0 answers for fd00:100::1/);
});

Deno.test("underlay, overlap and device are judged by IPv6", async () => {
  match((await found(underlay)).text, /^ok .* by eth0, fd00:100::1, MTU 1500/);
  match((await found(networkOverlap)).text, /^ok Nothing else on this host uses fd00:10:244::\/56/);
  match((await found(overlayDevice)).text, /^FAIL There is a device flannel-v6\.1 that gossamer/);
  match((await found(firewallInput)).text, /^ok Nothing seen drops/);
});

Deno.test("the way is tried with packets as long as the overlay's with IPv6 headers", async () => {
  const { text, asked } = await found(underlayMtu);
  match(text, /^ok Packets of 1500 bytes pass to h2/);
  equal(asked.includes("fd00:100::2 1500"), true);
});
