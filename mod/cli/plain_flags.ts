/**
 * The quick way to read a command line that has nothing wrong with it.
 *
 * `gossamer up` races against flannel's start, and the parsing library costs more than the whole of this program's own
 * work before the first packet (docs/adr/0010-cli-library.md). Anything but plain known flags, each with its value,
 * is left to the library, which owns help and every error; both read the same description.
 */
import type { Flag, Given } from "./command.ts";

/** Reads `--name VALUE`, `--name=VALUE` and `--switch`; undefined when there is anything else. */
export function readPlainFlags(flags: readonly Flag[], args: readonly string[]): Given | undefined {
  const given = new Map<string, string[]>();
  for (let index = 0; index < args.length; index++) {
    const match = /^--([a-z][a-z0-9-]*)(?:=(.+))?$/.exec(args[index] ?? "");
    const flag = flags.find(({ name }) => name === match?.[1]);
    if (match === null || flag === undefined) return undefined;
    let value = match[2];
    if (flag.kind === "switch") {
      if (value !== undefined) return undefined;
      value = "true";
    } else if (value === undefined) {
      value = args[++index];
      if (value === undefined || value.startsWith("-")) return undefined;
    }
    const values = given.get(flag.name);
    if (values === undefined) given.set(flag.name, [value]);
    else if (flag.kind === "list") values.push(value);
    else return undefined;
  }
  return { flags: given, arguments: [] };
}
