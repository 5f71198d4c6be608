/** The environment that commands of the operator run in. */

/** What the launcher sets for this program's own Deno (scripts/build/launcher.sh). */
const LAUNCHER_VARIABLES = ["DENO_DIR", "DENO_NO_UPDATE_CHECK", "DENO_NO_PROMPT"];

/** Between the service manager and this process alone (sd_notify(3)). */
const SERVICE_VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/** Our environment as it was before the launcher: the command may use a Deno of its own, and speaks for nobody's service. */
export function operatorEnvironment(): Record<string, string> {
  const variables = Deno.env.toObject();
  for (const name of [...LAUNCHER_VARIABLES, ...SERVICE_VARIABLES]) delete variables[name];
  return variables;
}
