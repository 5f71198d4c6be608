/** What the kernel should hold with the UDP backend, how it gets there from others, and what is said when it cannot. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { ipv4Embedded } from "../../../mod/address/ipv6.ts";
import type { KernelState } from "../../../mod/base/kernel_objects.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { mtuOf, withMtu } from "../../../mod/overlay/announced_mtu.ts";
import { halfOverheadOf, overheadOf, overlayDevice } from "../../../mod/overlay/backend.ts";
import { planCleanup } from "../../../mod/overlay/cleanup.ts";
import { desiredState } from "../../../mod/overlay/desired.ts";
import { diffState, programmedPeers } from "../../../mod/overlay/diff.ts";
import { desiredFirewall } from "../../../mod/overlay/firewall.ts";
import { firewallPlanText } from "../../../mod/overlay/firewall_text.ts";
import { withRetired } from "../../../mod/overlay/retired.ts";
import { overlayMtuOn } from "../../../mod/overlay/underlay_mtu.ts";
import { planText, stateText } from "../../../mod/overlay/text.ts";
import { EMPTY_STATE } from "../../support/model_kernel.ts";
import { claim, CONFIG, desire, deviceNames, OWN, programmed } from "../../support/overlay.ts";

const UDP = { backend: "udp", mtu: 1472, port: 8285 } as const;

function udpClaim(number: number): ClaimRecord {
  const { vtep } = claim(number);
  return claim(number, { vtep: { ...vtep, port: 8285, backend: "udp" } });
}

const WANTED = desire([udpClaim(2), udpClaim(3)], UDP);
/** The kernel as the plan leaves it. */
const THERE: KernelState = {
  ...EMPTY_STATE,
  link: WANTED.link,
  addresses: WANTED.address === null ? [] : [WANTED.address],
  routes: [...WANTED.unreachable, ...WANTED.whole],
};

Deno.test("the kernel gets a device, its address and a route for the whole network", () => {
  equal(
    planText(diffState(WANTED, EMPTY_STATE).operations, deviceNames),
    "ip tuntap add dev flannel0 mode tun vnet_hdr\n" +
      "ip link set flannel0 mtu 1472 alias 'gossamer 1' up\n" +
      "ip address add 10.244.1.0/32 dev flannel0\n" +
      "ip route add unreachable 10.244.0.0/16 proto 71 metric 4000000000\n" +
      "ip route add 10.244.0.0/16 dev flannel0 proto 71\n",
  );
  deepEqual(diffState(WANTED, THERE), { operations: [], problems: [] });
  equal(programmedPeers(WANTED, THERE), 2);
  match(stateText(THERE), /^flannel0: UP mtu 1472 tun persist alias gossamer 1$/m);
});

Deno.test("peers are the agent's business: where to send, how much, and whether at all", () => {
  deepEqual(
    WANTED.peers.map(({ subnet, path, route, neighbour, entry, tunnel }) => [
      ...[subnet, path, route, neighbour, entry],
      tunnel,
    ]),
    [2, 3].map((number) => [
      ...[`10.244.${number}.0/24`, "udp", null, null, null],
      { address: `192.168.100.${number}`, port: 8285, mtu: 1472, silent: false },
    ]),
  );
  const silent = new Set([udpClaim(3).hostId]);
  const { peers } = desiredState({ ...CONFIG, ...UDP }, OWN, [udpClaim(2), udpClaim(3)], silent);
  deepEqual(peers.map(({ tunnel }) => tunnel?.silent), [false, true]);
});

Deno.test("a host with another backend is no peer, and is named; and so the other way round", () => {
  for (const backend of ["vxlan-direct", "host-gw"] as const) {
    const { vtep } = claim(2);
    const { peers, problems } = desire([claim(2, { vtep: { ...vtep, backend } }), claim(3)], UDP);
    deepEqual(peers, []);
    deepEqual(problems.map(({ code }) => code), ["peer-backend", "peer-backend"]);
    match(problems[0]?.remedy ?? "", /one with udp reaches none with another/);
    const theirs = desire([udpClaim(2)], { backend });
    deepEqual([theirs.peers, theirs.problems.map(({ code }) => code)], [[], ["peer-backend"]]);
  }
});

Deno.test("what somebody changed is put back, and only that", () => {
  ok(THERE.link !== null);
  const changed = (changes: object): KernelState => ({
    ...THERE,
    link: { ...THERE.link, ...changes } as KernelState["link"],
  });
  const plan = (state: KernelState) => planText(diffState(WANTED, state).operations);
  equal(plan(changed({ mtu: 1400 })), "ip link set flannel0 mtu 1472\n");
  equal(plan(changed({ up: false })), "ip link set flannel0 up\n");
  match(
    plan(changed({ multiQueue: true })),
    /^ip link delete flannel0\nip tuntap add dev flannel0/,
  );
  equal(
    plan({ ...THERE, routes: THERE.routes.slice(0, 1) }),
    "ip route add 10.244.0.0/16 dev flannel0 proto 71\n",
  );
  equal(programmedPeers(WANTED, { ...THERE, routes: [] }), 0, "nothing leads to the agent");
});

Deno.test("a device of flannel's, or of another cluster's agent, is left alone and named", () => {
  const foreignLink = (alias: string, link = { ...THERE.link, alias }) => ({
    ...EMPTY_STATE,
    link: link as KernelState["link"],
  });
  for (
    const [state, text, remedy] of [
      [foreignLink(""), /TUN device named flannel0 with no alias/, /ip link delete flannel0/],
      [foreignLink("gossamer 2"), /belongs to the gossamer agent with --vni 2/, /cleanup --vni 2/],
      [
        { ...EMPTY_STATE, link: { name: "flannel0", kind: "tun", alias: "" } },
        /device of kind "tun" named flannel0/,
        /another --backend/,
      ],
    ] as const
  ) {
    const { operations, problems: [problem] } = diffState(WANTED, state);
    deepEqual(operations, []);
    equal(problem?.code, "foreign-device");
    match(problem?.text ?? "", text);
    match(problem?.remedy ?? "", remedy);
  }
});

Deno.test("what another backend left goes when what takes its place is there, and nobody else's", () => {
  const vxlan = desire([claim(2)]);
  const vxlanState = programmed(vxlan);
  const retire = (wanted: typeof WANTED, state: KernelState) => {
    const before = { operations: [], problems: [] };
    const dump = (device: string) => device === state.link?.name ? state : EMPTY_STATE;
    const plan = withRetired(before, wanted, dump);
    return plan === before ? null : planText(plan.operations).trimEnd().split("\n");
  };
  deepEqual(retire(WANTED, vxlanState)?.at(-1), "ip link delete flannel.1");
  const ipv6State = { ...vxlanState, link: { ...vxlanState.link, name: "flannel-v6.1" } };
  deepEqual(
    retire(WANTED, ipv6State as KernelState)?.at(-1),
    "ip link delete flannel-v6.1",
    "of dual stack",
  );
  deepEqual(retire(vxlan, THERE)?.at(-1), "ip link delete flannel0");
  deepEqual(retire(desire([], { backend: "host-gw" }), THERE)?.at(-1), "ip link delete flannel0");
  equal(retire(desire([], { vni: 2 }), THERE), null, "the other cluster's");
  equal(retire(vxlan, EMPTY_STATE), null);
});

Deno.test("cleaning up takes away what is ours and keeps the device of another cluster", () => {
  const plan = planCleanup("flannel0", CONFIG.networks, THERE, "gossamer 1");
  equal(
    planText(plan.operations),
    "ip route delete unreachable 10.244.0.0/16 proto 71 metric 4000000000\n" +
      "ip route delete 10.244.0.0/16 dev flannel0 proto 71\n" +
      "ip address delete 10.244.1.0/32 dev flannel0\nip link delete flannel0\n",
  );
  const foreign = planCleanup("flannel0", CONFIG.networks, THERE, "gossamer 2").operations;
  ok(!foreign.some(({ kind }) => kind === "link-delete"));
});

Deno.test("the MTU is the underlay's less 28 bytes, and that is not announced", () => {
  equal(overheadOf("udp"), 28);
  const { vtep } = udpClaim(2);
  equal(mtuOf(vtep), 1472);
  deepEqual(withMtu(vtep, 1472), vtep);
  deepEqual(withMtu(vtep, 1400), { ...vtep, mtu: 1400 });
  deepEqual(
    (["vxlan", "vxlan-direct", "udp", "host-gw"] as const).map((backend) =>
      overlayDevice({ backend, vni: 5 })
    ),
    ["flannel.5", "flannel.5", "flannel0", null],
  );
});

Deno.test("the guard lets members alone send to the port, whatever the datagrams say", () => {
  const config = {
    vni: 1,
    port: 8285,
    hasNetworkIdentifier: false,
    masquerade: false,
    masqueradeExcluded: [],
    guard: true,
  };
  const facts = {
    subnet: "10.244.1.0/24",
    networks: ["10.244.0.0/16"],
    members: ["192.168.100.2"],
  };
  const text = firewallPlanText([{
    kind: "table-replace",
    table: desiredFirewall(config, facts),
  }]);
  match(text, /udp dport 8285 ip saddr != @members counter/);
  ok(!text.includes("@th"));
});

Deno.test("with dual stack IPv6 is a guest on the device: it leaves without taking it along", () => {
  const networks = ["fd00:244::/56"];
  const underlay = { ...CONFIG.underlay, address: ipv4Embedded(CONFIG.underlay.address) };
  const half = { ...CONFIG, ...UDP, networks, underlay };
  const claimOf = (number: number) => ({
    ...udpClaim(number),
    subnet: `fd00:244:0:${number}::/64`,
    vtep: { ...udpClaim(number).vtep, address: ipv4Embedded(udpClaim(number).vtep.address) },
  });
  const own = { ...claimOf(1), hostId: OWN.hostId };
  const wanted = desiredState(half, own, [claimOf(2)]);
  deepEqual(wanted.problems, []);
  equal(wanted.address?.address, "fd00:244:0:1::/128");
  deepEqual(wanted.whole.map(({ destination }) => destination), networks);
  const there: KernelState = {
    ...EMPTY_STATE,
    link: wanted.link,
    addresses: wanted.address === null ? [] : [wanted.address],
    routes: wanted.whole,
  };
  const down = diffState(desiredState(half, null, []), there).operations.map(({ kind }) => kind);
  deepEqual(down.sort(), ["address-delete", "route-delete"]);
  const strange = { ...claimOf(2), vtep: { ...claimOf(2).vtep, address: "fd00::2" } };
  match(desiredState(half, own, [strange]).problems[0]?.code ?? "", /^peer-address-unusable$/);
});

Deno.test("over IPv6 the MTU is the underlay's less 48 bytes, and never less than IPv6 takes", () => {
  const underlay = { ...CONFIG.underlay, address: "fd00:100::1", mtu: 1500 };
  equal(overlayMtuOn(underlay, null, "udp"), 1452);
  throws(
    () => overlayMtuOn({ ...underlay, mtu: 1320 }, null, "udp"),
    /has an MTU of 1320 bytes, which leaves 1272 for the IPv6 overlay: less than the 1280/,
  );
  equal(halfOverheadOf("udp"), 28);
  equal(halfOverheadOf("vxlan"), 70);
  const { vtep } = udpClaim(2);
  equal(mtuOf({ ...vtep, ipv6: ipv4Embedded(vtep.address) }), 1472);
  equal(mtuOf({ ...vtep, address: "fd00:100::2" }), 1452);
});
