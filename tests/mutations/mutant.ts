/**
 * A protocol broken on purpose: one change to one file, in a copy of the product that is thrown away
 * afterwards. The simulator's rules are worth something only if they notice it.
 *
 * Some rules only matter against forged or hostile news, which the simulator's hosts never send: for those
 * a mutant names the tests that have to notice.
 */

export interface Mutant {
  /** The rule that the change breaks, in words. */
  readonly rule: string;
  /** Below the project's root. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Where only one seed in dozens notices it, one that did: it is played first, and saves the time of the others. */
  readonly likelySeed?: number;
  /** A file of tests, where it is not for the simulator's random seeds to notice. */
  readonly noticedBy?: string;
}

/** A mutant may spin for ever: that is noticed as well. */
const TESTS_MS_MAX = 60_000;

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** What the hunt needs, and the tests that mutants name. */
const FOLDERS = [
  ...["base", "address", "wire", "swim", "claim", "sim"].map((module) => `mod/${module}`),
  "tests/unit/claim",
  "tests/unit/swim",
  "tests/property",
  "tests/sim",
  "tests/support",
];
const FILES = [
  "deno.json",
  "deno.lock",
  "package.json",
  "mod/host/aes_gcm.ts",
  "tests/mutations/hunt.ts",
];

/**
 * Copies the pure modules into a new folder, with the change made in the copy (none for null), and returns the
 * folder's path. Throws when the place to change is not there exactly once: the list is then out of date.
 */
export async function mutatedCopy(mutant: Mutant | null): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "gossamer-mutant-" });
  for (const path of FOLDERS) await copyFolder(path, folder);
  for (const path of FILES) await copyFile(path, folder);
  if (mutant === null) return folder;
  const path = `${folder}/${mutant.file}`;
  const parts = (await Deno.readTextFile(path)).split(mutant.find);
  if (parts.length !== 2) {
    await Deno.remove(folder, { recursive: true });
    throw new Error(`${mutant.file} has ${parts.length - 1} places to break "${mutant.rule}"`);
  }
  await Deno.writeTextFile(path, parts.join(mutant.replace));
  return folder;
}

/** Whether the tests that pass on the product fail on its mutant. */
export async function testsFail(mutant: Mutant, file: string): Promise<boolean> {
  const folder = await mutatedCopy(mutant);
  try {
    const { stdout, code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", "--quiet", file],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      signal: AbortSignal.timeout(TESTS_MS_MAX),
    }).output();
    // One that cannot be loaded fails no test, and proves nothing.
    const failed = /(\d+) failed/.exec(new TextDecoder().decode(stdout))?.[1];
    return code !== 0 && Number(failed ?? 0) > 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function copyFolder(path: string, folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(ROOT + path)) {
    if (isDirectory) await copyFolder(`${path}/${name}`, folder);
    else await copyFile(`${path}/${name}`, folder);
  }
}

async function copyFile(path: string, folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/${path.slice(0, path.lastIndexOf("/") + 1)}`, { recursive: true });
  await Deno.copyFile(ROOT + path, `${folder}/${path}`);
}
