/** Settings of this host by /proc/sys and ethtool's ioctl, in the network namespace of the calling thread. */
import { setTxChecksumming, txChecksumming } from "../../ffi/ethtool.ts";
import { readSysctl, writeSysctl } from "../../ffi/sysctl.ts";
import type { HostSetting, HostSettings } from "../base/host_setting.ts";

export const hostSettings: HostSettings = {
  read(setting: HostSetting): string | null {
    if (setting.kind === "tx-checksum") {
      const isOn = txChecksumming(setting.device);
      return isOn === null ? null : isOn ? "on" : "off";
    }
    try {
      return readSysctl(setting.name);
    } catch {
      return null; // /proc/sys is hidden in some containers: nothing known, nothing done
    }
  },
  write(setting: HostSetting): void {
    if (setting.kind === "tx-checksum") setTxChecksumming(setting.device, setting.value === "on");
    else writeSysctl(setting.name, setting.value);
  },
};
