/** Versions of the CNI specification that configurations and results may have. */
import { quoteStart } from "../base/quote.ts";
import { CniCode, CniError } from "./errors.ts";

/** Those that this plugin speaks, the oldest first. Before 0.3.0 results had another shape, and plugins no chains. */
export const SUPPORTED_VERSIONS = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;
export type CniVersion = typeof SUPPORTED_VERSIONS[number];

/** What a configuration without a version has, by libcni. */
const VERSION_WITHOUT = "0.1.0";
const SHOWN_CHARACTERS_MAX = 40;

/** The version as one that we speak. Throws CniError, code 1 for one that we do not, code 6 for what is none. */
export function supportedVersion(value: unknown): CniVersion {
  const text = value === undefined ? VERSION_WITHOUT : value;
  if (typeof text !== "string" || !/^\d+\.\d+\.\d+$/.test(text)) {
    const shown = quoteStart(JSON.stringify(value) ?? "", SHOWN_CHARACTERS_MAX);
    throw new CniError(CniCode.undecodable, `cniVersion: ${shown} is no version`);
  }
  const version = SUPPORTED_VERSIONS.find((one) => one === text);
  if (version !== undefined) return version;
  throw new CniError(
    CniCode.incompatibleVersion,
    `CNI version ${text} is not supported`,
    `supported are ${SUPPORTED_VERSIONS.join(", ")}; set cniVersion to one of them`,
  );
}

/** Whether `version` is at least `other`. */
export function isAtLeast(version: CniVersion, other: CniVersion): boolean {
  return SUPPORTED_VERSIONS.indexOf(version) >= SUPPORTED_VERSIONS.indexOf(other);
}

/** Throws CniError code 1 when the configuration is of a version that does not have the operation yet. */
export function requireVersion(version: CniVersion, least: CniVersion, operation: string): void {
  if (isAtLeast(version, least)) return;
  throw new CniError(
    CniCode.incompatibleVersion,
    `${operation} came with CNI ${least}, and the configuration is of ${version}`,
  );
}
