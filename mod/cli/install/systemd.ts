/** systemd, where it runs: the one program that install and uninstall start. */
import { UserError } from "../../base/errors.ts";

const UNIT = "gossamer.service";
/** sd_booted(3). */
const BOOTED = "/run/systemd/system";

export function systemdRuns(): boolean {
  try {
    return Deno.statSync(BOOTED).isDirectory;
  } catch {
    return false;
  }
}

/** Has systemd read the unit; a changed one is started anew. That it starts with the host says a link among the files. */
export function startSteps({ isStarted, changed }: {
  readonly isStarted: boolean;
  readonly changed: boolean;
}): string[][] {
  const reload = ["daemon-reload"];
  // Without waiting for it: the agent is ready when a seed has answered, which may be next week.
  return isStarted ? [reload, [changed ? "restart" : "start", "--no-block", UNIT]] : [reload];
}

/** Ends the agent; the overlay stays up. */
export const STOP_STEPS: readonly string[][] = [["disable", "--now", UNIT]];
/** Has systemd forget the unit. */
export const FORGET_STEPS: readonly string[][] = [["daemon-reload"]];

/** Calls systemctl for each, and says so line by line; a dry run only says so. Throws UserError. */
export async function takeSteps(steps: readonly string[][], dryRun: boolean): Promise<string[]> {
  if (dryRun) return steps.map((args) => `systemctl ${args.join(" ")} would be called`);
  const lines: string[] = [];
  for (const args of steps) {
    await systemctl(args);
    lines.push(`systemctl ${args.join(" ")}`);
  }
  return lines;
}

async function systemctl(args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(args);
  if (code === 0) return;
  throw new UserError(`systemctl ${args.join(" ")} failed: ${stderr.trim()}`, {
    remedy: "see systemctl status gossamer, then do the same again",
  });
}

async function run(args: readonly string[]): Promise<{ code: number; stderr: string }> {
  try {
    const { code, stderr } = await new Deno.Command("systemctl", {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  } catch (error) {
    throw new UserError("systemd runs here, but systemctl cannot be started", { cause: error });
  }
}
