/** Walks through chains of others that no `nft` of this machine need write. */
import { strict as assert } from "node:assert";
import type {
  ForeignChain,
  ForeignTable,
  ForeignVerdict,
} from "../../../mod/base/firewall_objects.ts";
import { findForwardDrop, forwardDropProblem } from "../../../mod/overlay/forward_drop.ts";

const PACKET = {
  source: "10.244.0.0/16",
  destination: "10.244.7.0/24",
  inDevice: "flannel.1",
  outDevice: null,
};

function chain(name: string, ...verdicts: ForeignVerdict[]): ForeignChain {
  return { name, base: null, rules: verdicts.map((verdict) => ({ matches: [], verdict })) };
}

function table(
  policy: "accept" | "drop",
  first: ForeignChain,
  ...others: ForeignChain[]
): ForeignTable {
  const base = { ...first, base: { priority: 0, policy } };
  return { family: "ip", name: "filter", chains: [base, ...others] };
}

function fate(one: ForeignTable): string | null {
  const drop = findForwardDrop([one], PACKET);
  return drop === null ? null : drop.by ?? "policy";
}

const to = (kind: "jump" | "goto", target: string) => ({ kind, chain: target }) as const;
const DROP = { kind: "drop" } as const;
const RETURN = { kind: "return" } as const;

Deno.test("who jumps comes back, who goes does not", () => {
  const first = (kind: "jump" | "goto") => chain("F", to(kind, "A"), DROP);
  assert.equal(fate(table("accept", first("jump"), chain("A"))), "F");
  assert.equal(fate(table("accept", first("goto"), chain("A"))), null);
  assert.equal(fate(table("drop", first("goto"), chain("A"))), "policy");
  assert.equal(fate(table("accept", first("jump"), chain("A", RETURN, DROP))), "F");
  // From a chain that was jumped to: whoever goes on from there comes back to the first.
  assert.equal(
    fate(
      table(
        "accept",
        chain("F", to("jump", "A"), DROP),
        chain("A", to("goto", "B"), DROP),
        chain("B"),
      ),
    ),
    "F",
  );
});

Deno.test("chains that are not there, or lead in circles, are no reason to stop", () => {
  assert.equal(fate(table("drop", chain("F", to("jump", "nowhere")))), "policy");
  assert.equal(fate(table("drop", chain("F", to("jump", "F"), to("jump", "F")))), null);
});

Deno.test("an unknown match drops nothing, and lets nothing pass that it is not about", () => {
  const unknown = { matches: [{ kind: "unknown" }], verdict: DROP } as const;
  const accepts = { matches: [{ kind: "unknown" }], verdict: { kind: "accept" } } as const;
  assert.equal(fate(table("accept", { ...chain("F"), rules: [unknown] })), null);
  assert.equal(fate(table("drop", { ...chain("F"), rules: [accepts] })), "policy");
});

Deno.test("the first base chain by priority is named", () => {
  const late = table("drop", chain("late"));
  const early: ForeignTable = {
    family: "inet",
    name: "early",
    chains: [{ ...chain("raw"), base: { priority: -300, policy: "drop" } }],
  };
  assert.equal(findForwardDrop([late, early], PACKET)?.chain, "raw");
});

const REMEDIES: readonly (readonly [string, ForeignTable, RegExp])[] = [
  [
    "Docker",
    table("drop", chain("FORWARD"), chain("DOCKER-USER")),
    /iptables -I DOCKER-USER -s N -j/,
  ],
  ["iptables", table("drop", chain("FORWARD")), /"iptables -I FORWARD -d N -j ACCEPT"/],
  ["ip6tables", { ...table("drop", chain("FORWARD")), family: "ip6" }, /"ip6tables -I FORWARD/],
  [
    "firewalld",
    { ...table("drop", chain("f")), family: "inet", name: "firewalld" },
    /--add-source=N/,
  ],
  [
    "others",
    { ...table("drop", chain("f")), name: "mine" },
    /^Accept packets from and to N in that/,
  ],
];

for (const [whose, one, remedy] of REMEDIES) {
  Deno.test(`the remedy is in the words of ${whose}`, () => {
    const drop = findForwardDrop([one], PACKET);
    assert(drop !== null);
    assert.match(forwardDropProblem(drop, "N").remedy, remedy);
  });
}
