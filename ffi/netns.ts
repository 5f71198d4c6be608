/**
 * Network namespaces, for the demo and the tests: hosts on one machine. A namespace made here has
 * no name and lives as long as something holds it (a descriptor, a process, a device's end), so
 * when the process dies, however it dies, nothing is left behind.
 *
 * A namespace belongs to a thread. The main thread switches, runs a synchronous function and
 * switches back before anything else can run on it; pool threads are never touched. A child
 * started meanwhile with Deno.Command(…).spawn() is forked by this thread and inherits its
 * namespace.
 */
import { check, libc } from "./libc.ts";
import { closeDescriptor, openFile } from "./socket.ts";

const CLONE_NEWPID = 0x2000_0000;
const CLONE_NEWNET = 0x4000_0000;
/** /proc/self would name the process' first thread; the calling thread's is what setns changes. */
const OWN_NETWORK = "/proc/thread-self/ns/net";
const OWN_CHILDREN = "/proc/thread-self/ns/pid_for_children";
const PRIVILEGE = "namespaces need CAP_SYS_ADMIN where they were made: become root, or start in " +
  "new ones with unshare --user --map-root-user --net --pid --fork --mount-proc";

/** A descriptor of the calling thread's network namespace. Close it with closeNamespace. */
export function currentNamespace(): number {
  return openFile(OWN_NETWORK);
}

/** A descriptor of the namespace behind a path such as /run/netns/NAME or /proc/PID/ns/net. */
export function openNamespace(path: string): number {
  return openFile(path);
}

/** Lets go of a namespace. */
export function closeNamespace(fd: number): void {
  closeDescriptor(fd);
}

/** The kernel's number of a namespace: 4026531840 for "net:[4026531840]". */
export function namespaceId(fd: number): number {
  const text = Deno.readLinkSync(`/proc/self/fd/${fd}`);
  const [, inode] = /^net:\[(\d+)\]$/.exec(text) ?? [];
  if (inode === undefined) throw new Error(`Descriptor ${fd} is ${text}, not a network namespace`);
  return Number(inode);
}

function enter(fd: number, kind: number, op = `enter namespace ${fd}`): void {
  check(op, libc().setns(fd, kind), PRIVILEGE);
}

/**
 * Opens the way back before leaving. Entering the namespace one is in needs the same privilege as
 * returning to it, so whoever could not return (a user namespace inside another's network) is
 * told so here and not left on the wrong side.
 */
function wayBack(path: string, kind: number): number {
  const fd = openFile(path);
  try {
    enter(fd, kind, `return to this thread's own ${path}`);
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/**
 * Makes an empty network namespace and returns the descriptor that holds it. Its loopback device
 * is down. Throws SysError, EPERM without CAP_SYS_ADMIN.
 */
export function createNamespace(): number {
  const before = wayBack(OWN_NETWORK, CLONE_NEWNET);
  try {
    check("make a network namespace", libc().unshare(CLONE_NEWNET), PRIVILEGE);
    try {
      return currentNamespace();
    } finally {
      enter(before, CLONE_NEWNET);
    }
  } finally {
    closeDescriptor(before);
  }
}

/** How runIn runs its function. */
export interface RunInOptions {
  /**
   * Processes started by the function go into a process namespace of their own: the first of them
   * becomes its init, and when that one dies the kernel kills the others.
   */
  readonly newPidNamespace?: boolean;
}

/**
 * Runs `run` in a network namespace and returns its result, back in the namespace it came from
 * whatever happens. `run` must be synchronous: a promise is refused, because whatever it did later
 * would be done in the wrong namespace. Throws SysError.
 */
export function runIn<T>(namespaceFd: number, run: () => T, options: RunInOptions = {}): T {
  const before = wayBack(OWN_NETWORK, CLONE_NEWNET);
  try {
    enter(namespaceFd, CLONE_NEWNET);
    let result: T;
    try {
      result = options.newPidNamespace === true ? withPidNamespace(run) : run();
    } finally {
      enter(before, CLONE_NEWNET);
    }
    if (result instanceof Promise) {
      result.catch(() => {}); // whoever awaits it is told below
      throw new Error("runIn got an asynchronous function; only its first part would run inside");
    }
    return result;
  } finally {
    closeDescriptor(before);
  }
}

function withPidNamespace<T>(run: () => T): T {
  const before = wayBack(OWN_CHILDREN, CLONE_NEWPID);
  try {
    check("make a process namespace", libc().unshare(CLONE_NEWPID), PRIVILEGE);
    try {
      return run();
    } finally {
      enter(before, CLONE_NEWPID);
    }
  } finally {
    closeDescriptor(before);
  }
}
