/** The service manager that started this process, if one did and wants to hear of it: systemd, by sd_notify(3). */
import { monotonicMicroseconds } from "../../ffi/clock.ts";
import { notify } from "../../ffi/notify.ts";

export interface ServiceManager {
  /** How often it wants a sign of life, in milliseconds; null when it does not. */
  readonly watchdogMs: number | null;
  /** Throws when it cannot be told. */
  tell(lines: readonly string[]): void;
  /** The clock by which it tells an old message from a new one, in microseconds. */
  nowUsec(): bigint;
}

/** Null when there is none. The variables are those of sd_notify(3) and sd_watchdog_enabled(3). */
export function serviceManager(
  variable: (name: string) => string | undefined,
  pid: number,
): ServiceManager | null {
  const socket = variable("NOTIFY_SOCKET");
  // Others, such as vsock:2:1234, are for virtual machines.
  if (socket === undefined || !/^[/@]./.test(socket)) return null;
  return {
    watchdogMs: watchdogMs(variable("WATCHDOG_USEC"), variable("WATCHDOG_PID"), pid),
    tell: (lines) => notify(socket, lines),
    nowUsec: monotonicMicroseconds,
  };
}

/** It may be meant for the process that started this one. */
function watchdogMs(usec: string | undefined, wanted: string | undefined, pid: number) {
  if (usec === undefined || !/^[1-9]\d{0,15}$/.test(usec)) return null;
  if (wanted !== undefined && wanted !== String(pid)) return null;
  return Number(usec) / 1000;
}
