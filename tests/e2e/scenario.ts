/**
 * How an end-to-end test runs: in a process of its own, as init of a pid namespace, so that nothing of
 * it is left on the machine however it ends - even when the test runner is killed with `kill -9`.
 *
 * A test file calls {@linkcode scenario} at its top level. Under `deno test` that registers a test which
 * starts the same file again with `deno run`; there it runs the body with a lab, and reports each step to
 * the test over its standard output, one JSON document a line.
 */
import { TextLineStream } from "./text_lines.ts";
import { closeNamespace, currentNamespace } from "../../ffi/netns.ts";
import { Lab, type LabOptions } from "../../mod/lab/lab.ts";
import { mayMakeNamespaces } from "../../mod/lab/privilege.ts";
import { spawnSandboxed, watchParent } from "../../mod/lab/sandbox.ts";
import { Workspace } from "../../mod/lab/workspace.ts";
import { removeAbandonedCgroups } from "../support/cgroups.ts";
import { builtExecutable } from "./executable.ts";

const NAME_VARIABLE = "GOSSAMER_E2E_SCENARIO";
const FOLDER_VARIABLE = "GOSSAMER_E2E_FOLDER";
const EXECUTABLE_VARIABLE = "GOSSAMER_E2E_EXECUTABLE";

/** A scenario that takes longer hangs, unless it says so: most need a third of it on two busy cores. */
const TIME_LIMIT_MS = 180_000;

/** What a scenario's body works with. */
export interface Stage {
  readonly lab: Lab;
  /** A folder of this scenario's own, removed afterwards. */
  readonly folder: string;
  /** The program under test. */
  readonly executable: string;
  /** A named part; the first one that throws ends the scenario. */
  step(name: string, body: () => Promise<void> | void): Promise<void>;
  /** A figure or remark for the reader of the test's output. */
  note(text: string): void;
}

type Report =
  | { kind: "begin"; name: string }
  | { kind: "end"; error: string | null }
  | { kind: "note"; text: string }
  | { kind: "failed"; error: string };

export interface ScenarioOptions {
  readonly hosts: number;
  readonly timeLimitMs?: number;
  /** Of the underlay's addresses. */
  readonly family?: 4 | 6;
  /** Why the scenario cannot run on this machine, such as a program that it lacks; it is left out then. */
  readonly leftOut?: string | undefined;
}

/** Registers a test, or runs it when the file is the main module. */
export function scenario(
  meta: ImportMeta,
  name: string,
  options: ScenarioOptions,
  body: (stage: Stage) => Promise<void>,
): void {
  if (meta.main) {
    if (Deno.env.get(NAME_VARIABLE) === name) runInside(options, body);
    return;
  }
  const leftOut = mayMakeNamespaces()
    ? options.leftOut
    : "needs root, CAP_SYS_ADMIN and CAP_NET_ADMIN";
  const ignore = leftOut !== undefined;
  // Loads libc before the test, which would be told to have leaked it.
  if (!ignore) closeNamespace(currentNamespace());
  Deno.test({
    name: ignore ? `${name} [left out: ${leftOut}]` : name,
    ignore,
    fn: (context) => runOutside(meta.url, name, context, options.timeLimitMs ?? TIME_LIMIT_MS),
  });
}

async function runOutside(
  file: string,
  name: string,
  context: Deno.TestContext,
  timeLimitMs: number,
): Promise<void> {
  const executable = await builtExecutable();
  const workspace = new Workspace();
  const child = spawnSandboxed([Deno.execPath(), "run", "-A", "--no-check", file], {
    stdout: "piped",
    stderr: "inherit",
    env: {
      [NAME_VARIABLE]: name,
      [FOLDER_VARIABLE]: workspace.path,
      [EXECUTABLE_VARIABLE]: executable,
    },
  });
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeLimitMs);
  try {
    const { failure, notes } = await follow(reportsOf(child.stdout), context);
    const { code } = await child.status;
    if (notes.length > 0) console.log(notes.map((note) => `    ${note}`).join("\n"));
    if (timedOut) throw failed(`The scenario was still running after ${timeLimitMs} ms`);
    if (failure !== null) throw failed(failure);
    if (code !== 0) throw failed(`The scenario ended with exit code ${code}`);
  } finally {
    clearTimeout(limit);
    await child.stdin.close().catch(() => {});
    await child.status;
    workspace.close();
    removeAbandonedCgroups(workspace.path);
  }
}

interface Outcome {
  failure: string | null;
  readonly notes: string[];
}

/** Turns the reports into test steps. */
async function follow(
  reports: AsyncGenerator<Report>,
  context: Deno.TestContext,
): Promise<Outcome> {
  const outcome: Outcome = { failure: null, notes: [] };
  while (true) {
    const { value, done } = await reports.next();
    if (done === true) return outcome;
    if (value.kind === "begin") {
      const held = await context.step(value.name, () => untilEnd(reports, outcome.notes));
      if (!held) outcome.failure ??= `The step "${value.name}" failed`;
    } else if (value.kind === "note") {
      outcome.notes.push(value.text);
    } else if (value.kind === "failed") {
      outcome.failure = value.error;
    }
  }
}

async function untilEnd(reports: AsyncGenerator<Report>, notes: string[]): Promise<void> {
  while (true) {
    const { value, done } = await reports.next();
    if (done === true) throw failed("The scenario's process ended within the step");
    if (value.kind === "note") notes.push(value.text);
    if (value.kind !== "end") continue;
    if (value.error !== null) throw failed(value.error);
    return;
  }
}

/** An error whose stack is that of the scenario's process, part of the text, and not our own. */
function failed(text: string): Error {
  const error = new Error(text);
  error.stack = text;
  return error;
}

/** The reports of a child; other lines it prints are passed on. */
async function* reportsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Report> {
  const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    if (line.startsWith(REPORT_MARK)) yield JSON.parse(line.slice(REPORT_MARK.length));
    else if (line !== "") console.log(line);
  }
}

const REPORT_MARK = "\x1egossamer-report ";

function report(document: Report): void {
  console.log(REPORT_MARK + JSON.stringify(document));
}

async function runInside(
  options: Pick<LabOptions, "hosts" | "family">,
  body: (stage: Stage) => Promise<void>,
): Promise<void> {
  watchParent(() => Deno.exit(1));
  const folder = requiredVariable(FOLDER_VARIABLE);
  const executable = requiredVariable(EXECUTABLE_VARIABLE);
  const lab = await Lab.open({ ...options, command: [executable], directory: folder });
  const stage: Stage = {
    lab,
    folder,
    executable,
    note: (text) => report({ kind: "note", text }),
    async step(name, work) {
      report({ kind: "begin", name });
      try {
        await work();
      } catch (error) {
        report({ kind: "end", error: `${textOf(error)}\n${lab.log()}` });
        Deno.exit(1);
      }
      report({ kind: "end", error: null });
    },
  };
  try {
    await body(stage);
  } catch (error) {
    report({ kind: "failed", error: `${textOf(error)}\n${lab.log()}` });
    Deno.exit(1);
  }
  await lab.close();
  Deno.exit(0);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function requiredVariable(name: string): string {
  const value = Deno.env.get(name);
  if (value === undefined) throw new Error(`${name} is not set; run this file with deno test`);
  return value;
}
