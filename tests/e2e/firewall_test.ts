/**
 * What the packet filter does to packets, seen by whoever gets them: whose address they bear, and whether they come at all.
 * The host outside is the underlay's gateway, which knows nothing of the overlay.
 */
import assert from "node:assert/strict";
import { addressToBytes, macToBytes } from "../../ffi/inet.ts";
import { linkGet } from "../../ffi/route/link.ts";
import { routeAdd } from "../../ffi/route/route.ts";
import { chainAddRequest, tableAddRequest, tableDeleteRequest } from "../../ffi/nftables/table.ts";
import { openNftables } from "../../ffi/nftables/socket.ts";
import { NftablesFirewall } from "../../mod/host/firewall.ts";
import type { Container } from "../../mod/lab/container.ts";
import type { Host } from "../../mod/lab/host.ts";
import type { Namespace } from "../../mod/lab/namespace.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";
import { DEVICE, startCluster, statusOf, until, waitForMesh } from "./cluster.ts";
import { scenario } from "./scenario.ts";

const OUTSIDE = "192.168.100.254";
const PORT = 4444;
const VXLAN_PORT = 8472;
/** A lost packet would otherwise hang the test. */
const RECEIVE_MS = 5_000;
const POLL_MS = 20;

/** Somebody who gets datagrams and remembers from whom. */
class Listener {
  readonly #socket: Deno.DatagramConn;

  constructor(namespace: Namespace) {
    const hostname = "0.0.0.0";
    this.#socket = namespace.run(() =>
      Deno.listenDatagram({ transport: "udp", port: PORT, hostname })
    );
  }

  /** Sender's address and text of the next datagram. */
  async next(): Promise<string> {
    const timeout = sleep(RECEIVE_MS).then(() => {
      throw new Error("no datagram came");
    });
    const [bytes, from] = await Promise.race([this.#socket.receive(), timeout]);
    assert(from.transport === "udp");
    return `${from.hostname} ${new TextDecoder().decode(bytes)}`;
  }

  close(): void {
    this.#socket.close();
  }
}

/** Sends one datagram out of a namespace. */
async function send(
  namespace: Namespace,
  to: string,
  payload: string | Uint8Array,
  options: { from?: string; port?: number } = {},
): Promise<void> {
  const hostname = options.from ?? "0.0.0.0";
  const socket = namespace.run(() => Deno.listenDatagram({ transport: "udp", port: 0, hostname }));
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  await socket.send(bytes, { transport: "udp", hostname: to, port: options.port ?? PORT });
  socket.close();
}

/** A VXLAN packet for a container of that host, as anybody can make it who reaches the port. */
function forged(host: Host, destination: string, text: string): Uint8Array {
  const device = linkGet(host.namespace.netlink, DEVICE);
  assert(device?.address, `${host.name} has a VTEP`);
  const payload = new TextEncoder().encode(text);
  const udp = [0x10, 0x00, PORT >> 8, PORT & 255, 0, 8 + payload.length, 0, 0];
  const header = [
    ...[0x45, 0, 0, 20 + udp.length + payload.length, 0, 0, 0, 0, 64, 17, 0, 0],
    ...addressToBytes("10.244.250.5"),
    ...addressToBytes(destination),
  ];
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) {
    sum += ((header[at] ?? 0) << 8) + (header[at + 1] ?? 0);
  }
  sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
  header[10] = sum >> 8;
  header[11] = sum & 255;
  const ethernet = [...macToBytes(device.address), ...macToBytes("02:00:00:00:00:99"), 8, 0];
  const vxlan = [8, 0, 0, 0, 0, 0, 1, 0]; // the flag that says there is a VNI, and VNI 1
  return Uint8Array.from([...vxlan, ...ethernet, ...header, ...udp, ...payload]);
}

function vtepAddress(host: Host): string {
  const text = host.subnetText();
  assert(text !== null);
  return parseSubnetFile(text).subnet.split("/")[0] ?? "";
}

scenario(import.meta, "masquerading, and none, by the addresses that receivers see", {
  hosts: 2,
}, async ({ lab, step }) => {
  const [one, two] = [lab.host(1), lab.host(2)];
  await startCluster(lab.hosts, "--ip-masq");
  const near = await one.addContainer();
  const far = await two.addContainer();
  const outside = lab.underlay.namespace;
  const seen = async (
    from: Namespace,
    to: { namespace: Namespace; address: string },
    own?: string,
  ) => {
    const listener = new Listener(to.namespace);
    await send(from, to.address, "x", own === undefined ? {} : { from: own });
    const got = await listener.next();
    listener.close();
    return got.split(" ")[0];
  };
  const abroad = { namespace: outside, address: OUTSIDE };

  await step("subnet.env says that Docker need not masquerade", () => {
    assert.match(one.subnetText() ?? "", /^FLANNEL_IPMASQ=true$/m);
  });
  await step("out of the overlay a container has its host's address", async () => {
    assert.equal(await seen(near.namespace, abroad), one.address);
  });
  await step("within the overlay it keeps its own", async () => {
    assert.equal(await seen(near.namespace, far), near.address);
    assert.equal(await seen(far.namespace, near), far.address);
  });
  await step(
    "who is outside keeps its address towards containers of the host it goes to",
    async () => {
      routeVia(outside, near, one);
      assert.equal(await seen(outside, near), OUTSIDE);
    },
  );
  await step("who goes on to another host's containers gets the first host's", async () => {
    routeVia(outside, far, one);
    assert.equal(await seen(outside, far), vtepAddress(one));
    // So does the host itself with its underlay address: the answer would come by another way.
    assert.equal(await seen(one.namespace, far, one.address), vtepAddress(one));
  });
  await step("--masq-exclude leaves a network out", async () => {
    await one.stop();
    one.start(
      `--join=${two.address}`,
      "--ip-masq",
      "--masq-exclude=192.168.100.0/25,192.168.100.254/32",
    );
    await until("the new rules", lab.hosts, () => tableText(one).includes("unmasqueraded"));
    assert.equal(await seen(near.namespace, abroad), near.address);
  });
  await step("without --ip-masq nothing is masqueraded", async () => {
    await one.stop();
    one.start(`--join=${two.address}`);
    await until("the new rules", lab.hosts, () => !tableText(one).includes("masquerade"));
    assert.equal(await seen(near.namespace, abroad), near.address);
    assert.match(one.subnetText() ?? "", /^FLANNEL_IPMASQ=false$/m);
  });
});

scenario(import.meta, "strangers send nothing into the overlay, and nobody takes the rules away", {
  hosts: 2,
}, async ({ lab, step, note }) => {
  const [one, two] = [lab.host(1), lab.host(2)];
  await startCluster(lab.hosts);
  const near = await one.addContainer();
  const far = await two.addContainer();
  const outside = lab.underlay.namespace;
  const hears = async () => {
    const listener = new Listener(near.namespace);
    const packet = forged(one, near.address, "forged");
    await send(outside, one.address, packet, { port: VXLAN_PORT });
    await send(far.namespace, near.address, "true");
    const first = await listener.next();
    listener.close();
    return first;
  };

  await step(
    "a VXLAN packet from no member is dropped and counted, a member's is not",
    async () => {
      assert.equal(await hears(), `${far.address} true`);
      assert.match(tableText(one), /"counted":1,/);
    },
  );
  await step("with --guard off it comes through", async () => {
    await one.stop();
    one.start(`--join=${two.address}`, "--guard=off");
    await until("no guard", lab.hosts, () => !tableText(one).includes('"guard"'));
    assert.equal(await hears(), "10.244.250.5 forged");
    await one.stop();
    one.start(`--join=${two.address}`);
    await until("the guard again", lab.hosts, () => tableText(one).includes('"guard"'));
    await waitForMesh(lab.hosts);
  });
  await step("a table that somebody deletes is there again within a second", async () => {
    await until("both members", lab.hosts, () => tableText(one).includes(`"${two.address}"]`));
    const before = comparable(one);
    const began = performance.now();
    inNftables(one, (socket) => socket.transact([tableDeleteRequest(OURS)]));
    await until("healed", lab.hosts, () => comparable(one) === before);
    const ms = performance.now() - began;
    note(`table deleted: healed after ${ms.toFixed(1)} ms`);
    assert(ms < 1000, `${ms} ms`);
    const { firewall } = await statusOf(one);
    assert.equal(firewall?.repairs, 1);
    assert.equal(firewall?.inSync, true);
  });
  await step("a FORWARD chain of others that drops is named with a remedy", async () => {
    const table = { family: "ip", name: "filter" } as const;
    const base = { type: "filter", hook: "forward", priority: 0, policy: "drop" } as const;
    inNftables(one, (socket) =>
      socket.transact([
        tableAddRequest(table, ""),
        chainAddRequest({ table, name: "FORWARD", base }),
      ]));
    let problem: { text: string; remedy: string } | undefined;
    await until("named", lab.hosts, async () => {
      problem = (await statusOf(one)).problems.find(({ code }) => code === "forward-drop");
      await sleep(POLL_MS);
      return problem !== undefined;
    });
    assert.match(problem?.text ?? "", /ip filter: the policy of the chain FORWARD is drop/);
    assert.match(problem?.remedy ?? "", /iptables -I FORWARD -s 10\.244\.0\.0\/16 -j ACCEPT/);
  });
  await step("cleanup prints and then takes away our table alone", async () => {
    await one.stop();
    const { stdout } = await one.gossamer(
      "cleanup",
      "--dry-run",
      `--subnet-file=${one.subnetFile}`,
    );
    assert.match(stdout, /^nft delete table ip gossamer_1$/m);
    assert.notEqual(tableText(one), '{"kind":"absent"}');
    const { code, stderr } = await one.gossamer("cleanup", `--subnet-file=${one.subnetFile}`);
    assert.equal(code, 0, stderr);
    assert.equal(tableText(one), '{"kind":"absent"}');
    inNftables(
      one,
      (socket) => socket.transact([tableDeleteRequest({ family: "ip", name: "filter" })]),
    );
  });
  await step("leave --release takes it away as well", async () => {
    assert.notEqual(tableText(two), '{"kind":"absent"}');
    const { code, stderr } = await two.gossamer("leave", "--release");
    assert.equal(code, 0, stderr);
    assert.equal(tableText(two), '{"kind":"absent"}');
  });
});

const OURS = { family: "ip", name: "gossamer_1" } as const;

function inNftables<T>(host: Host, work: (socket: ReturnType<typeof openNftables>) => T): T {
  const socket = host.namespace.run(() => openNftables());
  try {
    return work(socket);
  } finally {
    socket.close();
  }
}

/** Our table as it is in the kernel. */
function tableText(host: Host): string {
  return inNftables(
    host,
    (socket) => JSON.stringify(new NftablesFirewall(socket).dump(OURS.family, OURS.name)),
  );
}

/** The same without counts. */
function comparable(host: Host): string {
  return tableText(host).replaceAll(/"counted":\d+/g, "");
}

/** Lets a namespace on the underlay reach a container through one of the hosts. */
function routeVia(from: Namespace, { address }: Container, { address: gateway }: Host): void {
  routeAdd(from.netlink, { destination: `${address}/32`, gateway });
}
