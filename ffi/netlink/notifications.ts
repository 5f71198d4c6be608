/**
 * Notifications of what changes in the kernel's tables (netlink multicast groups), of any netlink protocol. Waiting is a poll(2)
 * on a pool thread, so the event loop stays free; reading is done here, without blocking, until nothing is left, and all of it
 * is handed over in one call.
 */
import { pinnedBytes, viewOf } from "../bytes.ts";
import { type BpfInstruction, setSocketFilter } from "../bpf.ts";
import { ERRNO, SysError } from "../errno.ts";
import { check, libc } from "../libc.ts";
import { closeDescriptor, MSG_DONTWAIT, receiveBytes } from "../socket.ts";
import { bindNetlink } from "./socket.ts";

const RECEIVE_BYTES = 64 * 1024;
const POLLIN = 1;
/** Bytes of struct pollfd: fd, events, revents. */
const POLLFD_BYTES = 8;
const EFD_CLOEXEC = 0o2000000;
const FOR_EVER = -1;
/** Datagrams read before their events are handed over: about 50 ms of work for the event loop. */
const READS_PER_CALL = 4096;
/** A poll that fails this often in a row (EINTR, ENOMEM) is not going to succeed. */
const POLL_FAILURES_MAX = 16;

/** Where notifications come from and go to. */
export interface NotificationSource<Event> {
  readonly protocol: number;
  /** Multicast groups as bits of nl_groups: the bit is the group's number - 1. */
  readonly groups: number;
  /** The events of one datagram. */
  readonly decode: (datagram: Uint8Array) => Event[];
  /** The event that says that some are missing. */
  readonly overrun: (reason: string) => Event;
  /** Gets everything that one wake-up found. An exception of it ends the notifications and rejects `done`. */
  readonly onEvents: (events: Event[]) => void;
}

/** A running subscription, in the network namespace in which it was made. */
export class Notifications<Event> {
  /** Settles when it has ended: resolves after close(), rejects when it failed. */
  readonly done: Promise<void>;
  readonly #netlinkFd: number;
  readonly #wakeFd: number;
  readonly #source: NotificationSource<Event>;
  readonly #receive = pinnedBytes(RECEIVE_BYTES);
  /** Two struct pollfd; reachable from here for as long as the pool thread polls. */
  readonly #pollfds = pinnedBytes(2 * POLLFD_BYTES);
  #held: PromiseWithResolvers<void> | null = null;
  #closing = false;
  #pollFailures = 0;
  #ended = false;

  /** Throws SysError. */
  constructor(source: NotificationSource<Event>) {
    this.#source = source;
    this.#wakeFd = check("create an eventfd", libc().eventfd(0, EFD_CLOEXEC));
    try {
      this.#netlinkFd = bindNetlink(source.protocol, source.groups).fd;
    } catch (error) {
      closeDescriptor(this.#wakeFd);
      throw error;
    }
    this.done = this.#run();
  }

  /** Ends it: no callback comes after this. Its descriptors are shut when `done` is. */
  close(): void {
    if (this.#closing || this.#ended) return;
    this.#closing = true;
    this.release();
    const one = pinnedBytes(8);
    viewOf(one).setBigUint64(0, 1n, true);
    libc().write(this.#wakeFd, one, 8n);
  }

  /** Notifications stay in the socket until the release; should it overflow, that is told as ever. */
  hold(): void {
    this.#held ??= Promise.withResolvers<void>();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = null;
  }

  /** Has the kernel keep to itself what the program drops; where it cannot, all of it comes as before. */
  protected filter(program: readonly BpfInstruction[]): void {
    if (!this.#closing && !this.#ended) setSocketFilter(this.#netlinkFd, program);
  }

  async #run(): Promise<void> {
    try {
      while (!this.#closing) {
        await this.#wait();
        if (this.#held !== null) await this.#held.promise;
        if (this.#closing) break;
        const events = this.#drain();
        if (events.length > 0) this.#source.onEvents(events);
      }
    } finally {
      this.#ended = true;
      closeDescriptor(this.#netlinkFd);
      closeDescriptor(this.#wakeFd);
    }
  }

  /** Waits until a notification or close() is there. */
  async #wait(): Promise<void> {
    const view = viewOf(this.#pollfds);
    for (const [index, fd] of [this.#netlinkFd, this.#wakeFd].entries()) {
      view.setInt32(index * POLLFD_BYTES, fd, true);
      view.setInt16(index * POLLFD_BYTES + 4, POLLIN, true);
      view.setInt16(index * POLLFD_BYTES + 6, 0, true);
    }
    // The pool thread's errno cannot be read. The read behind a failure finds nothing, or the
    // real error.
    const ready = await libc().poll_wait(this.#pollfds, 2n, FOR_EVER);
    this.#pollFailures = ready < 0 ? this.#pollFailures + 1 : 0;
    if (this.#pollFailures === POLL_FAILURES_MAX) {
      throw new Error(`Cannot wait for notifications: poll failed ${POLL_FAILURES_MAX} times`);
    }
  }

  /** Everything that is there now, up to a limit; what is left wakes the next wait at once. */
  #drain(): Event[] {
    const events: Event[] = [];
    for (let reads = 0; reads < READS_PER_CALL; reads++) {
      const length = receiveBytes(this.#netlinkFd, this.#receive, MSG_DONTWAIT);
      if (length === -ERRNO.EAGAIN) return events;
      if (length === -ERRNO.ENOBUFS) return [...events, this.#overrun()];
      if (length < 0) throw new SysError("receive notifications from the kernel", -length);
      if (length > this.#receive.length) {
        events.push(this.#source.overrun(`a notification of ${length} bytes was cut`));
      } else {
        events.push(...this.#source.decode(this.#receive.slice(0, length)));
      }
    }
    return events;
  }

  /**
   * Empties the socket. After an overflow the kernel drops every further notification, and says
   * nothing more of it, until the socket is empty (af_netlink.c NETLINK_S_CONGESTED): whoever
   * dumped before that would miss what is dropped after.
   */
  #overrun(): Event {
    for (;;) {
      const length = receiveBytes(this.#netlinkFd, this.#receive, MSG_DONTWAIT);
      if (length === -ERRNO.EAGAIN) break;
      if (length < 0 && length !== -ERRNO.ENOBUFS) {
        throw new SysError("receive notifications from the kernel", -length);
      }
    }
    return this.#source.overrun("the socket's receive buffer overflowed");
  }
}
