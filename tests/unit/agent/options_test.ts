/** Where a host says that it is. */
import { deepStrictEqual } from "node:assert/strict";
import { placeOf } from "../../../mod/agent/options.ts";

const UNDERLAY = { device: "eth0", index: 2, address: "192.168.100.1", mtu: 1500 };
const PORTS = { gossipPort: 7947, vxlanPort: 8472, backend: "vxlan" as const };
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
