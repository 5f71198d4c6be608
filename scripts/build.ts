/**
 * Builds gossamer's one file, `dist/gossamer`, by `deno task build`.
 *
 *   --if-stale       only if sources, packages or the runtime differ from those of the last build
 *   --form=FORM      compile, launcher or auto: compile where denort is at hand, else launcher
 *   --entry=FILE     the program, main.ts by default
 *   --output=FILE    dist/gossamer by default; the packed runtime is kept beside it
 *
 * docs/adr/0004-single-file-builds.md explains the two forms.
 */
import { parseArgs } from "node:util";
import { bundle } from "./build/bundle.ts";
import { compile, findDenort } from "./build/compile.ts";
import { hashInputs } from "./build/inputs.ts";
import { packRuntime, writeAtomically } from "./build/runtime.ts";
import { assemble } from "./build/single_file.ts";

const root = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const FORMS = ["auto", "compile", "launcher"] as const;
type Form = typeof FORMS[number];

/** What to build, from what; all paths are absolute. */
export interface BuildOptions {
  entry: string;
  output: string;
  form: Form;
  /** Where packed runtimes are kept between builds. */
  cacheFolder: string;
}

/** Builds the file and returns the line that says what was built. */
export async function build(options: BuildOptions): Promise<string> {
  const { entry, output, form, cacheFolder } = options;
  await Deno.mkdir(cacheFolder, { recursive: true });
  const program = await bundle(entry, `${root}/deno.json`);
  let whyNot = "";
  if (form !== "launcher") {
    const denort = await findDenort();
    try {
      if (!denort.found) throw new Error(denort.detail);
      await compile(program, output);
      return `${output}: deno compile with ${denort.detail}, ${await megabytes(output)}`;
    } catch (error) {
      if (form === "compile") throw error;
      const reason = error instanceof Error ? error.message : error;
      whyNot = `; not by deno compile, whose base is not at hand here (${reason})`;
    }
  }
  const launcher = await Deno.readTextFile(`${root}/scripts/build/launcher.sh`);
  const runtime = await packRuntime(cacheFolder);
  await writeAtomically(output, assemble(launcher, program, runtime), 0o755);
  return `${output}: launcher, program and packed runtime, ${await megabytes(output)}${whyNot}`;
}

async function megabytes(path: string): Promise<string> {
  return `${((await Deno.stat(path)).size / 1e6).toFixed(1)} MB`;
}

/** As sha256sum writes it. */
async function checksum(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return `${new Uint8Array(digest).toHex()}  ${path.replace(/^.*\//, "")}\n`;
}

/** True if `stamp` was left by a build from the same inputs and its file is still there, whole. */
async function isFresh(output: string, stamp: string, inputs: string): Promise<boolean> {
  const [left, stat] = await Promise.all([
    Deno.readTextFile(stamp).catch(() => ""),
    Deno.stat(output).catch(() => undefined),
  ]);
  return stat !== undefined && left === stampText(inputs, stat.size);
}

function stampText(inputs: string, size: number): string {
  return `${inputs} ${size}\n`;
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      "if-stale": { type: "boolean", default: false },
      form: { type: "string", default: "auto" },
      entry: { type: "string", default: `${root}/main.ts` },
      output: { type: "string", default: `${root}/dist/gossamer` },
    },
  });
  const form = FORMS.find((name) => name === values.form);
  if (form === undefined) {
    throw new Error(`--form is one of ${FORMS.join(", ")}, not "${values.form}"`);
  }
  const entry = await Deno.realPath(values.entry);
  const cacheFolder = values.output.replace(/\/?[^/]*$/, "") || ".";
  await Deno.mkdir(cacheFolder, { recursive: true });
  const output = `${await Deno.realPath(cacheFolder)}/${values.output.replace(/^.*\//, "")}`;
  const stamp = `${output}.inputs`;
  const inputs = await hashInputs(root, entry);
  if (values["if-stale"] && await isFresh(output, stamp, inputs)) return;
  console.error(`building ${output}, which takes some seconds`);
  console.error(await build({ entry, output, form, cacheFolder }));
  await writeAtomically(`${cacheFolder}/SHA256SUMS`, await checksum(output));
  await writeAtomically(stamp, stampText(inputs, (await Deno.stat(output)).size));
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(`build: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
