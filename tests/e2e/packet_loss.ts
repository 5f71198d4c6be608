/** Hosts that lose packets: nftables drops what arrives, as a bad link would. ARP is not IP and never lost. */
import { type Host } from "../../mod/lab/host.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";

const TABLE = "ip e2e_loss";

/** Whether this machine can do it; the program is all that may be missing. */
export function canLosePackets(): boolean {
  try {
    new Deno.Command("nft", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** From now on each host loses that share of the packets that reach it, UDP and TCP alike; 0 ends it. */
export async function losePackets(hosts: readonly Host[], percent: number): Promise<void> {
  const commands = [
    `table ${TABLE} {`, // so that there is one to delete
    "}",
    `delete table ${TABLE}`,
    ...(percent === 0 ? [] : [
      `table ${TABLE} {`,
      "chain received {",
      "type filter hook prerouting priority -300",
      `iifname "${UNDERLAY_DEVICE}" numgen random mod 100 < ${percent} drop`,
      "}",
      "}",
    ]),
  ].join("\n");
  for (const host of hosts) {
    const { code, stderr } = await host.namespace.output(["nft", commands]);
    if (code !== 0) throw new Error(`nft on ${host.name}: ${stderr}`);
  }
}
