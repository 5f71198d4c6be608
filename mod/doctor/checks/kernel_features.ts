/** Whether this kernel can do what the backend needs. Tried, since modules are loaded when they are asked for. */
import { reasonOf } from "../../base/errors.ts";
import type { Check } from "../check.ts";
import type { DoctorHost } from "../doctor_host.ts";
import { fail, type Finding, ok } from "../finding.ts";

const NAME = "kernel";

export const kernelFeatures: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    const findings = [vxlan(host), nftables(host), tun(host)].filter((found) => found !== null);
    if (findings.length > 0) return findings;
    const release = host.file("/proc/sys/kernel/osrelease")?.trim() ?? "of unknown version";
    return [ok(NAME, `Linux ${release} has all that --backend ${host.setup.backend} needs`)];
  },
};

function vxlan(host: DoctorHost): Finding | null {
  const { backend } = host.setup;
  if (backend !== "vxlan" && backend !== "vxlan-direct") return null;
  const reason = host.whyNoVxlan();
  if (reason === null) return null;
  return fail(
    NAME,
    `This kernel makes no VXLAN device: ${reason}`,
    "Load the module (modprobe vxlan), or install the kernel's package with all modules; else --backend host-gw",
  );
}

function nftables(host: DoctorHost): Finding | null {
  try {
    host.tables("input");
    return null;
  } catch (error) {
    if (!host.hasCapability("CAP_NET_ADMIN")) return null; // said already
    return fail(
      NAME,
      `nf_tables cannot be used: ${reasonOf(error)}`,
      "Load the module (modprobe nf_tables); without it use --guard off, and no --ip-masq",
    );
  }
}

function tun(host: DoctorHost): Finding | null {
  if (host.setup.backend !== "udp" || host.modifiedMs("/dev/net/tun") !== null) return null;
  return fail(
    NAME,
    "There is no /dev/net/tun, which --backend udp needs",
    "Load the module (modprobe tun), or pass the device into the container",
  );
}
