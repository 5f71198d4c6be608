/** The program and its packages as a few JavaScript modules: what every command needs, and a part for each need more. */
import { runDeno, withTempFolder } from "./command.ts";

/** The module that is started; the others are beside it. */
export const PROGRAM_ENTRY = "gossamer.js";

/** Text of each module by its file name; the first one is {@linkcode PROGRAM_ENTRY}. */
export type Program = ReadonlyMap<string, string>;

/**
 * Where the bundler found a package: a path into the cache of whoever builds. It differs between
 * machines and says nothing to the reader of a stack trace.
 */
const PACKAGE_PATH =
  /(?:[^\s"'`(]*\/)?npm\/[^\s"'`/]+\/(?=(?:@[^\s"'`/]+\/)?[^\s"'`/]+\/\d+\.\d+)/g;

/** A module that another one names, `./agent-5K323YFP.js`: the part before the bundler's hash is its own name. */
const PART_NAME = /"\.\/((\w+)-[0-9A-Z]{8}\.js)"/g;

/**
 * Bundles `entry` with everything it imports except `node:` modules. What is behind a dynamic import
 * becomes a module of its own, because each 100 KB that a command does not need cost it 4 ms; half of
 * the text goes by minifying, and the names stay for stack traces (docs/adr/0012).
 */
export async function bundle(entry: string, configPath: string): Promise<Program> {
  return await withTempFolder(async (folder) => {
    const options = ["--code-splitting", "--minify", "--keep-names", `--outdir=${folder}`];
    await runDeno(["bundle", "--platform=deno", `--config=${configPath}`, ...options, entry]);
    const entryName = entry.replace(/^.*\//, "").replace(/\.\w+$/, ".js");
    const made = new Map<string, string>();
    for await (const { name } of Deno.readDir(folder)) {
      made.set(name, portable(await Deno.readTextFile(`${folder}/${name}`)));
    }
    return renamed(made, entryName);
  });
}

/** The same text without paths of this machine, so that equal sources give equal bytes. */
export function portable(text: string): string {
  return text.replace(PACKAGE_PATH, "npm/");
}

/**
 * The modules in the order in which they are first named, with names that follow from it: the bundler's names are
 * hashes in which the paths of this machine have a part. A module that nobody names is left out.
 */
export function renamed(made: ReadonlyMap<string, string>, entry: string): Program {
  const names = new Map([[entry, PROGRAM_ENTRY]]);
  const taken = new Set([PROGRAM_ENTRY]);
  const program = new Map<string, string>();
  // A Map's iterator also visits what is added on the way.
  for (const [old, name] of names) {
    const text = made.get(old);
    if (text === undefined) throw new Error(`The bundler made no ${old}`);
    const replaced = text.replace(PART_NAME, (_match, part: string, stem: string) => {
      let known = names.get(part);
      if (known === undefined) {
        known = freeName(stem, taken);
        taken.add(known);
        names.set(part, known);
      }
      return `"./${known}"`;
    });
    program.set(name, name === PROGRAM_ENTRY ? unannounced(replaced) : replaced);
  }
  return program;
}

/** A module that is imported when it is needed, as the bundler writes it. */
const LATER_IMPORT = /\bimport\(("\.\/\w+\.js")\)/g;

/**
 * The same module, with imports that Deno does not foresee: it reads and examines at the start whatever it can see that a program
 * may import later, 130 files and 5 ms. Behind the entry's imports lies either the command line or the CNI plugin, which
 * needs ten of them.
 */
function unannounced(text: string): string {
  return text.replace(LATER_IMPORT, "import((name=>name)($1))");
}

function freeName(stem: string, taken: ReadonlySet<string>): string {
  for (let number = 1;; number++) {
    const name = `${stem}${number === 1 ? "" : number}.js`;
    if (!taken.has(name)) return name;
  }
}
