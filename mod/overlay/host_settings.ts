/**
 * What else the overlay needs of this host, as a pure function of the devices that carry it: that packets are forwarded
 * between containers and overlay, that no router's advertisement changes the overlay's own device, and that a device
 * computes checksums where the operator says that hardware gets them wrong.
 *
 * None of it is taken back when the host leaves: others (Docker, routers' daemons) came to rely on it.
 */
import type { HostSetting } from "../base/host_setting.ts";
import { shellWord } from "../base/quote.ts";

export interface OverlayDevice {
  readonly family: 4 | 6;
  /** Of the overlay; null for backends without one. */
  readonly device: string | null;
  /** The device below. */
  readonly underlay: string;
}

/** @param txChecksum whether packets that enter the overlay may leave their checksums to hardware. */
export function desiredSettings(
  devices: readonly OverlayDevice[],
  txChecksum: boolean,
): HostSetting[] {
  return devices.flatMap(({ family, device, underlay }): HostSetting[] => [
    ...(family === 4 ? FORWARD_IPV4 : forwardIpv6(underlay)),
    ...(family === 6 && device !== null ? ipv6Device(device) : []),
    ...(txChecksum || device === null
      ? []
      : [{ kind: "tx-checksum", device, value: "off" } as const]),
  ]);
}

/** Where new devices get no IPv6, this one gets it all the same: it is there for nothing else. */
function ipv6Device(device: string): HostSetting[] {
  return [
    { kind: "sysctl", name: `net/ipv6/conf/${device}/disable_ipv6`, value: "0" },
    { kind: "sysctl", name: `net/ipv6/conf/${device}/accept_ra`, value: "0" },
  ];
}

const FORWARD_IPV4: readonly HostSetting[] = [
  { kind: "sysctl", name: "net/ipv4/ip_forward", value: "1" },
];

/**
 * A host that forwards takes no router advertisements any more, and loses its default route where that came from one;
 * unless accept_ra is 2 (Documentation/networking/ip-sysctl.rst). So that comes first.
 */
function forwardIpv6(underlay: string): HostSetting[] {
  return [
    { kind: "sysctl", name: `net/ipv6/conf/${underlay}/accept_ra`, value: "2", onlyFrom: "1" },
    { kind: "sysctl", name: "net/ipv6/conf/all/forwarding", value: "1" },
  ];
}

/** What of the settings is not as wanted. What the host does not have is not missed. */
export function diffSettings(
  desired: readonly HostSetting[],
  read: (setting: HostSetting) => string | null,
): HostSetting[] {
  return desired.filter((setting) => {
    const value = read(setting);
    if (value === null || value === setting.value) return false;
    return setting.kind !== "sysctl" || setting.onlyFrom === undefined ||
      setting.onlyFrom === value;
  });
}

/** As sysctl(8) takes it: with dots, unless the name of a device has some. */
export function sysctlName(path: string): string {
  return path.includes(".") ? path : path.replaceAll("/", ".");
}

/** As commands for people and a shell. What is somebody's decision, if it is one, stays as it is. */
export function settingText(setting: HostSetting): string {
  if (setting.kind !== "sysctl") {
    return `ethtool -K ${shellWord(setting.device)} tx ${setting.value}`;
  }
  const name = shellWord(sysctlName(setting.name));
  const command = `sysctl -w ${name}=${setting.value}`;
  const { onlyFrom } = setting;
  return onlyFrom === undefined
    ? command
    : `[ "$(sysctl -n ${name})" != ${onlyFrom} ] || ${command}`;
}
