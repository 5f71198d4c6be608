/**
 * A kernel in memory that speaks netlink messages: request messages in, reply messages out. It
 * takes the place of the socket in tests of everything above, keeps links, addresses, routes,
 * neighbours and forwarding entries of one namespace with the errors the real one gives, and fails
 * on request. A kernel test compares it with the real one.
 */
import { ERRNO } from "./errno.ts";
import { AddressTable } from "./fake/address_table.ts";
import { type Entry, type Notice, Refusal } from "./fake/entry.ts";
import { LinkTable } from "./fake/link_table.ts";
import { deviceOf, ForwardingTable, isForwarding, NeighbourTable } from "./fake/neighbour_table.ts";
import { RouteTable } from "./fake/route_table.ts";
import { DUMP_ATTEMPTS } from "./netlink/conversation.ts";
import { NetlinkError, NetlinkFormatError } from "./netlink/error.ts";
import type { NetlinkMessage } from "./netlink/message.ts";
import {
  describe,
  type NetlinkReply,
  type NetlinkRequest,
  type NetlinkTransport,
} from "./netlink/transport.ts";
import { RTM } from "./route/family.ts";
import { decodeEvent, type MonitorEvent } from "./route/monitor.ts";

/** A failure to come. */
export interface InjectedFailure {
  readonly errno: number;
  readonly extack?: string;
  /** Which of the requests that match fails, counted from 1; the first by default. */
  readonly nth?: number;
  /** Which requests count; all by default. */
  readonly matches?: (request: NetlinkRequest) => boolean;
}

/** A monitor of the fake kernel, with the shape of route/monitor.ts RouteMonitor. */
export interface FakeMonitor {
  readonly done: Promise<void>;
  close(): void;
}

/** One namespace's tables, and the transport to them. */
export class FakeKernel implements NetlinkTransport {
  readonly port: number = 1;
  /** Every request that came in, for assertions. */
  readonly requests: NetlinkRequest[] = [];
  readonly #notices: Notice[] = [];
  #announced = false;
  readonly #links = new LinkTable((type, entry) => this.#notify(type, entry));
  readonly #addresses = new AddressTable((type, entry) => this.#notify(type, entry));
  readonly #neighbours = new NeighbourTable((type, entry) => this.#notify(type, entry));
  readonly #forwarding = new ForwardingTable((type, entry) => this.#notify(type, entry));
  readonly #routes = new RouteTable((type, entry) => this.#notify(type, entry), {
    link: (index) => this.#links.get(index),
    addressesOf: (index) => this.#addresses.of(index),
  });
  readonly #monitors = new Set<(events: MonitorEvent[]) => void>();
  #failures: { failure: InjectedFailure; seen: number }[] = [];
  #tornDumps = 0;
  #overruns = 0;
  #sequence = 0;
  #closed = false;

  /** Makes a later request fail. Several may wait; each fires once. */
  failRequest(failure: InjectedFailure): void {
    this.#failures.push({ failure, seen: 0 });
  }

  /** Marks the next `attempts` attempts at a dump as torn (NLM_F_DUMP_INTR). */
  tearDumps(attempts: number): void {
    this.#tornDumps = attempts;
  }

  /** Loses the replies of the next `calls` calls: what they ask for is done all the same. */
  loseReplies(calls: number): void {
    this.#overruns = calls;
  }

  /** Tells all monitors that notifications were lost. */
  overrunMonitors(): void {
    for (const onEvents of this.#monitors) {
      queueMicrotask(() => onEvents([{ kind: "overrun", reason: "injected" }]));
    }
  }

  request(requests: readonly NetlinkRequest[]): NetlinkReply[] {
    this.#checkOpen();
    const replies = requests.map((request) => this.#answer(request));
    this.#loseIfAsked(`${requests.length} requests`);
    return replies;
  }

  async requestLater(requests: Iterable<NetlinkRequest>): Promise<NetlinkReply[]> {
    await Promise.resolve();
    return this.request([...requests]);
  }

  dump(request: NetlinkRequest): NetlinkMessage[] {
    this.#checkOpen();
    this.requests.push(request);
    this.#sequence++;
    const op = describe(request);
    this.#loseIfAsked(op);
    const torn = Math.min(this.#tornDumps, DUMP_ATTEMPTS);
    this.#tornDumps -= torn;
    if (torn === DUMP_ATTEMPTS) throw this.#error(op, ERRNO.EINTR, "the table kept changing");
    try {
      this.#failIfAsked(request);
      return this.#dumpPayloads(request).map((payload) => this.#message(request.type - 2, payload));
    } catch (error) {
      throw this.#errorOf(op, error);
    }
  }

  /** A subscription like route/monitor.ts openMonitor; events come in a later microtask. */
  openMonitor(onEvents: (events: MonitorEvent[]) => void): FakeMonitor {
    this.#monitors.add(onEvents);
    const { promise, resolve } = Promise.withResolvers<void>();
    const close = () => {
      this.#monitors.delete(onEvents);
      resolve();
    };
    return { done: promise, close };
  }

  close(): void {
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error("This netlink socket is closed");
  }

  #message(type: number, payload: Uint8Array): NetlinkMessage {
    return { type, flags: 0, sequence: this.#sequence, port: this.port, payload };
  }

  #error(op: string, errno: number, extack: string | null): NetlinkError {
    return new NetlinkError(op, errno, { sequence: this.#sequence, extack });
  }

  #errorOf(op: string, error: unknown): unknown {
    if (error instanceof Refusal) return this.#error(op, error.errno, error.extack);
    // The real kernel answers bytes it cannot parse with EINVAL.
    if (error instanceof NetlinkFormatError) return this.#error(op, ERRNO.EINVAL, error.message);
    return error;
  }

  #loseIfAsked(op: string): void {
    if (this.#overruns === 0) return;
    this.#overruns--;
    throw new NetlinkError(op, ERRNO.ENOBUFS, { sequence: 0, extack: "replies were lost" });
  }

  #failIfAsked(request: NetlinkRequest): void {
    for (const waiting of this.#failures) {
      const { failure } = waiting;
      if (failure.matches?.(request) === false) continue;
      waiting.seen++;
      if (waiting.seen !== (failure.nth ?? 1)) continue;
      this.#failures = this.#failures.filter((other) => other !== waiting);
      throw new Refusal(failure.errno, failure.extack ?? null);
    }
  }

  #answer(request: NetlinkRequest): NetlinkReply {
    this.requests.push(request);
    this.#sequence++;
    try {
      this.#failIfAsked(request);
      const payload = this.#perform(request);
      const messages = payload === null ? [] : [this.#message(request.type - 2, payload)];
      return { error: null, messages };
    } catch (error) {
      const refused = this.#errorOf(describe(request), error);
      if (!(refused instanceof NetlinkError)) throw refused;
      return { error: refused, messages: [] };
    }
  }

  /** Does what a request says; returns the reply's payload if it has one. */
  #perform(request: NetlinkRequest): Uint8Array | null {
    switch (request.type) {
      case RTM.NEWLINK:
        this.#links.add(request);
        return null;
      case RTM.SETLINK:
        this.#linkChanged(this.#links.set(request));
        return null;
      case RTM.DELLINK:
        for (const index of this.#links.delete(request)) this.#linkGone(index);
        return null;
      case RTM.GETLINK:
        return this.#links.show(request, false)[0] ?? null;
      case RTM.GETROUTE:
        return this.#routes.get(request);
      case RTM.NEWADDR:
      case RTM.DELADDR:
        this.#changeAddress(request);
        return null;
      case RTM.NEWROUTE:
        this.#routes.add(request);
        return null;
      case RTM.DELROUTE:
        this.#routes.delete(request);
        return null;
      case RTM.NEWNEIGH:
      case RTM.DELNEIGH:
        this.#changeNeighbour(request);
        return null;
      default:
        throw new Refusal(ERRNO.EOPNOTSUPP);
    }
  }

  #dumpPayloads(request: NetlinkRequest): Uint8Array[] {
    switch (request.type) {
      case RTM.GETLINK:
        return this.#links.show(request, true);
      case RTM.GETADDR:
        return this.#addresses.show(request);
      case RTM.GETROUTE:
        return this.#routes.show(request);
      case RTM.GETNEIGH:
        return isForwarding(request)
          ? this.#forwarding.show(request)
          : this.#neighbours.show(request);
      default:
        throw new Refusal(ERRNO.EOPNOTSUPP);
    }
  }

  #linkChanged(index: number): void {
    if (this.#links.get(index)?.up !== true) {
      this.#routes.deleteOf(index);
      this.#neighbours.deleteOf(index); // permanent ones too; forwarding entries stay
    }
    this.#routes.connect(index);
  }

  #linkGone(index: number): void {
    this.#routes.deleteOf(index);
    this.#neighbours.deleteOf(index);
    this.#forwarding.deleteOf(index);
    this.#addresses.deleteOf(index);
  }

  #changeAddress(request: NetlinkRequest): void {
    const index = new DataView(request.payload.slice().buffer).getUint32(4, true);
    if (this.#links.get(index) === null) throw new Refusal(ERRNO.ENODEV, "ipv4: Device not found");
    if (request.type === RTM.NEWADDR) this.#addresses.add(request);
    else this.#addresses.delete(request);
    this.#routes.connect(index);
  }

  #changeNeighbour(request: NetlinkRequest): void {
    const link = this.#links.get(deviceOf(request));
    if (link === null) throw new Refusal(ERRNO.ENODEV);
    const forwarding = isForwarding(request);
    if (forwarding && link.kind !== "vxlan") throw new Refusal(ERRNO.EOPNOTSUPP);
    const table = forwarding ? this.#forwarding : this.#neighbours;
    if (request.type === RTM.NEWNEIGH) table.add(request);
    else table.delete(request);
  }

  #notify(type: number, entry: Entry): void {
    this.#notices.push({ type, payload: entry.encode() });
    if (this.#announced) return;
    this.#announced = true;
    queueMicrotask(() => this.#deliver());
  }

  /** Hands everything that was noticed since the last time to every monitor. */
  #deliver(): void {
    this.#announced = false;
    const events = this.#notices.splice(0)
      .map(({ type, payload }) => decodeEvent(this.#message(type, payload)))
      .filter((event) => event !== null);
    for (const onEvents of this.#monitors) onEvents([...events]);
  }
}
