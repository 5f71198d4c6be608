/** The kernel's clock that other processes read as well, see clock_gettime(2). */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { check, libc } from "./libc.ts";

/** linux/time.h */
const CLOCK_MONOTONIC = 1;

/** Microseconds of CLOCK_MONOTONIC, which sd_notify(3) wants with a reload. Deno's clock begins with the process. */
export function monotonicMicroseconds(): bigint {
  const timespec = pinnedBytes(16); // time_t seconds, long nanoseconds
  check("read the clock", libc().clock_gettime(CLOCK_MONOTONIC, timespec));
  const view = viewOf(timespec);
  return view.getBigInt64(0, true) * 1_000_000n + view.getBigInt64(8, true) / 1000n;
}
