/** The IPv6 halves of claims, and what the kernel should hold for them. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { makeIpv6Pool } from "../../../mod/address/dual_stack.ts";
import { isVxlanLink } from "../../../mod/base/kernel_objects.ts";
import { makePool, type Pool } from "../../../mod/address/pool.ts";
import { overheadOf } from "../../../mod/overlay/backend.ts";
import { planCleanup } from "../../../mod/overlay/cleanup.ts";
import { desiredState, type OverlayConfig } from "../../../mod/overlay/desired.ts";
import { diffState } from "../../../mod/overlay/diff.ts";
import { Ipv6Halves, missingHalves } from "../../../mod/overlay/dual_stack.ts";
import { keepUnknown } from "../../../mod/overlay/settling.ts";
import { ipv6OverlayMtu } from "../../../mod/overlay/underlay_mtu.ts";
import { ModelKernel } from "../../support/model_kernel.ts";
import { claim, CONFIG, programmed } from "../../support/overlay.ts";

const IPV4 = makePool({ network: "10.244.0.0/16" });
const POOL: Pool = { ...IPV4, ipv6: makeIpv6Pool(IPV4, { network: "fd00:244::/56" }) };
const CONFIG_V6: OverlayConfig = {
  ...CONFIG,
  networks: ["fd00:244::/56"],
  mtu: 1430,
  linkRoutes: [{ destination: "fd00:100::/64", isOnLink: true }],
  underlay: { ...CONFIG.underlay, address: "fd00:100::1" },
};

/** Host `number` with dual stack. */
function dual(number: number) {
  const record = claim(number);
  return { ...record, vtep: { ...record.vtep, ipv6: `fd00:100::${number.toString(16)}` } };
}

const HALVES = new Ipv6Halves();
const OWN = dual(1);
const OWN_HALF = HALVES.of(POOL, OWN);

function desire(...numbers: number[]) {
  return desiredState(CONFIG_V6, OWN_HALF, HALVES.all(POOL, numbers.map(dual)));
}

Deno.test("a half has the subnet of the same number and the IPv6 address, all else as it is", () => {
  const record = dual(7);
  const half = HALVES.of(POOL, record);
  deepEqual(half, {
    ...claim(7),
    subnet: "fd00:244:0:7::/64",
    vtep: { ...claim(7).vtep, address: "fd00:100::7" },
  });
  equal(HALVES.of(POOL, record), half, "made once");
});

Deno.test("no half without an address, without a place in the pool, without dual stack", () => {
  equal(HALVES.of(POOL, claim(7)), null);
  equal(HALVES.of(POOL, { ...dual(7), subnet: "10.9.7.0/24" }), null);
  equal(HALVES.of(IPV4, dual(7)), null);
  deepEqual(HALVES.all(POOL, [dual(2), claim(3), dual(4)]).map(({ subnet }) => subnet), [
    "fd00:244:0:2::/64",
    "fd00:244:0:4::/64",
  ]);
});

Deno.test("a pool of other networks makes other halves of the same records", () => {
  const record = { ...dual(7), subnet: "10.3.1.0/24" };
  const roomy = { ...IPV4, ipv6: makeIpv6Pool(IPV4, { network: "fd00:244::/55" }) };
  const halves = new Ipv6Halves();
  equal(halves.of({ ...roomy, added: ["10.3.0.0/16"] }, record)?.subnet, "fd00:244:0:101::/64");
  equal(halves.of({ ...roomy, added: [] }, record), null);
});

Deno.test("the device, its address and the three objects of a peer are IPv6's", () => {
  const desired = desire(1, 2);
  equal(desired.device, "flannel-v6.1");
  equal(desired.link?.name, "flannel-v6.1");
  ok(desired.link !== null && isVxlanLink(desired.link));
  equal(desired.link.local, "fd00:100::1");
  equal(desired.address?.address, "fd00:244:0:1::/128");
  deepEqual(desired.problems, []);
  const [peer] = desired.peers;
  equal(peer?.neighbour?.address, "fd00:244:0:2::");
  equal(peer?.entry?.destination, "fd00:100::2");
  equal(peer?.route?.destination, "fd00:244:0:2::/64");
  equal(peer?.route.gateway, "fd00:244:0:2::");
  equal(peer?.route.metric, 1024, "as the kernel tells it");
});

Deno.test("what is there as wanted needs no change; what is not goes, and only that", () => {
  const desired = desire(1, 2, 3);
  const kernel = programmed(desired);
  deepEqual(diffState(desired, kernel).operations, []);
  const plan = diffState(desire(1, 2), kernel).operations;
  deepEqual(plan.map(({ kind }) => kind), [
    "route-delete",
    "forwarding-delete",
    "neighbour-delete",
  ]);
});

Deno.test("cleaning up takes everything, untagged addresses of the network included", () => {
  const full = programmed(desire(1, 2));
  const addresses = full.addresses.map((address) => ({ ...address, protocol: 0 }));
  const plan = planCleanup("flannel-v6.1", ["fd00:244::/56"], { ...full, addresses });
  const model = new ModelKernel("flannel-v6.1", full);
  deepEqual(model.apply(plan.operations), []);
  equal(model.state.link, null);
  deepEqual(model.state.routes, []);
  ok(plan.operations.some(({ kind }) => kind === "address-delete"));
});

Deno.test("after a start what unknown hosts may have left is kept", () => {
  const plan = diffState(desire(1, 2), programmed(desire(1, 2, 3)));
  const known = HALVES.all(POOL, [dual(1), dual(2)]);
  deepEqual(keepUnknown(plan, known, CONFIG_V6, new Set()).operations, []);
  const all = HALVES.all(POOL, [dual(1), dual(2), dual(3)]);
  equal(keepUnknown(plan, all, CONFIG_V6, new Set()).operations.length, 3);
});

Deno.test("neighbours on the link take bare packets of IPv6 as of IPv4", () => {
  const config: OverlayConfig = { ...CONFIG_V6, backend: "host-gw" };
  const peer = HALVES.of(POOL, dual(2));
  ok(peer !== null);
  const taking = { ...peer, vtep: { ...peer.vtep, backend: "host-gw" as const } };
  const { peers, link, problems } = desiredState(config, OWN_HALF, [taking]);
  deepEqual(problems, []);
  equal(link, null);
  deepEqual(peers[0]?.route, {
    device: "eth0",
    destination: "fd00:244:0:2::/64",
    gateway: "fd00:100::2",
    onlink: false,
    protocol: 71,
    table: 254,
    metric: 1024,
  });
});

Deno.test("addresses that no packet can be sent to are no peers", () => {
  for (const ipv6 of ["fe80::2", "ff02::2", "::1", "fd00:100::1"]) {
    const half = HALVES.of(POOL, { ...claim(2), vtep: { ...claim(2).vtep, ipv6 } });
    ok(half !== null);
    const { peers, problems } = desiredState(CONFIG_V6, OWN_HALF, [half]);
    equal(peers.length, 0, ipv6);
    equal(problems.length, 1, ipv6);
  }
});

Deno.test("owners without IPv6 are named", () => {
  equal(missingHalves(POOL, OWN, [OWN, dual(2)], (id) => id), null);
  equal(missingHalves(IPV4, OWN, [OWN, claim(2)], (id) => id), null);
  const problem = missingHalves(POOL, OWN, [OWN, claim(2), dual(3), claim(4)], () => "h2");
  equal(problem?.code, "peer-without-ipv6");
  match(problem?.text ?? "", /^h2 and 1 more announced no IPv6 address/);
});

Deno.test("the MTU is 70 less than the underlay's, and never below what IPv6 takes", () => {
  const { underlay } = CONFIG_V6;
  equal(ipv6OverlayMtu(underlay, null, overheadOf("vxlan", 6)), 1430);
  equal(ipv6OverlayMtu(underlay, 1400, overheadOf("vxlan", 6)), 1400);
  equal(ipv6OverlayMtu(underlay, 1450, overheadOf("vxlan", 6)), 1430);
  let text = "";
  for (const [mtu, configured] of [[1349, null], [1500, 1279]] as const) {
    try {
      ipv6OverlayMtu({ ...underlay, mtu }, configured, overheadOf("vxlan", 6));
    } catch (error) {
      text += String(error);
    }
  }
  match(text, /leaves 1279 for the IPv6 overlay.*1279 is less than the 1280/s);
});
