/** `gossamer subnets --why` for people: who owns a subnet, who else claims it, and what decides between them. Pure. */
import type { PastDocument, WhyClaim, WhyDocument } from "../agent/api.ts";
import { age, wholeSeconds } from "./age.ts";
import { printable } from "./columns.ts";
import type { Paint } from "./paint.ts";
import { wrap } from "./wrap.ts";

const KEY_COLUMNS = 11;
const MINUTE_S = 60;
const HOUR_S = 3_600;

type Line = readonly [key: string, value: string];

/** What each field of the order means, by the word that names it. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ["the higher epoch", "epoch (raised whenever a contest over the subnet ends)"],
  ["the greater strength", "strength (how sure its holder is of it)"],
  ["the older stamp", "stamp (who claimed first, by the cluster's own clock)"],
  ["the lower hash of host id and subnet", "hash of host id and subnet (decides between equals)"],
  ["the lower host id", "host id"],
]);

export function renderWhy(
  document: WhyDocument,
  nowMs: number,
  paint: Paint,
  width = Infinity,
): string {
  const [owner, ...others] = document.claims;
  const isOwned = owner?.standing === "owner";
  const blocks: Line[][] = [
    [["Subnet", `${document.subnet} ${verdict(document, paint)}`], ...poolLines(document, nowMs)],
    ...(isOwned ? [ownerLines(owner, nowMs, paint)] : []),
    ...(isOwned ? others : document.claims).map((claim) => rivalLines(claim, nowMs, paint)),
    ...historyLines(document.history, nowMs),
  ];
  return blocks.filter((block) => block.length > 0)
    .map((block) => block.map((pair) => line(pair, width)).join("")).join("\n");
}

/** One sentence that answers the question. */
function verdict(document: WhyDocument, paint: Paint): string {
  const { claims, free, inPool, restsUntil, reserved, pinnedTo } = document;
  const [first] = claims;
  if (first?.standing === "owner") {
    return paint("good", `belongs to ${host(first)}`);
  }
  if (first?.standing === "loses") return paint("warning", "is contested and nobody's at present");
  if (first?.standing === "yields") return paint("warning", `is being given up by ${host(first)}`);
  if (first?.standing === "asks") return paint("warning", `is asked for by ${host(first)}`);
  if (pinnedTo !== null) {
    return paint("warning", `is kept for ${printable(pinnedTo)}, to whom it is pinned`);
  }
  if (reserved) return paint("warning", "is reserved by an operator: no host takes it");
  if (!inPool) return paint("warning", "is not a subnet of the pool: no host takes it");
  if (restsUntil !== null) {
    return paint("warning", "is free but rests: it is taken only if nothing else is free");
  }
  return paint(free ? "good" : "warning", "is free: no claim stands in its way");
}

function poolLines(document: WhyDocument, nowMs: number): Line[] {
  const { fence, restsUntil, pinnedTo, inPool, reserved, claims } = document;
  const isClaimed = claims.some(({ standing }) => standing === "owner");
  const lines: Line[] = [[
    "Fence",
    fence === 0
      ? "0, it was never held"
      : `${fence}: a claim below this epoch counts for nothing, wherever it comes back from`,
  ]];
  if (restsUntil !== null) {
    const seconds = Math.max(0, Math.ceil((Date.parse(restsUntil) - nowMs) / 1000));
    lines.push(["Rests", `for ${span(seconds)} more, since its last host gave it back`]);
  }
  if (pinnedTo !== null) lines.push(["Pinned", `to ${printable(pinnedTo)}`]);
  if (isClaimed && reserved) {
    lines.push(["Reserved", "yes; who held it before keeps it until it goes"]);
  } else if (isClaimed && !inPool) {
    lines.push(["Pool", "not one of its subnets; who holds it keeps it until it goes"]);
  }
  return lines;
}

function ownerLines(claim: WhyClaim, nowMs: number, paint: Paint): Line[] {
  return [
    ["Owner", `${host(claim)}, ${place(claim)}`],
    ["Held", `since ${sinceText(claim, nowMs)}`],
    ["Epoch", String(claim.epoch)],
    ["Strength", `${claim.strength} (${claim.strengthText})`],
    ["Stamp", String(claim.stamp)],
    ...absenceLines(claim, paint),
  ];
}

function rivalLines(claim: WhyClaim, nowMs: number, paint: Paint): Line[] {
  const lines: Line[] = [
    ["Also", `${host(claim)}, ${place(claim)}: ${paint("warning", standingText(claim))}`],
    [
      "Claim",
      `${claim.subnet} ${claim.state} since ${sinceText(claim, nowMs)}, epoch ` +
      `${claim.epoch}, strength ${claim.strength} (${claim.strengthText}), stamp ${claim.stamp}`,
    ],
    ...absenceLines(claim, paint),
  ];
  claim.order.forEach(({ what, winner, loser, decides }, index) => {
    const name = MEANINGS.get(what) ?? what;
    const values = decides
      ? `${printable(winner)} against ${printable(loser)}: ${paint("strong", `${what} wins`)}`
      : `${printable(winner)} on both sides, so the next field decides`;
    lines.push([index === 0 ? "Order" : "", `${index + 1}. ${name}: ${values}`]);
  });
  return lines;
}

function standingText({ standing }: WhyClaim): string {
  switch (standing) {
    case "owner":
      return "owns a part of it";
    case "loses":
      return "holds it too, but ranks lower and must yield";
    case "asks":
      return "asks for it and is refused by who holds it";
    case "yields":
      return "is giving it up";
    case "released":
      return "gave it back";
    case "void":
      return "counts for nothing, being below the fence: forgotten, or overtaken while it was away";
  }
}

/** Who is away keeps its subnet, and for how long that is certain. */
function absenceLines(
  { absentSeconds, absenceTtlSeconds, standing }: WhyClaim,
  paint: Paint,
): Line[] {
  if (absentSeconds === null || standing === "released" || standing === "void") return [];
  const leftSeconds = absenceTtlSeconds - absentSeconds;
  const when = leftSeconds > 0
    ? `it may be taken in ${span(leftSeconds)} if nothing else is free`
    : "it may be taken now if nothing else is free and a majority agrees";
  return [[
    "Absent",
    paint(
      "warning",
      `its host has been away for ${span(absentSeconds)}, as seen from here; ${when}`,
    ),
  ]];
}

function historyLines(history: readonly PastDocument[], nowMs: number): Line[][] {
  return history.map((past): Line[] =>
    past.kind === "conflict"
      ? [[
        "Contest",
        `${age(past.at, nowMs)} ago: ${printable(past.winner)} won against ` +
        `${printable(past.loser)}: ${printable(past.why)}`,
      ]]
      : [["Changed", `${age(past.at, nowMs)} ago: this host went from ${past.old} to ${past.new}`]]
  );
}

function host({ owner, ownerId, self }: WhyClaim): string {
  const short = ownerId.slice(0, 8);
  const name = owner === short ? `host ${short}` : `${printable(owner)} (${short})`;
  return self ? `${name}, this host` : name;
}

function place({ ownerAddress, ownerStatus }: WhyClaim): string {
  return ownerAddress === null
    ? "not a member that is known here"
    : `${ownerAddress}, ${ownerStatus}`;
}

function sinceText({ since }: WhyClaim, nowMs: number): string {
  return `${wholeSeconds(since)} (${age(since, nowMs)})`;
}

/** `45 s`, `12 min`, `3 h`; rounded down. */
function span(seconds: number): string {
  if (seconds < 2 * MINUTE_S) return `${seconds} s`;
  if (seconds < 2 * HOUR_S) return `${Math.floor(seconds / MINUTE_S)} min`;
  return `${Math.floor(seconds / HOUR_S)} h`;
}

/** The key right-aligned; further lines of the value under its first one. */
function line([key, value]: Line, width: number): string {
  const head = key === "" ? " ".repeat(KEY_COLUMNS + 2) : `${key.padStart(KEY_COLUMNS)}: `;
  const indent = " ".repeat(KEY_COLUMNS + 2);
  return wrap(value, width - indent.length).split("\n")
    .map((text, index) => `${index === 0 ? head : indent}${text}`.trimEnd() + "\n").join("");
}
