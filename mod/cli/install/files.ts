/** Files that an installation consists of: each put into place as a whole, and none that somebody else wrote. */
import { ExitCode, systemReasonOf, UserError } from "../../base/errors.ts";
import { serviceUnit, UNIT_MARK } from "./service_unit.ts";

/** Below the root of the system. */
export const EXECUTABLE = "/usr/local/bin/gossamer";
export const CONFIG_FILE = "/etc/gossamer/gossamer.toml";
export const UNIT_FILE = "/etc/systemd/system/gossamer.service";
/** What agents leave behind, for --purge. */
export const STATE_FOLDERS = ["/var/lib/gossamer", "/var/cache/gossamer"] as const;

export interface InstallOptions {
  /** Empty for this system, else the folder that another one's is in. */
  readonly root: string;
  /** The built program. */
  readonly executable: string;
  readonly configText: string;
  /** Whether {@linkcode configText} says something of its own. */
  readonly isConfigured: boolean;
  /** Replace what somebody else wrote. */
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** What was done, or would be, a line each; `changed` without lines that say that nothing was to do. */
export interface Done {
  readonly lines: readonly string[];
  readonly changed: boolean;
}

/** Throws UserError, before anything is changed where a file is in the way. */
export function installFiles(options: InstallOptions): Done {
  const { root, executable, configText, isConfigured, force, dryRun } = options;
  const config = root + CONFIG_FILE;
  const unit = root + UNIT_FILE;
  const present = { config: textOf(config), unit: textOf(unit) };
  if (isConfigured && present.config !== null && present.config !== configText && !force) {
    throw new UserError(`${config} is there already, and says something else`, {
      remedy: "edit it, or give --force to replace it",
    });
  }
  const isForeign = present.unit !== null && !present.unit.startsWith(UNIT_MARK);
  if (isForeign && !force) {
    throw new UserError(`${unit} was not written by gossamer install`, {
      remedy: "remove it, or give --force to replace it",
    });
  }
  const lines: string[] = [];
  let changed = false;
  const put = (path: string, isSame: boolean, write: () => void) => {
    lines.push(
      isSame ? `${path} is as it should be` : `${path} ${dryRun ? "is written" : "written"}`,
    );
    if (isSame) return;
    changed = true;
    if (!dryRun) attempt(path, write);
  };
  const program = root + EXECUTABLE;
  put(program, isSameFile(executable, program), () => copyInto(executable, program));
  const keepsConfig = present.config !== null && (!isConfigured || present.config === configText);
  put(config, keepsConfig, () => writeInto(config, configText));
  const unitText = serviceUnit(EXECUTABLE);
  put(unit, present.unit === unitText, () => writeInto(unit, unitText));
  return { lines, changed };
}

/** Takes away what {@linkcode installFiles} wrote, and with `purge` what agents left. Throws UserError. */
export function uninstallFiles(
  { root, force, purge, dryRun }: {
    readonly root: string;
    readonly force: boolean;
    readonly purge: boolean;
    readonly dryRun: boolean;
  },
): string[] {
  const lines: string[] = [];
  const remove = (path: string) => {
    lines.push(`${path} ${dryRun ? "is removed" : "removed"}`);
    if (!dryRun) attempt(path, () => Deno.removeSync(path, { recursive: true }));
  };
  const unit = root + UNIT_FILE;
  const text = textOf(unit);
  if (text !== null && (text.startsWith(UNIT_MARK) || force)) remove(unit);
  else if (text !== null) lines.push(`${unit} stays: gossamer install did not write it`);
  const program = root + EXECUTABLE;
  if (isThere(program)) remove(program);
  const kept = [root + CONFIG_FILE, ...STATE_FOLDERS.map((folder) => root + folder)].filter(
    isThere,
  );
  for (const path of kept) {
    if (purge) remove(path);
    else lines.push(`${path} stays; --purge removes it`);
  }
  const folder = (root + CONFIG_FILE).replace(/\/[^/]*$/, "");
  if (!dryRun && isThere(folder) && [...Deno.readDirSync(folder)].length === 0) {
    Deno.removeSync(folder);
  }
  return lines.length === 0 ? ["there is nothing of gossamer to remove"] : lines;
}

/** Null when it is not there. Throws UserError when it cannot be read. */
function textOf(path: string): string | null {
  if (!isThere(path)) return null;
  return attempt(path, () => Deno.readTextFileSync(path));
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw refusal(path, error);
  }
}

function isSameFile(one: string, other: string): boolean {
  if (!isThere(other)) return false;
  return attempt(other, () => {
    if (Deno.realPathSync(one) === Deno.realPathSync(other)) return true;
    if (Deno.statSync(one).size !== Deno.statSync(other).size) return false;
    const [first, second] = [Deno.readFileSync(one), Deno.readFileSync(other)];
    return first.every((byte, at) => byte === second[at]);
  });
}

/** By a rename: a running program keeps its old file, and nobody ever starts half of one. */
function copyInto(from: string, to: string): void {
  const fresh = freshBeside(to);
  Deno.copyFileSync(from, fresh);
  Deno.chmodSync(fresh, 0o755);
  Deno.renameSync(fresh, to);
}

function writeInto(path: string, text: string): void {
  const fresh = freshBeside(path);
  Deno.writeTextFileSync(fresh, text, { mode: 0o644 });
  Deno.renameSync(fresh, path);
}

function freshBeside(path: string): string {
  Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
  return `${path}.new`;
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw refusal(path, error);
  }
}

function refusal(path: string, error: unknown): UserError {
  const isDenied = error instanceof Deno.errors.PermissionDenied;
  return new UserError(`${path}: ${systemReasonOf(error)}`, {
    ...(isDenied ? { exitCode: ExitCode.privilege, remedy: "run it as root" } : {}),
  });
}
