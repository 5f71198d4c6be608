/**
 * The one table of the agent's settings: flags, environment variables, file keys, checks, defaults and help texts are
 * all read from here.
 */
import {
  ABSENCE_TTL_HOURS_DEFAULT,
  ABSENCE_TTL_HOURS_MAX,
  GOSSIP_PORT_DEFAULT,
  VXLAN_OVERHEAD_BYTES,
} from "../../base/limits.ts";
import {
  anyAddress,
  anyCidr,
  interfaceName,
  memberName,
  oneOf,
  path,
  pattern,
  peerAddress,
  runDirectory,
  seed,
  shellCommand,
  wholeNumber,
  wholeNumberOr,
} from "./checks.ts";
import { httpPlace } from "./http_setting.ts";
import { POOL_SETTINGS } from "./pool_settings.ts";
import { listSetting, type Setting, switchSetting, valueSetting } from "./setting.ts";

/** Where the file is looked for when `--config` is not given. */
export const CONFIG_FILE_DEFAULT = "/etc/gossamer/gossamer.toml";

/** The port that the Linux kernel's VXLAN driver uses by default, and flannel with it. */
const VXLAN_PORT_DEFAULT = 8472;
/** flannel's. */
const UDP_PORT_DEFAULT = 8285;
/** 24 bits (RFC 7348 section 5); 0 is left out because flannel's device names begin at 1. */
const VNI_MAX = 2 ** 24 - 1;
/** RFC 791: every host must take datagrams of 576 bytes. */
const MTU_MIN = 576;
const MTU_MAX = 65535 - VXLAN_OVERHEAD_BYTES;

const port = wholeNumber(1, 65535);

export const SETTINGS = {
  join: listSetting(
    {
      name: "join",
      group: "Cluster",
      placeholder: "HOST[:PORT]",
      text: "A host of the cluster; without it, rejoin the hosts remembered on disk or start a " +
        "cluster; names are looked up again at each try",
    },
    seed,
    ",",
  ),
  name: valueSetting(
    {
      name: "name",
      group: "Cluster",
      placeholder: "NAME",
      text: "This host's name, unique in the cluster",
      defaultText: "the host name",
    },
    null,
    memberName,
  ),
  cluster: valueSetting(
    {
      name: "cluster",
      group: "Cluster",
      placeholder: "NAME",
      text: "Label of the cluster: hosts with another label are not heard",
    },
    "gossamer",
    memberName,
  ),
  gossipPort: valueSetting(
    {
      name: "gossip-port",
      group: "Cluster",
      placeholder: "PORT",
      text: "UDP and TCP port of gossip",
    },
    GOSSIP_PORT_DEFAULT,
    port,
    "integer",
  ),
  gossipProfile: valueSetting(
    {
      name: "gossip-profile",
      group: "Cluster",
      placeholder: "NAME",
      text: "How fast gossip is: lan, wan for several sites, local for one machine, or tight, " +
        "which finds a dead host in 4 s instead of 10 and is meant for up to 64 hosts",
    },
    "lan",
    oneOf(["lan", "wan", "local", "tight"]),
  ),
  keyFile: valueSetting(
    {
      name: "key-file",
      group: "Cluster",
      placeholder: "FILE",
      text: "Gossip keys, base64 of 32 bytes, one a line; the first one encrypts. gossamer keys " +
        "changes them on all hosts, and this file with them",
    },
    null,
    path,
  ),
  plainGossip: switchSetting({
    name: "plain-gossip",
    group: "Cluster",
    text: "Also speak plain with hosts that have no key yet: for the time in which a running " +
      "cluster is being encrypted",
  }),
  bootstrap: switchSetting({
    name: "bootstrap",
    group: "Cluster",
    text: "Claim a subnet even though no host given by --join answers",
  }),
  keepIdentity: switchSetting({
    name: "keep-identity",
    group: "Cluster",
    text:
      "Take over the identity and the subnet of a state directory that another machine wrote, " +
      "after its disk was moved here; not for copies",
  }),
  adoptFlannel: switchSetting({
    name: "adopt-flannel",
    group: "Cluster",
    text: "Take over what flannel left on this host: the subnet that its subnet file names, its " +
      "device with the MAC, and the way to hosts that still run flannel",
  }),
  absenceTtl: valueSetting(
    {
      name: "absence-ttl",
      group: "Cluster",
      placeholder: "HOURS",
      text:
        "How long this host may be away before a host that finds no other subnet may take this " +
        "one's, if most hosts agree",
    },
    ABSENCE_TTL_HOURS_DEFAULT,
    wholeNumber(1, ABSENCE_TTL_HOURS_MAX),
    "integer",
  ),
  ...POOL_SETTINGS,
  backend: valueSetting(
    {
      name: "backend",
      group: "Overlay",
      placeholder: "NAME",
      text:
        "How packets travel between hosts: in vxlan; bare with host-gw, for which all hosts must " +
        "be on one link; or with udp through the agents themselves, where nothing else passes",
    },
    "vxlan",
    oneOf(["vxlan", "host-gw", "udp"]),
  ),
  directRouting: switchSetting({
    name: "direct-routing",
    group: "Overlay",
    text: "Send bare packets to hosts on the same link that use this as well or host-gw, and " +
      "vxlan to all others",
  }),
  vni: valueSetting(
    {
      name: "vni",
      group: "Overlay",
      placeholder: "NUMBER",
      text: "VXLAN network identifier; the device is flannel.<VNI>",
    },
    1,
    wholeNumber(1, VNI_MAX),
    "integer",
  ),
  vxlanPort: valueSetting(
    {
      name: "vxlan-port",
      group: "Overlay",
      placeholder: "PORT",
      text: "UDP port of VXLAN, the same on every host",
    },
    VXLAN_PORT_DEFAULT,
    port,
    "integer",
  ),
  udpPort: valueSetting(
    {
      name: "udp-port",
      group: "Overlay",
      placeholder: "PORT",
      text: "UDP port of --backend udp",
    },
    UDP_PORT_DEFAULT,
    port,
    "integer",
  ),
  ipMasq: switchSetting({
    name: "ip-masq",
    group: "Overlay",
    text: "Give what containers send out of the overlay this host's address, with nftables",
  }),
  masqExclude: listSetting(
    {
      name: "masq-exclude",
      group: "Overlay",
      placeholder: "CIDR",
      text: "Network to which containers go with their own addresses in spite of --ip-masq, such " +
        "as the hosts' own",
    },
    anyCidr,
    ",",
  ),
  guard: valueSetting(
    {
      name: "guard",
      group: "Overlay",
      placeholder: "on|off",
      text: "Drop VXLAN packets from addresses that are no member's, with nftables",
    },
    "on",
    oneOf(["on", "off"]),
  ),
  txChecksum: valueSetting(
    {
      name: "tx-checksum",
      group: "Overlay",
      placeholder: "on|off",
      text:
        "Leave the checksums of overlay packets to hardware; off for hardware that gets them wrong",
    },
    "on",
    oneOf(["on", "off"]),
  ),
  mtu: valueSetting(
    {
      name: "mtu",
      group: "Overlay",
      placeholder: "BYTES|min",
      text: "MTU of the overlay; with min, the smallest that any host of the cluster has room for",
      defaultText: `the underlay's, with vxlan minus ${VXLAN_OVERHEAD_BYTES}`,
    },
    null,
    wholeNumberOr("min", MTU_MIN, MTU_MAX),
    "integer or word",
  ),
  iface: listSetting(
    {
      name: "iface",
      group: "Underlay",
      placeholder: "NAME|ADDRESS",
      text: "Interface for traffic between hosts, the first that exists; without any --iface " +
        "flag, the default route's",
    },
    interfaceName,
    ",",
  ),
  ifaceRegex: listSetting(
    {
      name: "iface-regex",
      group: "Underlay",
      placeholder: "REGEX",
      text: "Interface whose address or name matches; tried after every --iface",
    },
    pattern,
    null,
  ),
  ifaceCanReach: valueSetting(
    {
      name: "iface-can-reach",
      group: "Underlay",
      placeholder: "ADDRESS",
      text: "Interface that the kernel would reach this address through; tried last",
    },
    null,
    anyAddress,
  ),
  publicIp: valueSetting(
    {
      name: "public-ip",
      group: "Underlay",
      placeholder: "ADDRESS",
      text: "Address told to the other hosts; never used as a local address",
      defaultText: "the interface's",
    },
    null,
    peerAddress,
  ),
  stateDir: valueSetting(
    {
      name: "state-dir",
      group: "Files",
      placeholder: "DIRECTORY",
      text: "Identity, claim and known hosts; must survive reboots",
    },
    "/var/lib/gossamer",
    path,
  ),
  runDir: valueSetting(
    {
      name: "run-dir",
      group: "Files",
      placeholder: "DIRECTORY",
      text: "Control socket, through which the other commands find the agent",
    },
    "/run/gossamer",
    runDirectory,
  ),
  subnetFile: valueSetting(
    {
      name: "subnet-file",
      group: "Files",
      placeholder: "FILE",
      text: "Written when the subnet is held and the overlay is up, as flannel writes it",
    },
    "/run/flannel/subnet.env",
    path,
  ),
  config: valueSetting(
    {
      name: "config",
      group: "Files",
      placeholder: "FILE",
      text: "Settings in TOML: the flags' names without dashes in front are the keys",
      defaultText: `${CONFIG_FILE_DEFAULT} if it exists`,
    },
    null,
    path,
  ),
  netConf: valueSetting(
    {
      name: "net-conf",
      group: "Files",
      placeholder: "FILE",
      text:
        "flannel's net-conf.json, for what neither flags nor variables nor the file of settings say",
    },
    null,
    path,
  ),
  onRenumber: valueSetting(
    {
      name: "on-renumber",
      group: "Files",
      placeholder: "COMMAND",
      text: "Run as COMMAND OLD NEW when this host had to change its subnet",
    },
    null,
    shellCommand,
  ),
  http: valueSetting(
    {
      name: "http",
      group: "Monitoring",
      placeholder: "ADDRESS:PORT",
      text:
        "Where a browser finds the status page, and monitoring /metrics, /healthz, /readyz and " +
        "/status; a path means a unix socket. Whoever reaches it may read it",
      defaultText: "off",
    },
    null,
    httpPlace,
  ),
  onEvent: valueSetting(
    {
      name: "on-event",
      group: "Monitoring",
      placeholder: "COMMAND",
      text: "Run for each event, with the event as JSON on standard input",
    },
    null,
    shellCommand,
  ),
  logLevel: valueSetting(
    {
      name: "log-level",
      group: "Logging",
      placeholder: "LEVEL",
      text: "debug, info, warning or error",
    },
    "info",
    oneOf(["debug", "info", "warning", "error"]),
  ),
  logFormat: valueSetting(
    {
      name: "log-format",
      group: "Logging",
      placeholder: "FORMAT",
      text: "text or json",
      defaultText: "text on a terminal, otherwise json",
    },
    null,
    oneOf(["text", "json"]),
  ),
} as const;

export const SETTING_LIST: readonly Setting<unknown>[] = Object.values(SETTINGS);
