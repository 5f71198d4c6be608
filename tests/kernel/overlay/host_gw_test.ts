/** Bare routes on the real kernel: applied, switched, noticed, cleaned up. */
import { strict as assert } from "node:assert";
import { linkGet, linkSet } from "../../../ffi/route/link.ts";
import { routeAdd, routeDelete, routeDump } from "../../../ffi/route/route.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { planCleanup } from "../../../mod/overlay/cleanup.ts";
import type { OwnBackend } from "../../../mod/overlay/path.ts";
import { claim, CONFIG, DEVICE } from "../../support/overlay.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

/** Peers on the own link that take both. */
const PEERS: readonly ClaimRecord[] = [2, 3].map((number) =>
  claim(number, { vtep: { ...claim(number).vtep, backend: "vxlan-direct" } })
);
const BACKENDS: readonly OwnBackend[] = ["vxlan", "vxlan-direct", "host-gw"];

async function onHost(run: (host: OverlayHost) => void | Promise<void>): Promise<void> {
  const host = new OverlayHost();
  try {
    await run(host);
  } finally {
    await host.close();
  }
}

for (const from of BACKENDS) {
  for (const to of BACKENDS) {
    kernelTest(
      `from ${from} to ${to}: nothing is left of the one, nothing is missing`,
      () =>
        onHost((host) => {
          assert.deepEqual(host.apply(host.desire(PEERS, { backend: from })), []);
          const wanted = host.desire(PEERS, { backend: to });
          assert.deepEqual(host.apply(wanted), []);
          assert.deepEqual(host.plan(wanted).operations, []);
          const isBare = to !== "vxlan";
          const there = host.dump();
          assert.deepEqual(
            there.routes.filter(({ gateway }) => gateway !== null).map(({ device }) => device),
            isBare ? ["eth0", "eth0"] : [DEVICE, DEVICE],
          );
          assert.equal(there.neighbours.length, isBare ? 0 : 2);
          assert.equal(there.forwarding.length, isBare ? 0 : 2);
          assert.equal(there.link === null, to === "host-gw");
        }),
    );
  }
}

kernelTest(
  "a route that gives way to another one is used until that is there",
  () =>
    onHost((host) => {
      host.apply(host.desire(PEERS));
      const { operations } = host.plan(host.desire(PEERS, { backend: "vxlan-direct" }));
      const { transport } = host.host;
      const ways = () =>
        routeDump(transport, { family: 4 }).filter(({ destination }) =>
          destination === "10.244.2.0/24"
        ).map(({ index }) => index === host.underlayIndex ? "bare" : "vxlan");
      const seen = operations.map((operation) => {
        assert.deepEqual(host.kernel.apply([operation]), []);
        return ways().join();
      });
      assert.deepEqual([...new Set(seen)], ["vxlan,bare", "bare"]);
    }),
);

kernelTest(
  "a route deleted on the underlay is noticed where there is no device of ours",
  () =>
    onHost(async (host) => {
      const wanted = host.desire(PEERS, { backend: "host-gw" });
      assert.deepEqual(host.apply(wanted), []);
      const noticed = Promise.withResolvers<void>();
      host.host.run(() => host.kernel.watch(() => noticed.resolve()));
      host.kernel.dump(DEVICE, host.underlayIndex);
      const { transport } = host.host;
      routeDelete(transport, { destination: "10.244.2.0/24", index: host.underlayIndex });
      await noticed.promise;
      assert.equal(host.plan(wanted).operations.length, 1);
    }),
);

kernelTest(
  "routes go with an underlay that is set down, without a word, and come back",
  () =>
    onHost((host) => {
      const { transport } = host.host;
      const wanted = host.desire(PEERS, { backend: "host-gw" });
      assert.deepEqual(host.apply(wanted), []);
      linkSet(transport, host.underlayIndex, { up: false });
      assert.deepEqual(host.apply(wanted).map(({ code }) => code), ["ENETUNREACH", "ENETUNREACH"]);
      linkSet(transport, host.underlayIndex, { up: true });
      assert.deepEqual(host.apply(wanted), []);
      assert.deepEqual(host.plan(wanted).operations, []);
    }),
);

kernelTest(
  "somebody else's route to a peer's subnet on the underlay is reported and stays",
  () =>
    onHost((host) => {
      const { transport } = host.host;
      const destination = "10.244.2.0/24";
      routeAdd(transport, { destination, index: host.underlayIndex, gateway: "192.168.100.99" });
      const wanted = host.desire(PEERS, { backend: "host-gw" });
      const [failure, ...rest] = host.apply(wanted);
      assert.deepEqual(rest, []);
      assert.equal(failure?.code, "EEXIST");
      assert.match(
        failure?.message ?? "",
        /via 192\.168\.100\.99 on eth0 already .*delete it with/,
      );
      routeDelete(transport, { destination, index: host.underlayIndex });
      assert.deepEqual(host.apply(wanted), []);
    }),
);

kernelTest(
  "a gateway that is not on the link is refused by the kernel, as by us",
  () =>
    onHost((host) => {
      const far = claim(4, {
        vtep: { ...claim(4).vtep, address: "192.168.101.4", backend: "host-gw" },
      });
      const linkRoutes = [{ destination: "192.168.0.0/16", isOnLink: true }];
      const wanted = host.desire([far], { backend: "host-gw", linkRoutes });
      assert.deepEqual(host.apply(wanted).map(({ code }) => code), ["ENETUNREACH"]);
      assert.deepEqual(host.desire([far], { backend: "host-gw" }).peers, []);
    }),
);

kernelTest("cleanup removes bare routes and leaves another agent's", () =>
  onHost((host) => {
    const { transport } = host.host;
    assert.deepEqual(host.apply(host.desire(PEERS, { backend: "vxlan-direct" })), []);
    const others = { destination: "10.99.2.0/24", gateway: "192.168.100.2", protocol: 71 };
    routeAdd(transport, { ...others, index: host.underlayIndex });
    const plan = planCleanup(DEVICE, CONFIG.networks, host.dump());
    assert.deepEqual(host.kernel.apply(plan.operations), []);
    assert.equal(linkGet(transport, DEVICE), null);
    const left = routeDump(transport, { family: 4, protocol: 71 });
    assert.deepEqual(left.map(({ destination }) => destination), ["10.99.2.0/24"]);
  }));

kernelTest(
  "neighbours are on Ethernet, not on devices without ARP or with one other end",
  () =>
    onHost(async (host) => {
      const hasNeighbours = () =>
        host.kernel.hostNetwork().devices.filter(({ hasNeighbours }) => hasNeighbours)
          .map(({ name }) => name).filter((name) => name !== "lo" && name !== "wire");
      assert.deepEqual(hasNeighbours(), ["eth0"]);
      const bell = Promise.withResolvers<void>();
      host.host.run(() => host.kernel.watchDevices(() => bell.resolve()));
      if (host.host.text("ip link set eth0 arp off") === null) return; // no iproute2 here
      await bell.promise;
      assert.deepEqual(hasNeighbours(), []);
      host.host.text("ip tuntap add dev tun0 mode tun");
      host.host.text("ip link set tun0 up");
      assert.deepEqual(hasNeighbours(), []);
    }),
);
