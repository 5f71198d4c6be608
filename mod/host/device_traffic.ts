/** What a device has carried since it was made: proc(5), /proc/net/dev, of the network namespace of the process. */

export interface DeviceTraffic {
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
  /** That it was given and did not send. */
  readonly sendDrops: number;
}

/** Null when there is no such device, or /proc is hidden. */
export function deviceTraffic(device: string): DeviceTraffic | null {
  try {
    return parseDeviceTraffic(Deno.readTextFileSync("/proc/net/dev"), device);
  } catch {
    return null;
  }
}

export function parseDeviceTraffic(text: string, device: string): DeviceTraffic | null {
  for (const line of text.split("\n")) {
    const colon = line.lastIndexOf(":"); // names of devices may have some
    if (colon < 0 || line.slice(0, colon).trim() !== device) continue;
    const numbers = line.slice(colon + 1).trim().split(/\s+/).map(Number);
    // bytes packets errs drop fifo frame compressed multicast, then the same of sending
    const [receivedBytes, receivedPackets, , , , , , , sentBytes, sentPackets, , sendDrops] =
      numbers;
    if (
      receivedBytes === undefined || receivedPackets === undefined || sentBytes === undefined ||
      sentPackets === undefined || sendDrops === undefined
    ) return null;
    return { receivedBytes, receivedPackets, sentBytes, sentPackets, sendDrops };
  }
  return null;
}
