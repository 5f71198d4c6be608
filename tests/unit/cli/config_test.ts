/** The agent's configuration: precedence of its places, and one clear line for every value that cannot be. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { AgentConfig } from "../../../mod/agent/config.ts";
import { ConfigError } from "../../../mod/base/errors.ts";
import type { Given } from "../../../mod/cli/command.ts";
import { upCommand } from "../../../mod/cli/commands/up.ts";
import { agentConfig, gatherSources } from "../../../mod/cli/config/agent_config.ts";
import { sourceOfToml } from "../../../mod/cli/config/file.ts";
import { flagOf, variableOf } from "../../../mod/cli/config/setting.ts";
import { SETTING_LIST, SETTINGS } from "../../../mod/cli/config/settings.ts";
import {
  checkVariableNames,
  flagSource,
  Sources,
  variableSource,
} from "../../../mod/cli/config/sources.ts";
import { readPlainFlags } from "../../../mod/cli/plain_flags.ts";
import { FakeOutside, type FakeOutsideOptions } from "../../support/fake_outside.ts";

function given(...args: string[]): Given {
  const result = readPlainFlags(upCommand.flags, args);
  ok(result !== undefined, `the flags ${args.join(" ")} are plain`);
  return result;
}

interface Places {
  readonly flags?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly toml?: string;
  readonly outside?: FakeOutsideOptions;
}

async function configOf({ flags = [], variables = {}, toml, outside }: Places) {
  const process = new FakeOutside({ variables, ...outside });
  const sources = [flagSource(given(...flags)), variableSource(process)];
  if (toml !== undefined) sources.push(await sourceOfToml("g.toml", toml));
  return agentConfig(new Sources(sources), process);
}

Deno.test("an IPv6 network makes a cluster of IPv6 alone, with seeds and addresses of it", async () => {
  const config = await configOf({
    flags: [
      "--network=FD00:10:244::/56",
      "--subnet=fd00:10:244:07::/64",
      "--join=[fd00:100::1]:7947,fd00:100::2,h3",
      "--public-ip=2001:DB8::7",
      "--iface=FD00:100:0::4",
      "--iface-can-reach=fd00:100::1",
    ],
  });
  deepEqual([config.pool.cidr, config.pool.subnetLength, config.pool.ipv6], [
    "fd00:10:244::/56",
    64,
    undefined,
  ]);
  deepEqual([config.pin, config.publicIp], ["fd00:10:244:7::/64", "2001:db8::7"]);
  deepEqual([config.interfaces, config.interfaceCanReach], [["fd00:100::4"], "fd00:100::1"]);
  deepEqual(config.join, ["[fd00:100::1]:7947", "fd00:100::2", "h3"]);
});

Deno.test("without anything given, every setting has the contract's default", async () => {
  deepEqual(
    await configOf({ outside: { hostName: "box" } }),
    {
      join: [],
      cluster: "gossamer",
      name: "box",
      pool: {
        cidr: "10.244.0.0/16",
        subnetLength: 24,
        subnetMin: "10.244.1.0",
        subnetMax: "10.244.255.0",
        version: 1,
        reserved: [],
        added: [],
      },
      pin: null,
      backend: "vxlan",
      vni: 1,
      vxlanPort: 8472,
      udpPort: 8285,
      ipMasq: false,
      masqueradeExcluded: [],
      guard: true,
      txChecksum: true,
      mtu: null,
      followsMtu: false,
      interfaces: [],
      interfacePatterns: [],
      interfaceCanReach: null,
      publicIp: null,
      gossipPort: 7947,
      gossipProfile: "lan",
      keyFile: null,
      plainGossip: false,
      bootstrap: false,
      keepIdentity: false,
      adoptFlannel: false,
      absenceTtlHours: 24,
      onRenumber: null,
      onEvent: null,
      http: null,
      stateDir: "/var/lib/gossamer",
      runDir: "/run/gossamer",
      subnetFile: "/run/flannel/subnet.env",
      logLevel: "info",
      logFormat: "json",
    } satisfies AgentConfig,
  );
});

Deno.test("on a terminal the log is text, elsewhere JSON, unless told", async () => {
  equal((await configOf({ outside: { terminal: true } })).logFormat, "text");
  equal((await configOf({ flags: ["--log-format=text"] })).logFormat, "text");
});

/** A value of every setting in each place: flag, variable, file; and how to find it in the configuration. */
const PRECEDENCE: readonly (readonly [
  name: string,
  flag: string,
  variable: string,
  toml: string,
  read: (config: AgentConfig) => unknown,
  expected: readonly [flag: unknown, variable: unknown, file: unknown],
])[] = [
  ["join", "a,b", "c:1, d", '["e", "f:2"]', (c) => c.join, [["a", "b"], ["c:1", "d"], [
    "e",
    "f:2",
  ]]],
  ["name", "x", "y.z", '"w-1"', (c) => c.name, ["x", "y.z", "w-1"]],
  ["cluster", "x", "y", '"z"', (c) => c.cluster, ["x", "y", "z"]],
  ["gossip-port", "1", "65535", "7", (c) => c.gossipPort, [1, 65535, 7]],
  ["bootstrap", "", "false", "true", (c) => c.bootstrap, [true, false, true]],
  ["keep-identity", "", "false", "true", (c) => c.keepIdentity, [true, false, true]],
  ["adopt-flannel", "", "false", "true", (c) => c.adoptFlannel, [true, false, true]],
  ["absence-ttl", "1", "65535", "48", (c) => c.absenceTtlHours, [1, 65535, 48]],
  ["network", "10.1.0.0/16", "10.2.0.0/16", '"10.3.0.0/16"', (c) => c.pool.cidr, [
    "10.1.0.0/16",
    "10.2.0.0/16",
    "10.3.0.0/16",
  ]],
  ["subnet-len", "20", "26", "28", (c) => c.pool.subnetLength, [20, 26, 28]],
  ["subnet-min", "10.244.8.0", "10.244.9.0", '"10.244.10.0"', (c) => c.pool.subnetMin, [
    "10.244.8.0",
    "10.244.9.0",
    "10.244.10.0",
  ]],
  ["subnet-max", "10.244.8.0", "10.244.9.0", '"10.244.10.0"', (c) => c.pool.subnetMax, [
    "10.244.8.0",
    "10.244.9.0",
    "10.244.10.0",
  ]],
  ["ipv6-network", "fd01::/48", "FD02::/48", '"fd03::/48"', (c) => c.pool.ipv6?.cidr, [
    "fd01::/48",
    "fd02::/48",
    "fd03::/48",
  ]],
  ["ipv6-subnet-len", "64", "72", "80", (c) => c.pool.ipv6?.subnetLength, [64, 72, 80]],
  ["subnet", "10.244.8.0/24", "10.244.9.0/24", '"10.244.10.0/24"', (c) => c.pin, [
    "10.244.8.0/24",
    "10.244.9.0/24",
    "10.244.10.0/24",
  ]],
  ["backend", "vxlan", "host-gw", '"vxlan"', (c) => c.backend, ["vxlan", "host-gw", "vxlan"]],
  ["direct-routing", "", "false", "true", (c) => c.backend, [
    "vxlan-direct",
    "vxlan",
    "vxlan-direct",
  ]],
  ["vni", "2", "16777215", "4", (c) => c.vni, [2, 16777215, 4]],
  ["vxlan-port", "4789", "5", "6", (c) => c.vxlanPort, [4789, 5, 6]],
  ["udp-port", "4789", "5", "6", (c) => c.udpPort, [4789, 5, 6]],
  ["ip-masq", "", "false", "true", (c) => c.ipMasq, [true, false, true]],
  [
    "masq-exclude",
    "10.0.0.0/8",
    "10.1.0.0/16,FD00:0::/32",
    '["10.3.0.0/16"]',
    (c) => c.masqueradeExcluded,
    [["10.0.0.0/8"], ["10.1.0.0/16", "fd00::/32"], ["10.3.0.0/16"]],
  ],
  ["guard", "off", "on", '"off"', (c) => c.guard, [false, true, false]],
  ["tx-checksum", "off", "on", '"off"', (c) => c.txChecksum, [false, true, false]],
  ["mtu", "576", "65485", '"min"', (c) => [c.mtu, c.followsMtu], [[576, false], [65485, false], [
    null,
    true,
  ]]],
  ["iface", "eth0", "10.0.0.1,eth1", '["eth2"]', (c) => c.interfaces, [["eth0"], [
    "10.0.0.1",
    "eth1",
  ], ["eth2"]]],
  ["iface-regex", "^a{1,2}", "b|c", '["^d", "e,f"]', (c) => c.interfacePatterns, [["^a{1,2}"], [
    "b|c",
  ], ["^d", "e,f"]]],
  ["iface-can-reach", "1.1.1.1", "2.2.2.2", '"3.3.3.3"', (c) => c.interfaceCanReach, [
    "1.1.1.1",
    "2.2.2.2",
    "3.3.3.3",
  ]],
  ["public-ip", "1.1.1.1", "2.2.2.2", '"3.3.3.3"', (c) => c.publicIp, [
    "1.1.1.1",
    "2.2.2.2",
    "3.3.3.3",
  ]],
  ["gossip-profile", "tight", "wan", '"local"', (c) => c.gossipProfile, [
    "tight",
    "wan",
    "local",
  ]],
  ["key-file", "/dev/null", "/dev/zero", '"/dev/full"', (c) => c.keyFile, [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
  ]],
  ["plain-gossip", "", "false", "true", (c) => c.plainGossip, [true, false, true]],
  ["on-renumber", "a b", "c", '"d"', (c) => c.onRenumber, ["a b", "c", "d"]],
  ["on-event", "a b", "c", '"d"', (c) => c.onEvent, ["a b", "c", "d"]],
  ["http", "localhost:80", "[0::1]:9000", '"/run/page.sock"', (c) => c.http, [
    { kind: "tcp", address: "127.0.0.1", port: 80 },
    { kind: "tcp", address: "::1", port: 9000 },
    { kind: "unix", path: "/run/page.sock" },
  ]],
  ["state-dir", "/a/", "/b", '"/c"', (c) => c.stateDir, ["/a", "/b", "/c"]],
  ["run-dir", "/a", "/b//", '"/c"', (c) => c.runDir, ["/a", "/b", "/c"]],
  ["subnet-file", "/a", "/b", '"/c"', (c) => c.subnetFile, ["/a", "/b", "/c"]],
  ["log-level", "debug", "warning", '"error"', (c) => c.logLevel, ["debug", "warning", "error"]],
  ["log-format", "text", "json", '"text"', (c) => c.logFormat, ["text", "json", "text"]],
];

Deno.test("the precedence table has every setting but the names of files that have settings", () => {
  const files: readonly unknown[] = [SETTINGS.config, SETTINGS.netConf];
  const names = SETTING_LIST.filter((setting) => !files.includes(setting)).map(({ name }) => name);
  deepEqual(PRECEDENCE.map(([name]) => name).sort(), names.sort());
});

/** What must be given as well. */
const NEEDED: ReadonlyMap<string, string> = new Map([
  // Speaking plain as well is refused to a host that has no key.
  ["plain-gossip", "key-file = '/dev/null'\n"],
  ["masq-exclude", "ip-masq = true\n"],
  ["ipv6-subnet-len", "ipv6-network = 'fd00::/48'\n"],
]);

for (const [name, flag, variable, toml, read, expected] of PRECEDENCE) {
  Deno.test(`${name}: a flag comes before a variable, that before the file`, async () => {
    const flags = flag === "" ? [`--${name}`] : [`--${name}=${flag}`];
    const variables = { [variableOf(name)]: variable };
    const file = `${NEEDED.get(name) ?? ""}${name} = ${toml}`;
    deepEqual(read(await configOf({ flags, variables, toml: file })), expected[0]);
    deepEqual(read(await configOf({ variables, toml: file })), expected[1]);
    deepEqual(read(await configOf({ toml: file })), expected[2]);
  });
}

Deno.test("a variable that is set but empty counts as not set", async () => {
  equal((await configOf({ variables: { GOSSAMER_VNI: "" }, toml: "vni = 9" })).vni, 9);
});

Deno.test("a seed given twice is one seed", async () => {
  deepEqual((await configOf({ flags: ["--join=a", "--join", "b,a"] })).join, ["a", "b"]);
});

Deno.test("a relative path is taken from the working directory", async () => {
  equal((await configOf({ flags: ["--state-dir=./x/y"] })).stateDir, `${Deno.cwd()}/x/y`);
});

/** What is given, and the whole error. */
const REFUSED: readonly (readonly [places: Places, error: RegExp])[] = [
  [{ flags: ["--vni=0"] }, /^--vni: "0" is not a whole number from 1 to 16777215$/],
  [{ flags: ["--vni=16777216"] }, /^--vni: "16777216" is not a whole number from 1 to 16777215$/],
  [{ flags: ["--vni=1e3"] }, /^--vni: "1e3" is not a whole number/],
  [{ variables: { GOSSAMER_VNI: "x" } }, /^GOSSAMER_VNI: "x" is not a whole number from 1/],
  [{ toml: "vni = -1" }, /^g\.toml:\d: vni: "-1" is not a whole number/],
  [{ toml: 'vni = "1"' }, /^g\.toml:\d: vni: "1" is of the wrong type/],
  [{ toml: "vni = 1.5" }, /^g\.toml:\d: vni: "1\.5" is not a whole number/],
  [{ toml: "join = 3" }, /^g\.toml:\d: join: 3 is of the wrong type/],
  [{ toml: "[join]\na = 1" }, /^g\.toml:\d: join: a table is of the wrong type/],
  [{ flags: ["--gossip-port=0"] }, /^--gossip-port: "0" is not a whole number from 1 to 65535$/],
  [{ flags: ["--gossip-port=65536"] }, /^--gossip-port: "65536" is not/],
  [{ flags: ["--vxlan-port=8472x"] }, /^--vxlan-port: "8472x" is not/],
  [{ flags: ["--mtu=575"] }, /^--mtu: "575" is not a whole number from 576 to 65485, nor min$/],
  [{ flags: ["--mtu=65486"] }, /^--mtu: "65486" is not/],
  [{ flags: ["--name=a_b"] }, /^--name: "a_b" is not 1 to 63 letters, digits, dots and dashes$/],
  [{ flags: [`--name=${"n".repeat(64)}`] }, /^--name: "n{60}…" is not 1 to 63/],
  [{ flags: ["--network=10.244.0.0"] }, /^--network: "10\.244\.0\.0" has no prefix length/],
  [{ flags: ["--network=10.244.0.0/33"] }, /^--network: "10\.244\.0\.0\/33" has a prefix length/],
  [{ flags: ["--network=10.244.1.0/16"] }, /^--network: .* did you mean 10\.244\.0\.0\/16\?$/],
  [{ flags: ["--network=010.0.0.0/8"] }, /^--network: "010\.0\.0\.0\/8" is not|^--network: "010/],
  [{ flags: ["--network=10.0.0.0/29"] }, /^--network: 10\.0\.0\.0\/29 is too small/],
  [{ variables: { GOSSAMER_NETWORK: "127.0.0.0/8" } }, /^GOSSAMER_NETWORK: .* overlaps/],
  [{ flags: ["--subnet-len=17"] }, /^--subnet-len: 17 does not fit --network/],
  [{ flags: ["--subnet-len=31"] }, /^--subnet-len: 31 does not fit --network 10\.244\.0\.0\/16$/],
  [
    { toml: 'network = "10.9.0.0/16"\nsubnet-len = 17' },
    /^g\.toml:\d: subnet-len: 17 does not fit g\.toml:\d: network 10\.9\.0\.0\/16$/,
  ],
  [{ flags: ["--subnet-min=10.1.0.0"] }, /^--subnet-min: 10\.1\.0\.0 is not in the network/],
  [{ flags: ["--subnet-min=10.244.1.5"] }, /^--subnet-min: 10\.244\.1\.5 is not the first address/],
  [
    { flags: ["--subnet-min=10.244.9.0", "--subnet-max=10.244.8.0"] },
    /^--subnet-min: 10\.244\.9\.0 lies above --subnet-max 10\.244\.8\.0$/,
  ],
  [
    { flags: ["--subnet=10.99.1.0/24"] },
    /^--subnet: 10\.99\.1\.0\/24 is not a subnet of the pool$/,
  ],
  [{ flags: ["--subnet=10.244.1.0/25"] }, /^--subnet: 10\.244\.1\.0\/25 has prefix length 25/],
  [{ flags: ["--subnet=10.244.1.7/24"] }, /^--subnet: .* did you mean 10\.244\.1\.0\/24\?$/],
  [
    { flags: ["--network=fd00::/40"] },
    /^--network: fd00::\/40 has 2\^24 subnets of \/64, and a pool has at most 65536$/,
  ],
  [{ flags: ["--network=fd00::7/56"] }, /^--network: .* did you mean fd00::\/56\?$/],
  [
    { flags: ["--network=fd00::/56", "--subnet-len=24"] },
    /^--subnet-len: 24 does not fit --network fd00::\/56$/,
  ],
  [
    { flags: ["--network=fd00::/56", "--ipv6-network=fd01::/56"] },
    /^--ipv6-network: it goes with an IPv4 network, and --network fd00::\/56 is one of IPv6 already$/,
  ],
  [
    { flags: ["--network=fd00::/56", "--subnet=10.244.7.0/24"] },
    /^--subnet: 10\.244\.7\.0\/24 has prefix length 24, but subnets here have 64$/,
  ],
  [
    { flags: ["--network=fd00::/56", "--join=192.168.1.1:7947"] },
    /^--join: 192\.168\.1\.1 is an IPv4 address, and the hosts of this cluster talk over IPv6/,
  ],
  [
    { flags: ["--network=fd00::/56", "--public-ip=192.168.1.1"] },
    /^--public-ip: 192\.168\.1\.1 is an IPv4 address, and the hosts of this cluster talk/,
  ],
  [
    { flags: ["--network=fd00::/56", "--iface-can-reach=192.168.1.1"] },
    /^--iface-can-reach: 192\.168\.1\.1 is an IPv4 address/,
  ],
  [
    { flags: ["--network=fd00::/56", "--public-ip=fe80::1"] },
    /^--public-ip: "fe80::1" is not an address that other hosts can send to$/,
  ],
  [{ flags: ["--public-ip=fd00::1"] }, /^--public-ip: fd00::1 is an IPv6 address, and the hosts/],
  [{ flags: ["--ipv6-network=10.0.0.0/8"] }, /^--ipv6-network: .* is not an IPv6 address/],
  [{ flags: ["--ipv6-network=fd00::1/48"] }, /^--ipv6-network: .* did you mean fd00::\/48\?$/],
  [
    { flags: ["--ipv6-network=fd00::/60"] },
    /^--ipv6-network: fd00::\/60 has 16 subnets of \/64, and --network 10\.244\.0\.0\/16 has 256/,
  ],
  [
    { flags: ["--ipv6-network=fd00::/48", "--ipv6-subnet-len=49"] },
    /^--ipv6-subnet-len: 49 does not fit --ipv6-network fd00::\/48$/,
  ],
  [
    { flags: ["--ipv6-subnet-len=64"] },
    /^--ipv6-subnet-len: it goes with --ipv6-network, which is not given$/,
  ],
  [
    { flags: ["--backend=udp", "--udp-port=7947"] },
    /^--udp-port: 7947 is the port of gossip, too$/,
  ],
  [
    { flags: ["--direct-routing", "--backend=host-gw"] },
    /^--direct-routing: it goes with --backend vxlan, and the backend is host-gw$/,
  ],
  [{ flags: ["--backend=vxlna"] }, /^--backend: "vxlna" is not known$/],
  [{ flags: ["--join=a:0"] }, /^--join: "a:0" has a port that is not a number from 1 to 65535$/],
  [{ flags: ["--join=a:x"] }, /^--join: "a:x" has a port/],
  [{ flags: ["--join=a,,b"] }, /^--join: a seed is empty$/],
  [{ flags: ["--join=10.1"] }, /^--join: "10\.1" is neither a host name nor an IPv4 address$/],
  [{ flags: ["--join=a b"] }, /^--join: "a b" is neither/],
  [
    { flags: ["--join=[::1]:7947"] },
    /^--join: ::1 is an IPv6 address, and the hosts of this cluster talk/,
  ],
  [{ flags: ["--iface=a-name-that-is-too-long"] }, /^--iface: .* is neither an interface name/],
  [{ flags: ["--iface-regex=("] }, /^--iface-regex: "\(" is not a regular expression/],
  [{ flags: ["--iface-can-reach=h"] }, /^--iface-can-reach: "h" is not an IPv4 address/],
  [{ flags: ["--public-ip=256.1.1.1"] }, /^--public-ip: "256\.1\.1\.1" has the octet 256/],
  [{ flags: ["--public-ip=0.0.0.0"] }, /^--public-ip: "0\.0\.0\.0" is not an address that other/],
  [{ flags: ["--public-ip=127.0.0.1"] }, /^--public-ip: "127\.0\.0\.1" is not an address that/],
  [{ flags: ["--public-ip=224.0.0.1"] }, /^--public-ip: "224\.0\.0\.1" is not an address that/],
  [{ flags: ["--vxlan-port=7947"] }, /^--vxlan-port: 7947 is the port of gossip, too$/],
  [{ flags: ["--gossip-port=8472"] }, /^--vxlan-port: 8472 is the port of gossip, too$/],
  [
    { flags: ["--key-file=/nonexistent/key"] },
    /^--key-file: cannot read \/nonexistent\/key: there is no/,
  ],
  [
    { flags: ["--plain-gossip"] },
    /^--plain-gossip: there is no key file, so that gossip is plain anyway$/,
  ],
  [{ toml: "plain-gossip = true" }, /^g\.toml:\d: plain-gossip: there is no key file/],
  [{ flags: ["--key-file=/dev"] }, /^--key-file: cannot read \/dev: it is a directory$/],
  [{ flags: [`--run-dir=/${"d".repeat(93)}`] }, /^--run-dir: .* is 94 bytes long, too long for/],
  [{ flags: ["--on-renumber= "] }, /^--on-renumber: the command is empty$/],
  [{ flags: ["--log-level=warn"] }, /^--log-level: "warn" is not known$/],
  [{ flags: ["--log-format=xml"] }, /^--log-format: "xml" is not known$/],
  [{ variables: { GOSSAMER_BOOTSTRAP: "yes" } }, /^GOSSAMER_BOOTSTRAP: "yes" is neither true nor/],
  [{ toml: 'bootstrap = "true"' }, /^g\.toml:\d: bootstrap: "true" is of the wrong type$/],
  [{ outside: { hostName: "my_host" } }, /^--name: the host name "my_host" cannot serve/],
  [{ toml: "gossip_port = 1" }, /^g\.toml:\d: gossip_port: is not a known key$/],
  [{ toml: "constructor = 1" }, /^g\.toml:\d: constructor: is not a known key$/],
  [{ toml: "net-conf = true" }, /^g\.toml:\d: net-conf: true is of the wrong type$/],
  [
    { flags: ["--masq-exclude=10.0.0.0/8"] },
    /^--masq-exclude: it goes with --ip-masq, which is off$/,
  ],
  [
    { flags: ["--ip-masq", "--masq-exclude=10.0.0.1/8"] },
    /^--masq-exclude: .* did you mean 10\.0\.0\.0\/8\?$/,
  ],
  [{ flags: ["--guard=yes"] }, /^--guard: "yes" is not known$/],
  [{ toml: 'config = "x"' }, /^g\.toml:\d: config: a file cannot name another one$/],
  [{ toml: "vni = 1\nvni = 2" }, /^g\.toml:2:\d+: not valid TOML: /],
  [{ toml: "vni = " }, /^g\.toml:1:\d+: not valid TOML: /],
];

for (const [places, message] of REFUSED) {
  const { flags, variables, toml, outside } = places;
  const what = flags?.join(" ") ?? toml ?? JSON.stringify(variables ?? outside);
  Deno.test(`a configuration with ${JSON.stringify(what)} is refused in one line`, async () => {
    await rejects(configOf(places), (error) => {
      ok(error instanceof ConfigError);
      equal(error.exitCode, 2);
      ok(message.test(error.message), error.message);
      ok(!`${error.message}${error.remedy ?? ""}`.includes("\n"), "one line");
      return true;
    });
  });
}

Deno.test("a mistyped key gets the key that was probably meant", async () => {
  const remedyOf = (toml: string) =>
    sourceOfToml("g.toml", toml).then(
      () => "accepted",
      (error) => error instanceof ConfigError ? error.remedy : undefined,
    );
  equal(await remedyOf("gossip_port = 1"), "did you mean gossip-port?");
  equal(await remedyOf("netwrok = 1"), "did you mean network?");
  equal(await remedyOf("quux = 1"), "gossamer up --help lists the settings");
});

Deno.test("the longest run directory that fits a socket's path is accepted", async () => {
  const runDir = `/${"d".repeat(92)}`;
  equal((await configOf({ flags: [`--run-dir=${runDir}`] })).runDir, runDir);
  equal(`${runDir}/gossamer.sock`.length, 107);
});

Deno.test("variables that are nearly those of settings are named", () => {
  const variables = { GOSSAMER_GOSIP_PORT: "1", GOSSAMER_EXECUTABLE: "x", PATH: "/bin" };
  const outside = new FakeOutside({ variables });
  checkVariableNames(outside);
  equal(
    outside.stderr,
    "gossamer: warning: GOSSAMER_GOSIP_PORT is not a known variable; did you mean GOSSAMER_GOSSIP_PORT?\n",
  );
});

Deno.test("net-conf.json comes last, named by a flag, a variable or the file", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const [toml, netConf] = [`${folder}/g.toml`, `${folder}/net-conf.json`];
    const backend = { Type: "VXLAN", VNI: 4, MTU: 1004, Port: 4 };
    Deno.writeTextFileSync(netConf, JSON.stringify({ Network: "10.4.0.0/16", Backend: backend }));
    Deno.writeTextFileSync(toml, `vni = 3\nnet-conf = "${netConf}"\n`);
    const variables = { GOSSAMER_MTU: "1002" };
    const sources = await gatherSources(new FakeOutside({ variables }), given(`--config=${toml}`));
    equal(sources.value(SETTINGS.vni), 3);
    equal(sources.value(SETTINGS.mtu), 1002);
    deepEqual(sources.read(SETTINGS.vxlanPort), {
      value: 4,
      origin: `${netConf}: Backend.Port`,
    });
    deepEqual(agentConfig(sources, new FakeOutside()).pool.cidr, "10.4.0.0/16");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("gatherSources() asks the flags first, then the environment, then the file", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".toml" });
  try {
    Deno.writeTextFileSync(path, "vni = 3\nmtu = 1003\nvxlan-port = 3\n");
    const variables = { GOSSAMER_VNI: "2", GOSSAMER_MTU: "1002" };
    const flags = given("--vni=1", `--config=${path}`);
    const sources = await gatherSources(new FakeOutside({ variables }), flags);
    deepEqual(sources.read(SETTINGS.vni), { value: 1, origin: "--vni" });
    deepEqual(sources.read(SETTINGS.mtu), { value: 1002, origin: "GOSSAMER_MTU" });
    deepEqual(sources.read(SETTINGS.vxlanPort), { value: 3, origin: `${path}:3: vxlan-port` });
    deepEqual(sources.read(SETTINGS.gossipPort), { value: 7947, origin: null });
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("the file is read from where --config or GOSSAMER_CONFIG says", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".toml" });
  try {
    Deno.writeTextFileSync(path, "# comment\nvni = 7\n");
    const byFlag = await gatherSources(new FakeOutside(), given(`--config=${path}`));
    equal(byFlag.read(SETTINGS.vni).origin, `${path}:2: vni`);
    const outside = new FakeOutside({ variables: { GOSSAMER_CONFIG: path } });
    equal((await gatherSources(outside, given())).value(SETTINGS.vni), 7);
  } finally {
    Deno.removeSync(path);
  }
  await rejects(
    gatherSources(new FakeOutside(), given("--config=/nonexistent/g.toml")),
    /--config: cannot read \/nonexistent\/g\.toml: there is no such file/,
  );
});

Deno.test("every setting has a flag with help, and a variable made by the rule", () => {
  for (const setting of SETTING_LIST) {
    const flag = flagOf(setting);
    ok(flag.text.length > 5, setting.name);
    ok(!flag.text.endsWith("."), setting.name);
    equal(flag.variable, `GOSSAMER_${setting.name.toUpperCase().replaceAll("-", "_")}`);
  }
});

Deno.test("errors of a file name the line, however it is written", async () => {
  const messageOf = async (text: string) => {
    try {
      agentConfig(new Sources([await sourceOfToml("g.toml", text)]), new FakeOutside());
      return "accepted";
    } catch (error) {
      ok(error instanceof ConfigError);
      return error.message;
    }
  };
  match(await messageOf("\r\n# mtu = 3\r\nmtu = 12\r\n"), /^g\.toml:3: mtu: "12" is/);
  match(await messageOf('\uFEFF"vni" = 0\n'), /^g\.toml:1: vni: "0" is/);
  match(await messageOf('on-renumber = """\nvni = 1\n"""\nvni = 0\n'), /^g\.toml:4: vni: "0" is/);
  match(await messageOf("vni.a = 1\nvni.b = 2\n"), /^g\.toml:1: vni: a table is/);
  match(await messageOf("vni = 3\n[ overlay ]\nmtu = 1\n"), /^g\.toml:2: overlay: is a section/);
  match(await messageOf('"v\\u006ei" = 0\n'), /^g\.toml: vni: "0" is/);
  const key = `${"A".repeat(43)}=`;
  match(await messageOf(`\nkey-file = "${key}"\n`), /^g\.toml:2: key-file: a key stands here/);
  equal((await messageOf(`key-file = "${key}"`)).includes("AAAA"), false);
});

Deno.test("a file that is none is refused, and a pipe is not read by an agent that runs", async () => {
  const outside = new FakeOutside();
  await rejects(gatherSources(outside, given("--config=/dev/zero"), true), {
    message: "/dev/zero: is no regular file and cannot be read a second time",
  });
  await gatherSources(outside, given("--config=/dev/null"), true);
  await rejects(gatherSources(outside, given("--config=/etc")), {
    message: "/etc: is a directory",
  });
});
