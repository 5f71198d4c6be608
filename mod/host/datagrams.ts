/** Gossip datagrams: the UDP half of the transport. */
import { reasonOf, UserError } from "../base/errors.ts";
import type { Endpoint } from "../base/core.ts";
import { anyAddress, formatEndpoint, isOfFamily, splitEndpoint } from "./endpoint.ts";
import { startTimer } from "./timer.ts";

/** The largest datagram UDP can bring, which IPv4 limits most, so that an oversized one arrives whole and is refused. */
const DATAGRAM_BYTES_MAX = 65_507;

/** A bound UDP socket that hands every datagram to a callback. */
export class DatagramSocket {
  readonly #socket: Deno.DatagramConn;
  readonly #family: 4 | 6;
  #closed = false;
  /** Datagrams the kernel would not take: no route, buffer full. UDP may lose; the protocol copes. */
  refused = 0;

  constructor(socket: Deno.DatagramConn, family: 4 | 6) {
    this.#socket = socket;
    this.#family = family;
  }

  /** Binds to every address of the family. Throws UserError when the port is taken. */
  static open(port: number, family: 4 | 6 = 4): DatagramSocket {
    const hostname = anyAddress(family);
    try {
      return new DatagramSocket(
        Deno.listenDatagram({ transport: "udp", hostname, port, reuseAddress: false }),
        family,
      );
    } catch (error) {
      throw portError("UDP", port, error);
    }
  }

  /** Calls back for each datagram until {@linkcode close}. The bytes are the callback's own copy. */
  async receive(arrived: (from: Endpoint, bytes: Uint8Array) => void): Promise<void> {
    const buffer = new Uint8Array(new ArrayBuffer(DATAGRAM_BYTES_MAX + 1));
    while (!this.#closed) {
      let received: [Uint8Array, Deno.Addr];
      try {
        received = await this.#socket.receive(buffer);
      } catch {
        // An ICMP error of an earlier send surfaces here (ECONNREFUSED); only a closed socket ends the loop.
        if (this.#closed) return;
        await new Promise<void>((resolve) => startTimer(resolve, 1));
        continue;
      }
      const [bytes, from] = received;
      if (from.transport === "udp" && isOfFamily(from.hostname, this.#family)) {
        arrived(formatEndpoint(from.hostname, from.port), bytes.slice());
      }
    }
  }

  /** Sends and forgets. */
  send(to: Endpoint, bytes: Uint8Array): void {
    const { hostname, port } = splitEndpoint(to);
    this.#socket.send(bytes, { transport: "udp", hostname, port }).catch(() => {
      this.refused++;
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }
}

/** The clear line for a port that cannot be bound. */
export function portError(protocol: "UDP" | "TCP", port: number, cause: unknown): UserError {
  if (cause instanceof Deno.errors.AddrInUse) {
    return new UserError(`${protocol} port ${port} is in use on this host`, {
      remedy: `stop the program that uses it (ss -lnp 'sport = :${port}' names it), ` +
        "or choose another port with --gossip-port on this host",
      cause,
    });
  }
  const reason = reasonOf(cause);
  return new UserError(`${protocol} port ${port} cannot be opened: ${reason}`, {
    remedy: "choose another port with --gossip-port",
    cause,
  });
}
