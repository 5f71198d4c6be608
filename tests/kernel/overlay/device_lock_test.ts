/** One agent a device, in each network namespace. */
import { strict as assert } from "node:assert";
import { DeviceLock } from "../../../mod/host/device_lock.ts";
import { Host, kernelTest } from "../ffi/namespace.ts";

kernelTest("a device has one agent in each namespace, until that one is gone", () => {
  using host = new Host();
  using other = new Host();
  const take = (where: Host, vni: number) =>
    where.run(() => DeviceLock.take(vni, `flannel.${vni}`));
  const first = take(host, 1);
  assert.throws(() => take(host, 1), /another agent on this host has flannel\.1/);
  const beside = [take(host, 2), take(host, 2 ** 24 - 1), take(other, 1)];
  first.release();
  const next = take(host, 1);
  for (const lock of [next, ...beside]) lock.release();
});
