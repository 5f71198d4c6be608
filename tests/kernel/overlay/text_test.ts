/** Our text against the real programs: what they print of our state, and what they do with our commands. */
import { strict as assert } from "node:assert";
import { isVxlanLink } from "../../../mod/base/kernel_objects.ts";
import { planCleanup } from "../../../mod/overlay/cleanup.ts";
import {
  forwardingText,
  linkText,
  neighbourText,
  planText,
  routeText,
} from "../../../mod/overlay/text.ts";
import { claim, claims, CONFIG, DEVICE } from "../../support/overlay.ts";
import { sortedState } from "../../support/sorted_state.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const PEERS = [...claims(1, 2), claim(3, { vtep: { ...claim(3).vtep, port: 4789 } })];

/** The lines of a program's output that speak of our device, without what depends on its version. */
function linesAbout(output: string): string[] {
  return output.split("\n").map((line) => line.trim())
    .filter((line) => line.includes(` dev ${DEVICE} `) || line.startsWith("unreachable ")).sort();
}

/** `ip -d -o link show` in the form of linkText. */
function linkLine(output: string): string {
  const found = (pattern: RegExp) => pattern.exec(output)?.[1] ?? `no ${pattern}`;
  const up = /<[^>]*\bUP\b/.test(output) ? "UP" : "DOWN";
  return `${found(/^\d+: ([^:@]+)/)}: ${up} mtu ${found(/ mtu (\d+)/)} ` +
    `link/ether ${found(/link\/ether (\S+)/)} vxlan id ${found(/vxlan id (\d+)/)} ` +
    `local ${found(/ local (\S+)/)} dev ${found(/ local \S+ dev (\S+)/)} ` +
    `dstport ${found(/ dstport (\d+)/)} ${found(/ ((?:no)?learning)/)} ` +
    `alias ${found(/ alias (\S+)/)}`;
}

kernelTest("states read as ip and bridge print them", async () => {
  const host = new OverlayHost();
  assert.deepEqual(host.apply(host.desire(PEERS)), []);
  const state = host.dump();
  const routes = host.host.text("ip -4 route show");
  if (routes !== null) assert.deepEqual(state.routes.map(routeText).sort(), linesAbout(routes));
  const neighbours = host.host.text("ip -4 neighbour show");
  if (neighbours !== null) {
    assert.deepEqual(state.neighbours.map(neighbourText).sort(), linesAbout(neighbours));
  }
  const forwarding = host.host.text("bridge fdb show");
  if (forwarding !== null) {
    assert.deepEqual(state.forwarding.map(forwardingText).sort(), linesAbout(forwarding));
  }
  const link = host.host.text(`ip -d -o link show dev ${DEVICE}`);
  if (link !== null) {
    assert(state.link !== null && isVxlanLink(state.link));
    assert.equal(linkText(state.link, (index) => host.kernel.deviceName(index)), linkLine(link));
  }
  await host.close();
});

kernelTest("commands do in a shell what the plan does over netlink", async () => {
  const byNetlink = new OverlayHost();
  const byHand = new OverlayHost();
  const desired = byNetlink.desire(PEERS);
  assert.deepEqual(byNetlink.apply(desired), []);
  const up = planText(byHand.plan(byHand.desire(PEERS)).operations).split("\n").slice(0, -1);
  if (up.every((command) => byHand.host.text(command) !== null)) {
    const untagged = byHand.dump();
    const addresses = untagged.addresses.map((address) => ({ ...address, protocol: 71 }));
    assert.deepEqual(
      sortedState({ ...untagged, addresses }),
      sortedState(byNetlink.dump()),
    );
    assert.deepEqual(byHand.plan(byHand.desire(PEERS)).operations, []);
    const { operations } = planCleanup(DEVICE, CONFIG.networks, byHand.dump());
    for (const command of planText(operations).split("\n").slice(0, -1)) {
      assert.notEqual(byHand.host.text(command), null);
    }
    assert.equal(byHand.dump().link, null);
  }
  await byNetlink.close();
  await byHand.close();
});
