/** The first form of the single file: `deno compile`, wherever its base executable is at hand. */
import { type Program, PROGRAM_ENTRY } from "./bundle.ts";
import { runDeno, withTempFolder } from "./command.ts";
import { RUNTIME_FLAGS } from "./single_file.ts";

/** Asking whether the base executable can be fetched must not hold up a build without network. */
const REACHABLE_TIMEOUT_MS = 2000;
/** Fetching some 40 MB on a slow line. */
const COMPILE_TIMEOUT_MS = 120_000;
const CHECK_TIMEOUT_MS = 10_000;

/** Says where denort can be had from: an own file, or the network; else why not. */
export async function findDenort(): Promise<{ found: boolean; detail: string }> {
  const own = Deno.env.get("DENORT_BIN");
  if (own !== undefined && own !== "") {
    const stat = await Deno.stat(own).catch(() => undefined);
    if (stat?.isFile) return { found: true, detail: own };
    return { found: false, detail: `DENORT_BIN names ${own}, which is not a file` };
  }
  const url = `https://dl.deno.land/release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  try {
    const signal = AbortSignal.timeout(REACHABLE_TIMEOUT_MS);
    const response = await fetch(url, { method: "HEAD", signal });
    await response.body?.cancel();
    return { found: response.ok, detail: `${url} answers ${response.status}` };
  } catch (error) {
    return { found: false, detail: `${url}: ${error instanceof Error ? error.message : error}` };
  }
}

/** Compiles the bundled program to `output` and makes sure that it starts; fails otherwise. */
export async function compile(program: Program, output: string): Promise<void> {
  await withTempFolder(async (folder) => {
    for (const [name, text] of program) await Deno.writeTextFile(`${folder}/${name}`, text);
    await runDeno(
      ["compile", ...RUNTIME_FLAGS, "--no-check", "--output", output, `${folder}/${PROGRAM_ENTRY}`],
      { timeoutMs: COMPILE_TIMEOUT_MS },
    );
  });
  const { success, stderr } = await new Deno.Command(output, {
    args: ["version"],
    stdin: "null",
    signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
  }).output();
  if (success) return;
  await Deno.remove(output);
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`The compiled file does not start: ${said.split("\n")[0] ?? ""}`);
}
