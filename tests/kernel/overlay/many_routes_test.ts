/** Thousands of routes on the real kernel: spread over scopes so that they cost it little, and no different to packets. */
import { strict as assert } from "node:assert";
import { routeDump, routeGet } from "../../../ffi/route/route.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { programmedPeers } from "../../../mod/overlay/diff.ts";
import { claim, DEVICE } from "../../support/overlay.ts";
import { kernelTest } from "../ffi/namespace.ts";
import { OverlayHost } from "./overlay_host.ts";

const PEERS = 600;
/** As many as the default pool has subnets. */
const PLAIN = 256;

/** Peer `number`, from 0, has a /24 of 10.16.0.0/12 and an address of 172.16.0.0/16. */
function peer(number: number): ClaimRecord {
  const [high, low] = [number >> 8, number & 255];
  const octet = (value: number) => value.toString(16).padStart(2, "0");
  return claim(2, {
    hostId: `ffff${octet(high)}${octet(low)}`.repeat(4),
    subnet: `10.${16 + high}.${low}.0/24`,
    vtep: {
      address: `172.16.${high}.${low + 1 & 255}`,
      port: 8472,
      mac: `02:00:00:01:${octet(high)}:${octet(low)}`,
    },
  });
}

const OWNERS = Array.from({ length: PEERS }, (_, number) => peer(number));
const gatewayOf = ({ subnet }: ClaimRecord) => subnet.slice(0, subnet.indexOf("/"));

kernelTest(
  "beyond the default pool routes have scopes, by which nothing about packets changes",
  async () => {
    const host = new OverlayHost();
    const { transport } = host.host;
    try {
      const desired = host.desire(OWNERS, { networks: ["10.0.0.0/8"] });
      assert.equal(desired.peers.length, PEERS, JSON.stringify(desired.problems[0]));
      assert.deepEqual(host.apply(desired), []);
      assert.equal(programmedPeers(desired, host.dump()), PEERS);
      assert.deepEqual(host.plan(desired).operations, [], "a scope is no difference");
      const routes = routeDump(transport, { family: 4, index: host.index })
        .filter(({ gateway }) => gateway !== null);
      const scopes = new Map<number, number>();
      for (const { scope } of routes) scopes.set(scope, (scopes.get(scope) ?? 0) + 1);
      assert.equal(scopes.get(0), PLAIN);
      assert(Math.max(...scopes.keys()) < 200, "RT_SCOPE_SITE and beyond mean something");
      assert([...scopes].every(([scope, count]) => scope === 0 || count <= 2));
      const ways = [OWNERS[0], OWNERS[PLAIN], OWNERS[PEERS - 1]].map((owner) => {
        assert(owner !== undefined);
        const way = routeGet(transport, gatewayOf(owner).replace(/\.0$/, ".9"));
        assert.equal(way.gateway, gatewayOf(owner));
        return [way.index, way.preferredSource, way.table];
      });
      assert.deepEqual(ways[1], ways[0]);
      assert.deepEqual(ways[2], ways[0]);
      assert.equal(ways[0]?.[1], "10.244.1.0");
    } finally {
      await host.close();
    }
  },
);

kernelTest("such routes are forwarded by, changed and removed like any other", async () => {
  const host = new OverlayHost();
  try {
    const network = { networks: ["10.0.0.0/8"] };
    assert.deepEqual(host.apply(host.desire(OWNERS, network)), []);
    const last = OWNERS[PEERS - 1];
    assert(last !== undefined);
    host.host.text("ip route add 10.244.1.0/24 dev eth0 scope link");
    host.host.text("ip neighbour flush dev eth0");
    host.host.run(() => Deno.writeTextFileSync("/proc/sys/net/ipv4/ip_forward", "1"));
    const way = host.host.text(`ip route get ${gatewayOf(last)} from 10.244.1.9 iif eth0`);
    if (way !== null) assert.match(way, new RegExp(`dev ${DEVICE}`));
    host.host.text(`ip route delete ${last.subnet} via ${gatewayOf(last)} dev ${DEVICE}`);
    const repair = host.plan(host.desire(OWNERS, network)).operations.map(({ kind }) => kind);
    assert.deepEqual(repair, ["route-add"]);
    assert.deepEqual(host.apply(host.desire(OWNERS, network)), []);
    const fewer = OWNERS.slice(0, 3);
    assert.deepEqual(host.apply(host.desire(fewer, network)), []);
    assert.equal(programmedPeers(host.desire(fewer, network), host.dump()), 3);
    assert.equal(host.dump().routes.filter(({ gateway }) => gateway !== null).length, 3);
  } finally {
    await host.close();
  }
});
