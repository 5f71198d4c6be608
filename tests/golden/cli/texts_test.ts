/** What people read: help texts, and the documents of the control API as text. */
import type { Paint } from "../../../mod/cli/paint.ts";
import { plainPaint } from "../../../mod/cli/paint.ts";
import { COMMANDS } from "../../../mod/cli/commands/all.ts";
import { commandHelp, overview } from "../../../mod/cli/help.ts";
import { renderKeys } from "../../../mod/cli/render_keys.ts";
import { renderMap } from "../../../mod/cli/render_map.ts";
import { renderMembers } from "../../../mod/cli/render_members.ts";
import { renderPool } from "../../../mod/cli/render_pool.ts";
import { renderStatus } from "../../../mod/cli/render_status.ts";
import { renderSubnets } from "../../../mod/cli/render_subnets.ts";
import { renderWhy } from "../../../mod/cli/render_why.ts";
import { NOW_MS, READY, SUBNETS, WAITING, WHY, WIDE } from "../../support/documents.ts";
import { KEYS } from "../../support/key_documents.ts";
import { CHANGED_POOL, PLAIN_POOL } from "../../support/pool_documents.ts";
import { matchGolden } from "../../support/golden.ts";

/** Colours that a person can read in a file. */
const markedPaint: Paint = (meaning, text) => `<${meaning}>${text}</${meaning}>`;

function golden(name: string, text: string): void {
  matchGolden(new URL(`./${name}.txt`, import.meta.url), text);
}

Deno.test("the overview names every command", () => golden("help_overview", overview(COMMANDS)));

for (const command of COMMANDS) {
  Deno.test(`the help of ${command.name} has usage, an example and every flag`, () => {
    golden(`help_${command.name}`, commandHelp(command));
  });
}

Deno.test("the status of a ready host lists peers in trouble first and problems last", () => {
  golden("status_ready", renderStatus(READY, NOW_MS, plainPaint));
});

Deno.test("the status of a waiting host says why it waits", () => {
  golden("status_waiting", renderStatus(WAITING, NOW_MS, plainPaint));
});

Deno.test("on a narrow terminal, sentences of the status go on below their beginning", () => {
  golden("status_narrow", renderStatus(READY, NOW_MS, plainPaint, { width: 60 }));
});

Deno.test("the status in colour marks what needs a look", () => {
  golden("status_color", renderStatus(READY, NOW_MS, markedPaint));
});

Deno.test("a long list of peers is cut, and says where the rest is", () => {
  const [self, peer] = READY.members;
  if (self === undefined || peer === undefined) throw new Error("the fixture has members");
  const peers = Array.from({ length: 40 }, (_, index) => ({ ...peer, name: `p${index}` }));
  const status = { ...READY, members: [self, ...peers], problems: [] };
  golden("status_many", renderStatus(status, NOW_MS, plainPaint));
});

Deno.test("why a subnet is whose it is, field by field", () => {
  golden("why_contested", renderWhy(WHY, NOW_MS, plainPaint));
  golden("why_color", renderWhy(WHY, NOW_MS, markedPaint));
  golden("why_narrow", renderWhy(WHY, NOW_MS, plainPaint, 60));
});

Deno.test("a subnet that is free, rests, is reserved or outside says so", () => {
  const none = { ...WHY, claims: [], history: [] };
  const resting = { free: false, restsUntil: new Date(NOW_MS + 400_000).toISOString() };
  const texts = [
    { ...none, free: true, fence: 0 },
    { ...none, ...resting },
    { ...none, reserved: true },
    { ...none, pinnedTo: "h9 (9a9a9a9a)" },
    { ...none, inPool: false, subnet: "10.9.0.0/24" },
    { ...none, claims: WHY.claims.slice(2), free: true },
  ].map((document) => renderWhy(document, NOW_MS, plainPaint));
  golden("why_free", texts.join("---\n"));
});

Deno.test("members are one line each, with the age of what is not well", () => {
  golden("members", renderMembers(READY.members, NOW_MS, plainPaint));
});

Deno.test("members in colour are aligned as without", () => {
  golden("members_color", renderMembers(READY.members, NOW_MS, markedPaint));
});

Deno.test("an empty list of members is its header", () => {
  golden("members_none", renderMembers([], NOW_MS, plainPaint));
});

Deno.test("subnets are sorted by address and end with how many are used", () => {
  golden("subnets", renderSubnets(SUBNETS, plainPaint));
});

Deno.test("keys are one line each, with those who did not answer below", () => {
  golden("keys", renderKeys(KEYS, plainPaint));
});

Deno.test("keys in colour mark those that this host does not have", () => {
  golden("keys_color", renderKeys({ ...KEYS, unanswered: [] }, markedPaint));
});

Deno.test("the pool has its networks first, then what is reserved, pinned and outside", () => {
  golden("pool", renderPool(CHANGED_POOL, plainPaint));
  golden("pool_color", renderPool(CHANGED_POOL, markedPaint));
});

Deno.test("a pool that nobody changed is its network", () => {
  golden("pool_plain", renderPool(PLAIN_POOL, plainPaint));
});

Deno.test("the map is a square of cells with the owners below", () => {
  golden("map", renderMap(SUBNETS, false));
});

Deno.test("the map in colour draws cells as blocks", () => {
  golden("map_color", renderMap(SUBNETS, true).replaceAll("\x1b", "ESC"));
});

Deno.test("the map of a large network has several subnets to a cell", () => {
  golden("map_wide", renderMap(WIDE, false));
});

Deno.test("the map of an IPv6 network is one as well, in the order of its numbers", () => {
  const [own, ...others] = SUBNETS.subnets;
  const subnets = [own, ...others].slice(0, 3).flatMap((subnet, index) =>
    subnet === undefined
      ? []
      : [{ ...subnet, subnet: `fd00:10:244:${["1f", "a", "9"][index] ?? ""}::/64` }]
  );
  const ipv6 = { network: "fd00:10:244::/59", networks: ["fd00:10:244::/59"], subnetLen: 64 };
  golden("map_ipv6", renderMap({ ...SUBNETS, ...ipv6, subnets, used: 3, total: 31 }, false));
});

Deno.test("the map of a small network has as many cells as subnets", () => {
  const small = { ...SUBNETS, networks: ["10.244.96.0/21"], used: 1, total: 7 };
  const subnets = SUBNETS.subnets.filter(({ subnet }) => subnet === "10.244.99.0/24");
  golden("map_small", renderMap({ ...small, subnets }, false));
});
