/** An eventfd (eventfd(2)) that counts: each write lets one read through. It wakes a thread that waits in poll(2). */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { check, libc } from "./libc.ts";

const EFD_SEMAPHORE = 1;
const EFD_CLOEXEC = 0o2000000;
const EVENT_BYTES = 8;

/** Throws SysError. */
export function openEventFd(): number {
  return check("create an eventfd", libc().eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC));
}

/** Lets one more read through. Throws SysError. */
export function signalEventFd(fd: number): void {
  const one = pinnedBytes(EVENT_BYTES);
  viewOf(one).setBigUint64(0, 1n, true);
  check("write to an eventfd", Number(libc().write(fd, one, BigInt(EVENT_BYTES))));
}
