/** Two hosts without agents, whose overlay an operator made with `ip` and `bridge` as flannel makes it: what ours is held to. */
import type { Host } from "../../mod/lab/host.ts";
import type { Lab } from "../../mod/lab/lab.ts";
import { UNDERLAY_DEVICE, UNDERLAY_MTU } from "../../mod/lab/underlay.ts";
import { benchLab } from "./bench_lab.ts";

const DEVICE = "flannel.1";
const VXLAN_MTU = UNDERLAY_MTU - 50;
const macOf = (host: Host) => `02:00:00:00:00:0${host.number}`;
const networkOf = (host: Host) => `10.250.${host.number}`;

/** A lab of two hosts with a container each. */
export async function labByHand(
  folder: string,
  name: string,
  backend: "vxlan" | "host-gw",
): Promise<Lab> {
  const lab = await benchLab(folder, name, 2);
  const [one, other] = [lab.host(1), lab.host(2)];
  for (const [host, peer] of [[one, other], [other, one]] as const) {
    await run(host, backend === "vxlan" ? vxlanLines(host, peer) : hostGwLines(peer));
    const mtu = backend === "vxlan" ? VXLAN_MTU : UNDERLAY_MTU;
    Deno.writeTextFileSync(
      host.subnetFile,
      `FLANNEL_NETWORK=10.250.0.0/16\nFLANNEL_SUBNET=${networkOf(host)}.1/24\n` +
        `FLANNEL_MTU=${mtu}\nFLANNEL_IPMASQ=false\n`,
    );
    await host.addContainer();
  }
  return lab;
}

function vxlanLines(host: Host, peer: Host): string[] {
  const gateway = `${networkOf(peer)}.0`;
  return [
    `ip link add ${DEVICE} address ${macOf(host)} mtu ${VXLAN_MTU} txqueuelen 0 type vxlan id 1 ` +
    `local ${host.address} dev ${UNDERLAY_DEVICE} dstport 8472 nolearning`,
    `ip address add ${networkOf(host)}.0/32 dev ${DEVICE}`,
    `ip link set ${DEVICE} up`,
    `ip neighbour replace ${gateway} lladdr ${macOf(peer)} dev ${DEVICE} nud permanent`,
    `bridge fdb replace ${macOf(peer)} dev ${DEVICE} dst ${peer.address} self permanent`,
    `ip route replace ${networkOf(peer)}.0/24 via ${gateway} dev ${DEVICE} onlink`,
  ];
}

function hostGwLines(peer: Host): string[] {
  return [`ip route replace ${networkOf(peer)}.0/24 via ${peer.address} dev ${UNDERLAY_DEVICE}`];
}

async function run({ namespace }: Host, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const { code, stderr } = await namespace.output(line.split(" "));
    if (code !== 0) throw new Error(`${line}: ${stderr}`);
  }
}
