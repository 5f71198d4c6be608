/** flannel's net-conf.json: what of it becomes which setting, what is refused, what is named and has no effect. */
import { deepEqual, equal, match, throws } from "node:assert/strict";
import { ConfigError } from "../../../mod/base/errors.ts";
import { sourceOfNetConf } from "../../../mod/cli/config/net_conf.ts";
import { SETTING_LIST } from "../../../mod/cli/config/settings.ts";
import { Sources } from "../../../mod/cli/config/sources.ts";

const FILE = "/etc/net-conf.json";

/** The settings that the file gives, by name, and the warnings. */
function read(conf: unknown): { given: Record<string, unknown>; warnings: string[] } {
  const warnings: string[] = [];
  const text = typeof conf === "string" ? conf : JSON.stringify(conf);
  const source = sourceOfNetConf(FILE, text, (warning) => void warnings.push(warning));
  const sources = new Sources([source]);
  const given: Record<string, unknown> = {};
  for (const setting of SETTING_LIST) {
    const { value, origin } = sources.read(setting);
    if (origin !== null) given[setting.name] = value;
  }
  return { given, warnings };
}

const POOL = {
  "network": "10.3.0.0/16",
  "subnet-len": 25,
  "subnet-min": "10.3.5.0",
  "subnet-max": "10.3.8.0",
};
const NETWORK = "10.3.0.0/16";
const VXLAN = { Type: "vxlan" };

/** The cases of flannel's own tests of its configuration, and those of its documentation. */
const CASES: readonly (readonly [what: string, conf: unknown, given: Record<string, unknown>])[] = [
  ["only the network and a backend", { Network: NETWORK, Backend: VXLAN }, {
    network: NETWORK,
    backend: "vxlan",
  }],
  ["every key of the pool", {
    Network: NETWORK,
    SubnetLen: 25,
    SubnetMin: "10.3.5.0",
    SubnetMax: "10.3.8.0",
    Backend: VXLAN,
  }, { ...POOL, backend: "vxlan" }],
  ["every key of vxlan", {
    Network: NETWORK,
    Backend: { Type: "vxlan", VNI: 5, Port: 4789, DirectRouting: true, MTU: 1400 },
  }, {
    "network": NETWORK,
    "backend": "vxlan",
    "vni": 5,
    "vxlan-port": 4789,
    "direct-routing": true,
    "mtu": 1400,
  }],
  ["keys in any case, as Go takes them", {
    network: NETWORK,
    SUBNETLEN: 25,
    backend: { type: "host-gw" },
    enableNFTables: true,
  }, { "network": NETWORK, "subnet-len": 25, "backend": "host-gw" }],
  ["udp and its port", { Network: NETWORK, Backend: { Type: "udp", Port: 7890 } }, {
    "network": NETWORK,
    "backend": "udp",
    "udp-port": 7890,
  }],
  ["zeros, which say nothing", {
    Network: NETWORK,
    Backend: { Type: "vxlan", VNI: 0, Port: 0, MTU: 0, GBP: false, Learning: false },
  }, { network: NETWORK, backend: "vxlan" }],
  ["dual stack", {
    EnableIPv6: true,
    Network: NETWORK,
    IPv6Network: "fd00:5::/56",
    IPv6SubnetLen: 64,
    Backend: VXLAN,
  }, {
    "network": NETWORK,
    "ipv6-network": "fd00:5::/56",
    "ipv6-subnet-len": 64,
    "backend": "vxlan",
  }],
  ["IPv6 alone", {
    EnableIPv4: false,
    EnableIPv6: true,
    IPv6Network: "fd00:5::/56",
    IPv6SubnetLen: 64,
    IPv6SubnetMin: "fd00:5:0:1::",
    Backend: VXLAN,
  }, {
    "network": "fd00:5::/56",
    "subnet-len": 64,
    "subnet-min": "fd00:5:0:1::",
    "backend": "vxlan",
  }],
];

for (const [what, conf, wanted] of CASES) {
  Deno.test(`net-conf.json with ${what}`, () => {
    deepEqual(read(conf), { given: wanted, warnings: [] });
  });
}

Deno.test("what net-conf.json says is called by its key", () => {
  const source = sourceOfNetConf(FILE, '{"network":"10.3.0.0/16","backend":{"vni":7}}', () => {});
  const sources = new Sources([source]);
  const origins = SETTING_LIST.map((setting) => sources.read(setting).origin)
    .filter((origin) => origin !== null);
  deepEqual(
    origins,
    [`${FILE}: Network`]
      .concat(`${FILE}: Backend.VNI`),
  );
});

const WARNINGS: readonly (readonly [what: string, conf: unknown, said: RegExp])[] = [
  ["no backend, which is udp for flannel", { Network: NETWORK }, /flannel would use udp/],
  [
    "a key that flannel has not",
    { Network: NETWORK, SubnetLength: 24, Backend: VXLAN },
    /"SubnetLength" is no key of flannel's and has no effect; did you mean SubnetLen\?/,
  ],
  [
    "learning",
    { Network: NETWORK, Backend: { Type: "vxlan", Learning: true } },
    /Backend\.Learning: has no effect/,
  ],
  [
    "a key of another backend",
    { Network: NETWORK, Backend: { Type: "host-gw", VNI: 3 } },
    /Backend\.VNI: has no effect with gossamer's host-gw/,
  ],
  ["an IPv6 network that is not enabled", {
    Network: NETWORK,
    IPv6Network: "fd00:5::/56",
    Backend: VXLAN,
  }, /IPv6Network: has no effect: EnableIPv6 is not true/],
  ["a first IPv6 subnet with dual stack", {
    EnableIPv6: true,
    Network: NETWORK,
    IPv6Network: "fd00:5::/56",
    IPv6SubnetMin: "fd00:5:0:1::",
    Backend: VXLAN,
  }, /IPv6SubnetMin: has no effect: with dual stack/],
];

for (const [what, conf, said] of WARNINGS) {
  Deno.test(`net-conf.json with ${what} is used, with a warning`, () => {
    const { given, warnings } = read(conf);
    equal(warnings.length, 1, warnings.join("\n"));
    match(warnings[0] ?? "", said);
    equal(given["network"], NETWORK);
  });
}

const REFUSED: readonly (readonly [what: string, conf: unknown, said: RegExp])[] = [
  [
    "another encapsulation",
    { Network: NETWORK, Backend: { Type: "ipip" } },
    /"ipip" is a backend that gossamer does not have/,
  ],
  [
    "encryption",
    { Network: NETWORK, Backend: { Type: "wireguard" } },
    /"wireguard" is a backend that gossamer does not have/,
  ],
  [
    "policies",
    { Network: NETWORK, Backend: { Type: "vxlan", GBP: true } },
    /Backend\.GBP: group based policies/,
  ],
  ["no network", { Backend: VXLAN }, /Network is missing/],
  [
    "no family at all",
    { EnableIPv4: false, Network: NETWORK },
    /EnableIPv4: is false, and EnableIPv6 is not true/,
  ],
  ["a number in quotes", { Network: NETWORK, SubnetLen: "24" }, /SubnetLen: is not a number/],
  ["a backend that is a name", { Network: NETWORK, Backend: "vxlan" }, /Backend: is not an object/],
  ["a list", [], /is no object/],
  ["half a file", '{"Network": ', /not valid JSON/],
];

for (const [what, conf, said] of REFUSED) {
  Deno.test(`net-conf.json with ${what} is refused`, () => {
    throws(() => read(conf), (error) => {
      equal(error instanceof ConfigError, true, String(error));
      match(String(error instanceof Error ? error.message : ""), said);
      return true;
    });
  });
}
