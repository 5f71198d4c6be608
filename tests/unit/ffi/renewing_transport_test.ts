/** A transport whose sockets fail: what ends one, and what the next one gets. */
import { strict as assert } from "node:assert";
import { ERRNO, SysError } from "../../../ffi/errno.ts";
import { NetlinkError, NetlinkFormatError } from "../../../ffi/netlink/error.ts";
import { RenewingTransport } from "../../../ffi/netlink/renewing_transport.ts";
import { execute, type NetlinkRequest } from "../../../ffi/netlink/transport.ts";
import { FakeKernel } from "../../../ffi/fake_kernel.ts";
import { linkGetRequest } from "../../../ffi/route/link.ts";

const QUESTION = linkGetRequest("lo");

/** Opens sockets of which the first fails as it is told to. */
function scene(failure: Error) {
  const wanted: number[] = [];
  let closed = 0;
  const transport = new RenewingTransport((portWanted) => {
    wanted.push(portWanted);
    const kernel = new FakeKernel();
    const fail = (): never => {
      throw failure;
    };
    return Object.assign(kernel, {
      port: portWanted === 0 ? 42 : portWanted,
      close: () => void closed++,
      ...(wanted.length > 1
        ? {}
        : { request: fail, dump: fail, requestLater: () => Promise.reject(failure) }),
    });
  });
  return { transport, wanted, closed: () => closed };
}

for (const failure of [new SysError("send", ERRNO.EBADF), new NetlinkFormatError("nonsense")]) {
  Deno.test(`after "${failure.message}" the next call has a socket with the same port id`, () => {
    const { transport, wanted, closed } = scene(failure);
    assert.throws(() => execute(transport, QUESTION), failure);
    assert.equal(closed(), 1);
    assert.equal(execute(transport, QUESTION).length, 1);
    assert.deepEqual([wanted, transport.port], [[0, 42], 42]);
  });
}

Deno.test("what fails on the other thread ends its socket as well", async () => {
  const { transport, wanted } = scene(new SysError("send", ERRNO.EIO));
  await assert.rejects(transport.requestLater([QUESTION]), { code: "EIO" });
  assert.equal((await transport.requestLater([QUESTION])).length, 1);
  assert.deepEqual(wanted, [0, 42]);
});

Deno.test("what the kernel itself says ends no socket", () => {
  const lost = new NetlinkError("route show", ERRNO.ENOBUFS);
  const { transport, wanted, closed } = scene(lost);
  const dump: NetlinkRequest = { ...QUESTION };
  assert.throws(() => transport.dump(dump), lost);
  assert.throws(() => transport.dump(dump), lost);
  assert.deepEqual([wanted, closed()], [[0], 0]);
});

Deno.test("a closed transport opens nothing", () => {
  const { transport, wanted } = scene(new SysError("send", ERRNO.EBADF));
  transport.close();
  assert.throws(() => transport.request([QUESTION]), /closed/);
  assert.deepEqual(wanted, [0]);
});
