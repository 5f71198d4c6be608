/** Datagrams to and from the kernel: what a conversation needs of a socket, and no more. */

/** A way to exchange netlink datagrams. */
export interface Datagrams {
  /** Our port id. */
  readonly port: number;
  /** Sends one datagram: a view on a pinned buffer, whose bytes are not needed afterwards. */
  send(bytes: Uint8Array<ArrayBuffer>, op: string): void;
  /**
   * As `send`, while the caller does other work; the bytes must stay as they are until it settles.
   * Rejects when the datagram did not go.
   */
  sendLater(bytes: Uint8Array<ArrayBuffer>, op: string): Promise<void>;
  /**
   * The next datagram, a copy of the caller's own, or a positive error number: EAGAIN when none
   * came (at once without `wait`, else after a time limit), ENOBUFS when some were lost.
   */
  receive(wait: boolean): Uint8Array | number;
  close(): void;
}
