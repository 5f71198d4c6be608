/** A device that bears the name we want and is not ours: what it is, and what a person can do. */
import { isTunLink, isVxlanLink, type OverlayLink } from "../base/kernel_objects.ts";
import { DEVICE_ALIAS } from "../base/limits.ts";
import type { Problem } from "../base/problem.ts";
import { UDP_DEVICE } from "./udp.ts";

export function foreignDevice(link: OverlayLink): Problem {
  const isUdp = link.name === UDP_DEVICE;
  const other = new RegExp(`^${DEVICE_ALIAS} (\\d+)$`).exec(link.alias)?.[1];
  if (isUdp && other !== undefined) {
    return {
      code: "foreign-device",
      severity: "error",
      text:
        `${link.name} belongs to the gossamer agent with --vni ${other} of this host: only one ` +
        "agent of a host can use --backend udp",
      remedy: `Use another --backend for one of the two, or, if that agent is gone for good, run ` +
        `"gossamer cleanup --vni ${other}"`,
    };
  }
  const kind = isVxlanLink(link)
    ? `VXLAN device (VNI ${link.vni})`
    : isTunLink(link)
    ? "TUN device"
    : `device of kind "${link.kind}"`;
  const alias = link.alias === "" ? "no alias" : `the alias "${link.alias}"`;
  return {
    code: "foreign-device",
    severity: "error",
    text: `There is a ${kind} named ${link.name} with ${alias}, which gossamer did not make ` +
      "and does not touch",
    remedy: `Stop what made it and run "ip link delete ${link.name}", or choose another ` +
      (isUdp ? "--backend" : "--vni") +
      (isVxlanLink(link) && link.alias === ""
        ? "; if flannel left it behind, --adopt-flannel takes it over"
        : ""),
  };
}
