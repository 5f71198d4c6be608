/** Runs `--on-renumber CMD` when this host had to change its subnet: containers must move to the new one. */
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { operatorEnvironment } from "./operator_environment.ts";

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
