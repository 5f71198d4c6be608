/** The environment that commands of the operator run in. */

/** What the launcher sets for this program's own Deno (scripts/build/launcher.sh). */
const LAUNCHER_VARIABLES = ["DENO_DIR", "DENO_NO_UPDATE_CHECK", "DENO_NO_PROMPT"];

/** Our environment as it was before the launcher: the command may use a Deno of its own. */
export function operatorEnvironment(): Record<string, string> {
  const variables = Deno.env.toObject();
  for (const name of LAUNCHER_VARIABLES) delete variables[name];
  return variables;
}
