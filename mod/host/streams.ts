/** Gossip streams: the TCP half of the transport. Each carries one request frame and one answer frame. */
import type { Endpoint } from "../base/core.ts";
import { FRAME_BYTES_MAX } from "../base/limits.ts";
import { encodeRefusal } from "../wire/refusal.ts";
import { readFrame, writeFrame } from "./frames.ts";
import { portError } from "./datagrams.ts";
import { anyAddress, formatEndpoint, isOfFamily, splitEndpoint } from "./endpoint.ts";
import { startTimer } from "./timer.ts";

/**
 * Streams served at once, as many as memberlist's concurrent push/pulls. One more closes the one that has kept us waiting
 * for its request longest, so that streams which say nothing cannot keep anybody from joining.
 */
const SERVED_MAX = 128;
/**
 * Bytes of requests that are still arriving, of all streams together: nobody knows yet whether they come from a stranger.
 * Syncs of the largest cluster have 1.2 MB, nearly all have less than a kilobyte.
 */
export const ARRIVING_BYTES_MAX = 4 * FRAME_BYTES_MAX;
/** How long a peer may take for its request, and we for the answer: memberlist's TCPTimeout for LANs. */
const SERVED_TIMEOUT_MS = 10_000;

/** A stream from its beginning to its end. */
interface Served {
  readonly close: () => void;
  /** Of its request; 0 when that is here. */
  arrivingBytes: number;
  isAsking: boolean;
}

export interface StreamHandlers {
  /** A peer asks; answer with {@linkcode StreamServer.answer} of the same id. */
  request(id: number, from: Endpoint, bytes: Uint8Array): void;
}

/** Accepts streams and keeps them open until they are answered or too old. */
export class StreamServer {
  readonly #listener: Deno.TcpListener;
  readonly #family: 4 | 6;
  readonly #servedMax: number;
  readonly #waiting = new Map<number, (bytes: Uint8Array) => void>();
  /** Oldest first. */
  readonly #served = new Map<number, Served>();
  #nextId = 1;
  #closed = false;

  constructor(listener: Deno.TcpListener, family: 4 | 6, servedMax: number) {
    this.#listener = listener;
    this.#family = family;
    this.#servedMax = servedMax;
  }

  /** Binds to every address of the family. Throws UserError when the port is taken. Fewer streams are served only in tests. */
  static open(port: number, family: 4 | 6 = 4, servedMax = SERVED_MAX): StreamServer {
    try {
      const listener = Deno.listen({ transport: "tcp", hostname: anyAddress(family), port });
      return new StreamServer(listener, family, servedMax);
    } catch (error) {
      throw portError("TCP", port, error);
    }
  }

  async accept(handlers: StreamHandlers): Promise<void> {
    while (!this.#closed) {
      let connection: Deno.TcpConn;
      try {
        connection = await this.#listener.accept();
      } catch {
        if (this.#closed) return;
        await new Promise<void>((resolve) => startTimer(resolve, 10)); // out of descriptors: try again soon
        continue;
      }
      this.#makeRoom();
      void this.#serve(connection, handlers);
    }
  }

  /** Answers a request and closes its stream; an id that is gone (too late) is ignored. */
  answer(id: number, bytes: Uint8Array): void {
    this.#waiting.get(id)?.(bytes);
  }

  close(): void {
    this.#closed = true;
    this.#listener.close();
  }

  /** Streams that are neither answered nor closed. */
  get servedStreams(): number {
    return this.#served.size;
  }

  /** Bytes of requests that are still arriving; at most {@linkcode ARRIVING_BYTES_MAX}. */
  get arrivingBytes(): number {
    let bytes = 0;
    for (const { arrivingBytes } of this.#served.values()) bytes += arrivingBytes;
    return bytes;
  }

  /** Those that do not read their answer go last: they may be slow. */
  #makeRoom(): void {
    if (this.#served.size < this.#servedMax) return;
    const served = [...this.#served];
    const oldest = served.find(([, { isAsking }]) => isAsking) ?? served[0];
    if (oldest !== undefined) this.#drop(...oldest);
  }

  /** Before a part of a request is read: when there is too much of all, the stream that holds most has to go. */
  #arriving(served: Served, bytes: number): void {
    served.arrivingBytes += bytes;
    while (this.arrivingBytes > ARRIVING_BYTES_MAX) {
      const [largest] = [...this.#served].sort(([, one], [, other]) =>
        other.arrivingBytes - one.arrivingBytes
      );
      if (largest === undefined) return;
      this.#drop(...largest);
    }
  }

  #drop(id: number, { close }: Served): void {
    this.#served.delete(id);
    close();
  }

  async #serve(connection: Deno.TcpConn, handlers: StreamHandlers): Promise<void> {
    const id = this.#nextId++;
    const close = closeAfter(connection, SERVED_TIMEOUT_MS);
    const served: Served = { close, arrivingBytes: 0, isAsking: true };
    this.#served.set(id, served);
    try {
      const bytes = await readFrame(connection, (count) => this.#arriving(served, count));
      served.isAsking = false;
      served.arrivingBytes = 0;
      if (!isOfFamily(connection.remoteAddr.hostname, this.#family)) {
        return await writeFrame(connection, encodeRefusal("other-family"));
      }
      const { promise, resolve } = Promise.withResolvers<Uint8Array>();
      this.#waiting.set(id, resolve);
      const cancelOverdue = startTimer(() => resolve(new Uint8Array(0)), SERVED_TIMEOUT_MS);
      const { hostname, port } = connection.remoteAddr;
      handlers.request(id, formatEndpoint(hostname, port), bytes);
      const answer = await promise;
      cancelOverdue();
      if (answer.length > 0) await writeFrame(connection, answer);
    } catch {
      // A broken or hostile stream: nothing to tell anybody; the peer sees it close.
    } finally {
      this.#served.delete(id);
      this.#waiting.delete(id);
      close();
    }
  }
}

/** Opens a stream, asks, and returns the answer. Throws when refused, cut or not done within `timeoutMs`. */
export async function askOverStream(
  to: Endpoint,
  bytes: Uint8Array,
  timeoutMs: number,
): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(timeoutMs);
  const connection = await connectWithin(to, signal);
  const closing = closeAfter(connection, timeoutMs);
  try {
    connection.setNoDelay(true);
    await writeFrame(connection, bytes);
    return await readFrame(connection);
  } catch (error) {
    if (signal.aborted) throw new Error(`no answer within ${timeoutMs} ms`, { cause: error });
    throw error;
  } finally {
    closing();
  }
}

/** Connects, or gives up when the signal aborts; a connection that comes later is closed. */
async function connectWithin(to: Endpoint, signal: AbortSignal): Promise<Deno.TcpConn> {
  const { hostname, port } = splitEndpoint(to);
  const connecting = Deno.connect({ transport: "tcp", hostname, port });
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new Error("no connection: the host does not answer"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([connecting, promise]);
  } catch (error) {
    connecting.then((late) => late.close(), () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Closes the connection now (by calling the result) or, at the latest, after the time given. */
function closeAfter(connection: Deno.TcpConn, timeoutMs: number): () => void {
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    cancel();
    connection.close();
  };
  const cancel = startTimer(close, timeoutMs);
  return close;
}
