/** Which networks of a host stand in the way of an overlay network. */
import { doesNotThrow, throws } from "node:assert/strict";
import { makePool } from "../../../mod/address/pool.ts";
import { ConfigError } from "../../../mod/base/errors.ts";
import type { HostDevice, HostRoute } from "../../../mod/host/host_network.ts";
import { checkPoolOverlap } from "../../../mod/host/pool_overlap.ts";
import { hostDevice, hostRoute } from "../../support/host_network.ts";

const POOL = makePool({ network: "10.244.0.0/16" });
const UNDERLAY = { device: "eth0", index: 2, address: "192.168.100.1", mtu: 1500 };
const ETH0 = hostDevice(2, "eth0", ["192.168.100.1/24"]);

function check(devices: readonly HostDevice[], routes: readonly HostRoute[] = []): void {
  const source = { hostNetwork: () => ({ devices: [ETH0, ...devices], routes }) };
  checkPoolOverlap(source, POOL, "flannel.1", UNDERLAY);
}

Deno.test("a host that uses other networks is fine, default routes included", () => {
  doesNotThrow(() =>
    check([hostDevice(3, "eth1", ["172.16.5.1/16"])], [
      hostRoute("0.0.0.0/0", 2),
      hostRoute("0.0.0.0/1", 3),
      hostRoute("128.0.0.0/1", 3),
      hostRoute("192.168.100.0/24", 2),
      hostRoute("172.20.0.0/16", null),
    ])
  );
});

Deno.test("an address of the pool on a device is refused, naming both", () => {
  throws(() => check([hostDevice(3, "eth1", ["10.244.3.9/24"])]), {
    message: /^--network: 10\.244\.0\.0\/16 overlaps the address 10\.244\.3\.9\/24 on eth1 /,
    exitCode: 2,
  });
});

Deno.test("a route to the pool, or into it, is refused", () => {
  for (const destination of ["10.244.0.0/16", "10.244.3.0/24", "10.244.3.9/32"]) {
    throws(() => check([], [hostRoute(destination, 2)]), ConfigError, destination);
  }
});

Deno.test("a wider network around the pool is refused on the link, and fine behind a router", () => {
  throws(() => check([], [hostRoute("10.0.0.0/8", 2, { protocol: 2 })]), ConfigError);
  doesNotThrow(() => check([], [hostRoute("10.0.0.0/8", 2, { protocol: 3 })]));
});

Deno.test("the bridge of our own containers is no overlap, nor are their routes", () => {
  doesNotThrow(() =>
    check(
      [
        hostDevice(5, "cni0", ["10.244.7.1/24"], { kind: "bridge" }),
        hostDevice(6, "veth1", [], { kind: "veth" }),
      ],
      [hostRoute("10.244.7.0/24", 5, { protocol: 2 }), hostRoute("10.244.7.9/32", 6)],
    )
  );
});

Deno.test("a bridge over more than one subnet of the pool is an overlap", () => {
  const bridge = hostDevice(5, "br0", ["10.244.7.1/20"], { kind: "bridge" });
  throws(() => check([bridge]), ConfigError);
});

Deno.test("the underlay may not lie in the pool, bridge or not", () => {
  const underlay = hostDevice(2, "br0", ["10.244.7.1/24"], { kind: "bridge" });
  const source = { hostNetwork: () => ({ devices: [underlay], routes: [] }) };
  throws(() => checkPoolOverlap(source, POOL, "flannel.1", UNDERLAY), ConfigError);
});

Deno.test("what gossamer made, this agent or another, is no overlap", () => {
  doesNotThrow(() =>
    check(
      [
        hostDevice(7, "flannel.1", ["10.244.7.0/32"], { kind: "vxlan" }),
        hostDevice(8, "flannel.2", ["10.244.8.0/32"], { kind: "vxlan", isOwn: true }),
      ],
      [
        hostRoute("10.244.9.0/24", 7, { protocol: 3 }),
        hostRoute("10.244.9.0/24", 8, { protocol: 71 }),
        hostRoute("10.244.10.0/24", 2, { protocol: 71 }),
      ],
    )
  );
});
