/**
 * Runs a program so that nothing of it outlives it: as the init of a pid namespace of its own.
 *
 * When an init dies, the kernel kills every process of its namespace (pid_namespaces(7)). The program
 * also watches its standard input, whose other end only the parent holds: when the parent dies, by
 * `kill -9` or otherwise, the input ends, the program goes, and all agents it started go with it.
 */
import { closeNamespace, currentNamespace, runIn } from "../../ffi/netns.ts";
import { assert } from "../base/assert.ts";

/** Starts a program as init of a new pid namespace. Needs CAP_SYS_ADMIN. Its stdin is kept open. */
export function spawnSandboxed(
  command: readonly string[],
  options: Deno.CommandOptions = {},
): Deno.ChildProcess {
  const [program, ...args] = command;
  assert(program !== undefined, "a command has at least a program");
  const here = currentNamespace();
  try {
    const start = () => new Deno.Command(program, { ...options, args, stdin: "piped" }).spawn();
    return runIn(here, start, { newPidNamespace: true });
  } finally {
    closeNamespace(here);
  }
}

/**
 * For the program inside: calls back once when the parent is gone or closed its end on purpose. The
 * pending read keeps the program alive, so it ends with Deno.exit.
 */
export function watchParent(gone: () => void): void {
  const watch = async () => {
    const buffer = new Uint8Array(64);
    try {
      while (await Deno.stdin.read(buffer) !== null);
    } catch {
      // A read error says the same as the end of the input.
    }
    gone();
  };
  watch();
}
