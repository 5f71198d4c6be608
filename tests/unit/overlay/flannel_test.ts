/** What flannel left stays, for hosts that have not moved, and only that. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { KernelState, Route } from "../../../mod/base/kernel_objects.ts";
import { desiredState } from "../../../mod/overlay/desired.ts";
import { diffState } from "../../../mod/overlay/diff.ts";
import { type FlannelPeer, flannelProblem } from "../../../mod/overlay/flannel.ts";
import { planText } from "../../../mod/overlay/text.ts";
import { claim, claims, CONFIG, DEVICE, deviceNames, OWN } from "../../support/overlay.ts";

const MAC = { 2: "7e:00:00:00:00:02", 3: "7e:00:00:00:00:03" };

/** As flannel leaves it on host 1: a device of its own make, and the way to hosts 2 and 3. */
const LEFT: KernelState = {
  link: {
    name: DEVICE,
    vni: 1,
    port: 8472,
    local: CONFIG.underlay.address,
    underlayIndex: CONFIG.underlay.index,
    mac: CONFIG.mac,
    mtu: 1450,
    learning: false,
    up: true,
    alias: "",
  },
  addresses: [{ device: DEVICE, address: "10.244.1.0/32", protocol: 0 }],
  neighbours: ([2, 3] as const).map((number) => ({
    device: DEVICE,
    address: `10.244.${number}.0`,
    mac: MAC[number],
    protocol: 0,
    permanent: true,
  })),
  forwarding: ([2, 3] as const).map((number) => ({
    device: DEVICE,
    mac: MAC[number],
    destination: `192.168.100.${number}`,
    port: null,
    permanent: true,
  })),
  routes: [2, 3].map((number): Route => ({
    device: DEVICE,
    destination: `10.244.${number}.0/24`,
    gateway: `10.244.${number}.0`,
    onlink: true,
    protocol: 3,
    table: 254,
    metric: 0,
  })),
};

function plan(owners: readonly number[], changes: Partial<KernelState> = {}, adopts = true) {
  const config = { ...CONFIG, adoptsFlannel: adopts };
  const desired = desiredState(config, OWN, claims(1, ...owners));
  const { operations, flannel = [], problems } = diffState(desired, { ...LEFT, ...changes });
  deepStrictEqual(problems, []);
  const commands = planText(operations, deviceNames).split("\n").slice(0, -1);
  return { commands, left: flannel.map(({ address }) => address) };
}

Deno.test("a device that flannel made is taken over with all that leads to its hosts", () => {
  deepStrictEqual(plan([]), {
    commands: [
      "ip link set flannel.1 alias gossamer",
      "ip route add unreachable 10.244.0.0/16 proto 71 metric 4000000000",
    ],
    left: ["192.168.100.2", "192.168.100.3"],
  });
});

Deno.test("a host that has moved gets what its claim says, and keeps the other's", () => {
  const { commands, left } = plan([2]);
  deepStrictEqual(left, ["192.168.100.3"]);
  deepStrictEqual(commands.filter((command) => command.includes("delete")), [
    "ip route delete 10.244.2.0/24 via 10.244.2.0 dev flannel.1 proto boot onlink",
    `bridge fdb delete ${MAC[2]} dev flannel.1 dst 192.168.100.2 self`,
  ]);
});

Deno.test("when all have moved nothing of flannel's is left", () => {
  const { commands, left } = plan([2, 3]);
  deepStrictEqual(left, []);
  strictEqual(commands.filter((command) => command.startsWith("bridge fdb delete")).length, 2);
});

Deno.test("without the flag entries that nobody claims go, as ever", () => {
  const { commands, left } = plan([], {}, false);
  deepStrictEqual(left, []);
  strictEqual(commands.filter((command) => command.startsWith("bridge fdb delete")).length, 2);
});

Deno.test("only what is complete, of others and in our networks counts as a host of flannel", () => {
  const [route] = LEFT.routes;
  const [neighbour] = LEFT.neighbours;
  if (route === undefined || neighbour === undefined) throw new Error("flannel left both");
  const of = (changes: Partial<KernelState>) => plan([], changes).left.length;
  strictEqual(of({ routes: [] }), 0);
  strictEqual(of({ neighbours: [] }), 0);
  strictEqual(of({ forwarding: [] }), 0);
  strictEqual(of({ routes: [{ ...route, protocol: 71 }] }), 0);
  strictEqual(of({ routes: [{ ...route, device: "eth0" }] }), 0);
  strictEqual(of({ routes: [{ ...route, gateway: "192.168.7.1" }] }), 0);
  strictEqual(of({ neighbours: [{ ...neighbour, permanent: false }] }), 0);
  strictEqual(of({ neighbours: [{ ...neighbour, protocol: 71 }] }), 0);
});

Deno.test("who has not moved is named, some of them", () => {
  strictEqual(flannelProblem([]), null);
  const peers = (count: number): FlannelPeer[] =>
    claims(...Array.from({ length: count }, (_, index) => index + 2)).map(({ subnet, vtep }) => ({
      subnet,
      address: vtep.address,
      mac: vtep.mac,
    }));
  match(
    flannelProblem(peers(1))?.text ?? "",
    /^1 host of flannel has .* 192\.168\.100\.2 \(10\.244\.2\.0\/24\)$/,
  );
  match(flannelProblem(peers(5))?.text ?? "", /^5 hosts .* 192\.168\.100\.4 .* and 2 more$/);
  strictEqual(claim(2).subnet, "10.244.2.0/24");
});
