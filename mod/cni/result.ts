/** What ADD answers, in the shape of the configuration's version (CNI specification, section 5). */
import { CniCode, CniError } from "./errors.ts";
import { Fields, isJsonObject, type JsonObject } from "./json.ts";
import { type CniVersion, isAtLeast } from "./versions.ts";

export interface ResultInterface {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  /** Path of the namespace; absent on the host. */
  readonly sandbox?: string;
}

export interface ResultAddress {
  /** With prefix length. */
  readonly address: string;
  readonly gateway: string;
}

export interface ResultRoute {
  readonly dst: string;
  readonly gw?: string;
}

export interface AddResult {
  readonly interfaces: readonly ResultInterface[];
  /** Which of them has the addresses. */
  readonly container: number;
  readonly ips: readonly ResultAddress[];
  readonly routes: readonly ResultRoute[];
  readonly dns: JsonObject | null;
}

/** The document; what a plugin before us in the chain answered comes first in each list. */
export function resultDocument(
  result: AddResult,
  version: CniVersion,
  previous: JsonObject | null,
): JsonObject {
  const before = new Fields(previous ?? {}, "prevResult.");
  const interfaces = before.list("interfaces") ?? [];
  return {
    ...previous,
    cniVersion: version,
    interfaces: [
      ...interfaces,
      ...result.interfaces.map(({ mtu, ...one }) =>
        isAtLeast(version, "1.1.0") ? { ...one, mtu } : one
      ),
    ],
    ips: [
      ...before.list("ips") ?? [],
      ...result.ips.map((ip) => ({
        ...isAtLeast(version, "1.0.0") ? {} : { version: ip.address.includes(":") ? "6" : "4" },
        interface: interfaces.length + result.container,
        ...ip,
      })),
    ],
    routes: [...before.list("routes") ?? [], ...result.routes],
    dns: result.dns ?? before.fields("dns")?.object ?? {},
  };
}

/** The `prevResult` of a configuration, null when it has none. Throws CniError code 7 when it is no object. */
export function previousResultOf(config: JsonObject): JsonObject | null {
  const value = config.prevResult;
  if (value === undefined || value === null) return null;
  if (isJsonObject(value)) return value;
  throw new CniError(CniCode.invalidConfig, "prevResult is no object");
}
