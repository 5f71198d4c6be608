/**
 * `gossamer subnets --map`: the overlay network as a square of cells, 16 a row, a cell for each subnet (or for a run of
 * equally many subnets when the network has more than 256 of them), with the owners below. Pure.
 */
import { numberOfSubnet, subnetNumber, subnetsIn } from "../address/cidr.ts";
import { deviceAddressOf } from "../address/network.ts";
import type { SubnetDocument, SubnetsDocument } from "../agent/api.ts";
import { columns, printable } from "./columns.ts";
import { plainPaint } from "./paint.ts";
import { bySubnet, usage } from "./render_subnets.ts";

const CELLS_A_ROW = 16;
const CELLS_MAX = CELLS_A_ROW * 16;
/** Columns of the longest IPv4 address; IPv6 ones get as many as they take. */
const LABEL_WIDTH_MIN = "255.255.255.255".length;

/** Letters for owners in order of their subnets; this host has a sign of its own, owners beyond these share one. */
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const OWN_LETTER = "@";
const SHARED_LETTER = "#";

/** Backgrounds of the xterm palette on which black is readable and that differ from their neighbours here. */
const BACKGROUNDS = [39, 208, 118, 213, 226, 51, 141, 203, 85, 220, 177, 45];
const OWN_BACKGROUND = 231;
const TROUBLE_BACKGROUND = 245;

interface Cell {
  /** `10.244.16.0`, where the cell begins. */
  readonly address: string;
  readonly subnets: readonly SubnetDocument[];
}

/** The map; `color` draws cells as blocks. */
export function renderMap(document: SubnetsDocument, color: boolean): string {
  const claims = document.subnets.filter(({ state }) => state !== "released").sort(bySubnet);
  const letters = lettersOf(claims);
  const maps = document.networks.map((network) => mapOf(document, network, claims, letters, color));
  const isRun = maps.every((map) => map.isRun);
  return maps.map(({ text }) => text).join("") + (isRun ? "" : legend(claims, letters)) +
    usage(document);
}

/** The square of one network. */
function mapOf(
  document: SubnetsDocument,
  network: string,
  claims: readonly SubnetDocument[],
  letters: ReadonlyMap<string, string>,
  color: boolean,
): { readonly text: string; readonly isRun: boolean } {
  const { cells, subnetsEach } = cellsOf(document.subnetLen, network, claims);
  const isRun = subnetsEach > 1;
  const rows: string[] = [];
  const width = Math.max(LABEL_WIDTH_MIN, ...cells.map(({ address }) => address.length));
  for (let first = 0; first < cells.length; first += CELLS_A_ROW) {
    const row = cells.slice(first, first + CELLS_A_ROW);
    const label = (row[0]?.address ?? "").padEnd(width);
    rows.push(
      `${label}  ${row.map((cell) => drawn(cell, isRun, letters, color)).join("")}`.trimEnd(),
    );
  }
  const scale = isRun
    ? `a cell is ${subnetsEach} subnets: how many are used, + for ten or more, @ with this host's`
    : `a cell is a /${document.subnetLen}`;
  return { text: `${network}, ${scale}\n\n${rows.join("\n")}\n\n`, isRun };
}

function cellsOf(subnetLength: number, cidr: string, claims: readonly SubnetDocument[]) {
  const subnets = subnetsIn(cidr, subnetLength);
  const count = Math.min(subnets, CELLS_MAX);
  const subnetsEach = subnets / count;
  const byCell = Map.groupBy(
    claims,
    ({ subnet }) => Math.floor((numberOfSubnet(cidr, subnetLength, subnet) ?? -1) / subnetsEach),
  );
  const cells = Array.from({ length: count }, (_, index): Cell => ({
    address: deviceAddressOf(subnetNumber(cidr, subnetLength, index * subnetsEach)),
    subnets: byCell.get(index) ?? [],
  }));
  return { cells, subnetsEach };
}

function lettersOf(claims: readonly SubnetDocument[]): ReadonlyMap<string, string> {
  const letters = new Map<string, string>();
  let next = 0;
  for (const { ownerId, self } of claims) {
    if (letters.has(ownerId)) continue;
    letters.set(ownerId, self ? OWN_LETTER : LETTERS[next++] ?? SHARED_LETTER);
  }
  return letters;
}

/** Two characters: whose, and a mark when something is the matter; or how many of a run are used. */
function drawn(
  { subnets }: Cell,
  isRun: boolean,
  letters: ReadonlyMap<string, string>,
  color: boolean,
): string {
  const [subnet] = subnets;
  if (subnet === undefined) return color ? "\x1b[2m· \x1b[22m" : ". ";
  const text = isRun
    ? (subnets.length > 9 ? "+" : subnets.length) + (hasOwn(subnets) ? OWN_LETTER : " ")
    : letterOf(subnet, letters) + mark(subnet);
  return color ? `\x1b[30;48;5;${background(subnets, letters)}m${text}\x1b[0m` : text;
}

function letterOf(subnet: SubnetDocument, letters: ReadonlyMap<string, string>): string {
  return letters.get(subnet.ownerId) ?? SHARED_LETTER;
}

function hasOwn(subnets: readonly SubnetDocument[]): boolean {
  return subnets.some(({ self }) => self);
}

/** `!` the owner is in trouble, `?` not held yet, `~` being given up. */
function mark(subnet: SubnetDocument): string {
  if (subnet.state === "tentative") return "?";
  if (subnet.state === "yielding") return "~";
  return subnet.ownerStatus === "alive" ? " " : "!";
}

function background(
  subnets: readonly SubnetDocument[],
  letters: ReadonlyMap<string, string>,
): number {
  const [subnet] = subnets;
  if (hasOwn(subnets)) return OWN_BACKGROUND;
  if (subnet === undefined || subnet.ownerStatus !== "alive") return TROUBLE_BACKGROUND;
  const index = LETTERS.indexOf(letterOf(subnet, letters));
  return BACKGROUNDS[Math.max(0, index) % BACKGROUNDS.length] ?? TROUBLE_BACKGROUND;
}

function legend(claims: readonly SubnetDocument[], letters: ReadonlyMap<string, string>): string {
  if (claims.length === 0) return "";
  const rows = claims.map((subnet) => [
    letterOf(subnet, letters) + mark(subnet),
    subnet.subnet,
    printable(subnet.owner),
    remark(subnet),
  ]);
  return columns(rows, plainPaint) + "\n";
}

function remark(subnet: SubnetDocument): string {
  const remarks = [
    subnet.self ? "this host" : "",
    subnet.state === "held" ? "" : subnet.state,
    subnet.ownerStatus === "alive" ? "" : `owner ${subnet.ownerStatus}`,
  ].filter((text) => text !== "");
  return remarks.length === 0 ? "" : `(${remarks.join(", ")})`;
}
