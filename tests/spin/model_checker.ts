/**
 * Runs the Spin model checker (Debian's `spin`) over claims.pml: the model with some `-D` switches becomes a C
 * program that visits every state, and what it finds wrong becomes a story.
 */

const MODEL = decodeURIComponent(new URL("claims.pml", import.meta.url).pathname);
/** Three hosts know of each other in a hundred bytes and more; the default is 1,024, the history is long. */
const STATE_BYTES_MAX = 2048;
/** The longest chain of steps that any of the configurations has is below 1,000. */
const DEPTH_MAX = 100_000;

export interface ModelResult {
  readonly states: number;
  /** Every reachable state was visited. */
  readonly exhausted: boolean;
  /** The shortest way to a broken promise, one step a line; null when there is none. */
  readonly story: readonly string[] | null;
}

/**
 * - `all`: every state, in little memory; what is wrong is found, but on a long way.
 * - `shortest`: by breadth; the first thing wrong is found on the shortest way.
 * - `endless`: whether some chain of steps goes in a circle, so that a contest may never end.
 */
export type Search = "all" | "shortest" | "endless";

const COMPILE: Record<Search, string[]> = {
  all: ["-DSAFETY", "-DCOLLAPSE"],
  shortest: ["-DSAFETY", "-DBFS"],
  endless: ["-DNP", "-DCOLLAPSE"],
};

/** Why the model cannot be checked on this machine; undefined when it can. */
export function whyNoSpin(): string | undefined {
  const missing = ["spin", "gcc"].filter((program) => !isInstalled(program));
  if (missing.length === 0) return undefined;
  return `needs ${missing.join(" and ")} (apt-get install spin gcc libc6-dev)`;
}

function isInstalled(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch {
    return false;
  }
}

/** @param switches of the model, such as `HOSTS=3`, without `-D`. */
export async function checkModel(
  switches: readonly string[],
  search: Search,
): Promise<ModelResult> {
  const folder = await Deno.makeTempDir({ prefix: "gossamer-spin-" });
  try {
    await Deno.copyFile(MODEL, `${folder}/claims.pml`);
    const defines = switches.map((text) => `-D${text}`);
    await run(folder, "spin", ["-a", ...defines, "claims.pml"]);
    await run(folder, "gcc", [
      "-w",
      `-DVECTORSZ=${STATE_BYTES_MAX}`,
      ...COMPILE[search],
      ...["-o", "pan", "pan.c"],
    ]);
    const output = await run(folder, "./pan", [
      `-m${DEPTH_MAX}`,
      ...(search === "endless" ? ["-l"] : []),
    ]);
    const errors = Number(/errors: (\d+)/.exec(output)?.[1] ?? NaN);
    const states = Number(/(\d+) states, stored/.exec(output)?.[1] ?? NaN);
    if (Number.isNaN(errors) || Number.isNaN(states)) throw new Error(`spin's checker:\n${output}`);
    const isCut = /Search not completed|max search depth too small|out of memory/.test(output);
    const story = errors === 0 ? null : await tell(folder, defines);
    return { states, exhausted: !isCut, story };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Replays what was found; the model says each step in words, and after "but" what is wrong. */
async function tell(folder: string, defines: readonly string[]): Promise<string[]> {
  const output = await run(folder, "spin", ["-t", "-T", ...defines, "claims.pml"]);
  const steps = output.split("\n").filter((line) => /^(host \d|all is|but) /.test(line));
  const end = steps.findIndex((line) => line.startsWith("but "));
  return end === -1 ? steps : steps.slice(0, end + 1);
}

/** What a program says. The checker's exit code says less than its output. */
async function run(folder: string, program: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(
    program.startsWith("./") ? folder + program.slice(1) : program,
    { args, cwd: folder, stdin: "null", env: { LC_ALL: "C" } },
  ).output();
  const text = new TextDecoder().decode(stdout);
  if (code !== 0 && program !== "./pan" && args[0] !== "-t") {
    throw new Error(`${program} ${args.join(" ")}:\n${text}${new TextDecoder().decode(stderr)}`);
  }
  return text;
}

/** Does all of it, two at a time, as there are cores in CI; the results in the order of the work. */
export async function inPairs<Work, Result>(
  all: readonly Work[],
  each: (work: Work) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < all.length; index = next++) {
      const work = all[index];
      if (work !== undefined) results[index] = await each(work);
    }
  };
  await Promise.all([worker(), worker()]);
  return results;
}
