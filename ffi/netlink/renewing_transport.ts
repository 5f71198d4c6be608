/**
 * A transport that outlives its socket: when a call fails in a way that is the socket's fault and not the kernel's
 * answer, the socket is closed, the call fails, and the next one gets a fresh socket. Nothing is repeated: whoever asked
 * cannot know what was done, and has to look.
 */
import { NetlinkError, NetlinkFormatError } from "./error.ts";
import type { NetlinkMessage } from "./message.ts";
import type { NetlinkReply, NetlinkRequest, NetlinkTransport } from "./transport.ts";

/** Opens a socket, with the port id of the one before where that can be had. */
export type TransportOpener = (portWanted: number) => NetlinkTransport;

export class RenewingTransport implements NetlinkTransport {
  readonly #open: TransportOpener;
  #current: NetlinkTransport | null;
  #port: number;
  #isClosed = false;

  /** Throws what `open` throws. */
  constructor(open: TransportOpener) {
    this.#open = open;
    this.#current = open(0);
    this.#port = this.#current.port;
  }

  get port(): number {
    return this.#port;
  }

  request(requests: readonly NetlinkRequest[]): NetlinkReply[] {
    return this.#try((transport) => transport.request(requests));
  }

  async requestLater(requests: Iterable<NetlinkRequest>): Promise<NetlinkReply[]> {
    const transport = this.#transport();
    try {
      return await transport.requestLater(requests);
    } catch (error) {
      this.#drop(transport, error);
      throw error;
    }
  }

  dump(request: NetlinkRequest): NetlinkMessage[] {
    return this.#try((transport) => transport.dump(request));
  }

  close(): void {
    this.#isClosed = true;
    this.#current?.close();
    this.#current = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #try<T>(work: (transport: NetlinkTransport) => T): T {
    const transport = this.#transport();
    try {
      return work(transport);
    } catch (error) {
      this.#drop(transport, error);
      throw error;
    }
  }

  #transport(): NetlinkTransport {
    if (this.#isClosed) throw new Error("This netlink socket is closed");
    if (this.#current === null) {
      this.#current = this.#open(this.#port);
      this.#port = this.#current.port;
    }
    return this.#current;
  }

  /** The kernel's own answers say nothing against the socket; bytes that make no sense do. */
  #drop(transport: NetlinkTransport, error: unknown): void {
    const isAnswer = error instanceof NetlinkError && !(error instanceof NetlinkFormatError);
    if (isAnswer || this.#current !== transport) return;
    this.#current = null;
    transport.close();
  }
}
