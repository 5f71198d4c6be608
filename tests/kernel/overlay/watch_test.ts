/** What the kernel port's watch tells, and what it keeps to itself. No test waits for time, each waits for a call. */
import { strict as assert } from "node:assert";
import { addressAdd, addressDelete } from "../../../ffi/route/address.ts";
import { bridgeAdd } from "../../../ffi/route/bridge.ts";
import { fdbDelete } from "../../../ffi/route/fdb.ts";
import { linkDelete, linkGet, linkSet } from "../../../ffi/route/link.ts";
import {
  neighbourDelete,
  neighbourReplace,
  neighbourReplaceRequest,
} from "../../../ffi/route/neighbour.ts";
import { routeAdd, routeDelete } from "../../../ffi/route/route.ts";
import { type MonitorEvent, openMonitor } from "../../../ffi/route/monitor.ts";
import type { NetlinkTransport } from "../../../ffi/netlink/transport.ts";
import { ChangeFilter } from "../../../mod/host/change_filter.ts";
import { HostKernel } from "../../../mod/host/kernel.ts";
import { diffState } from "../../../mod/overlay/diff.ts";
import { claims, DEVICE } from "../../support/overlay.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const PEERS = claims(1, 2, 3);
/** Some 40,000 messages without a pause, more than any receive buffer of ours holds. */
const FLOOD_PAIRS = 5000;
const FLOOD_ROUNDS = 4;

/** Counts calls and lets a test wait for the next one. */
class Bell {
  calls = 0;
  #rung = Promise.withResolvers<void>();

  readonly ring = (): void => {
    this.calls++;
    this.#rung.resolve();
    this.#rung = Promise.withResolvers();
  };

  next(): Promise<void> {
    return this.#rung.promise;
  }
}

/** What is noticed: one harm, one call. */
function noticed(name: string, harm: (host: OverlayHost) => void): void {
  kernelTest(`noticed: ${name}`, async () => {
    const host = new OverlayHost();
    const bell = new Bell();
    assert.deepEqual(host.apply(host.desire(PEERS)), []);
    // From here on, so that what the kernel says of our own setting up rings no bell.
    host.host.run(() => host.kernel.watch(bell.ring));
    host.dump();
    const call = bell.next();
    harm(host);
    await call;
    await host.close();
  });
}

noticed("a route deleted", ({ host, index }) => {
  routeDelete(host.transport, { destination: "10.244.2.0/24", index });
});
noticed("a neighbour deleted", ({ host, index }) => {
  neighbourDelete(host.transport, { index, address: "10.244.2.0" });
});
noticed("a forwarding entry deleted", ({ host, index }) => {
  fdbDelete(host.transport, { index, linkAddress: "02:00:00:00:00:02" });
});
noticed("the device deleted", ({ host, index }) => linkDelete(host.transport, index));
noticed("the device set down", ({ host, index }) => linkSet(host.transport, index, { up: false }));
noticed("an address on the underlay", ({ host, underlayIndex }) => {
  const address = { index: underlayIndex, address: "192.168.100.7", prefixLength: 24 };
  addressAdd(host.transport, address);
});
noticed("the underlay deleted, which takes the device along", ({ host, underlayIndex }) => {
  linkDelete(host.transport, underlayIndex);
});

/** What calls for a new look at the underlay. */
function looked(name: string, change: (host: OverlayHost) => void): void {
  kernelTest(`the underlay is looked at again: ${name}`, async () => {
    const host = new OverlayHost();
    const bell = new Bell();
    assert.deepEqual(host.apply(host.desire(PEERS)), []);
    host.host.run(() => host.kernel.watchDevices(bell.ring));
    const call = bell.next();
    change(host);
    await call;
    await host.close();
  });
}

looked("its address deleted", ({ host, underlayIndex: index }) => {
  addressDelete(host.transport, { index, address: "192.168.100.1", prefixLength: 24 });
});
looked("its MTU lowered", ({ host, underlayIndex }) => {
  linkSet(host.transport, underlayIndex, { mtu: 1400 });
});
looked("it is set down", ({ host, underlayIndex }) => {
  linkSet(host.transport, underlayIndex, { up: false });
});
looked("it is deleted", ({ host, underlayIndex }) => linkDelete(host.transport, underlayIndex));
looked("a default route", ({ host, underlayIndex: index }) => {
  routeAdd(host.transport, { destination: "0.0.0.0/0", gateway: "192.168.100.254", index });
});

kernelTest(
  "what we do to our own device, and neighbours, are no reason to look at the underlay",
  async () => {
    const host = new OverlayHost();
    const { transport } = host.host;
    const bell = new Bell();
    assert.deepEqual(host.apply(host.desire([])), []);
    host.host.run(() => host.kernel.watchDevices(bell.ring));
    const index = host.underlayIndex;
    linkSet(transport, host.index, { mtu: 1400 });
    for (const owners of [PEERS, claims(1, 2), PEERS]) host.apply(host.desire(owners));
    neighbourReplace(transport, {
      index,
      address: "192.168.100.9",
      linkAddress: "02:00:00:00:00:09",
    });
    assert.equal(bell.calls, 0);
    const call = bell.next();
    linkSet(transport, index, { mtu: 1400 });
    await call;
    assert.equal(bell.calls, 1, "all before it was in the socket");
    await host.close();
  },
);

/** What the kernel says of what `change` does, in one reading, told apart by a filter that knows of it. */
async function hasNews(
  host: OverlayHost,
  change: (filter: ChangeFilter, transport: NetlinkTransport) => void,
): Promise<boolean> {
  const filter = new ChangeFilter(host.host.transport.port);
  filter.followName(DEVICE);
  const device = linkGet(host.host.transport, host.index);
  const underlay = linkGet(host.host.transport, host.underlayIndex);
  assert(device !== null && underlay !== null);
  filter.follow(device);
  filter.followBelow(underlay);
  const heard: MonitorEvent[] = [];
  const seen = Promise.withResolvers<void>();
  const isMark = (event: MonitorEvent) => event.kind === "link" && event.link.name === "mark";
  const monitor = host.host.run(() =>
    openMonitor((events) => {
      heard.push(...events);
      if (events.some(isMark)) seen.resolve();
    })
  );
  change(filter, host.host.transport);
  bridgeAdd(host.host.transport, { name: "mark" });
  await seen.promise;
  monitor.close();
  await monitor.done;
  return filter.hasNews(heard);
}

kernelTest("our own changes to peers are no news", async () => {
  const host = new OverlayHost();
  assert.deepEqual(host.apply(host.desire([])), []);
  const kernel = new HostKernel(host.host.transport);
  const news = await hasNews(host, (filter) => {
    for (const owners of [PEERS, claims(1, 2), [], PEERS]) {
      const { operations } = diffState(host.desire(owners), kernel.dump(DEVICE));
      assert.notEqual(operations.length, 0);
      filter.expect(operations);
      assert.deepEqual(kernel.apply(operations), []);
    }
  });
  assert.equal(news, false);
  await host.close();
});

kernelTest("the same changes made by somebody else are news", async () => {
  const host = new OverlayHost();
  assert.deepEqual(host.apply(host.desire([])), []);
  assert.equal(await hasNews(host, () => host.apply(host.desire(PEERS))), true);
  await host.close();
});

kernelTest("devices that are none of the overlay's are no news", async () => {
  const host = new OverlayHost();
  assert.deepEqual(host.apply(host.desire(PEERS)), []);
  const news = await hasNews(host, (_, transport) => {
    const { index } = bridgeAdd(transport, { name: "cni0", up: true });
    addressAdd(transport, { index, address: "10.244.1.1", prefixLength: 24 });
    linkDelete(transport, index);
  });
  assert.equal(news, false);
  await host.close();
});

kernelTest("what becomes of neighbours on the underlay is no news", async () => {
  const host = new OverlayHost();
  assert.deepEqual(host.apply(host.desire(PEERS)), []);
  const index = host.underlayIndex;
  const neighbour = { index, address: "192.168.100.9", linkAddress: "02:00:00:00:00:09" };
  const news = await hasNews(host, (_, transport) => {
    neighbourReplace(transport, neighbour);
    neighbourDelete(transport, neighbour);
  });
  assert.equal(news, false);
  await host.close();
});

kernelTest("a device of our name that appears is noticed", async () => {
  const host = new OverlayHost();
  const bell = new Bell();
  host.host.run(() => host.kernel.watch(bell.ring));
  assert.equal(host.dump().link, null);
  const call = bell.next();
  bridgeAdd(host.host.transport, { name: "flannel.1" });
  await call;
  assert.notEqual(linkGet(host.host.transport, "flannel.1"), null);
  await host.close();
});

kernelTest("messages of the kernel that were lost are a reason to look at everything", async () => {
  const host = new OverlayHost();
  const { transport } = host.host;
  const bell = new Bell();
  assert.deepEqual(host.apply(host.desire(PEERS)), []);
  const { index } = bridgeAdd(transport, { name: "cni0", up: true });
  host.host.run(() => host.kernel.watch(bell.ring));
  host.dump();
  // None of this is news; that some of it never arrived is.
  const neighbour = { index, address: "10.244.1.9" };
  const two = ["02:00:00:00:00:09", "02:00:00:00:00:0a"].map((linkAddress) =>
    neighbourReplaceRequest({ ...neighbour, linkAddress })
  );
  const flood = Array.from({ length: FLOOD_PAIRS }, () => two).flat();
  const call = bell.next();
  for (let round = 0; round < FLOOD_ROUNDS; round++) transport.request(flood);
  await call;
  await host.close();
});
