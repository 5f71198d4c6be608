/** Files that an installation consists of: each put into place as a whole, and none that somebody else wrote. */
import { UserError } from "../../base/errors.ts";
import { isLaunchedFile, isSameFile } from "./program.ts";
import { attempt, isThere, linkOf, putCopy, putLink, putText, stayBelow, textOf } from "./put.ts";
import { isSealed, sealedUnit, serviceUnit } from "./service_unit.ts";

/** Below the root of the system. */
export const EXECUTABLE = "/usr/local/bin/gossamer";
export const CONFIG_FILE = "/etc/gossamer/gossamer.toml";
export const UNIT_FILE = "/etc/systemd/system/gossamer.service";
/** What `systemctl enable` makes, also where systemd does not run: in an image. */
export const WANTS_LINK = "/etc/systemd/system/multi-user.target.wants/gossamer.service";
/** What agents leave behind, for --purge. */
export const STATE_FOLDERS = ["/var/lib/gossamer", "/var/cache/gossamer"] as const;
/** Where packages have their units. */
const PACKAGED_UNITS = [
  "/usr/lib/systemd/system/gossamer.service",
  "/lib/systemd/system/gossamer.service",
] as const;

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
  const places = placesBelow(root);
  const { program, config, unit, wants } = places;
  const present = { config: textOf(config), unit: textOf(unit) };
  if (!force) refuseForeign(options, places, present);

  const lines: string[] = [];
  let changed = false;
  const put = (path: string, isSame: boolean, write: () => void) => {
    const what = dryRun ? "would be written" : "written";
    lines.push(isSame ? `${path} is as it should be` : `${path} ${what}`);
    if (isSame) return;
    changed = true;
    if (!dryRun) attempt(path, write);
  };
  put(program, isSameFile(executable, program), () => putCopy(executable, program));
  const keepsConfig = present.config !== null && (!isConfigured || present.config === configText);
  put(config, keepsConfig, () => putText(config, configText));
  const unitText = sealedUnit(serviceUnit(EXECUTABLE));
  put(unit, present.unit === unitText, () => putText(unit, unitText));
  put(wants, linkOf(wants) === UNIT_FILE, () => putLink(UNIT_FILE, wants));
  return { lines, changed };
}

interface Places {
  readonly program: string;
  readonly config: string;
  readonly unit: string;
  readonly wants: string;
}

/** Throws UserError if a link leads out of the root. */
function placesBelow(root: string): Places {
  for (const path of [EXECUTABLE, CONFIG_FILE, UNIT_FILE, WANTS_LINK, ...STATE_FOLDERS]) {
    stayBelow(root, root + path);
  }
  return {
    program: root + EXECUTABLE,
    config: root + CONFIG_FILE,
    unit: root + UNIT_FILE,
    wants: root + WANTS_LINK,
  };
}

function refuseForeign(
  { root, executable, configText, isConfigured }: InstallOptions,
  { program, config, unit }: Places,
  present: { readonly config: string | null; readonly unit: string | null },
): void {
  const packaged = packagedUnit(root);
  if (packaged !== null) {
    throw new UserError(`a package has installed gossamer: there is ${packaged}`, {
      remedy:
        "use that one, by systemctl enable --now gossamer; or give --force for a second one, " +
        "which then comes first",
    });
  }
  if (isConfigured && present.config !== null && present.config !== configText) {
    throw new UserError(`${config} is there already, and says something else`, {
      remedy: "edit it, or give --force to replace it",
    });
  }
  if (present.unit !== null && !isOurUnit(present.unit)) {
    throw new UserError(`${unit} is not as gossamer install writes it`, {
      remedy:
        "move your changes to a drop-in, by systemctl edit gossamer, and give --force to replace it",
    });
  }
  if (present.unit === null && !isOurProgram(program, executable)) {
    throw new UserError(`${program} is another program`, {
      remedy: "remove it, or give --force to replace it",
    });
  }
}

/** Takes away what {@linkcode installFiles} wrote, and with `purge` what agents left. Throws UserError. */
export function uninstallFiles(
  { root, executable, force, purge, dryRun }: {
    readonly root: string;
    /** The program that runs; null if it is not a built one. */
    readonly executable: string | null;
    readonly force: boolean;
    readonly purge: boolean;
    readonly dryRun: boolean;
  },
): string[] {
  const lines: string[] = [];
  const remove = (path: string, recursive = false) => {
    lines.push(`${path} ${dryRun ? "would be removed" : "removed"}`);
    if (!dryRun) attempt(path, () => Deno.removeSync(path, { recursive }));
  };
  const { program, config, unit, wants } = placesBelow(root);
  const text = textOf(unit);
  if (linkOf(wants) === UNIT_FILE) remove(wants);
  if (text !== null && (isOurUnit(text) || force)) remove(unit);
  else if (text !== null) lines.push(`${unit} stays: it is not as gossamer install writes it`);
  if (isThere(program)) {
    const isOurs = force || text !== null || isOurProgram(program, executable);
    if (isOurs) remove(program);
    else lines.push(`${program} stays: it is another program`);
  }
  const isPackaged = packagedUnit(root) !== null;
  const kept = [config, ...STATE_FOLDERS.map((below) => root + below)];
  for (const path of kept.filter(isThere)) {
    if (isPackaged) lines.push(`${path} stays: the package uses it too`);
    else if (purge) remove(path, path !== config);
    else lines.push(`${path} stays; --purge removes it`);
  }
  const folder = config.replace(/\/[^/]*$/, "");
  if (!dryRun && isThere(folder)) {
    const left = attempt(folder, () => [...Deno.readDirSync(folder)]);
    if (left.length === 0) attempt(folder, () => Deno.removeSync(folder));
    else if (purge && !isPackaged) {
      lines.push(
        `${folder} stays: install did not write ${left.map(({ name }) => name).join(", ")}`,
      );
    }
  }
  return lines.length === 0 ? ["there is nothing of gossamer to remove"] : lines;
}

/** The unit of a package of the distribution's kind, or null. */
export function packagedUnit(root: string): string | null {
  return PACKAGED_UNITS.map((path) => root + path).find(isThere) ?? null;
}

/** Also the one that an operator copied by hand. */
function isOurUnit(text: string): boolean {
  return isSealed(text) || text === serviceUnit(EXECUTABLE);
}

function isOurProgram(path: string, executable: string | null): boolean {
  if (!isThere(path)) return true;
  return isLaunchedFile(path) || (executable !== null && isSameFile(executable, path));
}
