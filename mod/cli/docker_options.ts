/**
 * What dockerd must be told so that its default bridge uses this host's subnet: the lines that flannel's
 * mk-docker-opts.sh makes of `subnet.env`. Pure: the file's text in, the other file's text out.
 */
import { ExitCode, UserError } from "../base/errors.ts";
import { containerSubnet } from "./container_subnet.ts";

export interface DockerOptionsRequest {
  /** The subnet file's path, for errors. */
  readonly path: string;
  /** Each option as a variable of its own, `DOCKER_OPT_BIP="--bip=..."`. */
  readonly individual: boolean;
  /** All options in one variable. */
  readonly combined: boolean;
  /** That variable's name. */
  readonly key: string;
  /** Whether to say if dockerd shall masquerade. */
  readonly mentionIpMasq: boolean;
  /** Of this process: options it has already under {@linkcode key} or as `DOCKER_OPT_...` are kept, as the script does. */
  readonly variable: (name: string) => string | undefined;
  readonly variableNames: readonly string[];
}

/** Names of variables that systemd and shells both take. */
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** One variable for one option of dockerd. */
const OPTION_PREFIX = "DOCKER_OPT_";

/** Throws UserError where the subnet file, or an option inherited from the environment, cannot be handed on. */
export function dockerOptionsText(text: string, request: DockerOptionsRequest): string {
  const { key, variable, variableNames } = request;
  if (!VARIABLE_NAME.test(key)) {
    throw new UserError(`--key: ${JSON.stringify(key)} is not the name of a variable`, {
      exitCode: ExitCode.usage,
      remedy: "use letters, digits and underscores, such as DOCKER_NETWORK_OPTIONS",
    });
  }
  const options = new Map<string, string>();
  for (const name of variableNames) {
    const value = variable(name);
    if (name.startsWith(OPTION_PREFIX) && value !== undefined) options.set(name, value);
  }
  for (const [name, value] of optionsOf(text, request)) options.set(OPTION_PREFIX + name, value);
  const sorted = [...options].sort(([one], [other]) => one < other ? -1 : 1);
  for (const [name, value] of sorted) checkQuotable(name, value);
  const lines = request.individual ? sorted.map(([name, value]) => `${name}="${value}"`) : [];
  if (request.combined) {
    const inherited = variable(key) ?? "";
    checkQuotable(key, inherited);
    const before = inherited === "" ? "" : `${inherited} `;
    lines.push(`${key}="${before}${sorted.map(([, value]) => ` ${value}`).join("")}"`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** Sorted by name they come out as the script's: BIP, IPMASQ, MTU; those for IPv6 are ours. */
function optionsOf(
  text: string,
  { path, mentionIpMasq }: DockerOptionsRequest,
): ReadonlyMap<string, string> {
  const { ipv4, ipv6, mtu, ipMasq } = containerSubnet(text, path);
  const options = new Map<string, string>();
  if (ipv4 !== null) options.set("BIP", `--bip=${ipv4.gateway}/${ipv4.length}`);
  if (ipv6 !== null) {
    options.set("IPV6", "--ipv6");
    // The network rather than the bridge's address: that is the first one by itself, and --bip6 came with Docker 28.
    options.set("FIXED_CIDR_V6", `--fixed-cidr-v6=${ipv6.subnet}`);
  }
  if (mtu !== null) options.set("MTU", `--mtu=${mtu}`);
  // One of the two masquerades, never both.
  if (ipMasq !== null && mentionIpMasq) options.set("IPMASQ", `--ip-masq=${!ipMasq}`);
  return options;
}

/** Within double quotes systemd and shells take anything else literally. */
function checkQuotable(name: string, value: string): void {
  if (!/["\\$`\n\r]/.test(value)) return;
  throw new UserError(`the variable ${name} of the environment has quotes or the like in it`, {
    remedy: "unset it, or give dockerd that option in another way",
  });
}
