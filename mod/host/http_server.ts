/**
 * A small HTTP/1.1 server for answers that anybody on the network may ask for. Written by hand, since what matters here is
 * what it refuses: it reads, has no bodies to take, and no client, however slow or many, holds the agent's files or time.
 *
 * Each connection takes one request and is closed after the answer: there is nothing to pipeline, smuggle or keep open.
 */
import type { HttpPlace } from "./http_place.ts";
import { type HttpRequest, parseHead } from "./http_request.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpLimits {
  /**
   * Connections at once. For a further one the oldest is closed that has not asked yet or has its answer, or else the oldest
   * of all: whoever asks at once is served, however many hold connections. A browser opens six, a monitoring system one.
   */
  readonly connectionsMax: number;
  /** From the first byte of the connection to the end of the request's head, and then for the answer to be taken. */
  readonly requestMsMax: number;
  readonly answerMsMax: number;
}

export const HTTP_LIMITS: HttpLimits = {
  connectionsMax: 64,
  requestMsMax: 5_000,
  answerMsMax: 15_000,
};

/** Bytes of a request's line and headers: browsers send below 2,000. */
const HEAD_BYTES_MAX = 8_192;
/** After the answer, so long the client may take to close; what it still sends meanwhile is read and thrown away. */
const LINGER_MS_MAX = 1_000;
const LINGER_BYTES_MAX = 65_536;
/** When the process is out of file descriptors, accept(2) fails at once each time. */
const ACCEPT_RETRY_MS = 200;

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  304: "Not Modified",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

type Connection = Deno.Conn<Deno.NetAddr | Deno.UnixAddr>;

export class HttpServer {
  readonly #listener: Deno.Listener;
  readonly #place: HttpPlace;
  readonly #answer: (request: HttpRequest) => HttpAnswer;
  readonly #limits: HttpLimits;
  /** The oldest first; and whether it is being answered. */
  readonly #connections = new Map<Connection, boolean>();
  readonly #accepting: Promise<void>;
  #isClosed = false;

  /** Listens. `answer` must not wait; what it throws is answered with 500. Throws what the kernel says. */
  constructor(
    place: HttpPlace,
    answer: (request: HttpRequest) => HttpAnswer,
    limits: HttpLimits = HTTP_LIMITS,
  ) {
    this.#place = place;
    this.#answer = answer;
    this.#limits = limits;
    this.#listener = listen(place);
    this.#accepting = this.#accept();
  }

  /** The TCP port, which the kernel chose if 0 was asked for; 0 on a unix socket. */
  get port(): number {
    const { addr } = this.#listener;
    return "port" in addr ? addr.port : 0;
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listener.close();
    for (const connection of this.#connections.keys()) close(connection);
    await this.#accepting;
    if (this.#place.kind === "unix") removeSocket(this.#place.path);
  }

  async #accept(): Promise<void> {
    while (!this.#isClosed) {
      let connection: Connection;
      try {
        connection = await this.#listener.accept() as Connection;
      } catch {
        if (this.#isClosed) return;
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
        continue;
      }
      if (this.#connections.size >= this.#limits.connectionsMax) this.#closeOne();
      void this.#serve(connection);
    }
  }

  #closeOne(): void {
    const all = [...this.#connections];
    const [victim] = all.find(([, isAnswered]) => !isAnswered) ?? all[0] ?? [];
    if (victim === undefined) return;
    this.#connections.delete(victim);
    close(victim);
  }

  /** Never rejects: clients that break off are none of the agent's business. */
  async #serve(connection: Connection): Promise<void> {
    this.#connections.set(connection, false);
    try {
      const request = await within(connection, this.#limits.requestMsMax, () => head(connection));
      if (request === null) return;
      this.#connections.set(connection, true);
      const bytes = answerBytes(request, this.#answerTo(request));
      await within(connection, this.#limits.answerMsMax, () => writeAll(connection, bytes));
      this.#connections.set(connection, false);
      await within(connection, LINGER_MS_MAX, () => linger(connection));
    } catch {
      // It went away, or was closed for being slow.
    } finally {
      this.#connections.delete(connection);
      close(connection);
    }
  }

  #answerTo(request: HttpRequest | HttpAnswer): HttpAnswer {
    if ("status" in request) return request;
    try {
      return this.#answer(request);
    } catch {
      return textAnswer(
        500,
        "the agent could not make this answer; its log and status may say why",
      );
    }
  }
}

/** A line of text. */
export function textAnswer(
  status: number,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const type = { "Content-Type": "text/plain; charset=utf-8" };
  return { status, headers: { ...type, ...headers }, body: `${line}\n` };
}

function listen(place: HttpPlace): Deno.Listener {
  if (place.kind === "tcp") {
    return Deno.listen({ transport: "tcp", hostname: place.address, port: place.port });
  }
  const umask = Deno.umask(0o177); // 0600 from its first moment
  try {
    return Deno.listen({ transport: "unix", path: place.path });
  } finally {
    Deno.umask(umask);
  }
}

/** The request, the answer to something that is none, or null when the client sent nothing. */
async function head(connection: Connection): Promise<HttpRequest | HttpAnswer | null> {
  const bytes = new Uint8Array(HEAD_BYTES_MAX);
  let filled = 0;
  const decoder = new TextDecoder("latin1"); // RFC 9112: octets beyond ASCII mean nothing in a head
  while (filled < bytes.length) {
    const count = await connection.read(bytes.subarray(filled));
    if (count === null) return filled === 0 ? null : textAnswer(400, "the request breaks off");
    const from = Math.max(0, filled - 3);
    filled += count;
    const end = decoder.decode(bytes.subarray(from, filled)).indexOf("\r\n\r\n");
    if (end < 0) continue;
    const parsed = parseHead(decoder.decode(bytes.subarray(0, from + end)));
    return typeof parsed === "string" ? textAnswer(400, parsed) : parsed;
  }
  return textAnswer(431, `the request's head is longer than ${HEAD_BYTES_MAX} bytes`);
}

function answerBytes(request: HttpRequest | HttpAnswer, answer: HttpAnswer): Uint8Array {
  const body = new TextEncoder().encode(answer.body);
  const lines = [
    `HTTP/1.1 ${answer.status} ${REASONS[answer.status] ?? "Unknown"}`,
    `Date: ${new Date().toUTCString()}`,
    `Content-Length: ${body.length}`,
    "Connection: close",
    ...Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const first = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
  const hasBody = !("method" in request && request.method === "HEAD") && answer.status !== 304;
  const bytes = new Uint8Array(first.length + (hasBody ? body.length : 0));
  bytes.set(first);
  if (hasBody) bytes.set(body, first.length);
  return bytes;
}

async function writeAll(connection: Connection, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
  await connection.closeWrite();
}

/** Closing with unread input would reset the connection, and the client might lose its answer. */
async function linger(connection: Connection): Promise<void> {
  const buffer = new Uint8Array(4_096);
  for (let bytes = 0; bytes < LINGER_BYTES_MAX;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    bytes += count;
  }
}

/** Closes the connection, which ends `work`, when it takes longer. */
async function within<T>(
  connection: Connection,
  msMax: number,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => close(connection), msMax);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

function close(connection: Connection): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}

function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Somebody was quicker.
  }
}
