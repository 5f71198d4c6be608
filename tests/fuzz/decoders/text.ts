/** Decoders of text: addresses, seeds, files, bodies of requests on the control socket. */
import { formatNetwork } from "../../../mod/address/network.ts";
import {
  AddressError,
  parseAddress,
  parseEndpoint,
  parseNetwork,
} from "../../../mod/address/parse.ts";
import {
  formatIpv6,
  formatIpv6Network,
  type Ipv6Network,
  parseIpv6,
  parseIpv6Network,
} from "../../../mod/address/ipv6.ts";
import { parseSeed } from "../../../mod/address/seed.ts";
import * as body from "../../../mod/agent/request_body.ts";
import { ConfigError, UserError } from "../../../mod/base/errors.ts";
import { sourceOfToml } from "../../../mod/cli/config/file.ts";
import { BadValue } from "../../../mod/cli/config/setting.ts";
import { SETTING_LIST } from "../../../mod/cli/config/settings.ts";
import { parseDeviceTraffic } from "../../../mod/host/device_traffic.ts";
import { parseHttpPlace } from "../../../mod/host/http_place.ts";
import { parseHead } from "../../../mod/host/http_request.ts";
import { readSubnetEnv, type SubnetEnvRead } from "../../../mod/overlay/subnet_env.ts";
import { parseKeys } from "../../../mod/wire/keyring.ts";
import type { Decoder, ErrorClass } from "../decoder.ts";
import { bytesOf } from "../samples.ts";

const ADDRESSES = bytesOf("10.244.7.0", "192.168.100.1", "255.255.255.255", "0.0.0.0");
const NETWORKS = bytesOf("10.244.7.0/24", "0.0.0.0/0", "10.9.8.7/32", "10.244.0.0/16");
const IPV6_ADDRESSES = bytesOf("fd00:244:0:7::", "::", "2001:DB8:0:1:1:1:1:1", "::1");
const IPV6_NETWORKS = bytesOf("fd00:244::/56", "::/0", "::1/128", "2001:db8:0:7::/64");
const ENDPOINTS = bytesOf("192.168.100.1:7947", "10.0.0.1:1", "10.0.0.1:65535");
const SEEDS = bytesOf("h1", "gossip.example.com:7947", "10.0.0.1", "10.0.0.1:7947", "_a._udp.x.");
const BASE64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const KEY_FILES = bytesOf(`${BASE64}\n`, `# primary\n${BASE64}\n\n ${"A".repeat(43)}=\n`);
const SUBNET_ENVS = bytesOf(
  "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n",
  '# by hand\r\nexport FLANNEL_SUBNET="10.9.8.1/25"\r\nFLANNEL_IPMASQ=false\r\n',
);
const TOMLS = bytesOf(
  'name = "h1"\njoin = ["10.0.0.1", "h2:7947"]\ngossip-port = 7947\nbootstrap = true\n',
  'network = "10.244.0.0/16"\nsubnet-len = 24\n# comment\nlog-level = "debug"\niface = "eth0,eth1"\n',
  'key-file = """/etc/gossamer/keys"""\nmtu = 1_400\npublic-ip = \'192.0.2.1\'\nsubnet = "10.244.7.0/24"\n',
);
const BODIES = bytesOf(
  '{"seeds":["h1","10.0.0.1:7947"]}',
  '{"release":true}',
  "{}",
  `{"operation":"install","key":"${BASE64}","force":true}`,
  '{"operation":"use","fingerprint":"0123abcd"}',
);

const HTTP_PLACES = bytesOf(
  "127.0.0.1:9000",
  "[::1]:9000",
  "localhost:80",
  "/run/gossamer/http.sock",
);
const HTTP_HEADS = bytesOf(
  "GET /metrics?x=1 HTTP/1.1\r\nHost: localhost:9000\r\nAccept: */*\r\naccept: text/html",
  "HEAD http://[::1]:9000/status HTTP/1.0\r\nHost: elsewhere",
);
const DEVICE_TABLES = bytesOf(
  "Inter-|   Receive  |  Transmit\n face |bytes packets\n    lo: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n" +
    "flannel.1: 5042 60 0 1 0 0 0 0 7056 84 0 2 0 0 0 0\n",
);

function text(
  name: string,
  read: (text: string) => unknown,
  samples: readonly Uint8Array[],
  refusals: readonly ErrorClass[],
): Decoder {
  return { name, decode: (bytes) => read(new TextDecoder().decode(bytes)), samples, refusals };
}

/** Every setting that a file gives, read as the agent reads it. */
async function settingsIn(file: string): Promise<unknown> {
  const source = await sourceOfToml("g.toml", file);
  return SETTING_LIST.map((setting) => {
    const given = source(setting);
    return given === undefined ? null : setting.read(given.texts);
  });
}

/** What the file says, with nothing but canonical networks. */
function subnetEnv(file: string): SubnetEnvRead {
  const env = readSubnetEnv(file);
  for (const network of [...env.networks, env.subnet]) if (network !== null) parseNetwork(network);
  return env;
}

/** How many keys a request with this body brings. */
async function readBytes(bytes: Uint8Array): Promise<number> {
  const request = new Request("http://host/", { method: "POST", body: bytes.slice() });
  return Object.keys(await body.readBody(request)).length;
}

const AGENT = "mod/agent/request_body.ts";

// deno-fmt-ignore -- one decoder a line
export const TEXT_DECODERS: readonly Decoder[] = [
  text("mod/address/parse.ts parseAddress", parseAddress, ADDRESSES, [AddressError]),
  { ...text("mod/address/parse.ts parseNetwork", parseNetwork, NETWORKS, [AddressError]), encode: (network: ReturnType<typeof parseNetwork>) => new TextEncoder().encode(formatNetwork(network)) },
  { ...text("mod/address/ipv6.ts parseIpv6", parseIpv6, IPV6_ADDRESSES, [AddressError]), encode: (address: bigint) => new TextEncoder().encode(formatIpv6(address)), hasManyForms: true },
  { ...text("mod/address/ipv6.ts parseIpv6Network", parseIpv6Network, IPV6_NETWORKS, [AddressError]), encode: (network: Ipv6Network) => new TextEncoder().encode(formatIpv6Network(network)), hasManyForms: true },
  text("mod/address/parse.ts parseEndpoint", parseEndpoint, ENDPOINTS, [AddressError]),
  text("mod/address/seed.ts parseSeed", parseSeed, SEEDS, [AddressError]),
  { ...text("mod/wire/keyring.ts parseKeys", (file) => parseKeys(file, "/etc/keys"), KEY_FILES, [ConfigError]), encode: (keys: Uint8Array[]) => new TextEncoder().encode(keys.map((key) => key.toBase64()).join("\n")), hasManyForms: true },
  text("mod/overlay/subnet_env.ts readSubnetEnv", subnetEnv, SUBNET_ENVS, []),
  text("mod/host/http_place.ts parseHttpPlace", parseHttpPlace, HTTP_PLACES, []),
  text("mod/host/http_request.ts parseHead", parseHead, HTTP_HEADS, []),
  text("mod/host/device_traffic.ts parseDeviceTraffic", (table) => parseDeviceTraffic(table, "flannel.1"), DEVICE_TABLES, []),
  text("mod/cli/config/file.ts sourceOfToml", settingsIn, TOMLS, [ConfigError, BadValue]),
  { name: `${AGENT} readBody`, decode: readBytes, samples: BODIES, refusals: [UserError] },
  text(`${AGENT} parseBody`, (file) => Object.keys(body.parseBody(file)).length, BODIES, [UserError]),
  text(`${AGENT} parseBody (seeds)`, (file) => body.seedsOf(body.parseBody(file)).map(parseSeed), BODIES, [UserError]),
  text(`${AGENT} parseBody (keys)`, (file) => body.keyChangeOf(body.parseBody(file)), BODIES, [UserError]),
  text(`${AGENT} parseBody (release)`, (file) => body.releaseOf(body.parseBody(file)), BODIES, [UserError]),
];
