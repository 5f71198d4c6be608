/** What a restarted agent leaves alone until it has heard of everybody. */
import { deepStrictEqual } from "node:assert/strict";
import { diffState } from "../../../mod/overlay/diff.ts";
import { keepUnknown } from "../../../mod/overlay/settling.ts";
import { claim, claims, CONFIG, desire, OWN, programmed } from "../../support/overlay.ts";

const BEFORE = programmed(desire(claims(1, 2, 3)));

/** Kinds of what is done, with host 3 not among the owners, as far as `records` allow. */
function kinds(records: ReturnType<typeof claims>, withdrawn: string[] = []): string[] {
  const plan = diffState(desire([OWN, claim(2), claim(4)]), BEFORE);
  return keepUnknown(plan, records, CONFIG, new Set(withdrawn)).operations.map(({ kind }) => kind);
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

Deno.test("a host that is remembered to take packets in another way keeps what it has", () => {
  const config = { ...CONFIG, backend: "host-gw" } as const;
  const peers = [2, 3].map((number) =>
    claim(number, { vtep: { ...claim(number).vtep, backend: "host-gw" } })
  );
  const before = programmed(desire([OWN, ...peers], config));
  const outdated = [OWN, ...claims(2), ...peers.slice(1)];
  const plan = diffState(desire(outdated, config), before);
  deepStrictEqual(plan.operations.map(({ kind }) => kind), ["route-delete"]);
  deepStrictEqual(keepUnknown(plan, outdated, config, new Set()).operations, []);
});

Deno.test("a device that is not wanted any more stays for those who have not heard of that", () => {
  const config = { ...CONFIG, backend: "host-gw" } as const;
  const plan = diffState(desire([OWN], config), BEFORE);
  const left = keepUnknown(plan, claims(1, 2, 3), CONFIG, new Set()).operations.map(({ kind }) =>
    kind
  );
  deepStrictEqual(left.sort(), [...REMOVED, ...REMOVED].sort());
});

Deno.test("a device that is made anew is taken away first", () => {
  const moved = diffState(desire(claims(1, 2, 3), { vni: 1, port: 4789 }), BEFORE);
  const left = keepUnknown(moved, claims(1, 2, 3), CONFIG, new Set()).operations.map(({ kind }) =>
    kind
  );
  deepStrictEqual(left.slice(0, 2), ["link-delete", "link-add"]);
});

Deno.test("a subnet that its host has moved from goes at once, if this run has known it", () => {
  const moved = claim(3, { subnet: "10.244.9.0/24" });
  const present = [...claims(1, 2, 4), moved];
  deepStrictEqual(kinds(present), ["forwarding-delete", ...ADDED]);
  deepStrictEqual(kinds(present, [claim(3).subnet, "10.244.3.0"]), [...REMOVED, ...ADDED]);
});
