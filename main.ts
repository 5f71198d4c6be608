/** gossamer: parse the command line, run the command, end with its exit code; or serve a container runtime as a CNI plugin. */
import { isPluginCall } from "./mod/cli/plugin_call.ts";

if (isPluginCall(Deno.args, (name) => Deno.env.get(name))) {
  const { runPluginProcess } = await import("./mod/cli/plugin_process.ts");
  Deno.exit(await runPluginProcess());
}
const { runCommandLine, processOutside } = await import("./mod/cli/command_line.ts");
Deno.exit(await runCommandLine(Deno.args, processOutside()));
