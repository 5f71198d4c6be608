/**
 * Masquerading and none, and strangers' VXLAN packets, of both families, by what arrives: a container, its host, and somebody
 * outside, in namespaces of their own.
 */
import { strict as assert } from "node:assert";
import { writeSysctl } from "../../../ffi/sysctl.ts";
import { addressAdd, IFA_F } from "../../../ffi/route/address.ts";
import { linkDump, linkSet } from "../../../ffi/route/link.ts";
import { routeAdd } from "../../../ffi/route/route.ts";
import { vethAdd } from "../../../ffi/route/veth.ts";
import type { AddressFamily } from "../../../mod/base/firewall_objects.ts";
import { type NftablesFirewall, openFirewall } from "../../../mod/host/firewall.ts";
import { FACTS, wantedTable } from "../../support/firewall.ts";
import { Host, kernelTest } from "../ffi/namespace.ts";

const PORT = 4444;
const VXLAN_PORT = 8472;
const POLL_MS = 2;

interface Addresses {
  readonly container: string;
  /** The host's, towards the container. */
  readonly gateway: string;
  readonly host: string;
  readonly outside: string;
  /** Somebody else's container, behind the one outside. */
  readonly far: string;
  readonly every: string;
  readonly lengths: { readonly container: number; readonly underlay: number; readonly all: number };
}

const ADDRESSES: Readonly<Record<AddressFamily, Addresses>> = {
  ip: {
    container: "10.244.7.9",
    gateway: "10.244.7.1",
    host: "192.168.100.1",
    outside: "192.168.100.254",
    far: "10.244.9.9",
    every: "0.0.0.0/0",
    lengths: { container: 24, underlay: 24, all: 32 },
  },
  ip6: {
    container: "fd00:1:0:7::9",
    gateway: "fd00:1:0:7::1",
    host: "fd00::1",
    outside: "fd00::fe",
    far: "fd00:1:0:9::9",
    every: "::/0",
    lengths: { container: 64, underlay: 64, all: 128 },
  },
};

/** A container behind a host, and somebody outside on the host's underlay. */
class Street {
  readonly container = new Host();
  readonly host = new Host();
  readonly outside = new Host();
  readonly addresses: Addresses;
  readonly firewall: NftablesFirewall;

  constructor(family: AddressFamily) {
    this.addresses = ADDRESSES[family];
    const { container, gateway, host, outside, far, every, lengths } = this.addresses;
    for (const each of [this.container, this.host, this.outside]) {
      each.run(() => {
        writeSysctl("net.ipv4.ip_forward", "1");
        writeSysctl("net.ipv6.conf.all.forwarding", "1");
      });
    }
    const inner = joined(this.host, "cni0", this.container);
    const outer = joined(this.host, "eth0", this.outside);
    const put = (on: Host, index: number, address: string, prefixLength: number) =>
      addressAdd(on.transport, {
        index,
        address,
        prefixLength,
        // No waiting for others who might have it.
        ...(family === "ip6" ? { flags: IFA_F.NODAD } : {}),
      });
    put(this.container, inner.far, container, lengths.container);
    put(this.host, inner.near, gateway, lengths.container);
    put(this.host, outer.near, host, lengths.underlay);
    put(this.outside, outer.far, outside, lengths.underlay);
    // The far container is one outside, as good as behind another host.
    put(this.outside, outer.far, far, lengths.all);
    routeAdd(this.container.transport, { destination: every, gateway, index: inner.far });
    routeAdd(this.host.transport, { destination: far, gateway: outside, index: outer.near });
    const towards = { destination: container, gateway: host, index: outer.far };
    routeAdd(this.outside.transport, towards);
    this.firewall = this.host.run(() => openFirewall());
  }

  /** Waits until the devices carry packets: the kernel notices a carrier on a timer of its own. */
  async ready(): Promise<void> {
    const isUp = (host: Host) =>
      linkDump(host.transport).every(({ name, operationalState }) =>
        name === "lo" || operationalState === "up"
      );
    while (![this.container, this.host, this.outside].every(isUp)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Sends one datagram; returns the address that it came from. */
  async seen(from: Host, own: string, to: Host, address: string): Promise<string> {
    const listener = listen(to, address, PORT);
    await send(from, own, address, PORT, new Uint8Array(1));
    const [, sender] = await listener.receive();
    listener.close();
    assert(sender.transport === "udp");
    return sender.hostname;
  }

  async close(): Promise<void> {
    await this.firewall.close();
    for (const each of [this.container, this.host, this.outside]) each[Symbol.dispose]();
  }
}

function joined(near: Host, name: string, far: Host): { near: number; far: number } {
  const peer = { name: "eth0", namespaceFd: far.namespace };
  const link = vethAdd(near.transport, { name, up: true, peer });
  assert(link.link !== null);
  linkSet(far.transport, link.link, { up: true });
  return { near: link.index, far: link.link };
}

function listen(on: Host, hostname: string, port: number): Deno.DatagramConn {
  return on.run(() => Deno.listenDatagram({ transport: "udp", hostname, port }));
}

async function send(from: Host, own: string, to: string, port: number, bytes: Uint8Array) {
  const socket = listen(from, own, 0);
  await socket.send(bytes, { transport: "udp", hostname: to, port });
  socket.close();
}

for (const family of ["ip", "ip6"] as const) {
  kernelTest(`${family}: who masquerades, and who does not, as receivers see it`, async () => {
    const street = new Street(family);
    try {
      await street.ready();
      const { container, host, outside, far } = street.addresses;
      const inside = street.container;
      const apply = (masqueradeExcluded: readonly string[], masquerade = true) =>
        street.firewall.apply([
          { kind: "table-replace", table: wantedTable(family, { masquerade, masqueradeExcluded }) },
        ]);
      apply([]);
      const seen = async () => ({
        toTheWorld: await street.seen(inside, container, street.outside, outside),
        toPeers: await street.seen(inside, container, street.outside, far),
        fromTheWorld: await street.seen(street.outside, outside, inside, container),
        fromPeers: await street.seen(street.outside, far, inside, container),
        hostToPeers: await street.seen(street.host, host, street.outside, far),
      });
      const masked = {
        toTheWorld: host,
        toPeers: container,
        fromTheWorld: outside,
        fromPeers: far,
        hostToPeers: host,
      };
      assert.deepEqual(await seen(), masked);
      apply([family === "ip" ? "192.168.100.0/24" : "fd00::/64"]);
      assert.deepEqual(await seen(), { ...masked, toTheWorld: container });
      apply([], false);
      assert.deepEqual(await seen(), { ...masked, toTheWorld: container });
    } finally {
      await street.close();
    }
  });

  kernelTest(`${family}: VXLAN packets with our VNI come from members only`, async () => {
    const street = new Street(family);
    try {
      await street.ready();
      const { host, outside, far } = street.addresses;
      const members = [...FACTS[family].members, far];
      street.firewall.apply([
        { kind: "table-replace", table: wantedTable(family, {}, { members }) },
      ]);
      const listener = listen(street.host, host, VXLAN_PORT);
      const heard = async (own: string, vni: number) => {
        await send(street.outside, own, host, VXLAN_PORT, Uint8Array.of(8, 0, 0, 0, 0, 0, vni, 0));
        // What was let through before it is there before it.
        await send(street.outside, far, host, VXLAN_PORT, Uint8Array.of(0, 0));
        const arrived: string[] = [];
        for (;;) {
          const [bytes, sender] = await listener.receive();
          assert(sender.transport === "udp");
          if (bytes.length === 2) return arrived;
          arrived.push(sender.hostname);
        }
      };
      assert.deepEqual(await heard(far, 1), [far], "a member's");
      assert.deepEqual(await heard(outside, 1), [], "a stranger's");
      assert.deepEqual(await heard(outside, 2), [outside], "of another overlay");
      listener.close();
      const state = street.firewall.dump(family, "gossamer_1");
      assert(state.kind === "ours");
      const counts = state.table.chains.flatMap(({ rules }) => rules.map(({ counted }) => counted));
      assert.deepEqual(counts.filter((count) => count !== null), [1]);
    } finally {
      await street.close();
    }
  });
}
