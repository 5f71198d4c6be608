/** Waits on a pool thread until a descriptor can be read, see poll(2). */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { libc } from "./libc.ts";

const POLLIN = 1;

/** Resolves when something is there, or `timeoutMs` have passed. The descriptor stays open until then. */
export async function waitForInput(fd: number, timeoutMs: number): Promise<void> {
  const pollfd = pinnedBytes(8); // struct pollfd: fd, events, revents
  const view = viewOf(pollfd);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  await libc().poll_wait(pollfd, 1n, Math.max(0, Math.ceil(timeoutMs)));
}
