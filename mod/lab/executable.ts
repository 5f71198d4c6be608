/** How this very program is started again: the lab's agents are copies of the program that runs the lab. */

/** Set by the launcher of the single-file build to the path it was started by. */
export const EXECUTABLE_VARIABLE = "GOSSAMER_EXECUTABLE";

/** Program and first arguments; a command and its flags may follow. */
export function ownCommand(): readonly string[] {
  const executable = Deno.env.get(EXECUTABLE_VARIABLE);
  if (executable !== undefined && executable !== "") return [executable];
  if (Deno.build.standalone) return [Deno.execPath()];
  return [Deno.execPath(), "run", "--quiet", "-A", "--unstable-net", Deno.mainModule];
}
