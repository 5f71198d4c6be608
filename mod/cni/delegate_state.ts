/** What was delegated for a container, on disk: DEL has to tell the other plugin the same, whatever the subnet file says then. */
import { systemReasonOf } from "../base/errors.ts";
import { CniCode, CniError } from "./errors.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import type { AttachmentKey } from "./ledger.ts";

/** Our entry in what is kept; not for the other plugin. */
const OWN_KEY = "gossamer";
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export interface Delegated {
  readonly path: string;
  readonly key: AttachmentKey;
  /** The configuration that the other plugin got. */
  readonly config: JsonObject;
}

/**
 * Keeps the configuration, durable when it returns. The file's name is flannel's, the container ID; a second device of the
 * container, which flannel would write over the first, has its name behind it.
 */
export function keepDelegated(folder: string, key: AttachmentKey, config: JsonObject): void {
  const kept = { ...config, [OWN_KEY]: { ifname: key.ifname } };
  const other = read(`${folder}/${key.containerId}`, key);
  const path = other === null || other.key.ifname === key.ifname
    ? `${folder}/${key.containerId}`
    : secondPath(folder, key);
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    // Colons are in no container ID: this is nobody's file.
    const temporary = `${secondPath(folder, key)}:new`;
    const file = Deno.openSync(temporary, {
      write: true,
      create: true,
      truncate: true,
      mode: FILE_MODE,
    });
    try {
      const bytes = new TextEncoder().encode(JSON.stringify(kept));
      for (let written = 0; written < bytes.length;) {
        written += file.writeSync(bytes.subarray(written));
      }
      file.syncSync();
    } finally {
      file.close();
    }
    Deno.renameSync(temporary, path);
  } catch (error) {
    throw new CniError(
      CniCode.ioFailure,
      `${path} cannot be written: ${systemReasonOf(error)}`,
      "",
      error,
    );
  }
}

/** What was kept for an attachment, by us or by flannel's plugin; null when there is nothing. */
export function readDelegated(folder: string, key: AttachmentKey): Delegated | null {
  const second = read(secondPath(folder, key), key);
  if (second !== null) return second;
  const first = read(`${folder}/${key.containerId}`, key);
  return first?.key.ifname === key.ifname ? first : null;
}

/** Forgets it. */
export function forgetDelegated({ path }: Delegated): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new CniError(
        CniCode.ioFailure,
        `${path} cannot be removed: ${systemReasonOf(error)}`,
        "",
        error,
      );
    }
  }
}

/** Everything that is kept for a network. Files of flannel's plugin do not say which device: it is taken for `eth0`. */
export function listDelegated(folder: string, network: string): Delegated[] {
  let names: string[];
  try {
    names = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return names.filter((name) => !name.endsWith(":new")).map((name) => {
    const [containerId = "", ifname = "eth0"] = name.split(":");
    return read(`${folder}/${name}`, { containerId, ifname });
  }).filter((one) => one !== null).filter(({ config }) => config.name === network);
}

function secondPath(folder: string, { containerId, ifname }: AttachmentKey): string {
  return `${folder}/${containerId}:${ifname}`;
}

/** Half a file, of a crash, counts as none, as with flannel: the other plugin was not called yet. */
function read(path: string, key: AttachmentKey): Delegated | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new CniError(
      CniCode.ioFailure,
      `${path} cannot be read: ${systemReasonOf(error)}`,
      "",
      error,
    );
  }
  let kept: unknown;
  try {
    kept = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isJsonObject(kept)) return null;
  const { [OWN_KEY]: own, ...config } = kept;
  const ifname = isJsonObject(own) && typeof own.ifname === "string" ? own.ifname : key.ifname;
  return { path, config, key: { ...key, ifname } };
}
