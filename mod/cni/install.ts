/** Puts the plugin and its configuration where container runtimes look, and takes them away; what is not ours stays. */
import { NetlinkError } from "../../ffi/netlink/error.ts";
import { linkDelete, linkDump } from "../../ffi/route/link.ts";
import { ExitCode, systemReasonOf, UserError } from "../base/errors.ts";
import { isOurBridge, portsOf } from "./bridge.ts";
import { CONFLIST_NAME, conflistText, PLUGIN_NAME, PORTMAP_NAME } from "./conflist.ts";
import { CniError } from "./errors.ts";
import { readHostSubnet } from "./host_subnet.ts";
import { LedgerFile } from "./ledger.ts";
import { withHost } from "./namespaces.ts";
import { DATA_DIR_DEFAULT, SUBNET_FILE_DEFAULT } from "./network_config.ts";

export interface InstallOptions {
  /** Absolute path of this program. */
  readonly executable: string;
  readonly binDir: string;
  readonly confDir: string;
  /** Null for the agent's default. */
  readonly subnetFile: string | null;
  /** Replace or remove files that are not as we write them. */
  readonly force: boolean;
}

const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;

/** Returns what it did, line by line; a second time it does nothing. Throws UserError. */
export function installPlugin(options: InstallOptions): string[] {
  const { binDir, confDir, subnetFile } = options;
  const hasPortmap = stat(`${binDir}/${PORTMAP_NAME}`) !== null;
  const text = conflistText({ subnetFile, hasPortmap });
  // Written before portmap came, or went.
  const earlierText = conflistText({ subnetFile, hasPortmap: !hasPortmap });
  const lines = [
    installLink(options, `${binDir}/${PLUGIN_NAME}`),
    installConflist(options, `${confDir}/${CONFLIST_NAME}`, text, earlierText),
  ];
  if (!hasPortmap) {
    lines.push(
      `note: there is no ${binDir}/${PORTMAP_NAME}, so published ports do not work; ` +
        "install it and run this again",
    );
  }
  if (!isMasqueraded(subnetFile ?? SUBNET_FILE_DEFAULT)) {
    lines.push(
      "note: the agent does not masquerade, so containers reach containers and hosts, but not the " +
        "world; start it with --ip-masq",
    );
  }
  const earlier = configurationsBefore(confDir);
  if (earlier !== undefined) {
    lines.push(`note: runtimes that use one network take ${confDir}/${earlier}, which sorts first`);
  }
  return lines;
}

/** Returns what it did, line by line. Throws UserError while containers are on the network, unless forced. */
export function uninstallPlugin(options: InstallOptions): string[] {
  const attached = containers();
  if (attached > 0 && !options.force) {
    throw new UserError(
      `${attached} container${attached === 1 ? " is" : "s are"} still on the bridge`,
      { remedy: "stop them first: runtimes need the plugin for that; or give --force" },
    );
  }
  const { binDir, confDir, subnetFile } = options;
  const conflists = [true, false].map((hasPortmap) => conflistText({ subnetFile, hasPortmap }));
  return [
    uninstallConflist(options, `${confDir}/${CONFLIST_NAME}`, conflists),
    uninstallLink(options, `${binDir}/${PLUGIN_NAME}`),
    ...removeBridges(),
  ];
}

function installLink({ executable, force }: InstallOptions, path: string): string {
  if (realPath(path) === executable) return `${path}: unchanged`;
  const there = stat(path);
  // A link is nobody's data; most likely it is ours from before this program was moved.
  if (there !== null && !there.isSymlink && !force) {
    throw new UserError(`${path} is another program`, {
      remedy: "remove it, or give --force to replace it",
    });
  }
  attempt(path, "written", () => {
    makeFolderOf(path);
    const temporary = `${path}.new`;
    removeIfThere(temporary);
    Deno.symlinkSync(executable, temporary);
    Deno.renameSync(temporary, path);
  });
  return `${path}: ${there === null ? "made" : "replaced"}, a link to ${executable}`;
}

function installConflist(
  { force }: InstallOptions,
  path: string,
  text: string,
  earlierText: string,
): string {
  const there = readText(path);
  if (there === text) return `${path}: unchanged`;
  if (there !== null && there !== earlierText && !force) {
    return `${path}: kept, for it is not what would be written; --force replaces it`;
  }
  attempt(path, "written", () => {
    makeFolderOf(path);
    const temporary = `${path}.new`;
    Deno.writeTextFileSync(temporary, text, { mode: FILE_MODE });
    Deno.chmodSync(temporary, FILE_MODE);
    Deno.renameSync(temporary, path);
  });
  return `${path}: ${there === null ? "made" : "replaced"}`;
}

function uninstallLink({ executable, force }: InstallOptions, path: string): string {
  const there = stat(path);
  if (there === null) return `${path}: not there`;
  const real = realPath(path);
  // The program itself may lie there: removing it is not ours to do. A link to nothing is of no use to anybody.
  const isOurs = there.isSymlink && (real === executable || real === null);
  if (!isOurs && !force) return `${path}: kept, for it is no link to ${executable}`;
  attempt(path, "removed", () => Deno.removeSync(path));
  return `${path}: removed`;
}

function uninstallConflist(
  { force }: InstallOptions,
  path: string,
  ours: readonly string[],
): string {
  const there = readText(path);
  if (there === null) return `${path}: not there`;
  if (!ours.includes(there) && !force) {
    return `${path}: kept, for it is not what was written; --force removes it`;
  }
  attempt(path, "removed", () => Deno.removeSync(path));
  return `${path}: removed`;
}

/** Those that we made and nobody is plugged into. */
function removeBridges(): string[] {
  return withHost((host) => {
    const lines: string[] = [];
    for (const bridge of linkDump(host).filter(isOurBridge)) {
      const ports = portsOf(host, bridge).length;
      if (ports === 0) {
        attempt(`bridge ${bridge.name}`, "removed", () => linkDelete(host, bridge.index));
      }
      lines.push(
        ports === 0
          ? `bridge ${bridge.name}: removed`
          : `bridge ${bridge.name}: kept, for ${ports} devices are plugged into it`,
      );
    }
    return lines;
  });
}

/** False only if the subnet file says so: it may not be there yet. */
function isMasqueraded(subnetFile: string): boolean {
  try {
    return readHostSubnet(subnetFile).ipMasq;
  } catch (error) {
    if (error instanceof CniError) return true;
    throw error;
  }
}

/** The first file that runtimes take before ours. */
function configurationsBefore(confDir: string): string | undefined {
  try {
    return [...Deno.readDirSync(confDir)].map(({ name }) => name)
      .filter((name) => /\.(conf|conflist|json)$/.test(name) && name < CONFLIST_NAME)
      .sort().at(0);
  } catch {
    return undefined;
  }
}

function attempt(path: string, what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const isDenied = error instanceof Deno.errors.PermissionDenied ||
      (error instanceof NetlinkError && error.code === "EPERM");
    throw new UserError(`${path} cannot be ${what}: ${systemReasonOf(error)}`, {
      exitCode: isDenied ? ExitCode.privilege : ExitCode.failed,
      remedy: "run it as root, or give other folders with --bin-dir and --conf-dir",
      cause: error,
    });
  }
}

function makeFolderOf(path: string): void {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", {
    recursive: true,
    mode: FOLDER_MODE,
  });
}

/** How many containers are on the networks that have their ledger at the default place. */
function containers(): number {
  try {
    return new LedgerFile(DATA_DIR_DEFAULT).peek().attachments.length;
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    throw new UserError(error.message, { remedy: "run it as root", cause: error });
  }
}

function stat(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new UserError(`${path} cannot be read: ${systemReasonOf(error)}`, { cause: error });
  }
}

function readText(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new UserError(`${path} cannot be read: ${systemReasonOf(error)}`, { cause: error });
  }
}

function realPath(path: string): string | null {
  try {
    return Deno.realPathSync(path);
  } catch {
    return null;
  }
}

function removeIfThere(path: string): void {
  if (stat(path) !== null) Deno.removeSync(path);
}
