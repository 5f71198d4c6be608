/** Which paths the service may use: its unit closes the rest of the file system to it. Pure. */
import type { GivenSetting } from "./config_text.ts";

/** StateDirectory=, RuntimeDirectory=, CacheDirectory= and ReadWritePaths= of the unit. */
const WRITABLE = [
  "/var/lib/gossamer",
  "/run/gossamer",
  "/var/cache/gossamer",
  "/run/flannel",
  "/etc/gossamer",
];
/** ProtectHome= and PrivateTmp= of the unit. */
const HIDDEN = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];
/** The agent writes what these name: keys change with the cluster's. */
const WRITTEN = ["state-dir", "run-dir", "subnet-file", "key-file", "http"];
const READ = ["net-conf"];

export interface OutOfReach {
  readonly name: string;
  readonly path: string;
  /** What the service cannot do there. */
  readonly verb: "write" | "read";
}

/** The first setting whose path the service could not use. */
export function outOfReach(settings: readonly GivenSetting[]): OutOfReach | undefined {
  for (const { name, value: path } of settings) {
    if (typeof path !== "string" || !path.startsWith("/")) continue;
    if (WRITTEN.includes(name) && !isBelow(path, WRITABLE)) return { name, path, verb: "write" };
    if (READ.includes(name) && isBelow(path, HIDDEN)) return { name, path, verb: "read" };
  }
  return undefined;
}

function isBelow(path: string, folders: readonly string[]): boolean {
  const isUp = path.split("/").includes("..");
  return !isUp && folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
