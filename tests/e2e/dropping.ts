/** A firewall on a host that drops some of what comes in, as somebody else's rules would. */
import type { Host } from "../../mod/lab/host.ts";

const TABLE = "inet e2e_drop";

/** @param match such as `udp dport 8472`. */
export async function drop(host: Host, match: string): Promise<void> {
  await nft(
    host,
    `table ${TABLE} { chain input { type filter hook input priority 10; ${match} drop; }; }`,
  );
}

export async function undrop(host: Host): Promise<void> {
  await nft(host, `delete table ${TABLE}`);
}

export async function nft(host: Host, commands: string): Promise<void> {
  const { code, stderr } = await host.namespace.output(["nft", commands]);
  if (code !== 0) throw new Error(`nft on ${host.name}: ${stderr}`);
}
