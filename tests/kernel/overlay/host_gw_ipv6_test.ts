/** Bare IPv6 routes on the real kernel, which joins two routes to one network where IPv4 keeps both apart. */
import { strict as assert } from "node:assert";
import { addressAdd, IFA_F } from "../../../ffi/route/address.ts";
import { routeAdd, routeDelete, routeDump } from "../../../ffi/route/route.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { type Desired, desiredState, type OverlayConfig } from "../../../mod/overlay/desired.ts";
import { diffState } from "../../../mod/overlay/diff.ts";
import type { OwnBackend } from "../../../mod/overlay/path.ts";
import { claim } from "../../support/overlay.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const DEVICE = "flannel-v6.1";
const BACKENDS: readonly OwnBackend[] = ["vxlan", "vxlan-direct", "host-gw"];

/** Host `number` holds fd00:244:0:number::/64 and takes both ways. */
function ipv6Claim(number: number): ClaimRecord {
  const { vtep } = claim(number);
  return claim(number, {
    subnet: `fd00:244:0:${number}::/64`,
    vtep: { ...vtep, address: `fd00:100::${number}`, backend: "vxlan-direct" },
  });
}

const OWN = ipv6Claim(1);
const PEERS = [ipv6Claim(2), ipv6Claim(3)];

class Ipv6Host {
  readonly overlay = new OverlayHost();
  readonly #config: OverlayConfig;

  constructor() {
    const { host, underlayIndex: index, config } = this.overlay;
    addressAdd(host.transport, {
      index,
      address: "fd00:100::1",
      prefixLength: 64,
      flags: IFA_F.NODAD,
    });
    this.#config = {
      ...config,
      networks: ["fd00:244::/56"],
      mtu: 1430,
      linkRoutes: [{ destination: "fd00:100::/64", isOnLink: true }],
      underlay: { ...config.underlay, address: "fd00:100::1" },
    };
  }

  desire(backend: OwnBackend): Desired {
    return desiredState({ ...this.#config, backend }, OWN, PEERS);
  }

  plan(desired: Desired) {
    return diffState(desired, this.overlay.kernel.dump(DEVICE, this.overlay.underlayIndex, 6))
      .operations;
  }

  /** Devices that lead to the second host's subnet. */
  ways(): string[] {
    const { host, underlayIndex } = this.overlay;
    return routeDump(host.transport, { family: 6 })
      .filter(({ destination }) => destination === "fd00:244:0:2::/64")
      .map(({ index, multipath }) =>
        multipath ? "both" : index === underlayIndex ? "bare" : "vxlan"
      );
  }
}

async function onHost(run: (host: Ipv6Host) => void): Promise<void> {
  const host = new Ipv6Host();
  try {
    run(host);
  } finally {
    await host.overlay.close();
  }
}

for (const from of BACKENDS) {
  for (const to of BACKENDS) {
    kernelTest(
      `IPv6, from ${from} to ${to}: nothing is left of the one, nothing is missing`,
      () =>
        onHost((host) => {
          const { kernel } = host.overlay;
          assert.deepEqual(kernel.apply(host.plan(host.desire(from))), []);
          const wanted = host.desire(to);
          for (const operation of host.plan(wanted)) {
            assert.deepEqual(kernel.apply([operation]), []);
            // From bare to VXLAN the kernel lets both stand beside each other only in IPv4.
            const mayBeNone = from !== "vxlan" && to === "vxlan";
            if (!mayBeNone) assert.notDeepEqual(host.ways(), [], "there is a way at each moment");
          }
          assert.deepEqual(host.plan(wanted), []);
          assert.deepEqual(host.ways(), [to === "vxlan" ? "vxlan" : "bare"]);
          const there = kernel.dump(DEVICE, host.overlay.underlayIndex, 6);
          assert.equal(there.neighbours.length, to === "vxlan" ? 2 : 0);
          assert.equal(there.link === null, to === "host-gw");
        }),
    );
  }
}

kernelTest(
  "IPv6: somebody's route to a wider network on another device stands in nobody's way",
  () =>
    onHost((host) => {
      const { kernel, host: { transport }, underlayIndex: index } = host.overlay;
      const wider = { destination: "fd00::/16", gateway: "fd00:100::fe", index };
      routeAdd(transport, wider);
      for (const backend of BACKENDS) {
        const wanted = host.desire(backend);
        assert.deepEqual(kernel.apply(host.plan(wanted)), []);
        assert.deepEqual(host.plan(wanted), []);
      }
      routeDelete(transport, wider); // throws if it is gone
    }),
);
