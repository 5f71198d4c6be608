/** Whether containers may be started on this host, and if not, what is waited for. */
import type { HostSnapshot } from "../claim/host_core.ts";
import { claimStage } from "./claim_stage.ts";
import type { OverlayStatus } from "./overlay_keeper.ts";
import { hostName } from "./status.ts";

/** The first thing that is not as it must be; null when the host is ready. One line. */
export function whyNotReady(snapshot: HostSnapshot, overlay: OverlayStatus): string | null {
  if (snapshot.claim.state !== "held") {
    const { stage, reason } = claimStage(snapshot.claim, (id) => hostName(snapshot, id));
    return `no subnet is held: ${stage}${reason === null ? "" : `, ${reason}`}`;
  }
  if (!overlay.inSync) {
    const { peersProgrammed, peersWanted } = overlay;
    const error = overlay.lastError ?? overlay.ipv6?.lastError ?? null;
    return `the kernel is not as wanted, ${peersProgrammed} of ${peersWanted} peers programmed` +
      (error === null ? "" : `: ${error}`);
  }
  return overlay.subnetFileWritten ? null : "the subnet file is not written";
}
