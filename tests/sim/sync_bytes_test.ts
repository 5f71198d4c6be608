/** What syncs cost in a cluster where nothing happens: the same at any size. */
import assert from "node:assert/strict";
import { MembershipCluster } from "../../mod/sim/membership_cluster.ts";

const MEASURED_MS = 120_000;

/** Bytes that each host sends over streams in a second: its own syncs and its answers to those of others. */
function streamBytesPerSecond(count: number): number {
  const membership = new MembershipCluster({ seed: 7 });
  const hosts = membership.addFormed(count);
  membership.cluster.runFor(30_000);
  const sent = () => hosts.reduce((all, { traffic }) => all + traffic.streamBytesSent, 0);
  const before = sent();
  membership.cluster.runFor(MEASURED_MS);
  return (sent() - before) / count / (MEASURED_MS / 1000);
}

Deno.test("steady bytes of syncs do not grow with the cluster", () => {
  const [small, large] = [streamBytesPerSecond(10), streamBytesPerSecond(200)];
  assert.ok(small > 1 && small < 15, `${small} B/s among 10`);
  assert.ok(large < 1.2 * small, `${large} B/s among 200, ${small} B/s among 10`);
});
