/** What status says of backends other than plain VXLAN. */
import { match } from "node:assert/strict";
import { plainPaint } from "../../../mod/cli/paint.ts";
import { renderStatus } from "../../../mod/cli/render_status.ts";
import { NOW_MS, READY } from "../../support/documents.ts";

Deno.test("with direct routing status counts the peers on the own link", () => {
  const cluster = { ...READY.cluster, directRouting: true };
  const overlay = { ...READY.overlay, peersDirect: 1 };
  const text = renderStatus({ ...READY, cluster, overlay }, NOW_MS, plainPaint);
  match(text, /in sync, 2 of 2 peers programmed \(1 on the own link\)/);
  match(text, /flannel\.1 \(vxlan\), MTU 1450, 0e:11:22:33:44:01/);
});

Deno.test("with host-gw the device is the underlay's, and has no MAC of ours", () => {
  const cluster = { ...READY.cluster, backend: "host-gw" };
  const overlay = { ...READY.overlay, device: "eth0", mac: null, mtu: 1500, peersDirect: 2 };
  const text = renderStatus({ ...READY, cluster, overlay }, NOW_MS, plainPaint);
  match(text, /in sync, 2 of 2 peers programmed\n/);
  match(text, /eth0 \(host-gw\), MTU 1500\n/);
});

Deno.test("with udp status says what is carried, and what was dropped and why", () => {
  const cluster = { ...READY.cluster, backend: "udp" };
  const udp = {
    port: 8285,
    running: true,
    restarts: 0,
    drops: { truncated: 0, "unknown-sender": 12, "no-host": 3 },
  };
  const overlay = { ...READY.overlay, device: "flannel0", mac: null, mtu: 1472, udp };
  const text = (changes: object) =>
    renderStatus(
      { ...READY, cluster, overlay: { ...overlay, udp: { ...udp, ...changes } } },
      NOW_MS,
      plainPaint,
    );
  match(text({}), /flannel0 \(udp\), MTU 1472, UDP port 8285\n/);
  match(text({}), /Packets: carried\n/);
  match(text({}), /Dropped: 12 unknown-sender, 3 no-host\n/);
  match(text({ running: false, restarts: 2 }), /Packets: not carried, 2 restarts\n/);
  match(text({ drops: { truncated: 0 } }), /Dropped: none\n/);
});
