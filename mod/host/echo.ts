/** Echo requests of this process, told from those of others by its process id. */
import { EchoSocket } from "../../ffi/echo_socket.ts";

/** Needs CAP_NET_RAW; throws SysError. */
export function openEcho(family: 4 | 6): EchoSocket {
  return new EchoSocket(family, Deno.pid & 0xffff);
}

/** The same of another identifier, for who waits for answers of its own. */
export function openOtherEcho(family: 4 | 6): EchoSocket {
  return new EchoSocket(family, (Deno.pid + 0x8000) & 0xffff);
}
