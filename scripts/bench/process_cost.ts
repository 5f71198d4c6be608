/** What a process costs, from /proc (proc_pid_stat(5), proc_pid_smaps(5)). */

/** USER_HZ: the unit of times in /proc/PID/stat is 1/100 s on every Linux we run on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds of a process and of its children that have ended. */
export function cpuSeconds(pid: number | "self"): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces; utime, stime, cutime and cstime are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, text) => sum + Number(text), 0);
  return ticks / TICKS_PER_SECOND;
}

export interface Memory {
  readonly residentMiB: number;
  readonly privateDirtyMiB: number;
  readonly proportionalMiB: number;
}

export function memoryOf(pid: number): Memory {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  const mebibytes = (key: string) => {
    const match = new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(text);
    return Number(match?.[1] ?? NaN) / 1024;
  };
  return {
    residentMiB: mebibytes("Rss"),
    privateDirtyMiB: mebibytes("Private_Dirty"),
    proportionalMiB: mebibytes("Pss"),
  };
}
