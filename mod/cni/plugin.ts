/**
 * gossamer as a CNI plugin: one short process a call. Configuration on standard input, the result or a JSON error on standard
 * output (CNI specification 1.1.0). Loaded instead of the command line, so what it imports is what an ADD costs.
 */
import { reasonOf } from "../base/errors.ts";
import { addBuiltIn } from "./add.ts";
import { checkBuiltIn, collectBuiltIn, deleteBuiltIn, statusOfBuiltIn } from "./built_in.ts";
import { type CniCall, readCall } from "./call.ts";
import { CniCode, CniError } from "./errors.ts";
import { Fields, parseJsonObject } from "./json.ts";
import type { AttachmentKey } from "./ledger.ts";
import { type NetworkConfig, parseNetworkConfig } from "./network_config.ts";
import { type CniVersion, requireVersion, SUPPORTED_VERSIONS } from "./versions.ts";

/** The process that the plugin runs in. */
export interface PluginOutside {
  readonly variable: (name: string) => string | undefined;
  /** Standard input to its end. */
  readonly input: () => string;
  readonly print: (text: string) => void;
}

const NEWEST: CniVersion = "1.1.0";

/** Runs the command of the environment and returns the exit code. Throws only what `print` throws. */
export async function runPlugin(outside: PluginOutside): Promise<0 | 1> {
  let version: string = NEWEST;
  try {
    const call = readCall(outside.variable);
    const text = outside.input();
    if (call.command === "VERSION") {
      // Runtimes from before 0.3.0 ask without saying anything.
      const asked = text.trim() === "" ? NEWEST : parseJsonObject(text, "the input").cniVersion;
      print(outside, { cniVersion: asked ?? NEWEST, supportedVersions: SUPPORTED_VERSIONS });
      return 0;
    }
    const config = parseNetworkConfig(text);
    version = config.cniVersion;
    const result = await perform(config, call);
    if (typeof result === "string") outside.print(result);
    else if (result !== undefined) print(outside, result);
    return 0;
  } catch (error) {
    const { code, message, details } = asCniError(error);
    print(outside, {
      cniVersion: version,
      code,
      msg: message,
      ...details === "" ? {} : { details },
    });
    return 1;
  }
}

async function perform(config: NetworkConfig, call: CniCall): Promise<object | string | void> {
  const isBuiltIn = config.delegate === null;
  const delegated = () => import("./delegated.ts");
  switch (call.command) {
    case "ADD":
      return isBuiltIn
        ? addBuiltIn(config, call)
        : await (await delegated()).addDelegated(config, call);
    case "DEL":
      return isBuiltIn
        ? deleteBuiltIn(config, call)
        : await (await delegated()).deleteDelegated(config, call);
    case "CHECK":
      requireVersion(config.cniVersion, "0.4.0", "CHECK");
      return isBuiltIn
        ? checkBuiltIn(config, call)
        : await (await delegated()).checkDelegated(config, call);
    case "STATUS":
      requireVersion(config.cniVersion, "1.1.0", "STATUS");
      return isBuiltIn
        ? statusOfBuiltIn(config)
        : await (await delegated()).statusOfDelegated(config, call);
    case "GC": {
      requireVersion(config.cniVersion, "1.1.0", "GC");
      const valid = validAttachments(config);
      return isBuiltIn
        ? collectBuiltIn(config, valid)
        : await (await delegated()).collectDelegated(config, call, valid);
    }
  }
}

/** Throws CniError code 7 when the list is missing: without it, everything would go. */
function validAttachments({ fields }: NetworkConfig): AttachmentKey[] {
  const key = "cni.dev/valid-attachments";
  const list = fields.list(key);
  if (list === undefined) throw new CniError(CniCode.invalidConfig, `GC: ${key} is missing`);
  return list.map((value) => {
    const one = new Fields({ entry: value }, `${key}.`).fields("entry");
    const containerId = one?.string("containerID");
    const ifname = one?.string("ifname");
    if (containerId !== undefined && ifname !== undefined) return { containerId, ifname };
    throw new CniError(
      CniCode.invalidConfig,
      `GC: ${key} has an entry without containerID or ifname`,
    );
  });
}

function asCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  const denied = error instanceof Error && "code" in error &&
    (error.code === "EPERM" || error.code === "EACCES");
  return denied
    ? new CniError(
      CniCode.missingPrivilege,
      reasonOf(error),
      "the plugin needs CAP_NET_ADMIN and CAP_SYS_ADMIN",
      error,
    )
    : new CniError(CniCode.failed, reasonOf(error), "", error);
}

function print(outside: PluginOutside, document: object): void {
  outside.print(JSON.stringify(document) + "\n");
}
