/** Both halves of a dual-stack overlay on the real kernel, each dumped, healed and taken away apart from the other. */
import { strict as assert } from "node:assert";
import { addressAdd, addressDelete, addressDump, IFA_F } from "../../../ffi/route/address.ts";
import { fdbReplace } from "../../../ffi/route/fdb.ts";
import { linkDelete, linkGet, linkSet } from "../../../ffi/route/link.ts";
import { neighbourDelete, neighbourReplace } from "../../../ffi/route/neighbour.ts";
import { routeAdd, routeDelete, routeDump } from "../../../ffi/route/route.ts";
import { cleanUp } from "../../../mod/agent/cleanup.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { type Desired, desiredState, type OverlayConfig } from "../../../mod/overlay/desired.ts";
import { diffState, programmedPeers } from "../../../mod/overlay/diff.ts";
import { claim, claims, DEVICE, programmed } from "../../support/overlay.ts";
import { sortedState } from "../../support/sorted_state.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const IPV6_DEVICE = "flannel-v6.1";
const NETWORK = "fd00:244::/48";
const NODAD = { flags: IFA_F.NODAD } as const;

/** The IPv6 half of host `number`, 1 to 65535. */
function half(number: number): ClaimRecord {
  const hex = number.toString(16);
  const [high, low] = [number >> 8, number & 255].map((one) => one.toString(16).padStart(2, "0"));
  const { vtep } = claim(1);
  return claim(1, {
    hostId: hex.padStart(32, "0"),
    subnet: `fd00:244:0:${hex}::/64`,
    vtep: { ...vtep, address: `fd00:100::${hex}`, mac: `02:00:00:00:${high}:${low}` },
  });
}

class DualHost {
  readonly overlay = new OverlayHost();
  config: OverlayConfig;

  constructor() {
    const { host, underlayIndex: index, config } = this.overlay;
    addressAdd(host.transport, { index, address: "fd00:100::1", prefixLength: 64, ...NODAD });
    this.config = {
      ...config,
      networks: [NETWORK],
      mtu: 1430,
      linkRoutes: [],
      underlay: { ...config.underlay, address: "fd00:100::1" },
    };
  }

  get transport() {
    return this.overlay.host.transport;
  }

  get index(): number {
    const link = linkGet(this.transport, IPV6_DEVICE);
    assert(link !== null);
    return link.index;
  }

  desire(...peers: readonly number[]): Desired {
    return desiredState(this.config, half(1), [1, ...peers].map(half));
  }

  dump() {
    return this.overlay.kernel.dump(IPV6_DEVICE, this.overlay.underlayIndex, 6);
  }

  plan(desired: Desired) {
    return diffState(desired, this.dump()).operations;
  }

  apply(desired: Desired) {
    return this.overlay.kernel.apply(this.plan(desired));
  }
}

async function onHost(run: (host: DualHost) => void | Promise<void>): Promise<void> {
  const host = new DualHost();
  try {
    assert.deepEqual(host.apply(host.desire(2, 3)), []);
    assert.deepEqual(host.overlay.apply(host.overlay.desire(claims(1, 2, 3))), []);
    await run(host);
  } finally {
    await host.overlay.close();
  }
}

kernelTest("what was applied is what a dump shows, of each family alone", () =>
  onHost((host) => {
    const desired = host.desire(2, 3);
    assert.deepEqual(sortedState(host.dump()), sortedState(programmed(desired)));
    assert.deepEqual(host.plan(desired), []);
    assert.equal(programmedPeers(desired, host.dump()), 2);
    const ipv4 = host.overlay.desire(claims(1, 2, 3));
    assert.deepEqual(host.overlay.plan(ipv4).operations, []);
  }));

kernelTest(
  "the address answers at once, without a look who else has it",
  () =>
    onHost(({ transport, index }) => {
      const own = addressDump(transport, { index, family: 6 })
        .filter(({ address }) => address.startsWith("fd00:"));
      assert.deepEqual(own.map(({ flags }) => flags & IFA_F.TENTATIVE), [0]);
    }),
);

const HARMS: readonly (readonly [string, (host: DualHost) => void])[] = [
  [
    "a route deleted",
    ({ transport, index }) => routeDelete(transport, { destination: "fd00:244:0:2::/64", index }),
  ],
  ["the floor deleted", ({ transport }) => routeDelete(transport, { destination: NETWORK })],
  [
    "a neighbour deleted",
    ({ transport, index }) => neighbourDelete(transport, { index, address: "fd00:244:0:2::" }),
  ],
  ["a neighbour with another MAC", ({ transport, index }) => {
    const linkAddress = "02:00:00:00:00:99";
    neighbourReplace(transport, { index, address: "fd00:244:0:2::", linkAddress });
  }],
  ["a forwarding entry that leads elsewhere", ({ transport, index }) =>
    fdbReplace(transport, {
      index,
      linkAddress: "02:00:00:00:00:02",
      destination: "fd00:100::99",
    })],
  [
    "the address deleted",
    ({ transport, index }) =>
      addressDelete(transport, { index, address: "fd00:244:0:1::", prefixLength: 128 }),
  ],
  [
    "the device set down, which takes IPv6 addresses along",
    ({ transport, index }) => linkSet(transport, index, { up: false }),
  ],
  ["the device set down and up", ({ transport, index }) => {
    linkSet(transport, index, { up: false });
    linkSet(transport, index, { up: true });
  }],
  [
    "the device's MTU below what IPv6 takes",
    ({ transport, index }) => linkSet(transport, index, { mtu: 1000 }),
  ],
  [
    "the device's MAC changed",
    ({ transport, index }) => linkSet(transport, index, { address: "02:00:00:00:00:99" }),
  ],
  ["the device deleted", ({ transport, index }) => linkDelete(transport, index)],
];

for (const [name, harm] of HARMS) {
  kernelTest(`IPv6 healed: ${name}`, () =>
    onHost((host) => {
      const desired = host.desire(2, 3);
      const before = sortedState(host.dump());
      const ipv4 = sortedState(host.overlay.dump());
      harm(host);
      assert.notDeepEqual(sortedState(host.dump()), before, "the harm was done");
      assert.deepEqual(host.apply(desired), []);
      assert.deepEqual(sortedState(host.dump()), before);
      assert.deepEqual(sortedState(host.overlay.dump()), ipv4, "IPv4 is as it was");
    }));
}

kernelTest(
  "link-local addresses, and what strangers put on the device, are left alone",
  () =>
    onHost((host) => {
      const { transport, index } = host;
      addressAdd(transport, { index, address: "fd00:99::1", prefixLength: 64, ...NODAD });
      routeAdd(transport, { destination: "fd00:98::/64", index });
      neighbourReplace(transport, {
        index,
        address: "fd00:99::2",
        linkAddress: "02:00:00:00:00:77",
      });
      const local = () =>
        addressDump(transport, { index, family: 6 }).filter(({ address }) =>
          address.startsWith("fe80:")
        );
      assert.equal(local().length, 1, "the kernel made one of the MAC");
      const before = sortedState(host.dump());
      assert.deepEqual(host.plan(host.desire(2, 3)), []);
      assert.deepEqual(host.apply(host.desire(2)), []);
      assert.deepEqual(host.apply(host.desire(2, 3)), []);
      assert.deepEqual(sortedState(host.dump()), before);
      assert.equal(local().length, 1);
      const options = { vni: 1, networks: ["10.244.0.0/16", NETWORK], dryRun: false };
      const { problems } = cleanUp(options, host.overlay.kernel);
      assert.deepEqual(problems.map(({ code }) => code), ["device-kept"]);
      const kept = host.dump();
      assert.deepEqual(kept.addresses.map(({ address }) => address), ["fd00:99::1/64"]);
      assert.deepEqual(kept.routes.map(({ destination }) => destination), ["fd00:98::/64"]);
      assert.equal(linkGet(transport, DEVICE), null, "the other one had nothing of strangers");
    }),
);

kernelTest("cleaning up takes both halves and nothing else", () =>
  onHost((host) => {
    const ours = (family: 4 | 6) => routeDump(host.transport, { family, protocol: 71 }).length;
    const options = { vni: 1, networks: ["10.244.0.0/16", NETWORK], dryRun: false };
    const dry = cleanUp({ ...options, dryRun: true }, host.overlay.kernel);
    assert.match(dry.commands, /ip link delete flannel\.1\n/);
    assert.match(dry.commands, /ip link delete flannel-v6\.1\n/);
    assert.equal(ours(6), 3);
    cleanUp(options, host.overlay.kernel);
    assert.deepEqual([ours(4), ours(6)], [0, 0]);
    assert.deepEqual(host.overlay.kernel.ownDevices(), []);
    assert.equal(cleanUp(options, host.overlay.kernel).operations, 0);
  }));

kernelTest(
  "another IPv6 address of the underlay moves the device in place, peers and all",
  () =>
    onHost((host) => {
      const { transport, index, config } = host;
      const underlay = { ...config.underlay, address: "fd00:100::1:1" };
      const at = { index: underlay.index, address: underlay.address, prefixLength: 64 };
      addressAdd(transport, { ...at, ...NODAD });
      host.config = { ...config, underlay };
      const desired = host.desire(2, 3);
      assert.deepEqual(host.plan(desired).map(({ kind }) => kind), ["link-move"]);
      assert.deepEqual(host.apply(desired), []);
      assert.equal(host.index, index, "the same device");
      assert.deepEqual(sortedState(host.dump()), sortedState(programmed(desired)));
    }),
);

kernelTest(
  "hundreds of peers of both families are applied at the same time",
  () =>
    onHost(async (host) => {
      const numbers = Array.from({ length: 400 }, (_, index) => index + 2);
      const desired = host.desire(...numbers);
      const { overlay } = host;
      const ipv4 = overlay.desire(claims(...Array.from({ length: 250 }, (_, index) => index + 1)));
      const plans = [host.plan(desired), overlay.plan(ipv4).operations];
      const refused = await Promise.all(
        plans.map((plan) => overlay.kernel.applyLater(plan, () => false)),
      );
      assert.deepEqual(refused, [[], []]);
      assert.deepEqual(host.plan(desired), []);
      assert.deepEqual(overlay.plan(ipv4).operations, []);
      assert.equal(programmedPeers(desired, host.dump()), 400);
    }),
);
