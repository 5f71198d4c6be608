/** Reads what has come in on a socket for ICMP echo: the replies to one identifier, and nothing else. */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { ERRNO, SysError } from "./errno.ts";
import { decodeEcho, type EchoReply } from "./echo_message.ts";
import { bytesToAddress } from "./inet.ts";
import { lastErrno, libc } from "./libc.ts";
import { MSG_DONTWAIT, MSG_TRUNC } from "./socket.ts";

/** What routers say about packets sent earlier, read from the socket once each. */
const REPORTED_ERRORS: ReadonlySet<number> = new Set([
  ERRNO.EINTR,
  ERRNO.EMSGSIZE,
  ERRNO.EPROTO,
  ERRNO.EACCES,
  ERRNO.EHOSTDOWN,
  ERRNO.EHOSTUNREACH,
  ERRNO.ENETUNREACH,
  ERRNO.ECONNREFUSED,
  ERRNO.EOPNOTSUPP,
]);

export class EchoReader {
  readonly #family: 4 | 6;
  readonly #identifier: number;
  readonly #receive: Uint8Array<ArrayBuffer>;
  readonly #from = pinnedBytes(28); // struct sockaddr_in6
  readonly #fromLength = pinnedBytes(4);

  /** @param capacity bytes of a reply that are kept; its payload is counted no further. */
  constructor(family: 4 | 6, identifier: number, capacity: number) {
    this.#family = family;
    this.#identifier = identifier;
    this.#receive = pinnedBytes(capacity);
  }

  /** The replies that have come in since the last call. Reported ICMP errors are skipped. Throws SysError. */
  read(fd: number): EchoReply[] {
    const replies: EchoReply[] = [];
    const buffer = this.#receive;
    const capacity = BigInt(buffer.length);
    const flags = MSG_DONTWAIT | MSG_TRUNC;
    for (;;) {
      viewOf(this.#fromLength).setUint32(0, this.#from.length, true);
      const length = Number(
        libc().recvfrom(fd, buffer, capacity, flags, this.#from, this.#fromLength),
      );
      if (length < 0) {
        const errno = lastErrno();
        if (errno === ERRNO.EAGAIN) return replies;
        if (REPORTED_ERRORS.has(errno)) continue;
        throw new SysError("receive ICMP echo replies", errno);
      }
      const packet = buffer.subarray(0, Math.min(length, buffer.length));
      const echo = decodeEcho(this.#family, packet, this.#identifier);
      const source = this.#family === 4 ? this.#from.subarray(4, 8) : this.#from.subarray(8, 24);
      const from = bytesToAddress(source);
      if (echo !== null && from !== null) replies.push({ ...echo, from });
    }
  }
}
