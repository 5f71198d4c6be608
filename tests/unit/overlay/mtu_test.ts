/** How long the packets of containers may be, with hosts of different underlays. */
import { deepStrictEqual, equal, match, strictEqual } from "node:assert/strict";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { mtuOf, withMtu } from "../../../mod/overlay/announced_mtu.ts";
import { containersMtu, fittedMtu, mtuDiffers } from "../../../mod/overlay/mtu.ts";
import { claim, CONFIG, OWN } from "../../support/overlay.ts";

const DUAL_STACK = { ...CONFIG, ipv6: { ...CONFIG, networks: ["fd00::/48"], mtu: 1430 } };

/** Host `number` with room for so much. */
function roomy(number: number, mtu: number, changes: Partial<ClaimRecord> = {}): ClaimRecord {
  const record = claim(number, changes);
  return { ...record, vtep: { ...record.vtep, mtu } };
}

Deno.test("an MTU is announced where it is not what Ethernet leaves, and read back either way", () => {
  const { vtep } = OWN;
  const ends = [vtep, { ...vtep, backend: "host-gw" as const }, { ...vtep, ipv6: "fd00::1" }];
  deepStrictEqual(ends.map(mtuOf), [1450, 1500, 1430]);
  for (const end of ends) {
    for (const mtu of [1280, 1430, 1450, 1500, 8950]) {
      const announced = withMtu({ ...end, mtu: 99 }, mtu);
      equal(mtuOf(announced), mtu);
      equal("mtu" in announced, mtu !== mtuOf(end));
    }
  }
});

Deno.test("the overlay is made as small as the smallest host, and no smaller than it is worth", () => {
  const fit = (...records: ClaimRecord[]) => fittedMtu(CONFIG, OWN.hostId, [OWN, ...records]).mtu;
  equal(fit(claim(2)), 1450);
  equal(fit(claim(2), roomy(3, 1350), roomy(4, 1400)), 1350);
  equal(fit(roomy(2, 8950)), 1450);
  equal(fit(roomy(2, 68)), 576);
  equal(fit(roomy(2, 1350, { state: "tentative", strength: 0 })), 1350);
  equal(fit(roomy(2, 1350, { state: "released" })), 1450);
  strictEqual(fittedMtu(CONFIG, OWN.hostId, [claim(2)]), CONFIG);
});

Deno.test("in a cluster of IPv6 alone as much is left as its headers leave, and no less than IPv6 takes", () => {
  const ipv6 = { ...CONFIG, mtu: 1430, underlay: { ...CONFIG.underlay, address: "fd00:100::1" } };
  const of = (mtu?: number) => {
    const { vtep } = claim(2);
    return claim(2, { vtep: { ...vtep, address: "fd00:100::2", ...(mtu ? { mtu } : {}) } });
  };
  equal(mtuOf(of().vtep), 1430);
  const fit = (mtu?: number) => fittedMtu(ipv6, OWN.hostId, [of(mtu)]).mtu;
  deepStrictEqual([fit(), fit(1330), fit(600)], [1430, 1330, 1280]);
});

Deno.test("what this host announces itself does not keep it small", () => {
  equal(fittedMtu(CONFIG, OWN.hostId, [roomy(1, 1300)]).mtu, 1450);
});

Deno.test("with dual stack both devices follow, and IPv6 keeps what it takes", () => {
  const fit = (mtu: number) => {
    const fitted = fittedMtu(DUAL_STACK, OWN.hostId, [roomy(2, mtu)]);
    return [fitted.mtu, fitted.ipv6?.mtu, containersMtu(fitted)];
  };
  deepStrictEqual(fit(1440), [1450, 1430, 1430]);
  deepStrictEqual(fit(1330), [1330, 1330, 1330]);
  deepStrictEqual(fit(600), [1280, 1280, 1280]);
});

Deno.test("a host whose containers send more than others take is told so", () => {
  const told = (...records: ClaimRecord[]) =>
    mtuDiffers(
      CONFIG,
      OWN.hostId,
      [roomy(1, 1000), ...records],
      (id) => `h${Number(`0x${id[1]}`)}`,
    );
  equal(told(claim(2), roomy(3, 9000), roomy(4, 1300, { state: "released" })), null);
  const one = told(claim(2), roomy(3, 1350));
  equal(one?.code, "mtu-differs");
  match(one?.text ?? "", /may send 1450 bytes, and those of h3 take 1350: longer packets/);
  match(one?.remedy ?? "", /--mtu min, or with --mtu 1350/);
  match(told(roomy(2, 1400), roomy(3, 1350))?.text ?? "", /h3 take 1350, the smallest of 2 such/);
});

Deno.test("of a host smaller than anybody follows it is not said that --mtu would help", () => {
  const told = (config: typeof CONFIG, mtu: number) =>
    mtuDiffers(config, OWN.hostId, [roomy(2, mtu)], () => "h2")?.remedy ?? "";
  match(told(CONFIG, 575), /^Raise the MTU there: --mtu min goes no lower than 576$/);
  match(told(CONFIG, 576), /--mtu 576/);
  match(told(DUAL_STACK, 1279), /^Raise the MTU there: --mtu min goes no lower than 1280$/);
});
