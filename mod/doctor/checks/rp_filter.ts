/**
 * Whether reverse path filtering drops what comes from other hosts: strictly (1), packets must come in by the device by which
 * answers leave (Documentation/networking/ip-sysctl.rst, RFC 3704).
 */
import { familyOf } from "../../address/cidr.ts";
import type { Check } from "../check.ts";
import type { DoctorHost } from "../doctor_host.ts";
import { ok, warn } from "../finding.ts";
import { underlayOf } from "../underlay_of.ts";

const NAME = "rp-filter";
const STRICT = 1;

export const rpFilter: Check = {
  name: NAME,
  isRepeated: true,
  async run(host) {
    const underlay = underlayOf(host);
    if (underlay === null) return [];
    const { device, address } = underlay;
    if (familyOf(address) === 6) return [ok(NAME, "IPv6 has no such filter")];
    if (filterOf(host, device) !== STRICT) {
      return [ok(NAME, `Packets on ${device} may come by another way than answers leave`)];
    }
    const astray = (await host.others()).flatMap(({ name, address }) => {
      const route = host.routeTo(address);
      return route === null || route.index === underlay.index ? [] : [{ name, index: route.index }];
    });
    const [first] = astray;
    if (first === undefined) {
      return [ok(NAME, `Strict on ${device}, and the ways back are the same`)];
    }
    const other = host.network().devices.find(({ index }) => index === first.index)?.name;
    const more = astray.length === 1 ? "" : ` and ${astray.length - 1} more`;
    return [warn(
      NAME,
      `rp_filter is strict on ${device}, but packets to ${first.name}${more} leave by ` +
        `${other ?? "another device"}: what they send to this host on ${device} is dropped`,
      `Run sysctl -w net.ipv4.conf.${device}.rp_filter=2 net.ipv4.conf.all.rp_filter=2, or mend the routes`,
    )];
  },
};

/** The larger of the device's and of everybody's counts. */
export function filterOf(host: Pick<DoctorHost, "sysctl">, device: string): number {
  const valueOf = (name: string) => Number(host.sysctl(`net/ipv4/conf/${name}/rp_filter`) ?? 0);
  return Math.max(valueOf("all"), valueOf(device));
}
