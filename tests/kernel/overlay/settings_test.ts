/** Kernel parameters and offloads on the real kernel: read, set, and their changes told of. */
import { strict as assert } from "node:assert";
import { setTxChecksumming, txChecksumming } from "../../../ffi/ethtool.ts";
import { type MonitorEvent, openMonitor } from "../../../ffi/route/monitor.ts";
import { readSysctl, writeSysctl } from "../../../ffi/sysctl.ts";
import { SettingsKeeper } from "../../../mod/agent/settings_keeper.ts";
import { Log } from "../../../mod/base/log.ts";
import { hostSettings } from "../../../mod/host/host_settings.ts";
import { desiredSettings } from "../../../mod/overlay/host_settings.ts";
import { DEVICE } from "../../support/overlay.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const FORWARD = "net.ipv4.ip_forward";
const SILENT = new Log({ level: "error", format: "text", write: () => {}, now: () => "" });
const WANTED = desiredSettings([{ family: 4, device: DEVICE, underlay: "eth0" }], false);

/** Calls until the kernel told of one of those, so that a test that fails hangs and says where. */
async function toldOf(
  host: OverlayHost,
  kind: MonitorEvent["kind"],
  change: () => void,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const monitor = host.host.run(() =>
    openMonitor((events) => {
      if (events.some((event) => event.kind === kind)) resolve();
    })
  );
  change();
  await promise;
  monitor.close();
  await monitor.done;
}

kernelTest("what the overlay needs is set, and set again when somebody changes it", async () => {
  const host = new OverlayHost();
  try {
    host.apply(host.desire([]));
    const keeper = new SettingsKeeper(hostSettings, SILENT);
    const reconcile = () => host.host.run(() => keeper.reconcile(WANTED));
    const values = () => host.host.run(() => [readSysctl(FORWARD), txChecksumming(DEVICE)]);
    host.host.run(() => writeSysctl(FORWARD, 0));
    assert.deepEqual(values(), ["0", true]);
    reconcile();
    assert.deepEqual([values(), keeper.repairs, keeper.problems], [["1", false], 0, []]);
    await toldOf(host, "forwarding", () => host.host.run(() => writeSysctl(FORWARD, 0)));
    await toldOf(host, "offloads", () => host.host.run(() => setTxChecksumming(DEVICE, true)));
    reconcile();
    assert.deepEqual([values(), keeper.repairs], [["1", false], 2]);
    reconcile();
    assert.equal(keeper.repairs, 2, "what is as wanted is left alone");
  } finally {
    await host.close();
  }
});

kernelTest("a device that is gone has no offloads, and is no problem", async () => {
  const host = new OverlayHost();
  try {
    host.host.run(() => {
      assert.equal(txChecksumming("nobody"), null);
      const keeper = new SettingsKeeper(hostSettings, SILENT);
      keeper.reconcile(WANTED);
      assert.deepEqual(keeper.problems, []);
      assert.throws(() => setTxChecksumming("nobody", true), { code: "ENODEV" });
      assert.throws(() => txChecksumming("a-name-that-is-too-long"), /Not a device/);
    });
  } finally {
    await host.close();
  }
});
