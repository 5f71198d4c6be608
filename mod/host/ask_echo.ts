/** One echo request of a given size, and whether it came back: what a ping does once. */
import { ERRNO, SysError } from "../../ffi/errno.ts";
import { openIcmp } from "../../ffi/icmp.ts";
import { reasonOf } from "../base/errors.ts";

/** How it fared. */
export type EchoOutcome =
  | { readonly kind: "answered"; readonly ms: number }
  /** Longer than the way there carries: the kernel refused to send it. */
  | { readonly kind: "too-big" }
  | { readonly kind: "lost" }
  /** There is no way there, or none that this process may take. */
  | { readonly kind: "refused"; readonly reason: string };

/** Of IP and of ICMP echo, in bytes (RFC 791, RFC 8200, RFC 792). */
const HEADER_BYTES = { 4: 28, 6: 48 } as const;
const SEQUENCE = 1;

/** @param bytes of the packet with its IP header. It may not be fragmented, neither here nor on the way. */
export async function askEcho(
  address: string,
  bytes: number,
  timeoutMs: number,
): Promise<EchoOutcome> {
  const payloadBytes = Math.max(0, bytes - HEADER_BYTES[address.includes(":") ? 6 : 4]);
  try {
    using socket = openIcmp(address);
    const startMs = performance.now();
    if (socket.send(SEQUENCE, payloadBytes, { dontFragment: true }) !== "sent") {
      return { kind: "too-big" };
    }
    for (;;) {
      const leftMs = startMs + timeoutMs - performance.now();
      if (leftMs <= 0) return lost(address, payloadBytes);
      await socket.arrival(Math.ceil(leftMs));
      const ms = performance.now() - startMs;
      if (socket.receive().some((reply) => reply.payloadBytes === payloadBytes)) {
        return { kind: "answered", ms };
      }
    }
  } catch (error) {
    return { kind: "refused", reason: reasonOf(error) };
  }
}

/** A router that said meanwhile how much it carries is heard at the next attempt only. */
function lost(address: string, payloadBytes: number): EchoOutcome {
  using socket = openIcmp(address);
  try {
    const isTooBig = socket.send(SEQUENCE, payloadBytes, { dontFragment: true }) === "too-big";
    return { kind: isTooBig ? "too-big" : "lost" };
  } catch (error) {
    if (error instanceof SysError && error.errno === ERRNO.EHOSTUNREACH) return { kind: "lost" };
    throw error;
  }
}
