/** Streams and datagrams over loopback: answers, silence, refusals, ports in use. */
import assert from "node:assert/strict";
import { UserError } from "../../../mod/base/errors.ts";
import { FRAME_BYTES_MAX } from "../../../mod/base/limits.ts";
import { ARRIVING_BYTES_MAX, askOverStream, StreamServer } from "../../../mod/host/streams.ts";
import { DatagramSocket } from "../../../mod/host/datagrams.ts";
import { readRefusal } from "../../../mod/wire/refusal.ts";

/** Below those that the kernel gives out by itself, to tests that run beside this one, and no port twice. */
let lastPort = 20_000 + Math.floor(Math.random() * 10_000);

function freePort(): number {
  for (;;) {
    lastPort++;
    try {
      for (const hostname of hasIpv6() ? ["0.0.0.0", "::"] : ["0.0.0.0"]) {
        Deno.listen({ hostname, port: lastPort }).close();
        Deno.listenDatagram({ transport: "udp", hostname, port: lastPort }).close();
      }
      return lastPort;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

Deno.test("a request over a stream brings the answer of the same stream", async () => {
  const port = freePort();
  const server = StreamServer.open(port);
  const accepting = server.accept({
    request: (id, from, bytes) => {
      assert.match(from, /^127\.0\.0\.1:\d+$/);
      server.answer(id, bytes.map((byte) => byte + 1));
    },
  });
  const asked = [1, 2, 3].map((byte) =>
    askOverStream(`127.0.0.1:${port}`, new Uint8Array([byte]), 5_000)
  );
  assert.deepEqual((await Promise.all(asked)).map((answer) => answer[0]), [2, 3, 4]);
  server.close();
  await accepting;
});

Deno.test("a peer that says nothing fails the request with a reason that names the wait", async () => {
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = silent.accept();
  await assert.rejects(
    askOverStream(`127.0.0.1:${silent.addr.port}`, new Uint8Array([1]), 50),
    /no answer within 50 ms/,
  );
  (await accepted).close();
  silent.close();
});

Deno.test("streams that say nothing do not keep anybody from asking", async () => {
  const port = freePort();
  const server = StreamServer.open(port);
  const accepting = server.accept({ request: (id, _from, bytes) => server.answer(id, bytes) });
  const silent = await Promise.all(
    Array.from({ length: 150 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  const answer = await askOverStream(`127.0.0.1:${port}`, new Uint8Array([7]), 5_000);
  assert.deepEqual(answer, new Uint8Array([7]));
  for (const connection of silent) connection.close();
  server.close();
  await accepting;
});

Deno.test("large requests that never end hold little memory, and keep nobody from asking", async () => {
  const port = freePort();
  const server = StreamServer.open(port);
  const accepting = server.accept({ request: (id, _from, bytes) => server.answer(id, bytes) });
  const { promise: enoughClosed, resolve } = Promise.withResolvers<void>();
  let closed = 0;
  const frame = new Uint8Array(FRAME_BYTES_MAX); // less than it says, by its four bytes of length
  new DataView(frame.buffer).setUint32(0, FRAME_BYTES_MAX);
  const strangers = await Promise.all(
    Array.from({ length: 8 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  const talking = strangers.map(async (connection) => {
    try {
      for (let sent = 0; sent < frame.length;) {
        sent += await connection.write(frame.subarray(sent));
      }
      await connection.read(new Uint8Array(1));
    } catch {
      // Cut while it was talking.
    }
    if (++closed === 4) resolve();
  });
  await enoughClosed;
  assert.ok(server.arrivingBytes > 0 && server.arrivingBytes <= ARRIVING_BYTES_MAX);
  const answer = await askOverStream(`127.0.0.1:${port}`, new Uint8Array([7]), 5_000);
  assert.deepEqual(answer, new Uint8Array([7]));
  for (const connection of strangers) connection.close();
  await Promise.all(talking);
  server.close();
  await accepting;
});

Deno.test("streams that do not read their answers are bounded as well", async () => {
  const port = freePort();
  const server = StreamServer.open(port, 4, 4);
  // More than the buffers of a connection take when nobody reads.
  const large = new Uint8Array(4 * FRAME_BYTES_MAX);
  let asked = Promise.withResolvers<void>();
  const accepting = server.accept({
    request(id, _from, bytes) {
      server.answer(id, bytes[0] === 1 ? large : bytes);
      asked.resolve();
    },
  });
  const deaf: Deno.TcpConn[] = [];
  while (deaf.length < 8) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new Uint8Array([0, 0, 0, 1, 1]));
    await asked.promise;
    asked = Promise.withResolvers<void>();
    deaf.push(connection);
  }
  const answer = await askOverStream(`127.0.0.1:${port}`, new Uint8Array([7]), 5_000);
  assert.deepEqual(answer, new Uint8Array([7]));
  assert.ok(server.servedStreams <= 4, `${server.servedStreams}`);
  for (const connection of deaf) connection.close();
  server.close();
  await accepting;
});

Deno.test("a port where nobody listens fails the request", async () => {
  await assert.rejects(askOverStream(`127.0.0.1:${freePort()}`, new Uint8Array([1]), 5_000));
});

Deno.test("a taken port is one clear line with a remedy, for UDP and for TCP", () => {
  const port = freePort();
  const tcp = StreamServer.open(port);
  assert.throws(() => StreamServer.open(port), (error) => {
    assert(error instanceof UserError);
    assert.equal(error.message, `TCP port ${port} is in use on this host`);
    assert.match(error.remedy ?? "", /--gossip-port/);
    return true;
  });
  tcp.close();
  const udp = DatagramSocket.open(port);
  assert.throws(() => DatagramSocket.open(port), /UDP port \d+ is in use on this host/);
  udp.close();
});

Deno.test("datagrams arrive with their sender's endpoint, also the largest", async () => {
  const [first, second] = [freePort(), freePort()];
  const sender = DatagramSocket.open(first);
  const receiver = DatagramSocket.open(second);
  const arrived: [string, number][] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const receiving = receiver.receive((from, bytes) => {
    arrived.push([from, bytes.length]);
    if (arrived.length === 2) resolve();
  });
  sender.send(`127.0.0.1:${second}`, new Uint8Array(1));
  sender.send(`127.0.0.1:${second}`, new Uint8Array(65_507));
  await promise;
  arrived.sort((a, b) => a[1] - b[1]); // UDP promises no order
  assert.deepEqual(arrived, [[`127.0.0.1:${first}`, 1], [`127.0.0.1:${first}`, 65_507]]);
  sender.close();
  receiver.close();
  await receiving;
});

/** Where the machine has no IPv6 at all, nothing can be said of it. */
function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "a server of IPv6 serves it, and tells who comes over IPv4 why it is not let in",
  ignore: !hasIpv6(),
  fn: async () => {
    const port = freePort();
    const server = StreamServer.open(port, 6);
    const asked: string[] = [];
    const accepting = server.accept({
      request: (id, from) => {
        asked.push(from.replace(/:\d+$/, ""));
        server.answer(id, new Uint8Array([7]));
      },
    });
    const over = (host: string) => askOverStream(`${host}:${port}`, new Uint8Array([1]), 5_000);
    assert.deepEqual(await over("[::1]"), new Uint8Array([7]));
    assert.equal(readRefusal(await over("127.0.0.1"))?.reason, "other-family");
    assert.deepEqual(asked, ["[::1]"]);
    server.close();
    await accepting;
  },
});

Deno.test({
  name: "datagrams over IPv4 do not reach a socket of IPv6",
  ignore: !hasIpv6(),
  fn: async () => {
    const [port, ...others] = [freePort(), freePort(), freePort()];
    const receiver = DatagramSocket.open(port, 6);
    const senders = others.map((other, index) => DatagramSocket.open(other, index === 0 ? 4 : 6));
    const arrived: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const receiving = receiver.receive((from) => {
      arrived.push(from);
      if (from.startsWith("[::1]")) resolve();
    });
    senders[0]?.send(`127.0.0.1:${port}`, new Uint8Array(1));
    senders[1]?.send(`[::1]:${port}`, new Uint8Array(1));
    await promise;
    assert.deepEqual(arrived, [`[::1]:${others[1]}`]);
    for (const socket of [receiver, ...senders]) socket.close();
    await receiving;
  },
});
