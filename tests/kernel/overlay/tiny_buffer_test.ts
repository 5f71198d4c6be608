/** The real kernel through a socket whose receive buffer is far too small: answers overflow it, and nothing is lost. */
import { strict as assert } from "node:assert";
import { NetlinkConversation } from "../../../ffi/netlink/conversation.ts";
import { openDatagrams } from "../../../ffi/netlink/socket.ts";
import type { NetlinkTransport } from "../../../ffi/netlink/transport.ts";
import { routeAddRequest } from "../../../ffi/route/route.ts";
import { OverlayKeeper } from "../../../mod/agent/overlay_keeper.ts";
import { Log } from "../../../mod/base/log.ts";
import { HostKernel } from "../../../mod/host/kernel.ts";
import { programmedPeers } from "../../../mod/overlay/diff.ts";
import { claims, DEVICE, OWN } from "../../support/overlay.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const NETLINK_ROUTE = 0;
const PEERS = claims(...Array.from({ length: 200 }, (_, index) => index + 2));
const IN_THE_WAY = 80;
/** 32 KiB of requests, 8, 2, then 1: after three losses the answers fit; two more for good measure. */
const LOOKS_MAX = 6;

/** Room for some twenty refusals with their words, of the hundred and more that a full batch may have. */
const RECEIVE_BYTES = 16 * 1024;

function narrowSocket(): NetlinkTransport {
  return new NetlinkConversation(openDatagrams(NETLINK_ROUTE, RECEIVE_BYTES));
}

kernelTest(
  "a batch whose refusals overflow the socket is made smaller until they fit",
  async () => {
    const host = new OverlayHost();
    const { transport } = host.host;
    const { underlayIndex: index } = host;
    const strangers = PEERS.slice(0, IN_THE_WAY).map(({ subnet }) =>
      routeAddRequest({ destination: subnet, gateway: "192.168.100.254", index })
    );
    assert.deepEqual(transport.request(strangers).filter(({ error }) => error !== null), []);
    const kernel = new HostKernel(host.host.run(narrowSocket));
    let nowMs = 0;
    const keeper = new OverlayKeeper(host.config, {
      kernel,
      log: new Log({ level: "error", format: "text", write: () => {}, now: () => "" }),
      nowMs: () => nowMs,
      wish: () => ({
        want: "up",
        own: OWN,
        owners: [OWN, ...PEERS],
        records: [OWN, ...PEERS],
        networks: ["10.244.0.0/16"],
        settled: true,
        silent: new Set(),
      }),
      up: () => true,
      down: () => {},
    });
    try {
      for (let look = 0; look < LOOKS_MAX; look++) {
        nowMs += 60_000;
        keeper.reconcileNow();
      }
      const { looksRepeated, peersProgrammed, lastError } = keeper.status();
      assert(looksRepeated > 0, "answers were lost");
      assert.equal(peersProgrammed, PEERS.length - IN_THE_WAY);
      assert.match(lastError ?? "", /There is a route to 10\.244\.2\.0\/24 via 192\.168\.100\.254/);
      assert.equal(programmedPeers(host.desire(PEERS), host.dump()), PEERS.length - IN_THE_WAY);
    } finally {
      keeper.stop();
      await kernel.close();
      await host.close();
    }
  },
);

kernelTest("through such a socket a dump is whole", async () => {
  const host = new OverlayHost();
  const kernel = new HostKernel(host.host.run(narrowSocket));
  try {
    assert.deepEqual(host.apply(host.desire(PEERS)), []);
    assert.deepEqual(kernel.dump(DEVICE), host.dump());
  } finally {
    await kernel.close();
    await host.close();
  }
});
