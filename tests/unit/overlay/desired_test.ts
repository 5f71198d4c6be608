/** What is wanted for which claims, and which peers are refused. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { desiredState } from "../../../mod/overlay/desired.ts";
import { claim, claims, CONFIG, desire, DEVICE, OWN } from "../../support/overlay.ts";

Deno.test("nothing is wanted before our own claim is held", () => {
  for (const state of ["tentative", "yielding", "released"] as const) {
    const desired = desiredState(CONFIG, claim(1, { state }), claims(1, 2));
    strictEqual(desired.link, null);
    strictEqual(desired.address, null);
    deepStrictEqual(desired.peers, []);
  }
  strictEqual(desiredState(CONFIG, null, claims(2)).link, null);
});

Deno.test("the device is flannel's, with our alias", () => {
  deepStrictEqual(desire([]).link, {
    name: "flannel.1",
    vni: 1,
    port: 8472,
    local: "192.168.100.1",
    underlayIndex: 2,
    mac: "02:00:00:00:00:01",
    mtu: 1450,
    learning: false,
    up: true,
    alias: "gossamer",
  });
  deepStrictEqual(desire([]).address, { device: DEVICE, address: "10.244.1.0/32", protocol: 71 });
});

Deno.test("each peer gets a neighbour, a forwarding entry and an onlink route", () => {
  const [peer, ...others] = desire(claims(1, 2)).peers;
  deepStrictEqual(others, []);
  deepStrictEqual(peer, {
    hostId: "02".repeat(16),
    subnet: "10.244.2.0/24",
    path: "vxlan",
    tunnel: null,
    neighbour: {
      device: DEVICE,
      address: "10.244.2.0",
      mac: "02:00:00:00:00:02",
      protocol: 71,
      permanent: true,
    },
    entry: {
      device: DEVICE,
      mac: "02:00:00:00:00:02",
      destination: "192.168.100.2",
      port: null,
      permanent: true,
    },
    route: {
      device: DEVICE,
      destination: "10.244.2.0/24",
      gateway: "10.244.2.0",
      onlink: true,
      protocol: 71,
      table: 254,
      metric: 0,
    },
  });
});

Deno.test("only held claims are routed", () => {
  const states = ["tentative", "yielding", "released"] as const;
  deepStrictEqual(desire(states.map((state, index) => claim(2 + index, { state }))).peers, []);
});

Deno.test("a peer on another VXLAN port has it in its forwarding entry", () => {
  const other = claim(2, { vtep: { ...claim(2).vtep, port: 4789 } });
  strictEqual(desire([other]).peers[0]?.entry?.port, 4789);
});

/** The one problem with that peer, which must be left out. */
function problemWith(changes: Partial<ClaimRecord>) {
  const desired = desire([OWN, claim(2, changes), claim(3)]);
  deepStrictEqual(desired.peers.map(({ subnet }) => subnet), ["10.244.3.0/24"]);
  strictEqual(desired.problems.length, 1);
  return desired.problems[0];
}

Deno.test("a peer that announces our own address is left out and named", () => {
  const problem = problemWith({ vtep: { ...claim(2).vtep, address: "192.168.100.1" } });
  strictEqual(problem?.code, "peer-address-is-ours");
  match(problem.text, /192\.168\.100\.1/);
  match(problem.text, /10\.244\.2\.0\/24/);
});

Deno.test("a peer behind the public address that we announce is left out", () => {
  const own = claim(1, { vtep: { ...OWN.vtep, address: "203.0.113.7" } });
  const other = claim(2, { vtep: { ...claim(2).vtep, address: "203.0.113.7" } });
  const desired = desiredState(CONFIG, own, [other]);
  deepStrictEqual(desired.peers, []);
  strictEqual(desired.problems[0]?.code, "peer-address-is-ours");
});

Deno.test("addresses to which no packet can be sent are refused", () => {
  for (
    const address of ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::1", "h2", "1.2.3"]
  ) {
    const problem = problemWith({ vtep: { ...claim(2).vtep, address } });
    strictEqual(problem?.code, "peer-address-unusable", address);
  }
});

Deno.test("MACs that are no host's, or our own, are refused", () => {
  for (const mac of ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", CONFIG.mac]) {
    const problem = problemWith({ vtep: { ...claim(2).vtep, mac } });
    strictEqual(problem?.code, "peer-mac-unusable", mac);
  }
});

Deno.test("ports outside 1 to 65535 are refused", () => {
  for (const port of [0, -1, 65_536, 1.5]) {
    const problem = problemWith({ vtep: { ...claim(2).vtep, port } });
    strictEqual(problem?.code, "peer-port-unusable", String(port));
  }
});

Deno.test("a subnet that overlaps our own is refused, smaller, equal or larger", () => {
  for (const subnet of ["10.244.1.128/25", "10.244.1.0/24", "10.244.0.0/20"]) {
    strictEqual(problemWith({ subnet })?.code, "peer-subnet-overlaps", subnet);
  }
});

Deno.test("a subnet that is none is refused instead of crashing", () => {
  for (const subnet of ["10.244.2.1/24", "fd00::/64", "x"]) {
    strictEqual(problemWith({ subnet })?.code, "peer-subnet-unusable", subnet);
  }
});

Deno.test("of two peers with one MAC at different addresses the first is programmed", () => {
  const copy = claim(3, { vtep: { ...claim(3).vtep, mac: claim(2).vtep.mac } });
  const desired = desire([claim(2), copy]);
  deepStrictEqual(desired.peers.map(({ subnet }) => subnet), ["10.244.2.0/24"]);
  strictEqual(desired.problems[0]?.code, "peer-mac-duplicate");
});

Deno.test("two subnets behind one end point share a forwarding entry", () => {
  const second = claim(3, { vtep: claim(2).vtep });
  const desired = desire([claim(2), second]);
  strictEqual(desired.peers.length, 2);
  deepStrictEqual(desired.problems, []);
});
