/** The small HTTP server: what it takes, what it refuses, and that nobody holds it up. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type HttpLimits, HttpServer, textAnswer } from "../../../mod/host/http_server.ts";
import { parseHead } from "../../../mod/host/http_request.ts";
import { isLocal, parseHttpPlace, placeText } from "../../../mod/host/http_place.ts";

const LOOPBACK = { kind: "tcp", address: "127.0.0.1", port: 0 } as const;

/** More than the buffers of both sockets hold, 4 and 6 MiB at most (tcp_wmem and tcp_rmem of ip-sysctl). */
const HUGE_BYTES = 12_000_000;

async function withServer(
  run: (port: number) => Promise<void>,
  limits: Partial<HttpLimits> = {},
): Promise<void> {
  const server = new HttpServer(LOOPBACK, ({ method, path, host }) => {
    if (path === "/fault") throw new Error("secret detail");
    const bytes = { "/big": 3_000_000, "/huge": HUGE_BYTES }[path];
    return textAnswer(200, bytes === undefined ? `${method} ${path} ${host}` : "x".repeat(bytes));
  }, { connectionsMax: 8, requestMsMax: 5_000, answerMsMax: 5_000, ...limits });
  try {
    await run(server.port);
  } finally {
    await server.close();
  }
}

async function open(port: number): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: "127.0.0.1", port });
}

/** Everything that comes until the server closes. */
async function readAll(connection: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(1_048_576);
  try {
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return text;
      text += new TextDecoder("latin1").decode(buffer.subarray(0, count));
    }
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return text;
    throw error;
  } finally {
    connection.close();
  }
}

async function ask(port: number, request: string): Promise<string> {
  const connection = await open(port);
  await connection.write(new TextEncoder().encode(request));
  return await readAll(connection);
}

Deno.test("a request is answered and the connection closed", async () => {
  await withServer(async (port) => {
    const answer = await ask(port, "GET /a?b=c HTTP/1.1\r\nHost: LOCALHOST:80\r\n\r\n");
    match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    match(answer, /\r\nConnection: close\r\n/);
    match(answer, /\r\n\r\nGET \/a localhost\n$/);
    const response = await fetch(`http://127.0.0.1:${port}/x`);
    equal(await response.text(), "GET /x 127.0.0.1\n");
  });
});

Deno.test("HEAD gets the length without the body", async () => {
  await withServer(async (port) => {
    const answer = await ask(port, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
    match(answer, /\r\nContent-Length: 10\r\n/);
    match(answer, /\r\n\r\n$/);
  });
});

Deno.test("a request that comes byte by byte is one request, a second one in it is not answered", async () => {
  await withServer(async (port) => {
    const connection = await open(port);
    for (const byte of new TextEncoder().encode("GET / HTTP/1.1\r\nHost: h\r\n\r\n")) {
      await connection.write(new Uint8Array([byte]));
    }
    match(await readAll(connection), /GET \/ h\n$/);
    const twice = "GET /one HTTP/1.1\r\nHost: h\r\n\r\n".repeat(2);
    equal((await ask(port, twice)).split("HTTP/1.1 200").length, 2);
  });
});

Deno.test("what is no request is refused, and a fault tells nothing of itself", async () => {
  await withServer(async (port) => {
    match(await ask(port, "nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
    match(await ask(port, `GET / HTTP/1.1\r\nX: ${"a".repeat(9_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
    const fault = await ask(port, "GET /fault HTTP/1.1\r\nHost: h\r\n\r\n");
    match(fault, /^HTTP\/1\.1 500 /);
    ok(!fault.includes("secret detail"));
    match(await ask(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), /^HTTP\/1\.1 200 /);
  });
});

Deno.test("clients that say nothing, or take nothing, are closed and make room", async () => {
  const limits = { connectionsMax: 2, requestMsMax: 300, answerMsMax: 300 };
  await withServer(async (port) => {
    const silent = [await open(port), await open(port)];
    deepEqual(await Promise.all(silent.map(readAll)), ["", ""]);
    const greedy = await open(port);
    await greedy.write(new TextEncoder().encode("GET /big HTTP/1.1\r\nHost: h\r\n\r\n"));
    // It does not read; another one is served meanwhile and after.
    match(await ask(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), /^HTTP\/1\.1 200 /);
    greedy.close();
  }, limits);
});

Deno.test("who asks is served, however many hold connections: the oldest silent one is closed", async () => {
  const limits = { connectionsMax: 4, requestMsMax: 60_000, answerMsMax: 60_000 };
  const request = (path: string) =>
    new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
  await withServer(async (port) => {
    const greedy = await open(port);
    await greedy.write(request("/huge")); // and does not read
    await greedy.read(new Uint8Array(1));
    const silent = [await open(port), await open(port), await open(port)];
    await silent[0]?.write(new TextEncoder().encode("GET "));
    match(await ask(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), /^HTTP\/1\.1 200 /);
    const [first, ...others] = silent;
    ok(first !== undefined);
    equal(await readAll(first), "");
    // The one that takes its answer slowly was not the victim, nor were the younger ones.
    equal((await readAll(greedy)).length > HUGE_BYTES, true);
    for (const one of others) {
      await one.write(request("/"));
      match(await readAll(one), /^HTTP\/1\.1 200 /);
    }
  }, limits);
});

Deno.test("when all are being answered, the oldest of them makes room", async () => {
  const limits = { connectionsMax: 2, requestMsMax: 60_000, answerMsMax: 60_000 };
  await withServer(async (port) => {
    const greedy = [await open(port), await open(port)];
    for (const one of greedy) {
      await one.write(new TextEncoder().encode("GET /huge HTTP/1.1\r\nHost: h\r\n\r\n"));
      await one.read(new Uint8Array(1));
    }
    match(await ask(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), /^HTTP\/1\.1 200 /);
    const lengths = (await Promise.all(greedy.map(readAll))).map(({ length }) => length);
    ok((lengths[0] ?? 0) < HUGE_BYTES && (lengths[1] ?? 0) > HUGE_BYTES, String(lengths));
  }, limits);
});

Deno.test("a unix socket is its owner's alone, and gone with the server", async () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/page.sock`;
  const server = new HttpServer({ kind: "unix", path }, () => textAnswer(200, "hello"));
  equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  const connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  match(await readAll(connection), /hello\n$/);
  await server.close();
  Deno.removeSync(folder); // fails if anything is left in it
});

Deno.test("heads of requests are read strictly", () => {
  const read = (text: string) => {
    const request = parseHead(text.replaceAll("\n", "\r\n"));
    return typeof request === "string"
      ? request
      : `${request.method} ${request.path} ${request.host}`;
  };
  equal(read("GET / HTTP/1.1\nHost: a.b:80"), "GET / a.b");
  equal(read("GET / HTTP/1.0"), "GET / ");
  equal(read("POST /x HTTP/1.1\nHost: [::1]:9000"), "POST /x [::1]");
  equal(read("GET http://Evil.example/p?q HTTP/1.1\nHost: localhost"), "GET /p evil.example");
  equal(read("GET //a/b HTTP/1.1\nHost: h"), "GET //a/b h");
  for (
    const text of [
      "GET / HTTP/1.1",
      "GET / HTTP/2\nHost: h",
      "GET x HTTP/1.1\nHost: h",
      "GET  / HTTP/1.1\nHost: h",
      "get / HTTP/1.1\nHost: h",
      "GET / HTTP/1.1\nHost : h",
      "GET / HTTP/1.1\nHost: h\n folded",
      "GET / HTTP/1.1\nHost: a\nHost: b",
      "GET / HTTP/1.1\nHost: a b",
      "GET / HTTP/1.1\nHost: a@b",
      "GET / HTTP/1.1\nHost:",
      "GET http://a@b/ HTTP/1.1\nHost: h",
      "GET /\u0000 HTTP/1.1\nHost: h",
    ]
  ) ok(!read(text).startsWith("GET"), text);
});

Deno.test("places are addresses with ports, or paths", () => {
  deepEqual(parseHttpPlace("0.0.0.0:65535"), { kind: "tcp", address: "0.0.0.0", port: 65535 });
  deepEqual(parseHttpPlace("[0:0::1]:80"), { kind: "tcp", address: "::1", port: 80 });
  deepEqual(parseHttpPlace("/run/a.sock"), { kind: "unix", path: "/run/a.sock" });
  const local = (text: string) => {
    const place = parseHttpPlace(text);
    return typeof place === "string" ? place : [isLocal(place), placeText(place)];
  };
  deepEqual(local("localhost:9000"), [true, "http://127.0.0.1:9000"]);
  deepEqual(local("127.3.2.1:9000"), [true, "http://127.3.2.1:9000"]);
  deepEqual(local("[::1]:9000"), [true, "http://[::1]:9000"]);
  deepEqual(local("[::]:9000"), [false, "http://[::]:9000"]);
  deepEqual(local("192.168.1.1:9000"), [false, "http://192.168.1.1:9000"]);
  for (
    const text of ["", "9000", ":9000", "a:9000", "1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", "::1:80"]
      .concat(
        "[::1]",
        "[fe80::1%eth0]:80",
        "127.0.0.1.evil:80",
        `/${"x".repeat(107)}`,
        "1.2.3.4:8o",
      )
  ) equal(typeof parseHttpPlace(text), "string", text);
});
