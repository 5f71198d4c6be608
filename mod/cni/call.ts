/** What a runtime asks for: the CNI_ variables of the environment, checked (CNI specification, section 2). */
import { quoteStart } from "../base/quote.ts";
import { CniCode, CniError } from "./errors.ts";

const COMMANDS = ["ADD", "DEL", "CHECK", "STATUS", "VERSION", "GC"] as const;
export type CniCommand = typeof COMMANDS[number];

/** Which container's which device; what is not asked for is empty. */
export interface CniCall {
  readonly command: CniCommand;
  readonly containerId: string;
  /** Path of the container's network namespace; may be empty for DEL. */
  readonly netns: string;
  readonly ifname: string;
  /** Folders with plugins. */
  readonly path: readonly string[];
  /** `CNI_ARGS`, by upper-case key: `IP`, `MAC` and others that are not ours to know. */
  readonly args: ReadonlyMap<string, string>;
}

/** What each command cannot do without. CNI_PATH is needed only to delegate. */
const REQUIRED: Readonly<Record<CniCommand, readonly string[]>> = {
  ADD: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"],
  CHECK: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"],
  DEL: ["CNI_CONTAINERID", "CNI_IFNAME"],
  STATUS: [],
  VERSION: [],
  GC: [],
};

const CONTAINER_ID = /^[a-zA-Z0-9][a-zA-Z0-9_.\-]*$/;
/** Names of files: 255 bytes, less a device's name, a colon and an ending. */
const CONTAINER_ID_CHARACTERS_MAX = 200;
/** What Linux takes as a device's name (dev_valid_name in net/core/dev.c); IFNAMSIZ less the zero. */
const DEVICE_NAME = /^(?!\.{1,2}$)[^\s/:\0]{1,15}$/;
const SHOWN_CHARACTERS_MAX = 60;

/** Whether Linux takes the text as the name of a device. */
export function isDeviceName(text: string): boolean {
  return DEVICE_NAME.test(text) && new TextEncoder().encode(text).length <= 15;
}

/** Reads the variables. Throws CniError code 4, which names those that are missing or wrong. */
export function readCall(variable: (name: string) => string | undefined): CniCall {
  const value = (name: string) => variable(name) ?? "";
  const command = COMMANDS.find((one) => one === value("CNI_COMMAND"));
  if (command === undefined) {
    const given = value("CNI_COMMAND");
    throw given === ""
      ? invalid("CNI_COMMAND is missing", "container runtimes set it; see gossamer cni --help")
      : invalid(`CNI_COMMAND: ${shown(given)} is none of ${COMMANDS.join(", ")}`);
  }
  const missing = REQUIRED[command].filter((name) => value(name) === "");
  if (missing.length > 0) {
    throw invalid(`${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing`);
  }
  const containerId = value("CNI_CONTAINERID");
  const ifname = value("CNI_IFNAME");
  if (REQUIRED[command].includes("CNI_CONTAINERID")) {
    if (!CONTAINER_ID.test(containerId) || containerId.length > CONTAINER_ID_CHARACTERS_MAX) {
      throw invalid(
        `CNI_CONTAINERID: ${shown(containerId)} is no container ID`,
        `letters, digits, "_", "." and "-", at most ${CONTAINER_ID_CHARACTERS_MAX}`,
      );
    }
    if (!isDeviceName(ifname)) {
      throw invalid(
        `CNI_IFNAME: ${shown(ifname)} is no name of a device`,
        "1 to 15 bytes without blanks, / and :",
      );
    }
  }
  const path = value("CNI_PATH").split(":").filter((folder) => folder !== "");
  const args = argsOf(value("CNI_ARGS"));
  return { command, containerId, ifname, netns: value("CNI_NETNS"), path, args };
}

/** `IP=10.244.7.9;MAC=...`; what has no `=` is left out. */
function argsOf(text: string): ReadonlyMap<string, string> {
  const args = new Map<string, string>();
  for (const pair of text.split(";")) {
    const equals = pair.indexOf("=");
    if (equals > 0) args.set(pair.slice(0, equals).toUpperCase(), pair.slice(equals + 1));
  }
  return args;
}

function shown(text: string): string {
  return quoteStart(text, SHOWN_CHARACTERS_MAX);
}

function invalid(message: string, details = ""): CniError {
  return new CniError(CniCode.invalidEnvironment, message, details);
}
