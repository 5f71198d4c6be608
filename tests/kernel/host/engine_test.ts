/** The thread that moves the UDP backend's packets, as the agent starts, feeds, loses and ends it. */
import { strict as assert } from "node:assert";
import { pinnedBytes } from "../../../ffi/bytes.ts";
import { addressAdd } from "../../../ffi/route/address.ts";
import { linkDelete, linkGet, linkSet } from "../../../ffi/route/link.ts";
import { routeAdd } from "../../../ffi/route/route.ts";
import { setOption, SOL_SOCKET } from "../../../ffi/socket.ts";
import { SOL_UDP, UDP_SEGMENT } from "../../../ffi/udp_offload.ts";
import { parseAddress } from "../../../mod/address/parse.ts";
import type { PeerEntry } from "../../../mod/dataplane/forwarding_table.ts";
import { Statistics, statisticsBuffer } from "../../../mod/dataplane/statistics.ts";
import { Engine } from "../../../mod/host/tunnel/engine.ts";
import { Host, kernelTest } from "../ffi/namespace.ts";
import { ALIAS, DEVICE, makeDevice, Plain, PORT, SO_NO_CHECK, socketOf } from "./pump_side.ts";

const SUBNET = "10.244.1.0/24";
const HERE = "127.0.0.1";
const MEMBER_PORT = 9_001;
const PATIENCE_MS = 10_000;
const MEMBER: PeerEntry = {
  hostId: "member",
  slot: 0,
  subnet: "10.244.2.0/24",
  address: HERE,
  port: MEMBER_PORT,
  mtu: 1_472,
  silent: false,
};

class Stage {
  readonly host = new Host();
  readonly statistics = new Statistics(statisticsBuffer(1));

  constructor() {
    makeDevice(this.host);
    const { transport } = this.host;
    const index = linkGet(transport, DEVICE)?.index ?? 0;
    linkSet(transport, index, { up: true });
    addressAdd(transport, { index, address: "10.244.1.0", prefixLength: 32 });
  }

  /** Its thread begins in the namespace in which it is made. */
  async open(): Promise<Engine> {
    const engine = this.host.run(() => new Engine());
    const { buffer: statistics } = this.statistics;
    const table = { subnet: SUBNET, peers: [MEMBER] };
    await engine.start({
      device: DEVICE,
      alias: ALIAS,
      address: HERE,
      port: PORT,
      statistics,
      table,
    });
    return engine;
  }

  plain(port: number): Plain {
    const end = this.host.run(() => new Plain()).bind(parseAddress(HERE), port);
    return end.connect(parseAddress(HERE), PORT);
  }

  [Symbol.dispose](): void {
    this.host[Symbol.dispose]();
  }
}

/** How often this process has a TUN device open; the thread's own descriptors are closed some time after it. */
function devicesOpen(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`) === "/dev/net/tun";
    } catch {
      return false; // the one that the folder was read with
    }
  }).length;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    assert(performance.now() < deadline, "it happens in time");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

kernelTest("a thread that fails says why, and leaves device and port to the next", async () => {
  using stage = new Stage();
  const first = await stage.open();
  assert.equal(devicesOpen(), 1);
  await first.close();
  const second = await stage.open();
  second.update({ subnet: "nonsense", peers: [] });
  assert.match(await second.ended, /nonsense/);
  await second.close(); // which it is
  assert.equal(devicesOpen(), 0);
  const third = await stage.open();
  third.update({ subnet: SUBNET, peers: [MEMBER] });
  await third.close();
});

kernelTest("who comes second is told that the device is taken, and takes nothing", async () => {
  using stage = new Stage();
  const first = await stage.open();
  await assert.rejects(stage.open(), /Device or resource busy/);
  assert.equal(devicesOpen(), 1);
  await first.close();
});

kernelTest("a device that is deleted ends the thread, without a packet", async () => {
  using stage = new Stage();
  const engine = await stage.open();
  const { transport } = stage.host;
  linkDelete(transport, linkGet(transport, DEVICE)?.index ?? 0);
  assert.equal(await engine.ended, "the device was taken away");
});

kernelTest("a thread that sends one by one from now on says so", async () => {
  using stage = new Stage();
  const engine = await stage.open();
  setOption(socketOf(HERE, PORT), SOL_SOCKET, SO_NO_CHECK, 1, "SO_NO_CHECK");
  const { transport } = stage.host;
  const index = linkGet(transport, DEVICE)?.index ?? 0;
  routeAdd(transport, { destination: "10.244.0.0/16", index, scope: 253 });
  using from = stage.host.run(() => new Plain()).connect(parseAddress("10.244.2.1"), 9);
  setOption(from.fd, SOL_UDP, UDP_SEGMENT, 100, "UDP_SEGMENT");
  from.send(pinnedBytes(1_000));
  let isSlowed = false;
  void engine.sendsApart.then(() => isSlowed = true);
  await until(() => isSlowed);
  assert.equal(stage.statistics.trafficOf(0).packetsSent, 10);
  await engine.close();
});

kernelTest("under a flood of datagrams news is heard, and the end as well", async () => {
  using stage = new Stage();
  using member = stage.plain(MEMBER_PORT);
  using stranger = stage.plain(MEMBER_PORT + 1);
  const engine = await stage.open();
  const noise = pinnedBytes(40);
  const flood = () => {
    for (let count = 0; count < 2_000; count++) (count % 2 === 0 ? stranger : member).send(noise);
  };
  flood();
  await until(() => stage.statistics.drops()["unknown-sender"] > 0);
  // From now on the stranger is the member.
  engine.update({ subnet: SUBNET, peers: [{ ...MEMBER, port: MEMBER_PORT + 1 }] });
  flood();
  await until(() => {
    const { malformed, "unknown-sender": unknown, "queue-full": full } = stage.statistics.drops();
    flood();
    return malformed > 1_000 && unknown + full > 1_000;
  });
  await engine.close();
});
