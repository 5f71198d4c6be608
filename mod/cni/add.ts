/** ADD with the built-in bridge: an address, a cable into the container, routes, and the result that says so. */
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { type Link, linkGet } from "../../ffi/route/link.ts";
import { assert } from "../base/assert.ts";
import { ensureBridge } from "./bridge.ts";
import { type Cable, plugCable, pullCable } from "./cable.ts";
import type { CniCall } from "./call.ts";
import { detach } from "./detach.ts";
import { CniCode, CniError } from "./errors.ts";
import { familySubnet, type HostSubnet, readHostSubnet } from "./host_subnet.ts";
import type { JsonObject } from "./json.ts";
import { type Attachment, LedgerFile } from "./ledger.ts";
import { type ContainerNamespace, withContainer, withHost } from "./namespaces.ts";
import { type BridgeConfig, bridgeConfigOf, type NetworkConfig } from "./network_config.ts";
import { reserve } from "./reservation.ts";
import { previousResultOf, resultDocument, type ResultRoute } from "./result.ts";
import { BRIDGE_ALIAS, containerMac } from "./stable_names.ts";

const DEFAULT_ROUTE = { 4: "0.0.0.0/0", 6: "::/0" } as const;
/** Bytes of an alias (linux/if.h IFALIASZ - 1). */
const ALIAS_BYTES_MAX = 255;

interface Task {
  readonly call: CniCall;
  readonly config: NetworkConfig;
  readonly wish: BridgeConfig;
  readonly subnet: HostSubnet;
  readonly mtu: number;
  readonly file: LedgerFile;
}

/** Makes the attachment and returns the result. What fails on the way is taken back. */
export function addBuiltIn(config: NetworkConfig, call: CniCall): JsonObject {
  const subnet = readHostSubnet(config.subnetFile);
  const wish = bridgeConfigOf(config, subnet.ipMasq, call.args);
  const previous = previousResultOf(config.fields.object);
  const file = new LedgerFile(config.dataDir);
  const task: Task = { call, config, wish, subnet, mtu: wish.mtu ?? subnet.mtu, file };
  return withHost((host) =>
    withContainer(call.netns, (container) => {
      if (linkGet(container.netlink, call.ifname) !== null) throw existing(call);
      const { bridge, attachment } = prepare(host, task);
      try {
        const routes = routesOf(wish, subnet);
        const cable = plug(host, container, task, { bridge, attachment, routes });
        return resultOf(task, { bridge, attachment, routes, cable }, previous);
      } catch (error) {
        detach(host, file, attachment);
        throw error;
      }
    })
  );
}

interface Prepared {
  readonly bridge: Link;
  readonly attachment: Attachment;
}

/** The address written down and the bridge there: one ADD after the other. */
function prepare(host: NetlinkTransport, task: Task): Prepared {
  const { call, config, wish, subnet, mtu, file } = task;
  let prepared: Prepared | undefined;
  file.change((before) => {
    const { ledger, attachment } = reserve(before, {
      call,
      network: config.name,
      bridge: wish.bridge,
      subnet,
      wanted: wish.ips,
    }, host);
    const bridge = ensureBridge(host, {
      name: wish.bridge,
      mayBeForeign: wish.isNamed,
      mtu,
      subnet,
      attachments: ledger.attachments,
    });
    prepared = { bridge, attachment };
    return ledger;
  });
  assert(prepared !== undefined, "the ledger's change has run");
  return prepared;
}

function plug(
  host: NetlinkTransport,
  container: ContainerNamespace,
  { call, wish, mtu }: Task,
  made: Prepared & { readonly routes: readonly Required<ResultRoute>[] },
): Cable {
  const { bridge, attachment, routes } = made;
  const addresses = attachment.addresses.map((cidr) => {
    const [address = "", length = ""] = cidr.split("/");
    return { address, prefixLength: Number(length) };
  });
  // Of an ADD that was killed: its other end was never in use.
  pullCable(host, attachment.device);
  return plugCable(host, container.netlink, {
    device: attachment.device,
    alias: `${BRIDGE_ALIAS} ${call.containerId}`.slice(0, ALIAS_BYTES_MAX),
    ifname: call.ifname,
    namespaceFd: container.fd,
    mac: wish.mac ?? containerMac(addresses[0]?.address ?? ""),
    mtu,
    bridge,
    hairpin: wish.hairpin,
    addresses,
    routes,
  });
}

function resultOf(
  { call, config, wish, mtu }: Task,
  made: Prepared & { readonly routes: readonly Required<ResultRoute>[]; readonly cable: Cable },
  previous: JsonObject | null,
): JsonObject {
  const { bridge, attachment, routes, cable } = made;
  const mac = cable.container.address ?? "";
  const result = {
    interfaces: [
      { name: bridge.name, mac: bridge.address ?? "", mtu: bridge.mtu },
      { name: attachment.device, mac: cable.host.address ?? "", mtu },
      { name: call.ifname, mac, mtu, sandbox: call.netns },
    ],
    container: 2,
    ips: attachment.addresses.map((address) => ({
      address,
      gateway: familySubnet(address).gateway,
    })),
    routes,
    dns: wish.dns,
  };
  return resultDocument(result, config.cniVersion, previous);
}

/** As flannel: the overlay's networks; and the default route, unless the configuration says otherwise. */
function routesOf(wish: BridgeConfig, { families, networks }: HostSubnet): Required<ResultRoute>[] {
  const gatewayOf = (dst: string) => {
    const family = dst.includes(":") ? 6 : 4;
    return families.find((one) => one.family === family)?.gateway ?? null;
  };
  const wanted: ResultRoute[] = [
    ...wish.routes,
    ...networks.map((dst) => ({ dst })),
    ...wish.isDefaultGateway ? families.map(({ family }) => ({ dst: DEFAULT_ROUTE[family] })) : [],
  ];
  const routes = new Map<string, Required<ResultRoute>>();
  for (const { dst, gw = gatewayOf(dst) } of wanted) {
    if (gw !== null && !routes.has(dst)) routes.set(dst, { dst, gw });
  }
  return [...routes.values()];
}

function existing({ containerId, ifname }: CniCall): CniError {
  return new CniError(
    CniCode.failed,
    `the container ${containerId} has a device ${ifname} already`,
    "a second network needs another CNI_IFNAME; for the same one call DEL first",
  );
}
