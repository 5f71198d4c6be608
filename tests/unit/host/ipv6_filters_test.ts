/** Which notifications of IPv6 call for a look: those that an overlay or its underlay depends on, not the kernel's own. */
import { equal } from "node:assert/strict";
import type { InterfaceAddress } from "../../../ffi/route/address.ts";
import type { MonitorEvent } from "../../../ffi/route/monitor.ts";
import type { Route } from "../../../ffi/route/route.ts";
import { ChangeFilter } from "../../../mod/host/change_filter.ts";
import { DeviceFilter } from "../../../mod/host/device_filter.ts";

const OVERLAY = 7;
const CHANGE = { change: "new", port: 99 } as const;

function address(text: string, changes: Partial<InterfaceAddress> = {}): MonitorEvent {
  const one: InterfaceAddress = {
    family: text.includes(":") ? 6 : 4,
    index: 2,
    address: text,
    prefixLength: 64,
    peer: null,
    scope: text.startsWith("fe80") ? 253 : 0,
    broadcast: null,
    label: null,
    flags: 0,
    protocol: null,
    ...changes,
  };
  return { kind: "address", ...CHANGE, address: one };
}

function route(destination: string, protocol = 3): MonitorEvent {
  const one: Route = {
    family: destination.includes(":") ? 6 : 4,
    destination,
    gateway: null,
    index: 2,
    onlink: false,
    table: 254,
    protocol,
    scope: 0,
    type: 1,
    priority: 1024,
    preferredSource: null,
    flags: 0,
    multipath: false,
  };
  return { kind: "route", ...CHANGE, route: one };
}

function neighbour(text: string, index = OVERLAY): MonitorEvent {
  const family = text.includes(":") ? 6 : 4;
  const entry = { linkAddress: "02:00:00:00:00:02", state: 0x80, flags: 0, protocol: 71 };
  return { kind: "neighbour", ...CHANGE, neighbour: { family, index, address: text, ...entry } };
}

Deno.test("the choice of the underlay hears of IPv6 only where that is used", () => {
  for (const usesIpv6 of [false, true]) {
    const hasNews = (event: MonitorEvent) => new DeviceFilter(usesIpv6).hasNews([event]);
    equal(hasNews(address("192.168.100.2")), true);
    equal(hasNews(address("fd00:100::2")), usesIpv6);
    equal(hasNews(route("::/0")), usesIpv6);
    equal(hasNews(route("fd00:100::/64", 2)), usesIpv6);
    equal(hasNews(address("fe80::1")), false, "each container has one");
    equal(hasNews(route("fe80::/64", 2)), false);
    equal(hasNews(route("ff00::/8", 2)), false);
    equal(hasNews(route("fd00:244:0:7::/64", 71)), false, "our own");
  }
});

Deno.test("the overlay hears of its IPv6 neighbours, not of those that the kernel makes by itself", () => {
  const filter = new ChangeFilter(1);
  filter.follow({
    index: OVERLAY,
    name: "flannel-v6.1",
    kind: "vxlan",
    mtu: 1430,
    up: true,
    lowerUp: true,
    flags: 0,
    address: "02:00:00:00:00:01",
    alias: "gossamer",
    vxlan: null,
    link: null,
    master: null,
    operationalState: "up",
    txQueueLength: 0,
    linkNamespaceId: null,
  });
  const hasNews = (event: MonitorEvent) => filter.hasNews([event]);
  equal(hasNews(neighbour("fd00:244:0:2::")), true);
  equal(hasNews(neighbour("10.244.2.0")), true);
  equal(hasNews(neighbour("fe80::2")), false);
  equal(hasNews(neighbour("ff02::16")), false);
  equal(hasNews(neighbour("fd00:244:0:2::", 2)), false, "another device's");
});
