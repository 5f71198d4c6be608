/** Addresses and routes on the real kernel, compared with what `ip` says. */
import { strict as assert } from "node:assert";
import { ERRNO } from "../../../ffi/errno.ts";
import {
  addressAdd,
  addressDelete,
  addressDump,
  addressReplace,
  IFA_F,
} from "../../../ffi/route/address.ts";
import { bridgeAdd } from "../../../ffi/route/bridge.ts";
import {
  PROTOCOL,
  ROUTE_TYPE,
  routeAdd,
  routeDelete,
  routeDump,
  routeGet,
  routeReplace,
  TABLE_MAIN,
} from "../../../ffi/route/route.ts";
import { Host, kernelTest } from "./namespace.ts";

const OURS = 77;

function deviceOn(host: Host): number {
  return bridgeAdd(host.transport, { name: "br0", up: true }).index;
}

kernelTest("an address is added, replaced, read back and deleted", () => {
  using host = new Host();
  const { transport } = host;
  const index = deviceOn(host);
  const spec = { index, address: "10.244.7.0", prefixLength: 32 };
  addressAdd(transport, spec);
  assert.throws(() => addressAdd(transport, spec), { code: "EEXIST" });
  addressReplace(transport, spec);
  assert.deepEqual(addressDump(transport, { index, family: 4 }), [{
    family: 4,
    index,
    address: "10.244.7.0",
    prefixLength: 32,
    peer: null,
    scope: 0,
    broadcast: null,
    label: "br0",
    flags: IFA_F.PERMANENT,
    protocol: null,
  }]);
  const text = host.text("ip -4 address show dev br0");
  if (text !== null) assert.match(text, /inet 10\.244\.7\.0\/32 scope global br0/);
  addressDelete(transport, spec);
  assert.deepEqual(addressDump(transport, { index, family: 4 }), []);
  assert.throws(() => addressDelete(transport, spec), { code: "EADDRNOTAVAIL" });
});

kernelTest("broadcast, peer, scope, protocol and IPv6 addresses are read back", () => {
  using host = new Host();
  const { transport } = host;
  const index = deviceOn(host);
  addressAdd(transport, {
    index,
    address: "192.168.1.1",
    prefixLength: 24,
    broadcast: "192.168.1.255",
    scope: 253,
    protocol: OURS,
  });
  addressAdd(transport, { index, address: "10.0.0.1", prefixLength: 32, peer: "10.0.0.2" });
  addressAdd(transport, { index, address: "fd00::1", prefixLength: 64, flags: IFA_F.NODAD });
  const addresses = addressDump(transport, { index });
  const one = addresses.find(({ address }) => address === "192.168.1.1");
  assert.equal(one?.broadcast, "192.168.1.255");
  assert.equal(one?.scope, 253);
  assert.equal(one?.protocol, OURS);
  assert.equal(addresses.find(({ address }) => address === "10.0.0.1")?.peer, "10.0.0.2");
  const six = addresses.find(({ address }) => address === "fd00::1");
  assert.equal(six?.prefixLength, 64);
  assert.equal((six?.flags ?? 0) & IFA_F.NODAD, IFA_F.NODAD);
  assert.equal(addressDump(transport, { family: 6 }).every(({ family }) => family === 6), true);
});

kernelTest("an onlink route is set, found by protocol, printed by ip and deleted", () => {
  using host = new Host();
  const { transport } = host;
  const index = deviceOn(host);
  addressAdd(transport, { index, address: "10.244.7.0", prefixLength: 32 });
  const spec = {
    destination: "10.244.9.0/24",
    gateway: "10.244.9.0",
    index,
    onlink: true,
    protocol: OURS,
  };
  routeReplace(transport, spec);
  routeReplace(transport, spec);
  assert.throws(() => routeAdd(transport, spec), { code: "EEXIST" });
  routeAdd(transport, { destination: "10.250.0.0/16", index, protocol: PROTOCOL.STATIC });
  assert.deepEqual(routeDump(transport, { protocol: OURS }), [{
    family: 4,
    destination: "10.244.9.0/24",
    gateway: "10.244.9.0",
    index,
    onlink: true,
    table: TABLE_MAIN,
    protocol: OURS,
    scope: 0,
    type: ROUTE_TYPE.UNICAST,
    priority: null,
    preferredSource: null,
    flags: 4,
    multipath: false,
  }]);
  const text = host.text("ip route show proto 77");
  if (text !== null) assert.equal(text.trim(), "10.244.9.0/24 via 10.244.9.0 dev br0 onlink");
  const { index: through, gateway, preferredSource } = routeGet(transport, "10.244.9.5");
  assert.deepEqual({ through, gateway, preferredSource }, {
    through: index,
    gateway: "10.244.9.0",
    preferredSource: "10.244.7.0",
  });
  routeDelete(transport, spec);
  assert.deepEqual(routeDump(transport, { protocol: OURS }), []);
  assert.throws(() => routeDelete(transport, spec), { code: "ESRCH" });
});

kernelTest("a delete that names our protocol spares another's route to the same network", () => {
  using host = new Host();
  const { transport } = host;
  const index = deviceOn(host);
  routeAdd(transport, { destination: "10.244.9.0/24", index, protocol: PROTOCOL.STATIC });
  assert.throws(
    () => routeDelete(transport, { destination: "10.244.9.0/24", protocol: OURS }),
    { code: "ESRCH" },
  );
  assert.equal(routeDump(transport, { index, family: 4 }).length, 1);
});

kernelTest("a delete that names nothing but the network takes whatever route is there", () => {
  using host = new Host();
  const { transport } = host;
  const index = deviceOn(host);
  routeAdd(transport, { destination: "10.244.9.0/24", index, protocol: OURS });
  routeDelete(transport, { destination: "10.244.9.0/24" });
  assert.deepEqual(routeDump(transport, { index, family: 4 }), []);
});

kernelTest("metric, source, path MTU and table of a route are kept", () => {
  using host = new Host();
  const { transport } = host;
  const index = deviceOn(host);
  addressAdd(transport, { index, address: "192.168.1.1", prefixLength: 24 });
  routeAdd(transport, {
    destination: "10.77.0.0/16",
    index,
    protocol: OURS,
    preferredSource: "192.168.1.1",
    priority: 5,
    table: 1000,
    mtu: 1400,
  });
  assert.deepEqual(routeDump(transport, { protocol: OURS }), []);
  const [route, ...rest] = routeDump(transport, { protocol: OURS, table: 1000 });
  assert.equal(rest.length, 0);
  assert.equal(route?.priority, 5);
  assert.equal(route?.preferredSource, "192.168.1.1");
  assert.equal(route?.table, 1000);
  assert.equal(routeDump(transport, { protocol: OURS, table: null }).length, 1);
  const text = host.text("ip route show table 1000");
  if (text !== null) {
    assert.match(text, /10\.77\.0\.0\/16 dev br0 .*src 192.168.1.1 metric 5 mtu 1400/);
  }
});

kernelTest("IPv6 routes are set and read back", () => {
  using host = new Host();
  const { transport } = host;
  const index = deviceOn(host);
  const spec = { destination: "fd00:9::/64", gateway: "fd00:9::", index, onlink: true };
  routeReplace(transport, { ...spec, protocol: OURS });
  const [route] = routeDump(transport, { protocol: OURS, family: 6 });
  assert.equal(route?.destination, "fd00:9::/64");
  assert.equal(route?.gateway, "fd00:9::");
  routeDelete(transport, { ...spec, protocol: OURS });
  assert.deepEqual(routeDump(transport, { protocol: OURS }), []);
});

kernelTest("default routes and blackholes are read back", () => {
  using host = new Host();
  const { transport } = host;
  const index = deviceOn(host);
  routeAdd(transport, { destination: "0.0.0.0/0", index, protocol: OURS });
  routeAdd(transport, { destination: "10.9.0.0/16", type: ROUTE_TYPE.BLACKHOLE, protocol: OURS });
  const routes = routeDump(transport, { protocol: OURS });
  assert.deepEqual(routes.map(({ destination, type }) => [destination, type]), [
    ["0.0.0.0/0", ROUTE_TYPE.UNICAST],
    ["10.9.0.0/16", ROUTE_TYPE.BLACKHOLE],
  ]);
});

kernelTest("a refused route says why in the kernel's words", () => {
  using host = new Host();
  const index = deviceOn(host);
  assert.throws(
    () => routeAdd(host.transport, { destination: "10.9.0.0/24", gateway: "1.2.3.4", index }),
    {
      name: "NetlinkError",
      op: "route add 10.9.0.0/24",
      errno: ERRNO.ENETUNREACH,
      extack: "Nexthop has invalid gateway",
      message: 'Kernel refused "route add 10.9.0.0/24": Network is unreachable (ENETUNREACH): ' +
        "Nexthop has invalid gateway",
    },
  );
});

kernelTest("a namespace without any route has an empty dump, and no way anywhere", () => {
  using host = new Host();
  assert.deepEqual(routeDump(host.transport, { family: 4 }), []);
  assert.throws(() => routeGet(host.transport, "10.0.0.1"), { code: "ENETUNREACH" });
});
