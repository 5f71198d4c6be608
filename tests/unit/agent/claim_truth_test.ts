/** What status and subnets say of a claim at every stage of its life, and why a subnet is whose it is. */
import { deepEqual, equal, match, throws } from "node:assert/strict";
import type { ClaimSnapshot, LifeState } from "../../../mod/claim/snapshot.ts";
import { statusDocument, subnetsDocument } from "../../../mod/agent/status.ts";
import { whyDocument } from "../../../mod/agent/why.ts";
import { statusOf, subnetsOf, whyOf } from "../../../mod/cli/documents.ts";
import { memberNumber, NOW_MS, stagedSources, type Staging } from "../../support/claim_sources.ts";
import { claim } from "../../support/overlay.ts";

const OWN = "10.244.1.0/24";
/** What operators changed of the pool, to begin with. */
const CHANGED = { version: 2, base: "", added: [], reserved: [], pins: [] };

function problem(code: string) {
  return { code, severity: "error", text: code, remedy: "do something" } as const;
}

interface Case {
  readonly name: string;
  readonly claim: Partial<ClaimSnapshot>;
  readonly staging?: Staging;
  readonly state: string;
  readonly stage: string;
  readonly subnet: string | null;
  readonly reason: RegExp | null;
}

const none = { subnet: null, record: null };

function life(state: LifeState, changes: Partial<ClaimSnapshot> = {}): Partial<ClaimSnapshot> {
  return { state, ...changes };
}

function waiting(code: string): Partial<ClaimSnapshot> {
  return life("waiting", {
    ...none,
    reason: `because of ${code}: do something`,
    problems: [problem(code)],
  });
}

const WAITS = ["no-free-subnet", "pin-taken", "pool-mismatch", "claim-not-saved"];

const CASES: readonly Case[] = [
  {
    name: "before its first step",
    claim: life("none", none),
    state: "none",
    stage: "starting",
    subnet: null,
    reason: /starts/,
  },
  {
    name: "listening",
    claim: life("listening", none),
    state: "none",
    stage: "listening",
    subnet: null,
    reason: /hears what others claim/,
  },
  {
    name: "returning with care",
    claim: life("listening", { subnet: OWN }),
    state: "none",
    stage: "returning",
    subnet: null,
    reason: /held 10\.244\.1\.0\/24 before/,
  },
  {
    name: "lonely",
    claim: waiting("nobody-heard"),
    state: "none",
    stage: "lonely",
    subnet: null,
    reason: /nobody-heard: do something/,
  },
  {
    name: "tentative",
    claim: life("tentative", { subnet: OWN }),
    state: "tentative",
    stage: "tentative",
    subnet: OWN,
    reason: /asks the other hosts for 10\.244\.1\.0\/24/,
  },
  {
    name: "held",
    claim: life("held", { subnet: OWN }),
    state: "held",
    stage: "held",
    subnet: OWN,
    reason: null,
  },
  {
    name: "held and contested",
    claim: life("held", { subnet: OWN }),
    staging: { records: [claim(1), claim(2, { subnet: OWN })] },
    state: "held",
    stage: "held",
    subnet: OWN,
    reason: /^h2 \(02020202\) claims it as well: gossamer subnets --why 10\.244\.1\.0\/24/,
  },
  {
    name: "held and forgotten",
    claim: life("held", { subnet: OWN }),
    staging: { fence: { [OWN]: 2 } },
    state: "held",
    stage: "held",
    subnet: OWN,
    reason: /told to forget this claim/,
  },
  {
    name: "held and out of the pool",
    claim: life("held", { subnet: "10.9.1.0/24" }),
    staging: { records: [claim(1, { subnet: "10.9.1.0/24" })] },
    state: "held",
    stage: "held",
    subnet: "10.9.1.0/24",
    reason: /in none of the pool's networks any more: this host keeps it/,
  },
  {
    name: "held and reserved",
    claim: life("held", { subnet: OWN }),
    staging: { poolRecord: { ...CHANGED, reserved: [OWN] } },
    state: "held",
    stage: "held",
    subnet: OWN,
    reason: /was reserved by an operator/,
  },
  {
    name: "yielding",
    claim: life("yielding", { subnet: OWN }),
    staging: { records: [claim(1, { state: "yielding" }), claim(2, { subnet: OWN, epoch: 2 })] },
    state: "yielding",
    stage: "yielding",
    subnet: OWN,
    reason: /gives up 10\.244\.1\.0\/24 to h2 \(02020202\)/,
  },
  {
    name: "released",
    claim: life("released", none),
    state: "none",
    stage: "released",
    subnet: null,
    reason: /claims nothing/,
  },
  ...WAITS.map((code): Case => ({
    name: `waiting: ${code}`,
    claim: waiting(code),
    state: "none",
    stage: "waiting",
    subnet: null,
    reason: new RegExp(`^because of ${code}`),
  })),
];

for (const { name, claim: view, staging, ...wanted } of CASES) {
  Deno.test(`status tells the truth of a host that is ${name}`, () => {
    const document = statusOf(statusDocument(stagedSources({ ...staging, claim: view })));
    const { state, stage, subnet, since, reason } = document.claim;
    deepEqual({ state, stage, subnet }, {
      state: wanted.state,
      stage: wanted.stage,
      subnet: wanted.subnet,
    });
    equal(since !== null, subnet !== null, "since belongs to a subnet");
    if (wanted.reason === null) equal(reason, null);
    else match(reason ?? "", wanted.reason);
    equal(document.ready, state === "held");
  });
}

Deno.test("subnets says what each claim comes to", () => {
  const records = [
    claim(1),
    claim(2, { subnet: OWN, stamp: 9_999 }),
    claim(3, { state: "tentative", strength: 0, epoch: 2 }),
    claim(4, { state: "yielding" }),
    claim(5, { state: "released" }),
    claim(6),
    claim(7, { state: "tentative", strength: 0, epoch: 1 }),
  ];
  const fence = { "10.244.6.0/24": 2, "10.244.7.0/24": 1 };
  const { subnets, used } = subnetsOf(subnetsDocument(stagedSources({ records, fence })));
  const shown = Object.fromEntries(
    subnets.map(({ ownerId, standing }) => [ownerId.slice(0, 2), standing]),
  );
  deepEqual(shown, {
    "01": "owner",
    "02": "loses",
    "03": "asks",
    "04": "yields",
    "05": "released",
    "06": "void",
    "07": "void",
  });
  equal(used, 1);
});

Deno.test("why: the owner first, each rival with the order field by field", () => {
  const records = [claim(2, { subnet: OWN, strength: 1 }), claim(1, { strength: 2 })];
  const { subnet, claims, free } = whyOf(whyDocument(stagedSources({ records }), OWN));
  deepEqual([subnet, free], [OWN, false]);
  deepEqual(claims.map(({ owner, standing }) => `${owner} ${standing}`), ["h1 owner", "h2 loses"]);
  deepEqual(claims[0]?.order, []);
  deepEqual(claims[1]?.order, [
    { what: "the higher epoch", winner: "1", loser: "1", decides: false },
    {
      what: "the greater strength",
      winner: "2 (held, a majority knows)",
      loser: "1 (held)",
      decides: true,
    },
  ]);
});

Deno.test("why: an address, a host's name and the beginning of its id mean the same", () => {
  const sources = stagedSources();
  for (const what of ["10.244.2.0/24", "10.244.2.77", "h2", "02020202"]) {
    equal(whyDocument(sources, what).subnet, "10.244.2.0/24", what);
  }
  equal(whyDocument(sources, "10.244.99.5").subnet, "10.244.99.0/24", "nobody's");
});

Deno.test("why: what means nothing is refused with a hint", () => {
  const sources = stagedSources({ members: [memberNumber(1), memberNumber(2), memberNumber(3)] });
  const refusal = (what: string) => {
    try {
      whyDocument(sources, what);
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
    return "";
  };
  match(refusal("h22"), /no subnet, address or known host, did you mean h2\?/);
  match(refusal("10.244.2.9/24"), /did you mean 10\.244\.2\.0\/24\?/);
  match(refusal("h3"), /h3 claims no subnet/);
  throws(() => whyDocument(sources, ""));
});

Deno.test("why: a subnet is free, rests, is reserved, pinned or outside", () => {
  const of = (staging: Staging, what = "10.244.50.0/24") =>
    whyDocument(stagedSources(staging), what);
  equal(of({}).free, true);
  const resting = of({ claim: { restsUntilMs: () => NOW_MS + 5_000 } });
  deepEqual([resting.free, resting.restsUntil], [false, new Date(NOW_MS + 5_000).toISOString()]);
  const reserved = of({ reserved: ["10.244.50.0/24"] });
  deepEqual([reserved.free, reserved.reserved], [false, true]);
  const outside = of({}, "10.9.0.0/24");
  deepEqual([outside.free, outside.inPool], [false, false]);
  equal(of({ pin: "10.244.50.0/24" }).pinnedTo, "h1 (01010101)");
  const pins = [{ hostId: memberNumber(2).id, subnet: "10.244.50.0/24" }];
  const pinned = of({ poolRecord: { ...CHANGED, pins } });
  deepEqual([pinned.free, pinned.pinnedTo], [false, "h2 (02020202)"]);
  equal(of({ poolRecord: { ...CHANGED, added: ["10.9.0.0/16"] } }, "10.9.3.0/24").free, true);
  const left = of({
    records: [claim(1), claim(5, { subnet: "10.244.50.0/24", state: "released" })],
  });
  deepEqual([left.free, left.claims[0]?.standing], [true, "released"]);
});

Deno.test("why: a claim of an absent host says for how long, and from when it may be taken", () => {
  const away = { record: claim(2), awayMs: 3_600_500, ttlMs: 86_400_000 };
  const sources = stagedSources({
    members: [memberNumber(1), memberNumber(2, "dead")],
    claim: { absences: () => [away] },
  });
  const [owner] = whyDocument(sources, "h2").claims;
  deepEqual([owner?.ownerStatus, owner?.absentSeconds, owner?.absenceTtlSeconds], [
    "dead",
    3_600,
    86_400,
  ]);
});
