/** The agent's configuration, merged from every place and checked as a whole. */
import { makeIpv6Pool } from "../../address/dual_stack.ts";
import { familyOf } from "../../address/cidr.ts";
import { checkPin, makePool, type Pool, poolFamily } from "../../address/pool.ts";
import { otherFamily } from "../../address/seed.ts";
import type { AgentConfig } from "../../agent/config.ts";
import { ConfigError, reasonOf } from "../../base/errors.ts";
import type { Given } from "../command.ts";
import type { Outside } from "../outside.ts";
import { memberName } from "./checks.ts";
import { httpPlaceOf } from "./http_setting.ts";
import { variableOf } from "./setting.ts";
import { CONFIG_FILE_DEFAULT, SETTINGS } from "./settings.ts";
import { flagSource, Sources, variableSource } from "./sources.ts";

/** All places in order, the files read; again, when the agent runs already. Throws ConfigError. */
export async function gatherSources(
  outside: Outside,
  given: Given,
  isReload = false,
): Promise<Sources> {
  const outer = [flagSource(given), variableSource(outside)];
  const { value, origin } = new Sources(outer).read(SETTINGS.config);
  const named = value === null ? null : { path: value, origin: origin ?? "--config" };
  // The common case, no file at all, must not pay for loading the readers of files.
  if (named !== null || mayHaveDefaultFile()) {
    const { fileSource } = await import("./file.ts");
    const file = await fileSource(named, isReload);
    if (file !== undefined) outer.push(file);
  }
  const netConf = new Sources(outer).read(SETTINGS.netConf);
  if (netConf.value !== null) {
    const { netConfSource } = await import("./net_conf.ts");
    const place = { path: netConf.value, origin: netConf.origin ?? "--net-conf" };
    outer.push(netConfSource(place, (text) => outside.say(`gossamer: warning: ${text}`)));
  }
  return new Sources(outer);
}

/**
 * Whether there is anything at `/etc/gossamer`. A look into /etc instead of a stat that fails: the first Error object of
 * a process costs 3 to 10 ms with a program of this size (docs/adr/0010-cli-library.md), on every start.
 */
function mayHaveDefaultFile(): boolean {
  const [, top = "", folder = ""] = CONFIG_FILE_DEFAULT.split("/");
  try {
    for (const { name } of Deno.readDirSync(`/${top}`)) if (name === folder) return true;
    return false;
  } catch {
    return true; // Not readable as a folder: the reader of the file will say what is the matter.
  }
}

/** Makes the configuration of the sources' values. Throws ConfigError, one line naming the place and the value. */
export function agentConfig(sources: Sources, outside: Outside): AgentConfig {
  const pool = poolOf(sources);
  checkFamilies(sources, poolFamily(pool));
  return {
    join: sources.value(SETTINGS.join),
    cluster: sources.value(SETTINGS.cluster),
    name: sources.value(SETTINGS.name) ?? nameOfHost(outside),
    ...poolAndPin(sources, pool),
    backend: backend(sources),
    vni: sources.value(SETTINGS.vni),
    ...ports(sources),
    ...masquerading(sources),
    txChecksum: sources.value(SETTINGS.txChecksum) === "on",
    guard: sources.value(SETTINGS.guard) === "on",
    ...mtu(sources),
    interfaces: sources.value(SETTINGS.iface),
    interfacePatterns: sources.value(SETTINGS.ifaceRegex),
    interfaceCanReach: sources.value(SETTINGS.ifaceCanReach),
    publicIp: sources.value(SETTINGS.publicIp),
    gossipProfile: sources.value(SETTINGS.gossipProfile),
    ...gossipKeys(sources),
    bootstrap: sources.value(SETTINGS.bootstrap),
    keepIdentity: sources.value(SETTINGS.keepIdentity),
    adoptFlannel: sources.value(SETTINGS.adoptFlannel),
    absenceTtlHours: sources.value(SETTINGS.absenceTtl),
    onRenumber: sources.value(SETTINGS.onRenumber),
    onEvent: sources.value(SETTINGS.onEvent),
    http: httpPlaceOf(sources.value(SETTINGS.http)),
    stateDir: sources.value(SETTINGS.stateDir),
    runDir: sources.value(SETTINGS.runDir),
    subnetFile: sources.value(SETTINGS.subnetFile),
    logLevel: sources.value(SETTINGS.logLevel),
    logFormat: sources.value(SETTINGS.logFormat) ?? (outside.talkIsTerminal ? "text" : "json"),
  };
}

function nameOfHost(outside: Outside): string {
  const hostName = outside.hostName();
  try {
    return memberName(hostName);
  } catch {
    throw new ConfigError(
      "--name",
      `the host name ${JSON.stringify(hostName)} cannot serve as the member's name`,
      `give 1 to 63 letters, digits, dots and dashes with --name or ${variableOf("name")}`,
    );
  }
}

/** Direct routes are the whole of host-gw. */
function backend(sources: Sources): AgentConfig["backend"] {
  const name = sources.value(SETTINGS.backend);
  const { value: isDirect, origin } = sources.read(SETTINGS.directRouting);
  if (!isDirect) return name;
  if (name === "vxlan") return "vxlan-direct";
  throw new ConfigError(
    origin ?? "--direct-routing",
    `it goes with --backend vxlan, and the backend is ${name}`,
    "leave it out, or use --backend vxlan",
  );
}

/** A number of its own, or what all have room for. */
function mtu(sources: Sources): Pick<AgentConfig, "mtu" | "followsMtu"> {
  const value = sources.value(SETTINGS.mtu);
  return value === "min" ? { mtu: null, followsMtu: true } : { mtu: value, followsMtu: false };
}

/** Where nothing is masqueraded, nothing is to be left out of it. */
function masquerading(sources: Sources): Pick<AgentConfig, "ipMasq" | "masqueradeExcluded"> {
  const ipMasq = sources.value(SETTINGS.ipMasq);
  const { value: masqueradeExcluded, origin } = sources.read(SETTINGS.masqExclude);
  if (ipMasq || masqueradeExcluded.length === 0) return { ipMasq, masqueradeExcluded };
  throw new ConfigError(
    origin ?? "--masq-exclude",
    "it goes with --ip-masq, which is off",
    "leave it out, or give --ip-masq",
  );
}

/** Gossip and the overlay's packets cannot both have one UDP port; that of a backend which is not used does not matter. */
function ports(sources: Sources): Pick<AgentConfig, "gossipPort" | "vxlanPort" | "udpPort"> {
  const gossipPort = sources.value(SETTINGS.gossipPort);
  const { value: vxlanPort, origin: vxlanOrigin } = sources.read(SETTINGS.vxlanPort);
  const { value: udpPort, origin: udpOrigin } = sources.read(SETTINGS.udpPort);
  const isUdp = sources.value(SETTINGS.backend) === "udp";
  const port = isUdp ? udpPort : vxlanPort;
  if (port !== gossipPort) return { gossipPort, vxlanPort, udpPort };
  const flag = isUdp ? "--udp-port" : "--vxlan-port";
  throw new ConfigError(
    (isUdp ? udpOrigin : vxlanOrigin) ?? flag,
    `${port} is the port of gossip, too`,
    `give ${flag} and --gossip-port two different numbers`,
  );
}

/** The pool and the pin, which are checked against each other. */
function poolAndPin(sources: Sources, pool: Pool): Pick<AgentConfig, "pool" | "pin"> {
  const pin = sources.read(SETTINGS.subnet);
  return {
    pool,
    pin: pin.value === null ? null : checkPin(pool, pin.value, pin.origin ?? "--subnet"),
  };
}

function poolOf(sources: Sources): Pool {
  const pool = makePool({
    network: sources.value(SETTINGS.network),
    subnetLength: sources.value(SETTINGS.subnetLen) ?? undefined,
    subnetMin: sources.value(SETTINGS.subnetMin) ?? undefined,
    subnetMax: sources.value(SETTINGS.subnetMax) ?? undefined,
  }, {
    network: sources.origin(SETTINGS.network),
    subnetLength: sources.origin(SETTINGS.subnetLen),
    subnetMin: sources.origin(SETTINGS.subnetMin),
    subnetMax: sources.origin(SETTINGS.subnetMax),
  });
  return withIpv6(sources, pool);
}

/** Hosts talk over the family of their `--network`, and over no other: seeds and addresses of this host must be of it. */
function checkFamilies(sources: Sources, family: 4 | 6): void {
  const { value: seeds, origin } = sources.read(SETTINGS.join);
  const fault = seeds.map((seed) => otherFamily(seed, family)).find((found) => found !== null);
  if (fault !== undefined) {
    const remedy = `give the IPv${family} address of that host, or its name`;
    throw new ConfigError(origin ?? "--join", fault, remedy);
  }
  const single = [sources.read(SETTINGS.ifaceCanReach), sources.read(SETTINGS.publicIp)];
  const names = ["--iface-can-reach", "--public-ip"];
  for (const [index, { value, origin }] of single.entries()) {
    if (value === null || familyOf(value) === family) continue;
    throw new ConfigError(
      origin ?? names[index] ?? "",
      `${value} is an IPv${familyOf(value)} address, and the hosts of this cluster talk over ` +
        `IPv${family}, the family of its --network`,
      `give an IPv${family} address`,
    );
  }
}

/** Dual stack, if it is asked for. */
function withIpv6(sources: Sources, pool: Pool): Pool {
  const { value: network } = sources.read(SETTINGS.ipv6Network);
  const { value: subnetLength, origin } = sources.read(SETTINGS.ipv6SubnetLen);
  if (network !== null) {
    const settings = { network, subnetLength: subnetLength ?? undefined };
    const ipv6 = makeIpv6Pool(pool, settings, {
      network: sources.origin(SETTINGS.ipv6Network),
      subnetLength: sources.origin(SETTINGS.ipv6SubnetLen),
      ipv4Network: sources.origin(SETTINGS.network),
    });
    return { ...pool, ipv6 };
  }
  if (subnetLength === null) return pool;
  throw new ConfigError(
    origin ?? "--ipv6-subnet-len",
    "it goes with --ipv6-network, which is not given",
    "leave it out, or give the IPv6 network",
  );
}

/** What keeps gossip secret, and for a while may not. */
function gossipKeys(sources: Sources): Pick<AgentConfig, "keyFile" | "plainGossip"> {
  const keyFile = readableKeyFile(sources);
  const { value: plainGossip, origin } = sources.read(SETTINGS.plainGossip);
  if (!plainGossip || keyFile !== null) return { keyFile, plainGossip };
  throw new ConfigError(
    origin ?? "--plain-gossip",
    "there is no key file, so that gossip is plain anyway",
    "leave it out, or name the keys with --key-file; gossamer keys generate makes one",
  );
}

/** Base64 of 32 bytes: 43 letters and a filler. */
const KEY_AT_THE_END = /[A-Za-z0-9+/_-]{43}=$/;

/** The key file, if one is named: a name that leads nowhere is a mistake of the configuration. */
function readableKeyFile(sources: Sources): string | null {
  const { value, origin } = sources.read(SETTINGS.keyFile);
  if (value === null) return null;
  const reason = whyUnreadable(value);
  if (reason === undefined) return value;
  if (KEY_AT_THE_END.test(value)) {
    // Nothing repeats it: errors end up in logs.
    throw new ConfigError(
      origin ?? "--key-file",
      "a key stands here instead of the name of a file",
      "write the key into a file of mode 0600 and name that; take it for known if others read this",
    );
  }
  throw new ConfigError(
    origin ?? "--key-file",
    `cannot read ${value}: ${reason}`,
    "name a file of keys that this user may read; gossamer keys generate prints one",
  );
}

function whyUnreadable(path: string): string | undefined {
  try {
    if (Deno.statSync(path).isDirectory) return "it is a directory";
    Deno.openSync(path).close();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no such file";
    return reasonOf(error);
  }
}
