/** A network as a square of cells, each a subnet or a run of them. Pure. */
import { formatIpv6, parseIpv6Network } from "../address/ipv6.ts";
import { formatAddress } from "../address/network.ts";
import { parseNetwork } from "../address/parse.ts";
import type { PageSubnet } from "./page_data.ts";

/** Sixteen rows of sixteen, which shows a /16 of /24s whole. */
const CELLS_MAX = 256;

export interface Cell {
  /** Of its first subnet. */
  readonly address: string;
  readonly subnets: readonly PageSubnet[];
}

export interface Cells {
  readonly network: string;
  readonly cells: readonly Cell[];
  readonly subnetsEach: number;
}

export function cellsOf(
  network: string,
  subnetLength: number,
  subnets: readonly PageSubnet[],
): Cells {
  const { address, length, bits, format } = parsed(network);
  const subnetBits = Math.max(0, subnetLength - length);
  const cellBits = Math.min(subnetBits, Math.log2(CELLS_MAX));
  const size = 1n << BigInt(bits - length - cellBits);
  const byCell = Map.groupBy(subnets, ({ subnet }) => {
    const other = parsed(subnet);
    return other.bits === bits ? Number((other.address - address) / size) : -1;
  });
  const cells = Array.from({ length: 2 ** cellBits }, (_, index): Cell => ({
    address: format(address + BigInt(index) * size),
    subnets: byCell.get(index) ?? [],
  }));
  return { network, cells, subnetsEach: 2 ** (subnetBits - cellBits) };
}

function parsed(cidr: string) {
  if (cidr.includes(":")) return { ...parseIpv6Network(cidr), bits: 128, format: formatIpv6 };
  const { address, length } = parseNetwork(cidr);
  const format = (bits: bigint) => formatAddress(Number(bits));
  return { address: BigInt(address), length, bits: 32, format };
}
