/** The gossip transport of a host: datagrams and streams on one port, as a core's driver needs them. */
import { systemReasonOf } from "../base/errors.ts";
import type { Endpoint } from "../base/core.ts";
import { DatagramSocket } from "./datagrams.ts";
import { askOverStream, StreamServer } from "./streams.ts";

/** What arrives. Each call becomes one input of the core. */
export interface Arrivals {
  packet(from: Endpoint, bytes: Uint8Array): void;
  request(id: number, from: Endpoint, bytes: Uint8Array): void;
  answer(id: number, bytes: Uint8Array): void;
  failed(id: number, reason: string): void;
}

export class Transport {
  readonly #datagrams: DatagramSocket;
  readonly #streams: StreamServer;
  #arrivals: Arrivals | null = null;
  #received: Promise<unknown> = Promise.resolve();

  constructor(datagrams: DatagramSocket, streams: StreamServer) {
    this.#datagrams = datagrams;
    this.#streams = streams;
  }

  /** Binds UDP and TCP. Throws UserError when either is taken. */
  static open(port: number, family: 4 | 6 = 4): Transport {
    const datagrams = DatagramSocket.open(port, family);
    try {
      return new Transport(datagrams, StreamServer.open(port, family));
    } catch (error) {
      datagrams.close();
      throw error;
    }
  }

  /** Starts to deliver. */
  start(arrivals: Arrivals): void {
    this.#arrivals = arrivals;
    this.#received = Promise.all([
      this.#datagrams.receive((from, bytes) => arrivals.packet(from, bytes)),
      this.#streams.accept(arrivals),
    ]);
  }

  send(to: Endpoint, bytes: Uint8Array): void {
    this.#datagrams.send(to, bytes);
  }

  /** Asks over a stream; the outcome arrives as `answer` or `failed`. */
  request(id: number, to: Endpoint, bytes: Uint8Array, timeoutMs: number): void {
    askOverStream(to, bytes, timeoutMs).then(
      (answer) => this.#arrivals?.answer(id, answer),
      (error) => this.#arrivals?.failed(id, systemReasonOf(error)),
    );
  }

  answer(id: number, bytes: Uint8Array): void {
    this.#streams.answer(id, bytes);
  }

  /** Nothing is delivered from now on; the ports are free for others when it settles. */
  async close(): Promise<void> {
    this.#arrivals = null;
    this.#datagrams.close();
    this.#streams.close();
    await this.#received;
  }
}
