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

/** Has systemd read the unit, and start the agent with this host from now on; a changed one is started anew. */
export async function enableService({ isStarted, changed }: {
  readonly isStarted: boolean;
  readonly changed: boolean;
}): Promise<string[]> {
  await systemctl("daemon-reload");
  await systemctl("enable", UNIT);
  if (!isStarted) return [`systemctl enable ${UNIT}`];
  const verb = changed ? "restart" : "start";
  await systemctl(verb, "--no-block", UNIT);
  return [`systemctl enable ${UNIT}`, `systemctl ${verb} ${UNIT}`];
}

/** Ends the agent; the overlay stays up. Nothing when there is no such unit. */
export async function disableService(): Promise<string[]> {
  if (!(await isKnown())) return [];
  await systemctl("disable", "--now", UNIT);
  return [`systemctl disable --now ${UNIT}`];
}

async function isKnown(): Promise<boolean> {
  const { code } = await run("cat", UNIT);
  return code === 0;
}

async function systemctl(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(...args);
  if (code === 0) return;
  throw new UserError(`systemctl ${args.join(" ")} failed: ${stderr.trim()}`, {
    remedy: "see systemctl status gossamer",
  });
}

async function run(...args: readonly string[]): Promise<{ code: number; stderr: string }> {
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
