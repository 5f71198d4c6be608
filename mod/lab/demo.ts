/**
 * `gossamer demo`: a cluster on this machine, from nothing to gone, for somebody who has never seen it.
 *
 * It runs in two processes. The outer one owns the folder and waits; the inner one is init of a pid
 * namespace and runs the lab, so that whatever happens to either, no process, namespace or device stays.
 */
import { ExitCode, reasonOf } from "../base/errors.ts";
import { DemoFailure, DemoStory } from "./demo_story.ts";
import { ownCommand } from "./executable.ts";
import { Lab } from "./lab.ts";
import { duration, Narrator } from "./narrator.ts";
import { checkParametersWritable, mayMakeNamespaces, userNamespacePrefix } from "./privilege.ts";
import { machinePid } from "./process_table.ts";
import { spawnSandboxed, watchParent } from "./sandbox.ts";
import { Workspace } from "./workspace.ts";

/** Tells the inner process where the hosts' states go; its presence makes it the inner one. */
const FOLDER_VARIABLE = "GOSSAMER_DEMO_FOLDER";
/** Tells the inner process that it is root of a user namespace only. */
const UNPRIVILEGED_VARIABLE = "GOSSAMER_DEMO_UNPRIVILEGED";

export const DEMO_HOSTS_MIN = 2;
export const DEMO_HOSTS_MAX = 9;
export const DEMO_HOSTS_DEFAULT = 3;

/** Last lines of each agent's log that a failed demo shows. */
const LOG_LINES_SHOWN = 15;

export interface DemoOptions {
  /** DEMO_HOSTS_MIN to DEMO_HOSTS_MAX. */
  readonly hosts: number;
  /** Stay at the end, until Ctrl-C, so that the cluster can be looked at. */
  readonly keep: boolean;
}

/** Runs the demo and returns the exit code. Throws UserError when this machine does not allow it. */
export async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const folder = Deno.env.get(FOLDER_VARIABLE);
  return folder === undefined ? await runOutside(options) : await runInside(folder, options);
}

async function runOutside(options: DemoOptions): Promise<ExitCode> {
  const privileged = mayMakeNamespaces();
  const prefix = privileged ? [] : await userNamespacePrefix();
  const workspace = new Workspace();
  try {
    const command = [...prefix, ...ownCommand(), "demo", `--hosts=${options.hosts}`];
    if (options.keep) command.push("--keep");
    const env: Record<string, string> = { [FOLDER_VARIABLE]: workspace.path };
    if (!privileged) env[UNPRIVILEGED_VARIABLE] = "1";
    const child = privileged
      ? spawnSandboxed(command, { env })
      : new Deno.Command(command[0] ?? "", { args: command.slice(1), env, stdin: "piped" }).spawn();
    // Closing its input asks the inner process to end; it does so whoever got the signal.
    const stop = () => void child.stdin.close().catch(() => {});
    Deno.addSignalListener("SIGINT", stop);
    Deno.addSignalListener("SIGTERM", stop);
    const { code } = await child.status;
    Deno.removeSignalListener("SIGINT", stop);
    Deno.removeSignalListener("SIGTERM", stop);
    return code === ExitCode.done || code === ExitCode.privilege ? code : ExitCode.failed;
  } finally {
    workspace.close();
  }
}

async function runInside(folder: string, options: DemoOptions): Promise<ExitCode> {
  checkParametersWritable();
  const coloured = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
  const narrator = new Narrator(writeOut, coloured);
  // An interrupted story fails at whatever it does next, which is nothing to tell of.
  let interruption = false;
  const storyteller = new Narrator((text) => interruption || writeOut(text), coloured);
  const interrupted = new Promise<"interrupted">((resolve) => {
    watchParent(() => resolve("interrupted"));
    Deno.addSignalListener("SIGINT", () => resolve("interrupted"));
    Deno.addSignalListener("SIGTERM", () => resolve("interrupted"));
  });
  const began = performance.now();
  narrator.say(
    `A cluster on this machine: ${options.hosts} hosts, each a network namespace with devices, routes and an`,
  );
  narrator.say(
    "agent of its own. No server and no store: all a host knows is one other host's address.",
  );
  const lab = await Lab.open({ hosts: options.hosts, command: ownCommand(), directory: folder });
  const outcome = await Promise.race([interrupted, tellStory(lab, storyteller)]);
  if (outcome === "held") {
    narrator.say();
    narrator.say(`Everything held, in ${duration(performance.now() - began)}.`);
    if (options.keep) {
      describeHosts(lab, narrator);
      await interrupted;
    }
  } else if (outcome === "interrupted") {
    interruption = true;
    narrator.say();
    narrator.say("Interrupted.");
  } else {
    showLogs(lab, narrator);
  }
  await lab.close();
  narrator.say(
    "All hosts are gone again: no process, namespace or device is left on this machine.",
  );
  Deno.exit(outcome === "held" ? ExitCode.done : ExitCode.failed);
}

async function tellStory(lab: Lab, narrator: Narrator): Promise<"held" | "failed"> {
  try {
    await new DemoStory(lab, narrator).tell();
    return "held";
  } catch (error) {
    // A failed check has been printed; anything else has to be.
    if (!(error instanceof DemoFailure)) {
      narrator.refute(reasonOf(error));
    }
    return "failed";
  }
}

function showLogs(lab: Lab, narrator: Narrator): void {
  narrator.say();
  for (const host of lab.hosts) {
    if (host.log() === "") continue;
    const lines = host.log().split("\n").slice(-LOG_LINES_SHOWN);
    narrator.show(`The last words of ${host.name}:`, lines.join("\n"));
  }
}

function describeHosts(lab: Lab, narrator: Narrator): void {
  const user = Deno.env.get(UNPRIVILEGED_VARIABLE) === undefined
    ? ""
    : "--user --preserve-credentials ";
  narrator.say();
  narrator.say("The hosts stay until you press Ctrl-C. Look around from another terminal:");
  const program = ownCommand().join(" ");
  for (const host of lab.hosts) {
    if (!host.running) continue;
    const pid = machinePid(host.agent.pid);
    narrator.say();
    narrator.tell(`${host.name}  ${program} status --run-dir=${host.runDir}`);
    if (pid !== null) narrator.tell(`    nsenter --target=${pid} ${user}--net ip route`);
  }
}

function writeOut(text: string): void {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  try {
    while (written < bytes.length) written += Deno.stdout.writeSync(bytes.subarray(written));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
