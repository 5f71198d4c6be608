/** Whether somebody else has this host's address, its name or its VTEP's MAC address. */
import { familyOf } from "../../address/cidr.ts";
import { underlayOf } from "../underlay_of.ts";
import type { Check } from "../check.ts";
import type { AgentFacts, DoctorHost } from "../doctor_host.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";

const NAME = "duplicate-address";

export const duplicateAddress: Check = {
  name: NAME,
  isRepeated: false,
  async run(host) {
    const underlay = underlayOf(host);
    if (underlay === null) return [];
    const { device, address } = underlay;
    // Of IPv6 the kernel asks itself before it uses an address (RFC 4862), and the underlay check shows what it found.
    const mac = familyOf(address) === 6 ? null : await askTheLink(host, device, address);
    if (mac !== null) {
      return [fail(
        NAME,
        `Another machine on ${device}, ${mac}, answers for this host's address ${address}`,
        "Give one of the two another address",
      )];
    }
    const found = host.agent === null ? null : among(host.agent);
    return [found ?? ok(NAME, `Nobody else on ${device} answers for ${address}`)];
  },
};

/** Where nobody may ask (no ARP on the device) there is nobody. */
async function askTheLink(host: DoctorHost, device: string, address: string) {
  const found = host.network().devices.find(({ name }) => name === device);
  // Of IPv6 the kernel itself looks (RFC 4862 section 5.4).
  if (address.includes(":")) return null;
  if (found?.hasNeighbours !== true || !host.hasCapability("CAP_NET_RAW")) return null;
  return await host.otherOwner(device, address);
}

function among({ host, members }: AgentFacts): Finding | null {
  const own = members.find(({ self }) => self);
  for (const { name, address, mac, status, self } of members) {
    const isThere = status === "alive" || status === "suspect";
    if (self) continue;
    if (isThere && address === host.address) {
      return fail(
        NAME,
        `The member ${name} announces this host's address ${address}`,
        "Give it its own address, or name the right device there with --iface",
      );
    }
    if (isThere && mac !== null && mac === own?.mac) {
      return fail(
        NAME,
        `The member ${name} has the MAC address of this host's VTEP, ${mac}: a copied state directory`,
        "Remove the state directory there and start its agent again",
      );
    }
  }
  const namesake = members.find(({ name, self, status }) =>
    !self && name === own?.name && status !== "left"
  );
  if (namesake === undefined) return null;
  return warn(
    NAME,
    `Another host at ${namesake.address} has this host's name ${namesake.name} as well`,
    "Give one of the two another name with --name",
  );
}
