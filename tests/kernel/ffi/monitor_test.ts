/** Notifications of the real kernel. No test waits for time: each waits for an event. */
import { strict as assert } from "node:assert";
import { addressAdd } from "../../../ffi/route/address.ts";
import { bridgeAdd } from "../../../ffi/route/bridge.ts";
import { fdbReplace } from "../../../ffi/route/fdb.ts";
import { linkDelete } from "../../../ffi/route/link.ts";
import { type MonitorEvent, openMonitor } from "../../../ffi/route/monitor.ts";
import {
  neighbourDelete,
  neighbourReplace,
  neighbourReplaceRequest,
} from "../../../ffi/route/neighbour.ts";
import { routeAdd, routeDelete } from "../../../ffi/route/route.ts";
import { vxlanAdd } from "../../../ffi/route/vxlan.ts";
import { Host, kernelTest } from "./namespace.ts";

const MAC = "02:00:00:00:00:09";

/** A monitor whose events can be waited for. */
class Watcher {
  readonly events: MonitorEvent[] = [];
  readonly calls: MonitorEvent[][] = [];
  #woken = Promise.withResolvers<void>();
  readonly monitor;

  constructor(host: Host) {
    this.monitor = host.run(() =>
      openMonitor((events) => {
        this.calls.push(events);
        this.events.push(...events);
        this.#woken.resolve();
        this.#woken = Promise.withResolvers();
      })
    );
  }

  /** The first event that satisfies `wanted`, past or future. */
  async find(wanted: (event: MonitorEvent) => boolean): Promise<MonitorEvent> {
    for (;;) {
      const found = this.events.find(wanted);
      if (found !== undefined) return found;
      await this.#woken.promise;
    }
  }

  async close(): Promise<void> {
    this.monitor.close();
    await this.monitor.done;
  }
}

kernelTest("a route deleted by hand is noticed, with who did it", async () => {
  using host = new Host();
  const { transport } = host;
  const watcher = new Watcher(host);
  const { index } = bridgeAdd(transport, { name: "br0", up: true });
  const spec = { destination: "10.9.0.0/24", index, protocol: 77 };
  routeAdd(transport, spec);
  routeDelete(transport, spec);
  const event = await watcher.find((event) =>
    event.kind === "route" && event.change === "delete" && event.route.protocol === 77
  );
  assert(event.kind === "route");
  assert.equal(event.route.destination, "10.9.0.0/24");
  assert.equal(event.route.index, index);
  assert.equal(event.port, transport.port);
  await watcher.close();
});

kernelTest("links, addresses, neighbours and forwarding entries are noticed", async () => {
  using host = new Host();
  const { transport } = host;
  const watcher = new Watcher(host);
  const { index } = vxlanAdd(transport, { name: "x", alias: "ours", up: true, vxlan: { id: 1 } });
  addressAdd(transport, { index, address: "10.244.7.0", prefixLength: 32 });
  neighbourReplace(transport, { index, address: "10.244.9.0", linkAddress: MAC });
  fdbReplace(transport, { index, linkAddress: MAC, destination: "192.168.1.2" });
  linkDelete(transport, index);
  const link = await watcher.find((event) => event.kind === "link" && event.change === "delete");
  assert(link.kind === "link");
  assert.equal(link.link.name, "x");
  assert.equal(link.link.index, index);
  const address = await watcher.find((event) =>
    event.kind === "address" && event.change === "new" && event.address.family === 4
  );
  assert(address.kind === "address");
  assert.equal(address.address.address, "10.244.7.0");
  const neighbour = await watcher.find((event) => event.kind === "neighbour");
  assert(neighbour.kind === "neighbour");
  assert.equal(neighbour.neighbour.address, "10.244.9.0");
  const fdb = await watcher.find((event) => event.kind === "fdb");
  assert(fdb.kind === "fdb");
  assert.equal(fdb.entry.destination, "192.168.1.2");
  await watcher.close();
});

kernelTest("changes in another namespace are not noticed", async () => {
  using host = new Host();
  using other = new Host();
  const watcher = new Watcher(host);
  bridgeAdd(other.transport, { name: "elsewhere" });
  bridgeAdd(host.transport, { name: "here" });
  await watcher.find((event) => event.kind === "link" && event.link.name === "here");
  const names = watcher.events.map((event) => event.kind === "link" ? event.link.name : "");
  assert.equal(names.includes("elsewhere"), false);
  await watcher.close();
});

kernelTest(
  "neighbours and forwarding entries of one device can be muted, and only those",
  async () => {
    using host = new Host();
    const { transport } = host;
    const quiet = vxlanAdd(transport, { name: "quiet", up: true, vxlan: { id: 1 } }).index;
    const heard = vxlanAdd(transport, { name: "heard", up: true, vxlan: { id: 2 } }).index;
    const watcher = new Watcher(host);
    watcher.monitor.muteNeighbours(heard);
    watcher.monitor.muteNeighbours(quiet);
    for (const index of [quiet, heard]) {
      neighbourReplace(transport, { index, address: "10.244.9.0", linkAddress: MAC });
      neighbourDelete(transport, { index, address: "10.244.9.0" });
      fdbReplace(transport, { index, linkAddress: MAC, destination: "192.168.1.2" });
    }
    addressAdd(transport, { index: quiet, address: "10.244.7.0", prefixLength: 32 });
    await watcher.find((event) => event.kind === "address" && event.address.index === quiet);
    const indexes = watcher.events.map((event) =>
      event.kind === "neighbour"
        ? event.neighbour.index
        : event.kind === "fdb"
        ? event.entry.index
        : 0
    );
    assert.equal(indexes.includes(heard), true);
    assert.equal(indexes.includes(quiet), false);
    const kinds = watcher.events.filter((event) =>
      event.kind === "neighbour" || event.kind === "fdb"
    )
      .map((event) => `${event.kind} ${event.change}`);
    assert.deepEqual(new Set(kinds), new Set(["neighbour new", "neighbour delete", "fdb new"]));
    await watcher.close();
  },
);

kernelTest("what happens in one go comes in one call", async () => {
  using host = new Host();
  const { transport } = host;
  const { index } = vxlanAdd(transport, { name: "x", up: true, vxlan: { id: 1 } });
  const watcher = new Watcher(host);
  const requests = Array.from({ length: 500 }, (_, number) =>
    neighbourReplaceRequest({
      index,
      address: `10.${number >> 8}.${number & 255}.1`,
      linkAddress: MAC,
    }));
  transport.request(requests);
  await watcher.find((event) =>
    event.kind === "neighbour" && event.neighbour.address === "10.1.243.1"
  );
  const calls = watcher.calls.filter((events) =>
    events.some((event) => event.kind === "neighbour" && event.port === transport.port)
  );
  assert.equal(calls.length, 1);
  await watcher.close();
});

kernelTest("a flood that nobody reads ends in an overrun, and the monitor lives on", async () => {
  using host = new Host();
  const { transport } = host;
  const { index } = vxlanAdd(transport, { name: "x", up: true, vxlan: { id: 1 } });
  const watcher = new Watcher(host);
  const request = neighbourReplaceRequest({ index, address: "10.0.0.1", linkAddress: MAC });
  const batch = [
    request,
    neighbourReplaceRequest({ index, address: "10.0.0.1", linkAddress: "02:00:00:00:00:0a" }),
  ];
  const many = Array.from({ length: 5000 }, () => batch).flat();
  for (let round = 0; round < 4; round++) transport.request(many);
  const overrun = await watcher.find((event) => event.kind === "overrun");
  assert(overrun.kind === "overrun");
  bridgeAdd(transport, { name: "afterwards" });
  await watcher.find((event) => event.kind === "link" && event.link.name === "afterwards");
  await watcher.close();
});

kernelTest("a closed monitor ends at once, and closing it twice is fine", async () => {
  using host = new Host();
  const watcher = new Watcher(host);
  watcher.monitor.close();
  await watcher.close();
  assert.deepEqual(watcher.events, []);
});

kernelTest("an exception of the listener ends the monitor and is told", async () => {
  using host = new Host();
  const monitor = host.run(() =>
    openMonitor(() => {
      throw new Error("of the listener");
    })
  );
  bridgeAdd(host.transport, { name: "br0" });
  await assert.rejects(monitor.done, { message: "of the listener" });
  monitor.close();
});
