/** What a build depends on, as one hash: content, not file times, which a clone does not keep. */
import { sha256 } from "./runtime.ts";

const FILES = ["deno.json", "deno.lock", "package.json", "main.ts", "scripts/build.ts"];
const FOLDERS = ["mod", "ffi", "scripts/build"];

/** Hash of the sources below `root`, the entry, and the runtime that would be packed. */
export async function hashInputs(root: string, entry: string): Promise<string> {
  const paths = [entry, ...FILES.map((name) => `${root}/${name}`)];
  for (const folder of FOLDERS) paths.push(...await filesBelow(`${root}/${folder}`));
  const lines = [
    `deno ${Deno.version.deno} ${Deno.build.target} ${Deno.env.get("DENORT_BIN") ?? ""}`,
  ];
  for (const path of paths.sort()) {
    const bytes = await Deno.readFile(path).catch((error: unknown) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (bytes !== undefined) lines.push(`${sha256(bytes)} ${path.replace(root, "")}`);
  }
  return sha256(lines.join("\n"));
}

async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) found.push(...await filesBelow(path));
      else if (entry.isFile) found.push(path);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found;
}
