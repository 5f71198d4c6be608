/** The network configuration on standard input, checked: flannel's keys, and those of the built-in bridge. */
import { AddressError } from "../address/parse.ts";
import { isDeviceName } from "./call.ts";
import { CniCode, CniError } from "./errors.ts";
import { familySubnet } from "./host_subnet.ts";
import { Fields, type JsonObject, parseJsonObject } from "./json.ts";
import { type CniVersion, supportedVersion } from "./versions.ts";

/** Where the agent, and flannel, say which subnet this host has. */
export const SUBNET_FILE_DEFAULT = "/run/flannel/subnet.env";
/** Flannel's: what was delegated has to be known after a reboot, for other plugins keep their state over it. */
const DELEGATE_DIR_DEFAULT = "/var/lib/cni/flannel";
/** On a tmpfs: containers do not outlive the kernel, and their addresses must not. */
export const DATA_DIR_DEFAULT = "/run/cni/gossamer";

/** Becomes part of file names. */
const NETWORK_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.\-]{0,127}$/;

export interface NetworkConfig {
  readonly cniVersion: CniVersion;
  readonly name: string;
  readonly subnetFile: string;
  readonly dataDir: string;
  /** Null for the built-in bridge. */
  readonly delegate: JsonObject | null;
  readonly fields: Fields;
}

/** Throws CniError: code 1, 6 or 7. */
export function parseNetworkConfig(text: string): NetworkConfig {
  const object = parseJsonObject(text, "the network configuration");
  const fields = new Fields(object);
  const cniVersion = supportedVersion(object.cniVersion);
  const name = fields.string("name") ?? "";
  if (!NETWORK_NAME.test(name)) {
    throw new CniError(
      CniCode.invalidConfig,
      name === "" ? "the network has no name" : `${fields.named("name")} is no name of a network`,
      'a letter or digit, then letters, digits, "_", "." and "-"',
    );
  }
  const delegate = delegateOf(fields);
  return {
    cniVersion,
    name,
    subnetFile: pathOf(fields, "subnetFile") ?? SUBNET_FILE_DEFAULT,
    dataDir: pathOf(fields, "dataDir") ??
      (delegate === null ? DATA_DIR_DEFAULT : DELEGATE_DIR_DEFAULT),
    delegate,
    fields,
  };
}

/**
 * As `flannel` this plugin delegates, as that one does. As `gossamer` it does so only if the configuration names the
 * plugin; the other keys of `delegate` then mean the built-in bridge, and flannel's stock configuration works as it is.
 */
function delegateOf(fields: Fields): JsonObject | null {
  const delegate = fields.fields("delegate");
  const type = delegate?.string("type");
  if (fields.string("type") !== "flannel" && type === undefined) return null;
  for (const key of ["name", "ipam"]) {
    if (delegate === undefined || !Object.hasOwn(delegate.object, key)) continue;
    throw new CniError(
      CniCode.invalidConfig,
      `${delegate.named(key)} cannot be given, because this plugin sets it`,
      key === "ipam" ? "put ipam beside delegate, not into it" : "",
    );
  }
  if (type !== undefined && !/^[^/\0]+$/.test(type)) {
    throw new CniError(CniCode.invalidConfig, `delegate.type: ${type} is no name of a plugin`);
  }
  return delegate?.object ?? {};
}

function pathOf(fields: Fields, key: string): string | undefined {
  const path = fields.string(key);
  if (path === undefined || path === "") return undefined;
  if (path.startsWith("/")) return path.replace(/\/+$/, "") || "/";
  throw new CniError(CniCode.invalidConfig, `${fields.named(key)} is no absolute path`);
}

/** What the built-in bridge is told. */
export interface BridgeConfig {
  readonly bridge: string;
  /** The configuration names the bridge, so one that is not ours may be used as it is. */
  readonly isNamed: boolean;
  /** Null for the subnet file's. */
  readonly mtu: number | null;
  readonly hairpin: boolean;
  readonly isDefaultGateway: boolean;
  /** Further routes into the container. */
  readonly routes: readonly { readonly dst: string; readonly gw?: string }[];
  readonly dns: JsonObject | null;
  /** MAC of the container's device, when the runtime asks for one. */
  readonly mac: string | null;
  /** Addresses that the runtime asks for, with or without prefix length. */
  readonly ips: readonly string[];
}

const BRIDGE_DEFAULT = "cni0";
/** IPv4 needs 68 (RFC 791), and no device takes more than 65,535. */
const MTU_MIN = 68;
const MTU_MAX = 65_535;
/** Of one device: not a group's, whose first octet is odd, and not zero (IEEE 802 section 8.2). */
const MAC = /^(?!(?:00:){5}00$)[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/i;

/** Keys of flannel's `delegate` for the bridge plugin which the built-in bridge has, or need not have. */
const BRIDGE_KEYS: ReadonlySet<string> = new Set([
  "bridge",
  "mtu",
  "hairpinMode",
  "isDefaultGateway",
  "isGateway",
  "ipMasq",
  "forceAddress",
]);

/** Throws CniError: code 2 for what the built-in bridge cannot do, 7 for what makes no sense. */
export function bridgeConfigOf(
  { fields }: NetworkConfig,
  ipMasqByAgent: boolean,
  args: ReadonlyMap<string, string> = new Map(),
): BridgeConfig {
  const delegate = fields.fields("delegate") ?? new Fields({}, "delegate.");
  for (const key of Object.keys(delegate.object)) {
    if (!BRIDGE_KEYS.has(key)) throw unsupported(delegate.named(key));
  }
  const given = <T>(read: (from: Fields) => T | undefined) => read(fields) ?? read(delegate);
  for (const from of [fields, delegate]) {
    if (from.boolean("isGateway") === false) throw unsupported(from.named("isGateway"));
    if (from.boolean("ipMasq") === true && !ipMasqByAgent) {
      throw unsupported(from.named("ipMasq"), "start the agent with --ip-masq");
    }
  }
  const bridge = given((from) => from.string("bridge"));
  if (bridge !== undefined && !isDeviceName(bridge)) {
    throw new CniError(CniCode.invalidConfig, `bridge: ${bridge} is no name of a device`);
  }
  const mtu = given((from) => from.count("mtu")) ?? null;
  if (mtu !== null && (mtu < MTU_MIN || mtu > MTU_MAX)) {
    throw new CniError(CniCode.invalidConfig, `mtu: ${mtu} is not ${MTU_MIN} to ${MTU_MAX}`);
  }
  const ipam = fields.fields("ipam");
  for (const key of Object.keys(ipam?.object ?? {})) {
    if (ipam !== undefined && key !== "routes") throw unsupported(ipam.named(key));
  }
  const runtime = fields.fields("runtimeConfig");
  const mac = runtime?.string("mac") ?? args.get("MAC") ?? null;
  if (mac !== null && !MAC.test(mac)) {
    throw new CniError(CniCode.invalidConfig, `the runtime asks for the MAC address ${mac}`);
  }
  const ips = runtime?.list("ips") ?? args.get("IP")?.split(",") ?? [];
  return {
    bridge: bridge ?? BRIDGE_DEFAULT,
    isNamed: bridge !== undefined,
    mtu,
    hairpin: given((from) => from.boolean("hairpinMode")) ?? true,
    isDefaultGateway: given((from) => from.boolean("isDefaultGateway")) ?? true,
    routes: (ipam?.list("routes") ?? []).map(routeOf),
    dns: fields.fields("dns")?.object ?? null,
    mac: mac?.toLowerCase() ?? null,
    ips: ips.map(String),
  };
}

function routeOf(value: unknown): { dst: string; gw?: string } {
  const fields = new Fields({ route: value }, "ipam.routes.").fields("route");
  const dst = fields?.string("dst");
  const gw = fields?.string("gw");
  if (dst === undefined) {
    throw new CniError(CniCode.invalidConfig, "ipam.routes: a route has no dst");
  }
  try {
    familySubnet(dst);
    if (gw !== undefined) familySubnet(`${gw}/32`);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new CniError(CniCode.invalidConfig, `ipam.routes: ${error.message}`);
  }
  return gw === undefined ? { dst } : { dst, gw };
}

function unsupported(named: string, remedy = ""): CniError {
  const delegating = 'name a plugin that can do it: "delegate": { "type": "bridge" }';
  return new CniError(
    CniCode.unsupportedField,
    `${named} is nothing that the built-in bridge does`,
    remedy === "" ? delegating : `${remedy}, or ${delegating}`,
  );
}
