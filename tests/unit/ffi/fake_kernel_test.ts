/** The fake kernel's own business: failures on request and monitors. Its tables are compared with
 * the real kernel's in tests/kernel. */
import { strict as assert } from "node:assert";
import { ERRNO } from "../../../ffi/errno.ts";
import { FakeKernel } from "../../../ffi/fake_kernel.ts";
import { addressAdd } from "../../../ffi/route/address.ts";
import { bridgeAdd } from "../../../ffi/route/bridge.ts";
import { RTM } from "../../../ffi/route/family.ts";
import { linkDelete, linkDump, linkGet, linkSet, linkSetRequest } from "../../../ffi/route/link.ts";
import type { MonitorEvent } from "../../../ffi/route/monitor.ts";
import { routeAdd, routeDump, routeReplaceRequest } from "../../../ffi/route/route.ts";

Deno.test("a failure fires once, on the request it counts to", () => {
  const kernel = new FakeKernel();
  kernel.failRequest({
    errno: ERRNO.ENOMEM,
    extack: "no room",
    nth: 2,
    matches: ({ type }) => type === RTM.SETLINK,
  });
  const requests = [1, 99, 1, 1].map((index) => linkSetRequest(index, { up: true }));
  const replies = kernel.request(requests);
  assert.deepEqual(replies.map(({ error }) => [error?.code, error?.extack]), [
    [undefined, undefined],
    ["ENOMEM", "no room"],
    [undefined, undefined],
    [undefined, undefined],
  ]);
  assert.equal(kernel.requests.length, 4);
});

Deno.test("a dump can be made to fail", () => {
  const kernel = new FakeKernel();
  kernel.failRequest({ errno: ERRNO.EPERM });
  assert.throws(() => linkDump(kernel), { name: "NetlinkError", code: "EPERM" });
  assert.equal(linkDump(kernel).length, 1);
});

Deno.test("a dump torn a few times succeeds, and torn every time it is given up", () => {
  const kernel = new FakeKernel();
  kernel.tearDumps(7);
  assert.equal(linkDump(kernel).length, 1);
  kernel.tearDumps(8);
  assert.throws(() => linkDump(kernel), { code: "EINTR" });
  assert.equal(linkDump(kernel).length, 1);
});

Deno.test("when replies are lost the work is done all the same", () => {
  const kernel = new FakeKernel();
  kernel.loseReplies(1);
  assert.throws(() => linkSet(kernel, 1, { up: true }), { name: "NetlinkError", code: "ENOBUFS" });
  assert.equal(linkGet(kernel, 1)?.up, true);
});

Deno.test("a device that cannot be marked is deleted again", () => {
  const kernel = new FakeKernel();
  kernel.failRequest({ errno: ERRNO.EINVAL, matches: ({ type }) => type === RTM.SETLINK });
  assert.throws(() => bridgeAdd(kernel, { name: "br0", alias: "ours" }), { code: "EINVAL" });
  assert.deepEqual(linkDump(kernel).map(({ name }) => name), ["lo"]);
});

Deno.test("monitors hear of everything of one go in one call, until they close", async () => {
  const kernel = new FakeKernel();
  const calls: MonitorEvent[][] = [];
  const monitor = kernel.openMonitor((events) => calls.push(events));
  const { index } = bridgeAdd(kernel, { name: "br0", up: true });
  addressAdd(kernel, { index, address: "10.0.0.1", prefixLength: 24 });
  linkDelete(kernel, index);
  await Promise.resolve();
  assert.equal(calls.length, 1);
  const told = calls[0]?.map((event) =>
    event.kind === "overrun" ? event : [event.kind, event.change]
  );
  assert.deepEqual(told, [
    ["link", "new"],
    ["link", "new"],
    ["link", "new"],
    ["address", "new"],
    ["route", "new"],
    ["link", "delete"],
    ["address", "delete"],
  ]);
  kernel.overrunMonitors();
  await Promise.resolve();
  assert.equal(calls[1]?.[0]?.kind, "overrun");
  monitor.close();
  await monitor.done;
  bridgeAdd(kernel, { name: "br1" });
  await Promise.resolve();
  assert.equal(calls.length, 2);
});

Deno.test("a malformed request is EINVAL, as the kernel has it", () => {
  const kernel = new FakeKernel();
  const request = routeReplaceRequest({ destination: "10.0.0.0/8", index: 1 });
  const cut = (length: number) => ({ ...request, payload: request.payload.slice(0, length) });
  const codes = [0, 11, 18].map((length) => kernel.request([cut(length)])[0]?.error?.code);
  assert.deepEqual(codes, ["EINVAL", "EINVAL", "EINVAL"]);
  assert.equal(kernel.request([{ ...request, type: 99 }])[0]?.error?.code, "EOPNOTSUPP");
});

Deno.test("a closed fake refuses work", () => {
  const kernel = new FakeKernel();
  kernel.close();
  assert.throws(() => linkDump(kernel), /closed/);
});

Deno.test("five thousand routes are set twice and each is there once", () => {
  const kernel = new FakeKernel();
  const { index } = bridgeAdd(kernel, { name: "br0", up: true });
  const requests = Array.from(
    { length: 5000 },
    (_, peer) =>
      routeReplaceRequest({
        destination: `10.${peer >> 8}.${peer & 255}.0/24`,
        index,
        protocol: 7,
      }),
  );
  kernel.request([...requests, ...requests]);
  assert.equal(routeDump(kernel, { protocol: 7 }).length, 5000);
  assert.throws(() => routeAdd(kernel, { destination: "10.0.0.0/24", index }), { code: "EEXIST" });
});
