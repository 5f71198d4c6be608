/** Whether this process may change the kernel's network configuration: asked before anything else is done. */
import { ExitCode, UserError } from "../base/errors.ts";

/** Bit of CAP_NET_ADMIN, linux/capability.h. */
const CAP_NET_ADMIN = 12n;

/** Throws UserError with the contract's exit code unless CAP_NET_ADMIN is in effect. */
export function requireNetAdmin(what: string, status = readProcStatus()): void {
  if (status === undefined || hasNetAdmin(status)) return;
  throw new UserError(
    `${what} needs the capability CAP_NET_ADMIN, which this process does not have`,
    {
      exitCode: ExitCode.privilege,
      remedy: "run it as root, or give it AmbientCapabilities=CAP_NET_ADMIN in its systemd unit",
    },
  );
}

/** Reads the effective set out of the text of /proc/self/status (proc(5)). */
export function hasNetAdmin(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}

/** Undefined where /proc is not mounted: then the kernel itself will say no. */
function readProcStatus(): string | undefined {
  try {
    return Deno.readTextFileSync("/proc/self/status");
  } catch {
    return undefined;
  }
}
