/** Echo requests to many hosts from one socket, between namespaces. */
import { strict as assert } from "node:assert";
import { EchoSocket } from "../../../ffi/echo_socket.ts";
import { openIcmp } from "../../../ffi/icmp.ts";
import { addressAdd, IFA_F } from "../../../ffi/route/address.ts";
import { cable, Host, kernelTest } from "./namespace.ts";

/** .1 and ::1 here; .2, .3, ::2 and ::3 there. */
function pair(near: Host, far: Host): void {
  const ends = cable(near, far);
  const flags = IFA_F.NODAD;
  const put = (host: Host, index: number, last: number) => {
    addressAdd(host.transport, { index, address: `192.168.1.${last}`, prefixLength: 24 });
    addressAdd(host.transport, { index, address: `fd00::${last}`, prefixLength: 64, flags });
  };
  put(near, ends.near, 1);
  put(far, ends.far, 2);
  put(far, ends.far, 3);
}

for (const [family, subnet] of [[4, "192.168.1."], [6, "fd00::"]] as const) {
  kernelTest(`many destinations are asked from one socket, IPv${family}`, async () => {
    using near = new Host();
    using far = new Host();
    pair(near, far);
    using echo = near.run(() => new EchoSocket(family, 77));
    // Another program pings at the same time: its answers are none of ours.
    using other = near.run(() => openIcmp(`${subnet}2`));
    other.send(9, 56);
    const destinations = [`${subnet}2`, `${subnet}3`, `${subnet}4`];
    for (const [sequence, destination] of destinations.entries()) {
      assert(echo.send(destination, sequence));
    }
    await other.arrival(10_000);
    const replies = new Map<string, number>();
    // A failing test waits until its runner gives up.
    while (replies.size < 2) {
      for (const { from, sequence } of echo.receive()) replies.set(from, sequence);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.deepEqual([...replies].sort(), [[`${subnet}2`, 0], [`${subnet}3`, 1]]);
  });
}

kernelTest("a destination without a way to it is a silence", () => {
  using near = new Host();
  using echo = near.run(() => new EchoSocket(4, 77));
  assert.equal(echo.send("192.168.1.2", 1), false);
  assert.deepEqual(echo.receive(), []);
});
