/** Peers that are reached by a bare route over the underlay: which ones, what is wanted for them, and changes of the way. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { KernelState, Route } from "../../../mod/base/kernel_objects.ts";
import type { Backend, ClaimRecord } from "../../../mod/claim/record.ts";
import { planCleanup } from "../../../mod/overlay/cleanup.ts";
import type { OverlayConfig } from "../../../mod/overlay/desired.ts";
import { diffState, programmedPeers } from "../../../mod/overlay/diff.ts";
import { isOwnDirectRoute } from "../../../mod/overlay/host_gw.ts";
import { type OwnBackend, pathTo } from "../../../mod/overlay/path.ts";
import { planText } from "../../../mod/overlay/text.ts";
import { overheadOf } from "../../../mod/overlay/backend.ts";
import { mtuProblem, overlayMtu } from "../../../mod/overlay/underlay_mtu.ts";
import { EMPTY_STATE } from "../../support/model_kernel.ts";
import {
  claim,
  claims,
  CONFIG,
  desire,
  DEVICE,
  deviceNames,
  programmed,
} from "../../support/overlay.ts";

/** What is wanted under all routes to peers. */
const FLOOR = ["ip route add unreachable 10.244.0.0/16 proto 71 metric 4000000000"];

const BACKENDS = ["vxlan", "vxlan-direct", "host-gw"] as const;

/** A host that takes packets in that way, at home unless it is behind the router. */
function peer(number: number, backend: Backend, isFar = false): ClaimRecord {
  const { vtep } = claim(number);
  const address = isFar ? `192.168.101.${number}` : vtep.address;
  return claim(number, {
    vtep: { ...vtep, address, ...(backend === "vxlan" ? {} : { backend }) },
  });
}

function commands(
  owners: readonly ClaimRecord[],
  backend: OwnBackend,
  actual: KernelState,
): string[] {
  const plan = diffState(desire(owners, { backend }), actual);
  deepStrictEqual(plan.problems, []);
  return planText(plan.operations, deviceNames).trimEnd().split("\n").filter((line) => line !== "");
}

Deno.test("bare where both take it and nothing is between, else VXLAN where both take that", () => {
  const ways = (isFar: boolean) =>
    BACKENDS.map((own) =>
      BACKENDS.map((theirs) => {
        const path = pathTo({ ...CONFIG, backend: own }, peer(2, theirs, isFar).vtep);
        return typeof path === "string" ? path : path.code;
      })
    );
  deepStrictEqual(ways(false), [
    ["vxlan", "vxlan", "peer-backend"],
    ["vxlan", "direct", "direct"],
    ["peer-backend", "direct", "direct"],
  ]);
  deepStrictEqual(ways(true), [
    ["vxlan", "vxlan", "peer-backend"],
    ["vxlan", "vxlan", "peer-not-adjacent"],
    ["peer-backend", "peer-not-adjacent", "peer-not-adjacent"],
  ]);
});

Deno.test("a way of a later version is told by its number, and nothing is sent that way", () => {
  for (const backend of BACKENDS) {
    const wanted = desire([peer(2, "backend 9")], { backend });
    deepStrictEqual(wanted.peers, []);
    strictEqual(wanted.problems[0]?.code, "peer-backend");
    match(wanted.problems[0]?.text ?? "", /takes packets by backend 9, and this host by /);
  }
});

Deno.test("a peer on the link has a route and nothing else", () => {
  const wanted = desire([peer(2, "vxlan-direct"), peer(3, "vxlan-direct", true)], {
    backend: "vxlan-direct",
  });
  strictEqual(wanted.link?.name, DEVICE);
  const [near, far] = wanted.peers;
  deepStrictEqual([near?.neighbour, near?.entry], [null, null]);
  deepStrictEqual(near?.route, {
    device: "eth0",
    destination: "10.244.2.0/24",
    gateway: "192.168.100.2",
    onlink: false,
    protocol: 71,
    table: 254,
    metric: 0,
  });
  ok(far?.neighbour !== null && far?.entry !== null);
});

Deno.test("host-gw wants neither device nor address", () => {
  const wanted = desire([peer(2, "host-gw")], { backend: "host-gw" });
  deepStrictEqual([wanted.isUp, wanted.link, wanted.address], [true, null, null]);
  deepStrictEqual(commands([peer(2, "host-gw"), peer(3, "host-gw")], "host-gw", EMPTY_STATE), [
    ...FLOOR,
    "ip route add 10.244.2.0/24 via 192.168.100.2 dev eth0 proto 71",
    "ip route add 10.244.3.0/24 via 192.168.100.3 dev eth0 proto 71",
  ]);
});

Deno.test("what is there as wanted is left alone, and counts as programmed", () => {
  const owners = [peer(2, "host-gw"), peer(3, "vxlan-direct")];
  for (const backend of ["host-gw", "vxlan-direct"] as const) {
    const wanted = desire(owners, { backend });
    const state = programmed(wanted);
    deepStrictEqual(commands(owners, backend, state), []);
    strictEqual(programmedPeers(wanted, state), 2);
    strictEqual(programmedPeers(wanted, { ...state, routes: state.routes.slice(0, -1) }), 1);
  }
});

Deno.test("a peer that comes onto the link gets its new route before anything of the old way goes", () => {
  const before = programmed(desire([peer(2, "vxlan-direct", true)], { backend: "vxlan-direct" }));
  deepStrictEqual(commands([peer(2, "vxlan-direct")], "vxlan-direct", before), [
    "ip route append 10.244.2.0/24 via 192.168.100.2 dev eth0 proto 71",
    "ip route delete 10.244.2.0/24 via 10.244.2.0 dev flannel.1 proto 71 onlink",
    "bridge fdb delete 02:00:00:00:00:02 dev flannel.1 dst 192.168.101.2 self",
    "ip neighbour delete 10.244.2.0 dev flannel.1",
  ]);
});

Deno.test("one that leaves the link gets what VXLAN needs before its route", () => {
  const before = programmed(desire([peer(2, "vxlan-direct")], { backend: "vxlan-direct" }));
  deepStrictEqual(commands([peer(2, "vxlan-direct", true)], "vxlan-direct", before), [
    "ip neighbour replace 10.244.2.0 lladdr 02:00:00:00:00:02 dev flannel.1 nud permanent protocol 71",
    "bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 192.168.101.2 self permanent",
    "ip route append 10.244.2.0/24 via 10.244.2.0 dev flannel.1 proto 71 onlink",
    "ip route delete 10.244.2.0/24 via 192.168.100.2 dev eth0 proto 71",
  ]);
});

Deno.test("from VXLAN to host-gw: routes first, then the device with all that is on it", () => {
  const before = programmed(desire(claims(2, 3)));
  deepStrictEqual(commands([peer(2, "host-gw")], "host-gw", before), [
    "ip route append 10.244.2.0/24 via 192.168.100.2 dev eth0 proto 71",
    "ip route delete 10.244.2.0/24 via 10.244.2.0 dev flannel.1 proto 71 onlink",
    "ip route delete 10.244.3.0/24 via 10.244.3.0 dev flannel.1 proto 71 onlink",
    "bridge fdb delete 02:00:00:00:00:02 dev flannel.1 dst 192.168.100.2 self",
    "bridge fdb delete 02:00:00:00:00:03 dev flannel.1 dst 192.168.100.3 self",
    "ip neighbour delete 10.244.2.0 dev flannel.1",
    "ip neighbour delete 10.244.3.0 dev flannel.1",
    "ip address delete 10.244.1.0/32 dev flannel.1",
    "ip link delete flannel.1",
  ]);
});

const DIRECT: Route = {
  device: "eth0",
  destination: "10.244.9.0/24",
  gateway: "192.168.100.9",
  onlink: false,
  protocol: 71,
  table: 254,
  metric: 0,
};

Deno.test("a bare route to a host that is gone goes, whatever the backend is now", () => {
  for (const backend of BACKENDS) {
    const state = programmed(desire([], { backend }));
    deepStrictEqual(commands([], backend, { ...state, routes: [...state.routes, DIRECT] }), [
      "ip route delete 10.244.9.0/24 via 192.168.100.9 dev eth0 proto 71",
    ]);
  }
});

Deno.test("routes of another agent of this host, and of others, stay", () => {
  const others: Route[] = [
    { ...DIRECT, destination: "10.99.9.0/24" },
    { ...DIRECT, protocol: 4 },
    { ...DIRECT, device: "flannel.2", gateway: "10.244.9.0", onlink: true },
    { ...DIRECT, gateway: null },
    { ...DIRECT, destination: "fd00::/64", gateway: "fe80::1" },
  ];
  for (const route of others) {
    strictEqual(isOwnDirectRoute(route, CONFIG.networks), false, JSON.stringify(route));
  }
  for (const backend of BACKENDS) {
    const state = programmed(desire([], { backend }));
    const routes = [...state.routes, ...others];
    deepStrictEqual(commands([], backend, { ...state, routes }), []);
    deepStrictEqual(planCleanup(DEVICE, CONFIG.networks, { ...EMPTY_STATE, routes: others }), {
      operations: [],
      problems: [],
    });
  }
});

Deno.test("in a network that operators added to the pool, ours are ours", () => {
  const added = { ...DIRECT, destination: "10.99.9.0/24" };
  strictEqual(isOwnDirectRoute(added, [...CONFIG.networks, "10.99.0.0/16"]), true);
});

Deno.test("a stranger's device of the overlay's name, and his routes on it, stay with host-gw", () => {
  const strangers: Route = { ...DIRECT, device: DEVICE, protocol: 3, onlink: true };
  const state: KernelState = {
    ...EMPTY_STATE,
    link: { name: DEVICE, kind: "vxlan", alias: "" },
    routes: [strangers],
  };
  deepStrictEqual(commands([peer(9, "host-gw")], "host-gw", state), [
    ...FLOOR,
    "ip route add 10.244.9.0/24 via 192.168.100.9 dev eth0 proto 71",
  ]);
});

Deno.test("cleanup takes bare routes along, and needs no device for it", () => {
  const plan = planCleanup(DEVICE, CONFIG.networks, { ...EMPTY_STATE, routes: [DIRECT] });
  strictEqual(
    planText(plan.operations),
    "ip route delete 10.244.9.0/24 via 192.168.100.9 dev eth0 proto 71\n",
  );
});

Deno.test("the MTU of host-gw is the underlay's, and that of direct routes VXLAN's", () => {
  const { underlay }: OverlayConfig = CONFIG;
  const mtus = BACKENDS.map((backend) => overlayMtu(underlay, null, overheadOf(backend)));
  deepStrictEqual(mtus, [1450, 1450, 1500]);
  strictEqual(mtuProblem(underlay, 1500, overheadOf("host-gw")), null);
  match(
    mtuProblem(underlay, 1600, overheadOf("host-gw"))?.text ?? "",
    /is 1500 bytes instead of the 1600 of --mtu, which are more than the 1500 that eth0 carries/,
  );
});
