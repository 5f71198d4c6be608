/** What a device carried, from /proc/net/dev. */
import assert from "node:assert/strict";
import { parseDeviceTraffic } from "../../../mod/host/device_traffic.ts";

const TEXT = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   10       1    0    0    0     0          0         0       10       1    0    0    0     0       0          0
flannel.1: 8400     100    0    2    0     0          0         0     9400     110    0    7    0     0       0          0
`;

Deno.test("a device's line is read, whatever stands around it", () => {
  assert.deepEqual(parseDeviceTraffic(TEXT, "flannel.1"), {
    receivedBytes: 8400,
    receivedPackets: 100,
    sentBytes: 9400,
    sentPackets: 110,
    sendDrops: 7,
  });
  assert.equal(parseDeviceTraffic(TEXT, "flannel.2"), null);
  assert.equal(parseDeviceTraffic("flannel.1: 1 2\n", "flannel.1"), null);
});
