/** Where a host says that it is. */
import { deepStrictEqual } from "node:assert/strict";
import { placeOf } from "../../../mod/agent/options.ts";

const UNDERLAY = { device: "eth0", index: 2, address: "192.168.100.1", mtu: 1500 };
const PORTS = {
  gossipPort: 7947,
  vxlanPort: 8472,
  udpPort: 8285,
  backend: "vxlan" as const,
  mtu: null,
};
const MAC = "02:00:00:00:00:01";

Deno.test("others reach a host at its underlay's address", () => {
  deepStrictEqual(placeOf({ publicIp: null, ...PORTS }, UNDERLAY, MAC), {
    endpoint: "192.168.100.1:7947",
    vtep: { address: "192.168.100.1", port: 8472, mac: MAC },
  });
});

Deno.test("or at the address that the operator gives, wherever the underlay moves", () => {
  for (const address of ["192.168.100.1", "192.168.100.7"]) {
    const place = placeOf({ publicIp: "203.0.113.9", ...PORTS }, { ...UNDERLAY, address }, MAC);
    deepStrictEqual(place, {
      endpoint: "203.0.113.9:7947",
      vtep: { address: "203.0.113.9", port: 8472, mac: MAC },
    });
  }
});

Deno.test("a host says how long its containers' packets may be where Ethernet leaves another length", () => {
  const mtuOf = (mtu: number, changes = {}, ipv6 = {}) =>
    placeOf({ publicIp: null, ...PORTS, ...changes }, { ...UNDERLAY, mtu, ...ipv6 }, MAC).vtep.mtu;
  const dualStack = { ipv6: "fd00::1" };
  deepStrictEqual([mtuOf(1500), mtuOf(1500, {}, dualStack)], [undefined, undefined]);
  deepStrictEqual(mtuOf(1500, { backend: "host-gw" }), undefined);
  deepStrictEqual([mtuOf(1400), mtuOf(1400, {}, dualStack), mtuOf(9000)], [1350, 1330, 8950]);
  deepStrictEqual(mtuOf(1400, { backend: "host-gw" }), 1400);
  deepStrictEqual([mtuOf(1500, { mtu: 1300 }), mtuOf(1300, { mtu: 1400 })], [1300, 1250]);
});
