/** Names and MTU of the VXLAN device. */
import { match, strictEqual, throws } from "node:assert/strict";
import { ConfigError } from "../../../mod/base/errors.ts";
import { mtuProblem, overlayMtu } from "../../../mod/overlay/underlay_mtu.ts";
import { deviceName } from "../../../mod/overlay/vxlan.ts";
import { CONFIG } from "../../support/overlay.ts";

const { underlay } = CONFIG;

Deno.test("the overlay's MTU is the underlay's minus 50, unless configured", () => {
  strictEqual(overlayMtu(underlay, null), 1450);
  strictEqual(overlayMtu({ ...underlay, mtu: 9000 }, null), 8950);
  strictEqual(overlayMtu(underlay, 1400), 1400);
});

Deno.test("the kernel gives a device no more than fits, so no more is asked for", () => {
  strictEqual(overlayMtu(underlay, 1500), 1450);
  strictEqual(overlayMtu({ ...underlay, mtu: 65_585 + 51 }, null), 65_535);
});

Deno.test("an MTU that no device can have is refused with the flag's name", () => {
  for (const mtu of [0, 67, 65_536]) {
    throws(() => overlayMtu(underlay, mtu), ConfigError);
  }
  throws(() => overlayMtu({ ...underlay, mtu: 100 }, null), /eth0 has an MTU of 100 bytes/);
});

Deno.test("an MTU that does not fit the underlay is warned of", () => {
  strictEqual(mtuProblem(underlay, null), null);
  strictEqual(mtuProblem(underlay, 1450), null);
  strictEqual(mtuProblem(underlay, 1451)?.code, "mtu-too-large");
  match(mtuProblem(underlay, 1500)?.text ?? "", /MTU is 1450 bytes instead of the 1500 of --mtu/);
});

Deno.test("devices are called as flannel calls them", () => {
  strictEqual(deviceName(1), "flannel.1");
  strictEqual(deviceName(4096), "flannel.4096");
});
