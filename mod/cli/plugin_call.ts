/** Tells a call by a container runtime from a command of a person, before anything else is loaded. */

/**
 * Whether this process is a CNI plugin: runtimes set CNI_COMMAND and give no arguments. `gossamer cni` is one, too. With
 * other arguments a person is meant, whatever the environment has.
 */
export function isPluginCall(
  args: readonly string[],
  variable: (name: string) => string | undefined,
): boolean {
  const [first] = args;
  return args.length === 1 ? first === "cni" : first === undefined &&
    (variable("CNI_COMMAND") ?? "") !== "";
}
