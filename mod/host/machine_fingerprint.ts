/**
 * Tells this machine from others, so that a copied disk is not taken for the host that it was copied from: machine-id(5) of
 * systemd and the UUID of the main board (SMBIOS 3.7, section 7.2.1), as far as they say anything.
 */
import { sha256 } from "../base/hash.ts";

/** Where they are read; tests have others. */
export interface FingerprintPaths {
  readonly machineId: string;
  readonly productUuid: string;
}

export const FINGERPRINT_PATHS: FingerprintPaths = {
  machineId: "/etc/machine-id",
  productUuid: "/sys/class/dmi/id/product_uuid",
};

/** Of each of the two values' SHA-256: 64 bits tell machines apart, and nothing can be read back from them. */
const PART_BYTES = 8;
const UNKNOWN = "00".repeat(PART_BYTES);

/** What vendors and image builders leave where a value of the machine's own should be. */
const KNOWN_BAD: ReadonlySet<string> = new Set([
  "uninitialized",
  "03000200-0400-0500-0006-000700080009",
  "12345678-1234-1234-1234-123456789012",
  "12345678-1234-5678-90ab-cddeefaabbcc",
  "fefefefe-fefe-fefe-fefe-fefefefefefe",
]);
/** Machine ids have 32 digits, UUIDs 36 characters. */
const LENGTH_MIN = 32;

/** Of this machine, 32 hexadecimal digits; undefined where nothing tells it from others. */
export function machineFingerprint(paths = FINGERPRINT_PATHS): string | undefined {
  const fingerprint = part("machine-id", paths.machineId) + part("uuid", paths.productUuid);
  return fingerprint === UNKNOWN + UNKNOWN ? undefined : fingerprint;
}

/** Whether both are known to be of different machines: a value that either of them lacks says nothing. */
export function isOtherMachine(one: string | undefined, other: string | undefined): boolean {
  const differs = (start: number) => {
    const [left, right] = [one, other].map((each) => each?.slice(start, start + 2 * PART_BYTES));
    if (left === undefined || right === undefined) return false;
    return left !== UNKNOWN && right !== UNKNOWN && left !== right;
  };
  return differs(0) || differs(2 * PART_BYTES);
}

function part(kind: string, path: string): string {
  const value = readValue(path);
  return value === null
    ? UNKNOWN
    : sha256(`gossamer ${kind} `, value).toHex().slice(0, 2 * PART_BYTES);
}

/** Null when it cannot be read (the UUID is root's alone) or is nobody's own. */
function readValue(path: string): string | null {
  let value: string;
  try {
    value = Deno.readTextFileSync(path).trim().toLowerCase();
  } catch {
    return null;
  }
  const isOneDigit = new Set(value.replaceAll("-", "")).size <= 1; // all zeros, all ones, empty
  return value.length < LENGTH_MIN || isOneDigit || KNOWN_BAD.has(value) ? null : value;
}
