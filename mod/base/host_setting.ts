/** Settings of this host besides what netlink holds: kernel parameters, and what a device leaves to its hardware. */

export type HostSetting =
  | {
    readonly kind: "sysctl";
    /** As a path, since names of devices may have dots: `net/ipv4/ip_forward`. */
    readonly name: string;
    readonly value: string;
    /** Touched only where it has this value; any other is somebody's decision. */
    readonly onlyFrom?: string;
  }
  | {
    readonly kind: "tx-checksum";
    readonly device: string;
    /** `on` or `off`. */
    readonly value: string;
  };

/** A way to them; everything is synchronous and concerns the network namespace it was opened in. */
export interface HostSettings {
  /** Null when this host has no such thing: the device is gone, the kernel was made without it, /proc/sys is hidden. */
  read(setting: HostSetting): string | null;
  /** Throws an Error that says why not. */
  write(setting: HostSetting): void;
}
