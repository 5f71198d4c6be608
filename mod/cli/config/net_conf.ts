/**
 * flannel's `net-conf.json` as a place that settings come from: for hosts that move, with the file they have. Keys are read as
 * Go's encoding/json reads them, whatever their case. What has no counterpart here is refused when packets would be other
 * than expected, and named in a warning when nothing depends on it.
 */
import { ConfigError, reasonOf, systemReasonOf } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { quoteStart } from "../../base/quote.ts";
import { QUOTED_CHARACTERS_MAX } from "./setting.ts";
import type { Source } from "./sources.ts";

/** Bytes: every key once is below 1 kB. */
const FILE_BYTES_MAX = 64 * 1024;

type Kind = "string" | "number" | "boolean" | "object";

const IS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  object: (value) => typeof value === "object",
};

/** Keys of pkg/subnet/config.go in flannel. */
const KEYS: Readonly<Record<string, Kind>> = {
  EnableIPv4: "boolean",
  EnableIPv6: "boolean",
  EnableNFTables: "boolean",
  Network: "string",
  SubnetLen: "number",
  SubnetMin: "string",
  SubnetMax: "string",
  IPv6Network: "string",
  IPv6SubnetLen: "number",
  IPv6SubnetMin: "string",
  IPv6SubnetMax: "string",
  Backend: "object",
};

/** Of flannel's backends that gossamer has, in pkg/backend. */
const BACKEND_KEYS: Readonly<Record<string, Kind>> = {
  Type: "string",
  VNI: "number",
  Port: "number",
  MTU: "number",
  DirectRouting: "boolean",
  GBP: "boolean",
  Learning: "boolean",
  MacPrefix: "string",
};

const BACKENDS = ["vxlan", "host-gw", "udp"];

/** The file as a source. Throws ConfigError; `warn` is told what has no effect. */
export function netConfSource(
  { path, origin }: { path: string; origin: string },
  warn: (text: string) => void,
): Source {
  let text;
  try {
    const { size } = Deno.statSync(path);
    if (size > FILE_BYTES_MAX) {
      throw new ConfigError(path, `is ${size} bytes long, too long for a net-conf.json`);
    }
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const isAbsent = error instanceof Deno.errors.NotFound;
    const reason = isAbsent ? "there is no such file" : systemReasonOf(error);
    throw new ConfigError(origin, `cannot read ${path}: ${reason}`);
  }
  return sourceOfNetConf(path, text, warn);
}

/** As {@linkcode netConfSource}, of a file's text. */
export function sourceOfNetConf(
  path: string,
  text: string,
  warn: (text: string) => void,
): Source {
  const file = new Table(path, "", parsed(path, text), KEYS, warn);
  const backend = new Table(path, "Backend.", file.get("Backend") ?? {}, BACKEND_KEYS, warn);
  const found = new Map<string, { texts: readonly string[]; origin: string }>();
  const put = (setting: string, table: Table, key: string) => {
    const value = table.get(key);
    if (value === undefined) return;
    // flannel takes its backends' names in any case, too.
    const text = key === "Type" ? String(value).toLowerCase() : String(value);
    found.set(setting, { texts: [text], origin: table.origin(key) });
  };
  putPool(file, put, warn);
  putBackend(file, backend, put, warn);
  return (setting) => found.get(setting.name);
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(path, `not valid JSON: ${reasonOf(error)}`);
  }
}

type Put = (setting: string, table: Table, key: string) => void;

function putPool(file: Table, put: Put, warn: (text: string) => void): void {
  const hasIpv4 = file.get("EnableIPv4") !== false;
  const hasIpv6 = file.get("EnableIPv6") === true;
  if (!hasIpv4 && !hasIpv6) {
    throw new ConfigError(
      file.origin("EnableIPv4"),
      "is false, and EnableIPv6 is not true: that is no network at all",
      "set one of them to true",
    );
  }
  const needed = [...(hasIpv4 ? ["Network"] : []), ...(hasIpv6 ? ["IPv6Network"] : [])];
  const missing = needed.find((key) => file.get(key) === undefined);
  if (missing !== undefined) {
    throw new ConfigError(file.path, `${missing} is missing`, "give it a network in CIDR notation");
  }
  const unused = [
    ...(hasIpv4 ? [] : ["Network", "SubnetLen", "SubnetMin", "SubnetMax"]),
    ...(hasIpv6 ? [] : ["IPv6Network", "IPv6SubnetLen"]),
    // With dual stack, IPv6 subnets go by the number of the IPv4 one (docs/adr/0033).
    ...(hasIpv6 && !hasIpv4 ? [] : ["IPv6SubnetMin", "IPv6SubnetMax"]),
  ].filter((key) => file.get(key) !== undefined);
  for (const key of unused) {
    const why = key.startsWith("IPv6Subnet") && hasIpv6 && hasIpv4
      ? "with dual stack a host's IPv6 subnet has the number of its IPv4 one"
      : `${key.startsWith("IPv6") ? "EnableIPv6 is not true" : "EnableIPv4 is false"}`;
    warn(`${file.origin(key)}: has no effect: ${why}`);
  }
  const prefix = hasIpv4 ? "" : "IPv6";
  put("network", file, `${prefix}Network`);
  put("subnet-len", file, `${prefix}SubnetLen`);
  put("subnet-min", file, `${prefix}SubnetMin`);
  put("subnet-max", file, `${prefix}SubnetMax`);
  if (!hasIpv4 || !hasIpv6) return;
  put("ipv6-network", file, "IPv6Network");
  put("ipv6-subnet-len", file, "IPv6SubnetLen");
}

function putBackend(file: Table, backend: Table, put: Put, warn: (text: string) => void): void {
  const given = backend.get("Type");
  const type = given === undefined ? "vxlan" : String(given).toLowerCase();
  if (given === undefined) {
    warn(`${file.path}: Backend.Type is missing: flannel would use udp, gossamer uses vxlan`);
  } else if (!BACKENDS.includes(type)) {
    throw new ConfigError(
      backend.origin("Type"),
      `${
        quoteStart(String(given), QUOTED_CHARACTERS_MAX)
      } is a backend that gossamer does not have`,
      `give ${BACKENDS.join(", ")}; ${
        type === "wireguard" || type === "ipsec" ? "packets would not be encrypted" : "on all hosts"
      }`,
    );
  } else put("backend", backend, "Type");
  if (backend.get("GBP") === true) {
    throw new ConfigError(
      backend.origin("GBP"),
      "group based policies are not available",
      "remove it",
    );
  }
  const isVxlan = type === "vxlan";
  const used = isVxlan
    ? ["VNI", "Port", "MTU", "DirectRouting", "GBP"]
    : type === "udp"
    ? ["Port"]
    : [];
  for (const key of Object.keys(BACKEND_KEYS)) {
    const value = backend.get(key);
    // flannel's zero values mean that nothing was said.
    if (key === "Type" || value === undefined || value === false || value === 0) continue;
    if (!used.includes(key)) warn(`${backend.origin(key)}: has no effect with gossamer's ${type}`);
  }
  if (isVxlan) {
    if (backend.get("VNI") !== 0) put("vni", backend, "VNI");
    if (backend.get("Port") !== 0) put("vxlan-port", backend, "Port");
    if (backend.get("MTU") !== 0) put("mtu", backend, "MTU");
    put("direct-routing", backend, "DirectRouting");
  } else if (type === "udp" && backend.get("Port") !== 0) put("udp-port", backend, "Port");
}

/** An object of the file with the keys that it may have. */
class Table {
  readonly path: string;
  readonly #prefix: string;
  readonly #values = new Map<string, unknown>();

  constructor(
    path: string,
    prefix: string,
    value: unknown,
    kinds: Readonly<Record<string, Kind>>,
    warn: (text: string) => void,
  ) {
    this.path = path;
    this.#prefix = prefix;
    const where = prefix === "" ? path : `${path}: ${prefix.slice(0, -1)}`;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ConfigError(where, "is no object", 'write { "Network": "10.244.0.0/16" }');
    }
    const names = Object.keys(kinds);
    for (const [given, content] of Object.entries(value)) {
      const key = names.find((name) => name.toLowerCase() === given.toLowerCase());
      if (key === undefined) {
        const meant = nearest(given, names);
        const shown = quoteStart(given, QUOTED_CHARACTERS_MAX);
        warn(
          `${where}: ${shown} is no key of flannel's and has no effect` +
            (meant === undefined ? "" : `; did you mean ${meant}?`),
        );
        continue;
      }
      if (content === null) continue; // as in Go: as if it were not there
      const kind = kinds[key] ?? "string";
      if (!IS[kind](content)) {
        const article = kind === "object" ? "an" : "a";
        throw new ConfigError(
          this.origin(key),
          `is not ${article} ${kind}`,
          `give ${article} ${kind}`,
        );
      }
      this.#values.set(key, content);
    }
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  /** What to call it in an error. */
  origin(key: string): string {
    return `${this.path}: ${this.#prefix}${key}`;
  }
}
