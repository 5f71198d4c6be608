/** Runs `--on-renumber CMD` when this host had to change its subnet: containers must move to the new one. */
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";

/** What the launcher sets for this program's own Deno (scripts/build/launcher.sh). */
const LAUNCHER_VARIABLES = ["DENO_DIR", "DENO_NO_UPDATE_CHECK", "DENO_NO_PROMPT"];

/**
 * Runs the operator's command through the shell with OLD and NEW appended as arguments. Never blocks the agent; what
 * it prints and how it ends goes to the log. Whether it ended well.
 */
export async function runRenumberHook(
  command: string,
  oldSubnet: string,
  newSubnet: string,
  log: Log,
): Promise<boolean> {
  try {
    const { code, stderr } = await new Deno.Command("/bin/sh", {
      args: ["-c", `${command} "$@"`, "gossamer-on-renumber", oldSubnet, newSubnet],
      clearEnv: true,
      env: operatorEnvironment(),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    const fields = { command, old: oldSubnet, new: newSubnet, code };
    if (code === 0) log.info("the renumber command ended well", fields);
    else {
      const said = new TextDecoder().decode(stderr.slice(-500)).trim();
      log.error("the renumber command failed; move the containers by hand", { ...fields, said });
    }
    return code === 0;
  } catch (error) {
    log.error("the renumber command could not be started; move the containers by hand", {
      command,
      old: oldSubnet,
      new: newSubnet,
      reason: reasonOf(error),
    });
    return false;
  }
}

/** Our environment as it was before the launcher: the command may use a Deno of its own. */
function operatorEnvironment(): Record<string, string> {
  const variables = Deno.env.toObject();
  for (const name of LAUNCHER_VARIABLES) delete variables[name];
  return variables;
}
