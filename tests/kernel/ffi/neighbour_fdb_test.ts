/** Neighbours and forwarding entries on the real kernel, compared with `ip` and `bridge`. */
import { strict as assert } from "node:assert";
import { fdbAppend, fdbDelete, fdbDump, fdbReplace } from "../../../ffi/route/fdb.ts";
import {
  neighbourDelete,
  neighbourDump,
  neighbourReplace,
  NTF,
  NUD,
} from "../../../ffi/route/neighbour.ts";
import { vxlanAdd } from "../../../ffi/route/vxlan.ts";
import { Host, kernelTest } from "./namespace.ts";

const OURS = 77;
const MAC = "02:00:00:00:00:09";

function tunnelOn(host: Host, id = 1): number {
  return vxlanAdd(host.transport, { name: `flannel.${id}`, up: true, vxlan: { id } }).index;
}

/** What we set; not the multicast entries every device has. */
function ourNeighbours(host: Host, index: number) {
  return neighbourDump(host.transport, { index })
    .filter(({ state }) => state === NUD.PERMANENT);
}

kernelTest("a neighbour carries our protocol number and is found on its device only", () => {
  using host = new Host();
  const { transport } = host;
  const index = tunnelOn(host);
  const other = tunnelOn(host, 2);
  neighbourReplace(transport, {
    index,
    address: "10.244.9.0",
    linkAddress: MAC,
    protocol: OURS,
  });
  neighbourReplace(transport, { index, address: "fd00:9::", linkAddress: MAC, protocol: OURS });
  neighbourReplace(transport, { index: other, address: "10.244.8.0", linkAddress: MAC });
  assert.deepEqual(ourNeighbours(host, index), [
    {
      family: 4,
      index,
      address: "10.244.9.0",
      linkAddress: MAC,
      state: NUD.PERMANENT,
      flags: 0,
      protocol: OURS,
    },
    {
      family: 6,
      index,
      address: "fd00:9::",
      linkAddress: MAC,
      state: NUD.PERMANENT,
      flags: 0,
      protocol: OURS,
    },
  ]);
  assert.equal(ourNeighbours(host, other)[0]?.protocol, null);
  const text = host.text("ip -4 neighbour show dev flannel.1 nud permanent");
  if (text !== null) {
    assert.match(text, /^10\.244\.9\.0 lladdr 02:00:00:00:00:09 PERMANENT proto 77/);
  }
});

kernelTest("a neighbour is replaced and deleted; deleting it again is ENOENT", () => {
  using host = new Host();
  const { transport } = host;
  const index = tunnelOn(host);
  const key = { index, address: "10.244.9.0" };
  neighbourReplace(transport, { ...key, linkAddress: MAC });
  neighbourReplace(transport, { ...key, linkAddress: "02:00:00:00:00:0a" });
  assert.equal(ourNeighbours(host, index)[0]?.linkAddress, "02:00:00:00:00:0a");
  neighbourDelete(transport, key);
  assert.deepEqual(ourNeighbours(host, index), []);
  assert.throws(() => neighbourDelete(transport, key), { code: "ENOENT" });
});

kernelTest("a forwarding entry is replaced, so that a MAC address has one remote", () => {
  using host = new Host();
  const { transport } = host;
  const index = tunnelOn(host);
  fdbReplace(transport, { index, linkAddress: MAC, destination: "192.168.1.2" });
  fdbReplace(transport, { index, linkAddress: MAC, destination: "192.168.1.3" });
  assert.deepEqual(fdbDump(transport, index), [{
    index,
    linkAddress: MAC,
    destination: "192.168.1.3",
    port: null,
    vni: null,
    outInterface: null,
    state: NUD.PERMANENT,
    flags: NTF.SELF,
    master: null,
  }]);
  const text = host.text("bridge fdb show dev flannel.1");
  if (text !== null) assert.equal(text.trim(), `${MAC} dst 192.168.1.3 self permanent`);
  fdbDelete(transport, { index, linkAddress: MAC });
  assert.deepEqual(fdbDump(transport, index), []);
  assert.throws(() => fdbDelete(transport, { index, linkAddress: MAC }), { code: "ENOENT" });
});

kernelTest("a dump of forwarding entries is of one device", () => {
  using host = new Host();
  const { transport } = host;
  const [one, two] = [tunnelOn(host, 1), tunnelOn(host, 2)];
  fdbReplace(transport, { index: one, linkAddress: MAC, destination: "192.168.1.2" });
  fdbReplace(transport, { index: two, linkAddress: MAC, destination: "192.168.1.3" });
  assert.deepEqual(fdbDump(transport, two).map(({ destination }) => destination), ["192.168.1.3"]);
});

kernelTest(
  "the all-zero address has several remotes, with port, id and device of their own",
  () => {
    using host = new Host();
    const { transport } = host;
    const index = tunnelOn(host);
    const flood = { index, linkAddress: "00:00:00:00:00:00" };
    fdbAppend(transport, { ...flood, destination: "192.168.1.2" });
    fdbAppend(transport, {
      ...flood,
      destination: "192.168.1.3",
      port: 4789,
      vni: 7,
      outInterface: 1,
    });
    const entries = fdbDump(transport, index)
      .map(({ destination, port, vni, outInterface }) => ({
        destination,
        port,
        vni,
        outInterface,
      }));
    assert.deepEqual(entries, [
      { destination: "192.168.1.2", port: null, vni: null, outInterface: null },
      { destination: "192.168.1.3", port: 4789, vni: 7, outInterface: 1 },
    ]);
    fdbDelete(transport, { ...flood, destination: "192.168.1.2" });
    assert.equal(fdbDump(transport, index).length, 1);
  },
);
