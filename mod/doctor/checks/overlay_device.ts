/** Whether somebody else has the overlay's device, its name or its place. */
import { overlayDevice as deviceOf } from "../../overlay/backend.ts";
import { poolFamily } from "../../address/pool.ts";
import type { Check } from "../check.ts";
import type { DoctorHost } from "../doctor_host.ts";
import { fail, type Finding, ok } from "../finding.ts";

const NAME = "overlay-device";

export const overlayDevice: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    const name = deviceOf(host.setup, poolFamily(host.setup.pool));
    if (name === null) return [ok(NAME, "--backend host-gw has no device")];
    const found = flanneld(host) ?? sameName(host, name) ?? sameNumber(host, name);
    return [found ?? ok(NAME, `Nobody else has ${name}`)];
  },
};

/** flannel's daemon deletes what it has not made, and makes its own. */
function flanneld(host: DoctorHost): Finding | null {
  if (!host.programs().includes("flanneld")) return null;
  return fail(
    NAME,
    "flanneld runs on this host: both would change the same device and routes",
    "Stop flanneld and keep it from starting, or give this agent another --vni, --network and --subnet-file",
  );
}

function sameName(host: DoctorHost, name: string): Finding | null {
  const device = host.network().devices.find((device) => device.name === name);
  if (device === undefined || device.isOwn) return null;
  const text = `There is a device ${name} that gossamer did not make`;
  const remedy = `elete it when nothing uses it any more: ip link delete ${name}`;
  if (device.kind !== "vxlan") return fail(NAME, text, `D${remedy}`);
  if (host.setup.adoptFlannel === true) return ok(NAME, `${name} is flannel's, and is taken over`);
  const adoption = "Start the agent with --adopt-flannel to take it over, or d";
  return fail(NAME, `${text}, probably flannel's`, `${adoption}${remedy}`);
}

/** The kernel refuses a second one of that number and port. */
function sameNumber(host: DoctorHost, name: string): Finding | null {
  const { backend, vni, vxlanPort } = host.setup;
  if (backend === "udp") return null;
  const other = host.vxlanDevices().find((device) =>
    device.name !== name && device.vni === vni && device.port === vxlanPort
  );
  if (other === undefined) return null;
  return fail(
    NAME,
    `The VXLAN device ${other.name} has number ${vni} on port ${vxlanPort} already`,
    "Delete it, or give another --vni or --vxlan-port, the same on every host",
  );
}
