/** Who has a port, by what /proc tells (proc_net_udp, proc(5)): sockets by their inodes, and programs by their descriptors. */
import type { PortOwner } from "./doctor_host.ts";

/** A TCP socket that waits for connections (net/tcp_states.h TCP_LISTEN). */
const LISTENING = "0A";

/** What of a host is read. */
export interface ProcFiles {
  /** Null when there is no such file. */
  file(path: string): string | null;
  /** Names in a folder; none where it cannot be read. */
  names(path: string): readonly string[];
  /** Where a symbolic link leads; null where that cannot be told. */
  link(path: string): string | null;
}

/** Null when nobody has it. */
export function portOwner(
  proc: ProcFiles,
  protocol: "udp" | "tcp",
  port: number,
): PortOwner | null {
  const inode = ["", "6"].map((family) => proc.file(`/proc/net/${protocol}${family}`) ?? "")
    .map((text) => inodeOf(text, protocol, port)).find((found) => found !== null) ?? null;
  if (inode === null) return null;
  return programWith(proc, inode) ?? { kind: "unknown" };
}

/** Of the first socket on that port. */
export function inodeOf(text: string, protocol: "udp" | "tcp", port: number): string | null {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const line of text.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local = "", , state] = fields;
    if (!local.endsWith(`:${wanted}`)) continue;
    if (protocol === "tcp" && state !== LISTENING) continue;
    return fields[9] ?? null;
  }
  return null;
}

function programWith(proc: ProcFiles, inode: string): PortOwner | null {
  for (const pid of proc.names("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const descriptor of proc.names(`/proc/${pid}/fd`)) {
      if (proc.link(`/proc/${pid}/fd/${descriptor}`) !== `socket:[${inode}]`) continue;
      const name = proc.file(`/proc/${pid}/comm`)?.trim() ?? "?";
      return { kind: "program", name, pid: Number(pid) };
    }
  }
  return null;
}
