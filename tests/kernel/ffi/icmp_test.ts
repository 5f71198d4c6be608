/** Echo requests between two namespaces. */
import { strict as assert } from "node:assert";
import type { EchoReply } from "../../../ffi/echo_message.ts";
import { type IcmpSocket, openIcmp } from "../../../ffi/icmp.ts";
import { addressAdd, IFA_F } from "../../../ffi/route/address.ts";
import { linkSet } from "../../../ffi/route/link.ts";
import { cable, Host, kernelTest } from "./namespace.ts";

/** Two hosts on one cable: .1 and .2, ::1 and ::2. */
function pair(near: Host, far: Host): { near: number; far: number } {
  const ends = cable(near, far);
  const flags = IFA_F.NODAD;
  const put = (host: Host, index: number, last: number) => {
    addressAdd(host.transport, { index, address: `192.168.1.${last}`, prefixLength: 24 });
    addressAdd(host.transport, { index, address: `fd00::${last}`, prefixLength: 64, flags });
  };
  put(near, ends.near, 1);
  put(far, ends.far, 2);
  return ends;
}

/** The next `count` replies; a failing test waits for them until its runner gives up. */
async function replies(icmp: IcmpSocket, count: number): Promise<EchoReply[]> {
  const arrived: EchoReply[] = [];
  while (arrived.length < count) {
    await icmp.arrival(10_000);
    arrived.push(...icmp.receive());
  }
  return arrived;
}

kernelTest("echo requests are answered, whatever their size", async () => {
  using near = new Host();
  using far = new Host();
  pair(near, far);
  using icmp = near.run(() => openIcmp("192.168.1.2"));
  for (const [sequence, payloadBytes] of [0, 56, 1472, 9000, 65_507].entries()) {
    assert.equal(icmp.send(sequence, payloadBytes), "sent");
    assert.deepEqual(await replies(icmp, 1), [{ sequence, from: "192.168.1.2", payloadBytes }]);
  }
  assert.deepEqual(icmp.receive(), []);
});

kernelTest("a packet that must not be fragmented and does not fit is too big", async () => {
  using near = new Host();
  using far = new Host();
  const ends = pair(near, far);
  linkSet(near.transport, ends.near, { mtu: 1450 });
  using icmp = near.run(() => openIcmp("192.168.1.2"));
  assert.equal(icmp.send(1, 1450 - 28, { dontFragment: true }), "sent");
  assert.equal(icmp.send(2, 1450 - 27, { dontFragment: true }), "too-big");
  assert.equal(icmp.send(3, 1450 - 27), "sent");
  assert.deepEqual((await replies(icmp, 2)).map(({ sequence }) => sequence), [1, 3]);
});

kernelTest("IPv6 destinations are pinged too", async () => {
  using near = new Host();
  using far = new Host();
  pair(near, far);
  using icmp = near.run(() => openIcmp("fd00::2"));
  // The first packet may wait for the neighbour to be found; loopback needs none.
  using own = near.run(() => openIcmp("::1"));
  assert.equal(own.send(7, 100), "sent");
  assert.deepEqual(await replies(own, 1), [{ sequence: 7, from: "::1", payloadBytes: 100 }]);
  assert.equal(icmp.send(1, 1500, { dontFragment: true }), "too-big");
});

kernelTest("two pings of one host get their own answers only", async () => {
  using host = new Host();
  using one = host.run(() => openIcmp("127.0.0.1"));
  using two = host.run(() => openIcmp("127.0.0.1"));
  one.send(1, 10);
  two.send(2, 10);
  assert.deepEqual((await replies(one, 1)).map(({ sequence }) => sequence), [1]);
  assert.deepEqual((await replies(two, 1)).map(({ sequence }) => sequence), [2]);
});

kernelTest("no route to the destination is an error that says so", () => {
  using host = new Host();
  assert.throws(() => host.run(() => openIcmp("10.9.9.9")), {
    name: "SysError",
    code: "ENETUNREACH",
  });
});
