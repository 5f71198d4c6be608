/** iproute2 doing what a plan says, from files: `ip -batch` and `bridge -batch`. */
import type { Operation } from "../../../mod/base/kernel_objects.ts";
import type { Namespace } from "../../../mod/lab/namespace.ts";
import { operationCommands } from "../../../mod/overlay/text.ts";

export class BatchTools {
  readonly #folder = Deno.makeTempDirSync();
  readonly #commands: readonly string[];

  constructor(operations: readonly Operation[]) {
    const names = () => "eth0";
    this.#commands = operations.flatMap((operation) => operationCommands(operation, names));
  }

  /** Everything, the device too; milliseconds, the two processes included. */
  program(namespace: Namespace): number {
    return this.#run(namespace, this.#commands);
  }

  /** What a script does that cannot know what is missing: everything again. */
  replace(namespace: Namespace): number {
    const entries = this.#commands.filter((line) =>
      !line.startsWith("ip link") && !line.startsWith("ip address")
    );
    return this.#run(
      namespace,
      entries.map((line) => line.replace(/^ip route (add|append)/, "ip route replace")),
    );
  }

  #run(namespace: Namespace, commands: readonly string[]): number {
    const runs = ["ip", "bridge"].map((tool) => {
      const file = `${this.#folder}/${tool}`;
      const lines = commands.filter((line) => line.startsWith(`${tool} `));
      Deno.writeTextFileSync(
        file,
        lines.map((line) => line.slice(tool.length + 1) + "\n").join(""),
      );
      return { tool, args: ["-batch", file] };
    });
    const began = performance.now();
    for (const { tool, args } of runs) {
      const command = new Deno.Command(tool, { args, stderr: "piped" });
      const { success, stderr } = namespace.run(() => command.outputSync());
      if (!success) throw new Error(`${tool} -batch: ${new TextDecoder().decode(stderr)}`);
    }
    return performance.now() - began;
  }
}
