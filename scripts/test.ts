/**
 * The test runner behind `deno task ok` and `deno task test`.
 *
 *   scripts/test.ts            every step
 *   scripts/test.ts ok         the fast steps, no real kernel
 *   scripts/test.ts unit sim   only these steps
 *
 * It does not stop at the first failing step, shows the output of the steps that fail, says why a
 * step was left out, and ends with one line, `N passed, N failed`. Exit code 1 if anything failed.
 */
import {
  countJunit,
  countOwn,
  type Counts,
  countsLine,
  failureOutput,
  stepLine,
  type StepResult,
  total,
} from "./test_report.ts";

/** A step that takes longer hangs. The simulations need 70 s on two idle cores, three times that on busy ones. */
const FAST_STEP_SECONDS_MAX = 480;
/** The end-to-end tests hold splits and faults of two minutes by the clock. */
const SLOW_STEP_SECONDS_MAX = 600;

/** The tests that last minutes, all at once: they wait. */
const ENDURANCE_JOBS = 4;
/** Those of real hosts wait half of their time. */
const HOSTS_JOBS = 2;

interface Step {
  name: string;
  /** Arguments of `deno`; for tests, those after `deno test`. */
  args: string[];
  /** A folder of tests counts each test; anything else counts as one. */
  folder?: string;
  /** Fast steps belong to `ok`. */
  fast: boolean;
  /** It says itself how many of what passed, in its last line, as this runner does. */
  counts?: boolean;
  /** Slow steps show their output as it comes, the others only when they fail. */
  live?: boolean;
  /**
   * Which of the lanes it runs in, side by side once all other steps are over: real hosts, which mostly wait; those that
   * wait for minutes; and what computes, at low priority so that it disturbs neither.
   */
  lane?: "hosts" | "endurance" | "computing";
  /** Files of tests that run at a time. */
  jobs?: number;
  /** The reason to leave the step out on this machine, if there is one. */
  skip?: () => string | undefined;
}

/** Capability bits of linux/capability.h; namespaces and links need these two. */
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);

const STEPS: readonly Step[] = [
  { name: "fmt", args: ["fmt", "--check"], fast: true },
  { name: "lint", args: ["lint"], fast: true },
  { name: "check", args: ["check"], fast: true },
  testStep("unit", ["--parallel", "-A"]),
  // The pure core needs no permission; what these tests read are recorded cases.
  testStep("property", ["--parallel", "--allow-read", "--allow-env"]),
  testStep("golden", ["--allow-read", "--allow-env"]),
  testStep("fuzz", ["--allow-read", "--allow-env"]),
  testStep("sim", ["--parallel", "--allow-read", "--allow-env"]),
  simStep("seeds", []),
  simStep("claim seeds", ["--claims"]),
  testStep("layers", ["-A"]),
  testStep("tidy", ["-A"]),
  {
    name: "build",
    args: ["run", "-A", "scripts/build.ts", "--if-stale", "--form=launcher"],
    fast: false,
    skip: () => exists("scripts/build.ts") ? undefined : "there is no scripts/build.ts yet",
  },
  { ...testStep("mutations", ["-A"]), fast: false, lane: "computing" },
  { ...testStep("search", ["-A"]), fast: false, lane: "computing" },
  { ...testStep("spin", ["-A"]), fast: false, lane: "computing", skip: whyNoSpin },
  kernelStep("kernel", ["-A"], "hosts"),
  { ...kernelStep("e2e", ["--parallel", "-A"], "hosts"), jobs: HOSTS_JOBS },
  { ...kernelStep("endurance", ["--parallel", "-A"], "endurance"), jobs: ENDURANCE_JOBS },
];

function testStep(name: string, permissions: string[]): Step {
  const folder = `tests/${name}`;
  return {
    name,
    folder,
    // Types are the business of the `check` step.
    args: ["test", "--no-check", ...permissions],
    fast: true,
    skip: () => whyNoTests(folder),
  };
}

/** Random seeds in the simulator. It makes packets all the time, and a larger nursery for them takes a tenth less. */
function simStep(name: string, options: string[]): Step {
  const args = ["run", "-A", "--v8-flags=--max-semi-space-size=64", "scripts/sim.ts", ...options];
  return { name, args, fast: false, live: true, counts: true };
}

/** Real hosts as network namespaces; it shows its output as it comes. */
function kernelStep(name: string, permissions: string[], lane: NonNullable<Step["lane"]>): Step {
  const step = testStep(name, permissions);
  return { ...step, fast: false, live: true, lane, skip: () => whyNoKernel(name) };
}

function exists(path: string, below = root): boolean {
  try {
    Deno.statSync(below + path);
    return true;
  } catch {
    return false;
  }
}

function whyNoTests(folder: string): string | undefined {
  return holdsTest(folder) ? undefined : `there are no tests in ${folder} yet`;
}

function holdsTest(folder: string): boolean {
  if (!exists(folder)) return false;
  for (const { name, isDirectory } of Deno.readDirSync(root + folder)) {
    if (name.endsWith("_test.ts") || (isDirectory && holdsTest(`${folder}/${name}`))) return true;
  }
  return false;
}

function hasProgram(name: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.some((folder) => exists(`${folder}/${name}`, ""));
}

/** A model in the language of another checker, which becomes a C program. */
function whyNoSpin(): string | undefined {
  const missing = ["spin", "gcc"].filter((program) => !hasProgram(program));
  if (missing.length === 0) return whyNoTests("tests/spin");
  return `needs ${missing.join(" and ")}; apt-get install spin gcc libc6-dev`;
}

function whyNoKernel(name: string): string | undefined {
  const reason = whyNoTests(`tests/${name}`);
  if (reason !== undefined) return reason;
  if (Deno.build.os !== "linux") return "needs Linux";
  const status = Deno.readTextFileSync("/proc/self/status");
  const effective = BigInt("0x" + (/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"));
  const missing = [];
  if (!((effective >> CAP_NET_ADMIN) & 1n)) missing.push("CAP_NET_ADMIN");
  if (!((effective >> CAP_SYS_ADMIN) & 1n)) missing.push("CAP_SYS_ADMIN");
  if (missing.length === 0) return undefined;
  return `needs ${missing.join(" and ")} to make network namespaces; run it as root`;
}

async function runStep(step: Step): Promise<StepResult> {
  const skipReason = step.skip?.();
  if (skipReason !== undefined) {
    return {
      name: step.name,
      counts: { passed: 0, failed: 0, skipped: 1 },
      seconds: 0,
      skipReason,
    };
  }
  const junit = step.folder === undefined ? undefined : await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const started = performance.now();
    const args = junit === undefined
      ? step.args
      : [...step.args, `--junit-path=${junit}`, `${step.folder}/`];
    const secondsMax = step.fast ? FAST_STEP_SECONDS_MAX : SLOW_STEP_SECONDS_MAX;
    const { success, output } = await runDeno(args, step, secondsMax);
    const seconds = (performance.now() - started) / 1000;
    const counts = step.counts === true
      ? countOwn(success, output)
      : await countStep(success, junit);
    if (!success && step.live !== true) console.log(failureOutput(output));
    if (seconds >= secondsMax) console.log(`${step.name} was stopped after ${secondsMax} s`);
    return { name: step.name, counts, seconds };
  } finally {
    if (junit !== undefined) await Deno.remove(junit);
  }
}

async function countStep(success: boolean, junit: string | undefined): Promise<Counts> {
  if (junit === undefined) {
    return { passed: success ? 1 : 0, failed: success ? 0 : 1, skipped: 0 };
  }
  const counts = countJunit(await Deno.readTextFile(junit));
  // A module that does not load fails the run without failing a test.
  if (!success && counts.failed === 0) counts.failed = 1;
  return counts;
}

async function runDeno(
  args: string[],
  { live = false, lane, jobs }: Step,
  secondsMax: number,
): Promise<{ success: boolean; output: string }> {
  const isNice = lane === "computing" && hasProgram("nice");
  const child = new Deno.Command(isNice ? "nice" : Deno.execPath(), {
    args: isNice ? ["-n", "19", Deno.execPath(), ...args] : args,
    cwd: root,
    env: {
      ...(Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" }),
      ...(jobs === undefined ? {} : { DENO_JOBS: String(jobs) }),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(secondsMax * 1000),
  }).spawn();
  let output = "";
  const drain = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      if (live) await Deno.stdout.write(new TextEncoder().encode(text));
      output += text;
    }
  };
  const [status] = await Promise.all([child.status, drain(child.stdout), drain(child.stderr)]);
  return { success: status.success, output };
}

function chooseSteps(names: readonly string[]): readonly Step[] {
  if (names.length === 0) return STEPS;
  const known = ["ok", ...STEPS.map((step) => step.name)];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    console.error(`There is no test step "${unknown}"; the steps are ${known.join(", ")}`);
    Deno.exit(2);
  }
  return STEPS.filter((step) => names.includes(step.name) || (step.fast && names.includes("ok")));
}

/** One after the other, each told when it ends. */
async function runSteps(steps: readonly Step[], results: StepResult[]): Promise<void> {
  for (const step of steps) {
    const result = await runStep(step);
    console.log(stepLine(result));
    results.push(result);
  }
}

if (import.meta.main) {
  const steps = chooseSteps(Deno.args);
  const results: StepResult[] = [];
  await runSteps(steps.filter(({ lane }) => lane === undefined), results);
  const lanes = ["hosts", "endurance", "computing"] as const;
  await Promise.all(
    lanes.map((name) => runSteps(steps.filter(({ lane }) => lane === name), results)),
  );
  const sum = total(results);
  console.log(countsLine(sum));
  Deno.exit(sum.failed === 0 ? 0 : 1);
}
