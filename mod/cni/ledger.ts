/**
 * Who has which address: one small file for all networks, for they share the host's subnet; replaced as a whole under a lock of the
 * kernel. A process that is killed leaves the old or the new one, and its lock goes with it; of what it was about to make, the
 * ledger knows beforehand.
 */
import { systemReasonOf } from "../base/errors.ts";
import { quoteStart } from "../base/quote.ts";
import { CniCode, CniError } from "./errors.ts";
import { Fields, parseJsonObject } from "./json.ts";

/** A container's device on a network. */
export interface Attachment extends AttachmentKey {
  readonly network: string;
  readonly netns: string;
  /** The host's end of the cable. */
  readonly device: string;
  readonly bridge: string;
  /** With prefix lengths. */
  readonly addresses: readonly string[];
}

/** Which attachment is meant. */
export interface AttachmentKey {
  readonly containerId: string;
  readonly ifname: string;
}

export interface Ledger {
  attachments: readonly Attachment[];
  /** See AddressMemory. */
  last: number;
  resting: readonly string[];
}

/** Of the file's form. */
const VERSION = 1;
/** As we write them. */
const CIDR = /^[0-9a-f.:]+\/\d{1,3}$/;
const FOLDER_MODE = 0o700;
const PARENT_MODE = 0o755;
const FILE_MODE = 0o600;
/** Addresses given back that rest a while: at 50 containers started and stopped at once, all of a round. */
const RESTING_MAX = 64;

export function sameAttachment(one: AttachmentKey, other: AttachmentKey): boolean {
  return one.containerId === other.containerId && one.ifname === other.ifname;
}

/** What the ledger has of a device on a network. */
export function attachmentOf(
  { attachments }: Ledger,
  network: string,
  key: AttachmentKey,
): Attachment | undefined {
  return attachments.find((one) => one.network === network && sameAttachment(one, key));
}

/** The ledger without an attachment; its addresses rest. */
export function without(ledger: Ledger, gone: Attachment): Ledger {
  const addresses = gone.addresses.map((cidr) => cidr.slice(0, cidr.indexOf("/")));
  return {
    ...ledger,
    attachments: ledger.attachments.filter((one) =>
      one.network !== gone.network || !sameAttachment(one, gone)
    ),
    resting: [...ledger.resting.filter((one) => !addresses.includes(one)), ...addresses]
      .slice(-RESTING_MAX),
  };
}

/** The ledger in its folder. */
export class LedgerFile {
  readonly #folder: string;
  readonly #path: string;

  constructor(dataDir: string) {
    this.#folder = dataDir;
    this.#path = `${dataDir}/ledger.json`;
  }

  /** As it is now, without waiting for anybody. Throws CniError code 5 or 6. */
  peek(): Ledger {
    return this.#read();
  }

  /**
   * Runs the function with the ledger, alone on this machine, and keeps the ledger that it returns; null keeps it as it was.
   * Throws CniError code 5 or 6, and what the function throws.
   */
  change(make: (ledger: Ledger) => Ledger | null): void {
    const lock = this.#lock();
    try {
      const next = make(this.#read());
      if (next !== null) this.#write(next);
    } finally {
      lock.close();
    }
  }

  #lock(): Deno.FsFile {
    try {
      const lock = openOrMakeFolder(`${this.#folder}/lock`, this.#folder);
      lock.lockSync(true);
      return lock;
    } catch (error) {
      throw this.#failed("locked", error);
    }
  }

  #read(): Ledger {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return { attachments: [], last: 0, resting: [] };
      throw this.#failed("read", error);
    }
    return ledgerOf(text, this.#path);
  }

  /** Not synced to disk: what loses power loses its containers. */
  #write(ledger: Ledger): void {
    const temporary = `${this.#path}.new`;
    try {
      Deno.writeTextFileSync(temporary, JSON.stringify({ version: VERSION, ...ledger }) + "\n", {
        mode: FILE_MODE,
      });
      Deno.renameSync(temporary, this.#path);
    } catch (error) {
      throw this.#failed("written", error);
    }
  }

  #failed(what: string, error: unknown): CniError {
    return new CniError(
      CniCode.ioFailure,
      `${this.#path} cannot be ${what}: ${systemReasonOf(error)}`,
      "dataDir in the network configuration names its folder",
      error,
    );
  }
}

function openOrMakeFolder(path: string, folder: string): Deno.FsFile {
  const open = () => Deno.openSync(path, { write: true, create: true, mode: FILE_MODE });
  try {
    return open();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const parent = folder.slice(0, folder.lastIndexOf("/")) || "/";
    Deno.mkdirSync(parent, { recursive: true, mode: PARENT_MODE });
    Deno.mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    return open();
  }
}

/** Throws CniError code 6 for what no plugin wrote: guessing would give an address out twice. */
function ledgerOf(text: string, path: string): Ledger {
  try {
    const fields = new Fields(parseJsonObject(text, path));
    const version = fields.count("version") ?? VERSION;
    if (version !== VERSION) throw new CniError(CniCode.undecodable, `it is of version ${version}`);
    return {
      attachments: (fields.list("attachments") ?? []).map(attachmentFrom),
      last: fields.count("last", 0) ?? 0,
      resting: (fields.list("resting") ?? []).map(String),
    };
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    throw new CniError(
      CniCode.undecodable,
      `${path} is not understood: ${error.message}`,
      "it is the list of containers: stop them all, then remove it",
      error,
    );
  }
}

function attachmentFrom(value: unknown): Attachment {
  const fields = new Fields({ attachment: value }).fields("attachment");
  const text = (key: string): string => {
    const found = fields?.string(key) ?? "";
    if (found === "") throw new CniError(CniCode.undecodable, `an attachment has no ${key}`);
    return found;
  };
  const addresses = (fields?.list("addresses") ?? []).map(String);
  const odd = addresses.find((address) => !CIDR.test(address));
  if (odd !== undefined) {
    throw new CniError(CniCode.undecodable, `an attachment has the address ${quoteStart(odd, 60)}`);
  }
  return {
    network: text("network"),
    containerId: text("containerId"),
    ifname: text("ifname"),
    netns: text("netns"),
    device: text("device"),
    bridge: text("bridge"),
    addresses,
  };
}
