/** Hosts as flannel leaves them when its daemon has stopped: with the settings of its vxlan backend, made by `ip` and `bridge`. */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import { DEVICE } from "./cluster.ts";

/** Another one than gossamer's default. */
export const FLANNEL_NETWORK = "10.5.0.0/16";

/** A host as flannel knows it. */
export interface FlannelHost {
  readonly host: Host;
  /** The third number of its subnet. */
  readonly number: number;
  readonly mac: string;
}

/** Makes a cluster of flannel of the hosts; its files are at their `subnetFile`. */
export async function makeFlannelHosts(hosts: readonly Host[]): Promise<FlannelHost[]> {
  const cluster = hosts.map((host, index) => ({
    host,
    number: 72 + index,
    mac: `7e:11:22:33:44:0${index}`,
  }));
  for (const one of cluster) await makeFlannelHost(one, cluster);
  return cluster;
}

/** The device, routes, neighbours and forwarding entries of flannel's vxlan backend, and its file. */
async function makeFlannelHost(
  { host, number, mac }: FlannelHost,
  cluster: readonly FlannelHost[],
): Promise<void> {
  const run = async (line: string) => {
    const { code, stderr } = await host.namespace.output(line.split(" "));
    assert.equal(code, 0, `${line}: ${stderr}`);
  };
  await run(
    `ip link add ${DEVICE} address ${mac} mtu 1450 type vxlan id 1 local ${host.address} ` +
      "dev eth0 dstport 8472 nolearning",
  );
  await run(`ip address add 10.5.${number}.0/32 dev ${DEVICE}`);
  await run(`ip link set ${DEVICE} up`);
  for (const peer of cluster) {
    if (peer.host === host) continue;
    const gateway = `10.5.${peer.number}.0`;
    await run(`ip neigh replace ${gateway} lladdr ${peer.mac} dev ${DEVICE} nud permanent`);
    await run(`bridge fdb add ${peer.mac} dev ${DEVICE} dst ${peer.host.address} self permanent`);
    await run(`ip route replace ${gateway}/24 via ${gateway} dev ${DEVICE} onlink`);
  }
  await Deno.writeTextFile(
    host.subnetFile,
    `FLANNEL_NETWORK=${FLANNEL_NETWORK}\nFLANNEL_SUBNET=10.5.${number}.1/24\n` +
      "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n",
  );
}
