/** Each way in which a kernel can differ, and the smallest plan that settles it. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { KernelState, Route, VxlanLink } from "../../../mod/base/kernel_objects.ts";
import { desiredState } from "../../../mod/overlay/desired.ts";
import { diffState, programmedPeers } from "../../../mod/overlay/diff.ts";
import { planText } from "../../../mod/overlay/text.ts";
import { EMPTY_STATE, ModelKernel } from "../../support/model_kernel.ts";
import {
  claim,
  claims,
  CONFIG,
  desire,
  DEVICE,
  deviceNames,
  OWN,
  programmed,
} from "../../support/overlay.ts";

const DESIRED = desire(claims(1, 2, 3));
const STEADY = peersFirst(programmed(DESIRED));

/** With the routes to peers before the one under them. */
function peersFirst(state: KernelState): KernelState {
  const routes = state.routes.toSorted((one, other) => one.metric - other.metric);
  return { ...state, routes };
}

/** The plan's commands for a kernel that differs from the steady one. */
function plan(changes: Partial<KernelState>): string[] {
  const { operations, problems } = diffState(DESIRED, { ...STEADY, ...changes });
  deepStrictEqual(problems, []);
  return planText(operations, deviceNames).split("\n").slice(0, -1);
}

function withLink(changes: Partial<VxlanLink>): Partial<KernelState> {
  const link = DESIRED.link;
  return link === null ? {} : { link: { ...link, ...changes } };
}

const FIRST_ROUTE = DESIRED.peers[0]?.route as Route;

Deno.test("an equal kernel gives an empty plan", () => {
  deepStrictEqual(plan({}), []);
});

Deno.test("one missing object is one command", () => {
  const [neighbour] = STEADY.neighbours;
  deepStrictEqual(plan({ neighbours: STEADY.neighbours.slice(1) }), [
    `ip neighbour replace ${neighbour?.address} lladdr ${neighbour?.mac} dev flannel.1 ` +
    "nud permanent protocol 71",
  ]);
  deepStrictEqual(plan({ forwarding: STEADY.forwarding.slice(1) }), [
    "bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 192.168.100.2 self permanent",
  ]);
  deepStrictEqual(plan({ routes: STEADY.routes.slice(1) }), [
    "ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 proto 71 onlink",
  ]);
  deepStrictEqual(plan({ addresses: [] }), ["ip address add 10.244.1.0/32 dev flannel.1"]);
});

Deno.test("what can be changed on the device is changed in place, and only that", () => {
  deepStrictEqual(plan(withLink({ mtu: 1500 })), ["ip link set flannel.1 mtu 1450"]);
  deepStrictEqual(plan(withLink({ up: false })), ["ip link set flannel.1 up"]);
});

Deno.test("a new MAC on the device makes the kernel forget all neighbours, so all come again", () => {
  const commands = plan(withLink({ mac: "02:00:00:00:00:99" }));
  strictEqual(commands[0], "ip link set flannel.1 address 02:00:00:00:00:01");
  deepStrictEqual(commands.slice(1).map((command) => command.split(" ").slice(0, 4).join(" ")), [
    "ip neighbour replace 10.244.2.0",
    "ip neighbour replace 10.244.3.0",
  ]);
});

/** What a device leaves behind that goes: the route that goes through none. */
const NO_DEVICE: KernelState = {
  ...EMPTY_STATE,
  routes: STEADY.routes.filter(({ device }) => device === ""),
};

Deno.test("what is fixed at creation makes the device anew, with everything after it", () => {
  const drifts: Partial<VxlanLink>[] = [
    { vni: 2 },
    { port: 4789 },
    { learning: true },
    { local: "" },
    { underlayIndex: 0 },
  ];
  const fromNothing = planText(diffState(DESIRED, NO_DEVICE).operations, deviceNames);
  for (const drift of drifts) {
    const commands = plan(withLink(drift));
    strictEqual(commands[0], "ip link delete flannel.1", JSON.stringify(drift));
    strictEqual(`${commands.slice(1).join("\n")}\n`, fromNothing);
  }
});

Deno.test("another place on the underlay moves the device in place, before its MTU may grow", () => {
  deepStrictEqual(plan(withLink({ local: "192.168.100.77" })), [
    "ip link set flannel.1 type vxlan local 192.168.100.1",
  ]);
  deepStrictEqual(plan(withLink({ underlayIndex: 9, mtu: 1350 })), [
    "ip link set flannel.1 type vxlan dev eth0",
    "ip link set flannel.1 mtu 1450",
  ]);
  deepStrictEqual(plan(withLink({ local: "192.168.100.77", underlayIndex: 9 })), [
    "ip link set flannel.1 type vxlan local 192.168.100.1 dev eth0",
  ]);
});

Deno.test("a kernel that moves no devices makes the device anew instead, and all its peers", () => {
  const drifted = { ...STEADY, ...withLink({ local: "192.168.100.77" }) };
  const { operations } = diffState(DESIRED, drifted, { movesDevices: false });
  const fromNothing = diffState(DESIRED, NO_DEVICE).operations;
  deepStrictEqual(operations, [{ kind: "link-delete", name: DEVICE }, ...fromNothing]);
});

Deno.test("a device of that name that is not ours is never touched", () => {
  const foreign: KernelState["link"][] = [
    { name: DEVICE, kind: "dummy", alias: "" },
    { name: DEVICE, kind: "bridge", alias: "gossamer" },
    { ...(DESIRED.link as VxlanLink), alias: "", mac: "0e:00:00:00:00:01" },
    { ...(DESIRED.link as VxlanLink), alias: "flannel" },
  ];
  for (const link of foreign) {
    const result = diffState(DESIRED, { ...STEADY, link });
    deepStrictEqual(result.operations, []);
    strictEqual(result.problems[0]?.code, "foreign-device");
    match(result.problems[0].remedy, /ip link delete flannel\.1/);
  }
});

Deno.test("a device with our MAC that was never marked is taken up", () => {
  deepStrictEqual(plan(withLink({ alias: "", up: false })), [
    "ip link set flannel.1 alias gossamer up",
  ]);
});

Deno.test("a changed neighbour is put right by one command", () => {
  const [first, ...others] = STEADY.neighbours;
  if (first === undefined) throw new Error("the steady state has neighbours");
  for (const drift of [{ mac: "02:00:00:00:00:99" }, { permanent: false }, { protocol: 0 }]) {
    const commands = plan({ neighbours: [{ ...first, ...drift }, ...others] });
    strictEqual(commands.length, 1, JSON.stringify(drift));
    match(commands[0] ?? "", /^ip neighbour replace 10\.244\.2\.0 /);
  }
});

Deno.test("a changed forwarding entry is replaced in place", () => {
  const [first, ...others] = STEADY.forwarding;
  if (first === undefined) throw new Error("the steady state has forwarding entries");
  for (const drift of [{ destination: "192.168.100.99" }, { port: 1 }, { permanent: false }]) {
    const commands = plan({ forwarding: [{ ...first, ...drift }, ...others] });
    strictEqual(commands.length, 1, JSON.stringify(drift));
    match(commands[0] ?? "", /^bridge fdb replace 02:00:00:00:00:02 .* dst 192\.168\.100\.2 /);
  }
});

Deno.test("of several remotes of one MAC the wrong ones go and the right one stays", () => {
  const [right] = STEADY.forwarding;
  if (right === undefined) throw new Error("the steady state has forwarding entries");
  const wrong = { ...right, destination: "192.168.100.98" };
  const worse = { ...right, destination: "192.168.100.99" };
  const rest = STEADY.forwarding.slice(1);
  deepStrictEqual(plan({ forwarding: [wrong, right, worse, ...rest] }), [
    "bridge fdb delete 02:00:00:00:00:02 dev flannel.1 dst 192.168.100.99 self",
    "bridge fdb delete 02:00:00:00:00:02 dev flannel.1 dst 192.168.100.98 self",
  ]);
  deepStrictEqual(plan({ forwarding: [wrong, worse, ...rest] }), [
    "bridge fdb delete 02:00:00:00:00:02 dev flannel.1 dst 192.168.100.99 self",
    "bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 192.168.100.2 self permanent",
  ]);
});

Deno.test("a route of ours that was changed by hand goes once the right one is behind it", () => {
  const drifts: Partial<Route>[] = [
    { gateway: "10.244.3.0" },
    { gateway: null },
    { onlink: false },
    { protocol: 3 },
  ];
  for (const drift of drifts) {
    const commands = plan({ routes: [{ ...FIRST_ROUTE, ...drift }, ...STEADY.routes.slice(1)] });
    strictEqual(commands.length, 2, JSON.stringify(drift));
    strictEqual(
      commands[0],
      "ip route append 10.244.2.0/24 via 10.244.2.0 dev flannel.1 proto 71 onlink",
    );
    match(commands[1] ?? "", /^ip route delete 10\.244\.2\.0\/24 /);
  }
});

Deno.test("somebody else's route to a peer's subnet on another device is not taken away", () => {
  const foreign = { ...FIRST_ROUTE, device: "eth1", protocol: 4 };
  deepStrictEqual(plan({ routes: [foreign, ...STEADY.routes.slice(1)] }), [
    "ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 proto 71 onlink",
  ]);
});

Deno.test("a route of ours left on another device makes room", () => {
  const left = { ...FIRST_ROUTE, device: "flannel.2" };
  deepStrictEqual(plan({ routes: [left, ...STEADY.routes.slice(1)] }), [
    "ip route append 10.244.2.0/24 via 10.244.2.0 dev flannel.1 proto 71 onlink",
    "ip route delete 10.244.2.0/24 via 10.244.2.0 dev flannel.2 proto 71 onlink",
  ]);
});

Deno.test("of routes appended beside the right one ours goes and a stranger's stays", () => {
  const ours = { ...FIRST_ROUTE, gateway: "10.244.3.0" };
  const foreign = { ...FIRST_ROUTE, gateway: null, protocol: 3 };
  deepStrictEqual(plan({ routes: [...STEADY.routes, ours, foreign] }), [
    "ip route delete 10.244.2.0/24 via 10.244.3.0 dev flannel.1 proto 71 onlink",
  ]);
});

Deno.test("routes of another agent of this host stay", () => {
  const other = { ...FIRST_ROUTE, device: "flannel.2", destination: "10.99.2.0/24" };
  deepStrictEqual(plan({ routes: [...STEADY.routes, other] }), []);
});

Deno.test("an old address without a mark goes, of whatever network of the pool it was", () => {
  const old = { device: DEVICE, address: "10.245.7.0/32", protocol: 0 };
  const state = { ...STEADY, addresses: [...STEADY.addresses, old] };
  const networks = ["10.244.0.0/16", "10.245.0.0/16"];
  const { operations } = diffState({ ...DESIRED, networks }, state);
  deepStrictEqual(operations, [{ kind: "address-delete", address: old }]);
  deepStrictEqual(diffState(DESIRED, state).operations, []);
});

Deno.test("what others put on our device stays", () => {
  deepStrictEqual(
    plan({
      addresses: [
        ...STEADY.addresses,
        { device: DEVICE, address: "198.51.100.1/24", protocol: 0 },
        { device: DEVICE, address: "10.244.200.1/24", protocol: 0 },
        { device: DEVICE, address: "fd00::1/128", protocol: 0 },
        { device: DEVICE, address: "10.244.201.0/32", protocol: 3 },
      ],
      routes: [...STEADY.routes, { ...FIRST_ROUTE, destination: "172.20.0.0/16", protocol: 3 }],
      neighbours: [
        ...STEADY.neighbours,
        { device: DEVICE, address: "10.244.9.0", mac: "", protocol: 0, permanent: false },
        { device: DEVICE, address: "10.1.1.1", mac: CONFIG.mac, protocol: 0, permanent: true },
      ],
      forwarding: [
        ...STEADY.forwarding,
        {
          device: DEVICE,
          mac: "00:00:00:00:00:00",
          destination: "192.168.100.9",
          port: null,
          permanent: true,
        },
        {
          device: DEVICE,
          mac: "0a:00:00:00:00:01",
          destination: "192.168.100.9",
          port: null,
          permanent: false,
        },
      ],
    }),
    [],
  );
});

Deno.test("stale objects go in the order route, forwarding entry, neighbour, before anything is added", () => {
  const { operations } = diffState(desire([OWN, claim(3), claim(4)]), STEADY);
  deepStrictEqual(operations.map(({ kind }) => kind), [
    "route-delete",
    "forwarding-delete",
    "neighbour-delete",
    "neighbour-replace",
    "forwarding-replace",
    "route-add",
  ]);
});

Deno.test("an address of ours from before goes, tagged or on an older kernel", () => {
  for (const protocol of [71, 0]) {
    const old = { device: DEVICE, address: "10.244.200.0/32", protocol };
    deepStrictEqual(plan({ addresses: [old, ...STEADY.addresses] }).length, 1);
  }
});

Deno.test("no claim of our own takes everything of ours away", () => {
  const nothing = desiredState(CONFIG, null, claims(2, 3));
  const kernel = new ModelKernel(DEVICE, STEADY);
  deepStrictEqual(kernel.apply(diffState(nothing, STEADY).operations), []);
  deepStrictEqual(kernel.state, EMPTY_STATE);
});

Deno.test("a peer counts as programmed only with all three objects, on a device that is up", () => {
  strictEqual(programmedPeers(DESIRED, STEADY), 2);
  strictEqual(programmedPeers(DESIRED, EMPTY_STATE), 0);
  strictEqual(programmedPeers(DESIRED, { ...STEADY, ...withLink({ up: false }) }), 0);
  strictEqual(programmedPeers(DESIRED, { ...STEADY, routes: STEADY.routes.slice(1) }), 1);
  strictEqual(programmedPeers(DESIRED, { ...STEADY, forwarding: STEADY.forwarding.slice(1) }), 1);
  strictEqual(programmedPeers(DESIRED, { ...STEADY, neighbours: [] }), 0);
});

Deno.test("two subnets behind one end point settle in one pass", () => {
  const desired = desire([claim(2), claim(3, { vtep: claim(2).vtep })]);
  const state = programmed(desired);
  deepStrictEqual(diffState(desired, state).operations, []);
  strictEqual(programmedPeers(desired, state), 2);
});
