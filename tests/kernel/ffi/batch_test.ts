/** Many messages in a send, on the real kernel: order, attribution of errors, dumps, overruns. */
import { strict as assert } from "node:assert";
import { pinnedBytes, viewOf } from "../../../ffi/bytes.ts";
import { ERRNO } from "../../../ffi/errno.ts";
import { NetlinkConversation } from "../../../ffi/netlink/conversation.ts";
import { encodeMessage, NLM_F_REQUEST } from "../../../ffi/netlink/message.ts";
import {
  bindNetlink,
  NETLINK_ROUTE,
  openDatagrams,
  openNetlinkSocket,
} from "../../../ffi/netlink/socket.ts";
import type { NetlinkRequest } from "../../../ffi/netlink/transport.ts";
import { bridgeAdd, bridgeAddRequest } from "../../../ffi/route/bridge.ts";
import { fdbDump, fdbReplaceRequest } from "../../../ffi/route/fdb.ts";
import {
  decodeLink,
  linkDelete,
  linkDump,
  linkGetRequest,
  linkSetRequest,
} from "../../../ffi/route/link.ts";
import { neighbourDump, neighbourReplaceRequest, NUD } from "../../../ffi/route/neighbour.ts";
import { routeDeleteRequest, routeDump, routeReplaceRequest } from "../../../ffi/route/route.ts";
import { vxlanAdd } from "../../../ffi/route/vxlan.ts";
import { closeDescriptor, MSG_DONTWAIT, receiveBytes, sendBytes } from "../../../ffi/socket.ts";
import { Host, kernelTest } from "./namespace.ts";

const OURS = 77;
const PEERS = 1000;

function peerRequests(index: number, peer: number): NetlinkRequest[] {
  const [high, low] = [peer >> 8, peer & 255];
  const gateway = `10.${high}.${low}.0`;
  const octet = (value: number) => value.toString(16).padStart(2, "0");
  const linkAddress = `02:00:00:00:${octet(high)}:${octet(low)}`;
  return [
    neighbourReplaceRequest({ index, address: gateway, linkAddress, protocol: OURS }),
    fdbReplaceRequest({ index, linkAddress, destination: `172.16.${high}.${low}` }),
    routeReplaceRequest({
      destination: `${gateway}/24`,
      gateway,
      index,
      onlink: true,
      protocol: OURS,
    }),
  ];
}

function manyPeers(index: number): NetlinkRequest[] {
  return Array.from({ length: PEERS }, (_, peer) => peerRequests(index, peer)).flat();
}

kernelTest("a thousand peers are programmed in one call, and again over themselves", () => {
  using host = new Host();
  const { transport } = host;
  const { index } = vxlanAdd(transport, { name: "flannel.1", up: true, vxlan: { id: 1 } });
  for (let round = 0; round < 2; round++) {
    const replies = transport.request(manyPeers(index));
    assert.equal(replies.length, 3 * PEERS);
    assert.deepEqual(replies.filter(({ error }) => error !== null), []);
  }
  const routes = routeDump(transport, { protocol: OURS });
  assert.equal(new Set(routes.map(({ destination }) => destination)).size, PEERS);
  assert.equal(routes.length, PEERS);
  const neighbours = neighbourDump(transport, { index, family: 4 })
    .filter(({ state }) => state === NUD.PERMANENT);
  assert.equal(neighbours.length, PEERS);
  assert.equal(fdbDump(transport, index).length, PEERS);
});

kernelTest("errors inside a batch find their own messages, and the rest is done", () => {
  using host = new Host();
  const { transport } = host;
  const { index } = vxlanAdd(transport, { name: "flannel.1", up: true, vxlan: { id: 1 } });
  const requests = manyPeers(index);
  const broken = new Map<number, NetlinkRequest>([
    [0, routeDeleteRequest({ destination: "10.255.0.0/24" })],
    [1234, linkSetRequest(4711, { up: true })],
    [1235, routeReplaceRequest({ destination: "10.9.0.0/24", gateway: "1.2.3.4", index })],
    [2999, routeDeleteRequest({ destination: "10.254.0.0/24" })],
  ]);
  for (const [position, request] of broken) requests[position] = request;
  const failed = [...transport.request(requests).entries()]
    .filter(([, { error }]) => error !== null)
    .map(([position, { error }]) => [position, error?.op, error?.code, error?.extack]);
  assert.deepEqual(failed, [
    [0, "route delete 10.255.0.0/24", "ESRCH", null],
    [1234, "link set dev 4711", "ENODEV", null],
    [1235, "route replace 10.9.0.0/24", "ENETUNREACH", "Nexthop has invalid gateway"],
    [2999, "route delete 10.254.0.0/24", "ESRCH", null],
  ]);
});

kernelTest("a batch may mix changes and questions", () => {
  using host = new Host();
  const { transport } = host;
  const { index } = bridgeAdd(transport, { name: "br0" });
  const replies = transport.request([
    linkSetRequest(index, { mtu: 1400 }),
    linkGetRequest(index),
    linkGetRequest("nobody"),
    linkSetRequest(index, { mtu: 1300 }),
    linkGetRequest("br0"),
  ]);
  const mtus = replies.map(({ error, messages }) =>
    error?.code ?? messages.map((message) => decodeLink(message).mtu)
  );
  assert.deepEqual(mtus, [[], [1400], "ENODEV", [], [1300]]);
});

kernelTest("no requests are no trouble", () => {
  using host = new Host();
  assert.deepEqual(host.transport.request([]), []);
});

kernelTest("a malformed attribute is refused with its place in the request", () => {
  using host = new Host();
  const request = linkSetRequest(1, { mtu: 1400 });
  const payload = request.payload.slice(0, 22);
  viewOf(payload).setUint16(16, 6, true); // IFLA_MTU with two bytes
  const [reply] = host.transport.request([{ ...request, payload }]);
  assert.equal(reply?.error?.code, "ERANGE");
  assert.equal(reply?.error?.offset, 32);
  assert.match(
    reply?.error?.message ?? "",
    /failed policy validation \(at byte 32 of the request\)/,
  );
});

kernelTest("a device takes its thousand routes, neighbours and forwarding entries with it", () => {
  using host = new Host();
  const { transport } = host;
  const { index } = vxlanAdd(transport, { name: "flannel.1", up: true, vxlan: { id: 1 } });
  transport.request(manyPeers(index));
  linkDelete(transport, index);
  assert.deepEqual(routeDump(transport, { protocol: OURS }), []);
  assert.deepEqual(neighbourDump(transport, { index }), []);
});

kernelTest("a dump that the kernel marks as torn is taken again", () => {
  using host = new Host();
  const links = 60; // of 1.2 KB each: several datagrams
  for (let number = 0; number < links; number++) {
    host.transport.request([bridgeAddRequest({ name: `br${number}` })]);
  }
  const datagrams = host.run(() => openDatagrams());
  let received = 0;
  using dumper = new NetlinkConversation({
    port: datagrams.port,
    send: (bytes, op) => datagrams.send(bytes, op),
    sendLater: (bytes, op) => datagrams.sendLater(bytes, op),
    receive: (wait) => {
      received++;
      if (received === 2) bridgeAdd(host.transport, { name: "meanwhile" });
      return datagrams.receive(wait);
    },
    close: () => datagrams.close(),
  });
  const names = linkDump(dumper).map(({ name }) => name);
  assert.equal(names.length, links + 2);
  assert.equal(new Set(names).size, names.length);
  assert(names.includes("meanwhile"));
  const onceReceived = received;
  received = 2;
  linkDump(dumper);
  assert(onceReceived > received, "an undisturbed dump takes fewer datagrams");
});

kernelTest("a socket stays in the namespace it was opened in", () => {
  using host = new Host();
  using other = new Host();
  bridgeAdd(host.transport, { name: "br0" });
  using late = host.run(() => openNetlinkSocket());
  const [inside] = other.run(() => late.request([linkGetRequest("br0")]));
  assert.equal(inside?.error, null);
  const [outside] = other.transport.request([linkGetRequest("br0")]);
  assert.equal(outside?.error?.code, "ENODEV");
});

kernelTest("a datagram larger than the buffer shows its true length", () => {
  using host = new Host();
  const { fd } = host.run(() => bindNetlink(NETLINK_ROUTE, 0));
  const bytes = encodeMessage({
    ...linkGetRequest("lo"),
    flags: NLM_F_REQUEST,
    sequence: 1,
    port: 0,
  });
  const request = pinnedBytes(bytes.length);
  request.set(bytes);
  sendBytes(fd, request, "ask for the loopback device");
  const buffer = pinnedBytes(100);
  assert(receiveBytes(fd, buffer, 0) > buffer.length);
  assert.equal(receiveBytes(fd, buffer, MSG_DONTWAIT), -ERRNO.EAGAIN);
  closeDescriptor(fd);
});

kernelTest("a closed socket says that it is closed", () => {
  using host = new Host();
  const socket = host.run(() => openNetlinkSocket());
  socket.close();
  socket.close();
  assert.throws(() => socket.request([linkGetRequest(1)]), /closed/);
});
