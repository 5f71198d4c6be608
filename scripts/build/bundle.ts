/** The program and its packages as one JavaScript module. */
import { runDeno, withTempFolder } from "./command.ts";

/**
 * Where the bundler found a package: a path into the cache of whoever builds. It differs between
 * machines and says nothing to the reader of a stack trace.
 */
const PACKAGE_PATH =
  /(?:[^\s"'`(]*\/)?npm\/[^\s"'`/]+\/(?=(?:@[^\s"'`/]+\/)?[^\s"'`/]+\/\d+\.\d+)/g;

/**
 * Bundles `entry` with everything it imports except `node:` modules. Not minified: against 41 MB
 * of runtime it saves nothing, it does not start faster, and a stack trace keeps its names.
 */
export async function bundle(entry: string, configPath: string): Promise<string> {
  return await withTempFolder(async (folder) => {
    const output = `${folder}/program.js`;
    await runDeno(["bundle", "--platform=deno", `--config=${configPath}`, "-o", output, entry]);
    return portable(await Deno.readTextFile(output));
  });
}

/** The same text without paths of this machine, so that equal sources give equal bytes. */
export function portable(text: string): string {
  return text.replace(PACKAGE_PATH, "npm/");
}
