/** The underlay's IPv6 address, and what a dual-stack pool may not overlap, on an invented host. */
import { doesNotThrow, equal, throws } from "node:assert/strict";
import { makeIpv6Pool } from "../../../mod/address/dual_stack.ts";
import { makePool, type Pool } from "../../../mod/address/pool.ts";
import { ConfigError, UserError } from "../../../mod/base/errors.ts";
import type { HostNetwork, HostRoute, Ipv6Address } from "../../../mod/host/host_network.ts";
import { checkIpv6Overlap, withIpv6 } from "../../../mod/host/ipv6_of_host.ts";
import { hostAddress, hostDevice, hostRoute } from "../../support/host_network.ts";

const IPV4 = makePool({ network: "10.244.0.0/16" });
const POOL: Pool = { ...IPV4, ipv6: makeIpv6Pool(IPV4, { network: "fd00:244::/56" }) };
const UNDERLAY = { device: "eth0", index: 2, address: "192.168.100.1", mtu: 1500 };

function ipv6(cidr: string, changes: Partial<Ipv6Address> = {}): Ipv6Address {
  return { ...hostAddress(cidr), index: 2, ...changes };
}

function network(
  addresses: readonly Ipv6Address[],
  routes: readonly HostRoute[] = [],
): HostNetwork {
  const devices = [
    hostDevice(2, "eth0", ["192.168.100.1/24"]),
    hostDevice(5, "cni0", ["10.244.7.1/24"], { kind: "bridge" }),
    hostDevice(7, "flannel-v6.1", [], { kind: "vxlan", isOwn: true }),
  ];
  return { devices, routes: [], ipv6: { addresses, routes } };
}

function chosen(...addresses: Ipv6Address[]): string | undefined {
  return withIpv6(UNDERLAY, POOL, network(addresses)).ipv6;
}

Deno.test("of the underlay's addresses the one that stays is taken, whatever their order", () => {
  const temporary = ipv6("2001:db8::aaaa/64", { isSecondary: true, isDynamic: true });
  const dynamic = ipv6("2001:db8::2/64", { isDynamic: true });
  const permanent = ipv6("fd00:100::1/64");
  equal(chosen(temporary, dynamic, permanent), "fd00:100::1");
  equal(chosen(temporary, dynamic), "2001:db8::2");
  equal(chosen(temporary), "2001:db8::aaaa");
});

Deno.test("a virtual address that came to this host is not taken for its own", () => {
  const virtual = ipv6("2001:db8::f/128");
  equal(chosen(virtual, ipv6("2001:db8::2/64", { isDynamic: true })), "2001:db8::2");
  equal(chosen(virtual, ipv6("2001:db8::3/128", { isDynamic: true })), "2001:db8::3");
  equal(chosen(virtual), "2001:db8::f");
});

Deno.test("deprecated addresses, other devices', and the overlay's own are none", () => {
  const useless = [
    ipv6("2001:db8::1/64", { isDeprecated: true }),
    ipv6("2001:db8::1/64", { index: 5 }),
    ipv6("fd00:244:0:7::1/64"),
  ];
  throws(() => chosen(...useless), UserError);
  throws(() => chosen(), /eth0 has no global IPv6 address/);
  throws(() => withIpv6(UNDERLAY, POOL, { devices: [], routes: [] }), UserError);
});

Deno.test("without dual stack nobody asks", () => {
  equal(withIpv6(UNDERLAY, IPV4, network([])), UNDERLAY);
  doesNotThrow(() => checkIpv6Overlap(network([ipv6("fd00:244::1/64")]), IPV4, "x", UNDERLAY));
});

function check(addresses: readonly Ipv6Address[], routes: readonly HostRoute[] = []): void {
  checkIpv6Overlap(network(addresses, routes), POOL, "flannel-v6.1", UNDERLAY);
}

Deno.test("addresses and routes in the IPv6 network that are something else's are an overlap", () => {
  const refused = (error: unknown) =>
    error instanceof ConfigError && error.message.startsWith("--ipv6-network: fd00:244::/56 overl");
  throws(() => check([ipv6("fd00:244:0:7::1/64")]), refused);
  throws(() => check([], [hostRoute("fd00:244:0:9::/64", 2)]), refused);
});

Deno.test("containers' bridge, our own device and routes to elsewhere are none", () => {
  doesNotThrow(() =>
    check([ipv6("fd00:100::1/64"), ipv6("fd00:244:0:7::1/64", { index: 5 })], [
      hostRoute("::/0", 2, { gateway: "fd00:100::ff" }),
      hostRoute("fd00:244:0:7::/64", 5, { protocol: 2 }),
      hostRoute("fd00:244:0:9::/64", 7, { protocol: 71 }),
      hostRoute("fd00:244:0:8::/64", 2, { protocol: 71 }),
    ])
  );
});
