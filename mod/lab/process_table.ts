/** Process numbers as the machine's /proc shows them, seen from inside a pid namespace. */

/**
 * The machine's number of a process that this pid namespace calls `pid`; null when /proc does not show it.
 * `NSpid` lists a process's numbers from the outermost namespace to its own (proc_pid_status(5)).
 */
export function machinePid(pid: number): number | null {
  const ownLevels = namespacePids("self");
  if (ownLevels === null) return null;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const pids = namespacePids(name);
    // Same depth as ours and the wanted number there; another lab's process may have it too.
    if (pids?.length !== ownLevels.length || pids.at(-1) !== pid) continue;
    if (samePidNamespace(name)) return Number(name);
  }
  return null;
}

function namespacePids(process: string): readonly number[] | null {
  try {
    const status = Deno.readTextFileSync(`/proc/${process}/status`);
    return /^NSpid:\s*(.+)$/m.exec(status)?.[1]?.split(/\s+/).map(Number) ?? null;
  } catch {
    return null; // It ended meanwhile.
  }
}

function samePidNamespace(process: string): boolean {
  try {
    return Deno.readLinkSync(`/proc/${process}/ns/pid`) === Deno.readLinkSync("/proc/self/ns/pid");
  } catch {
    return false;
  }
}
