/** What a restarted agent leaves alone until it has heard of everybody. */
import { deepStrictEqual } from "node:assert/strict";
import { diffState } from "../../../mod/overlay/diff.ts";
import { keepUnknown } from "../../../mod/overlay/settling.ts";
import { claim, claims, desire, OWN, programmed } from "../../support/overlay.ts";

const BEFORE = programmed(desire(claims(1, 2, 3)));

/** Kinds of what is done, with host 3 not among the owners, as far as `records` allow. */
function kinds(records: ReturnType<typeof claims>, withdrawn: string[] = []): string[] {
  const plan = diffState(desire([OWN, claim(2), claim(4)]), BEFORE);
  return keepUnknown(plan, records, new Set(withdrawn)).operations.map(({ kind }) => kind);
}

const ADDED = ["neighbour-replace", "forwarding-replace", "route-add"];
const REMOVED = ["route-delete", "forwarding-delete", "neighbour-delete"];

Deno.test("objects of a host that nobody has spoken of yet are kept, everything else is done", () => {
  deepStrictEqual(kinds(claims(1, 2, 4)), ADDED);
});

Deno.test("objects of a host that is known to have released its subnet go", () => {
  deepStrictEqual(kinds([...claims(1, 2, 4), claim(3, { state: "released" })]), [
    ...REMOVED,
    ...ADDED,
  ]);
});

Deno.test("a subnet that is known to be another host's loses route and neighbour of the old one", () => {
  const heir = claim(5, { subnet: claim(3).subnet });
  deepStrictEqual(kinds([...claims(1, 2, 4), heir]), [
    "route-delete",
    "neighbour-delete",
    ...ADDED,
  ]);
});

Deno.test("a subnet that its host has moved from goes at once, if this run has known it", () => {
  const moved = claim(3, { subnet: "10.244.9.0/24" });
  const present = [...claims(1, 2, 4), moved];
  deepStrictEqual(kinds(present), ["forwarding-delete", ...ADDED]);
  deepStrictEqual(kinds(present, [claim(3).subnet, "10.244.3.0"]), [...REMOVED, ...ADDED]);
});
