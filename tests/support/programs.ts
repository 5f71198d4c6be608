/** Programs that a test uses beside the product, where they are installed. */

/** Whether PATH leads to a program of that name. */
export function hasProgram(name: string): boolean {
  return programPath(name) !== undefined;
}

/** Where PATH leads; undefined when there is no such program. */
export function programPath(name: string): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      const path = Deno.realPathSync(`${folder}/${name}`);
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
