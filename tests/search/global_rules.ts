/** What must hold between hosts: in every state, from one to the next, and when all is quiet. */
import type { ClaimRecord } from "../../mod/claim/record.ts";
import type { Hosts } from "./hosts.ts";
import { type Deviation, DEVIATIONS, type State } from "./state.ts";

/** After these, two hosts may hold one subnet for a while. */
const EXCUSES = (["partition", "rollback", "pause"] as const)
  .map((deviation) => DEVIATIONS.indexOf(deviation));

function isExcused({ used, lost }: State): boolean {
  const count = (deviation: Deviation) => used[DEVIATIONS.indexOf(deviation)] ?? 0;
  // An operator who has a host forgotten that is down, or goes down, is believed.
  if (count("forget") > 0 && count("crash") > 0) return true;
  return lost > 0 || EXCUSES.some((at) => (used[at] ?? 0) > 0);
}

function viewsOf(hosts: Hosts, state: State) {
  return state.locals.map((id) => hosts.local(id).view);
}

/** The rule that a state breaks; null for none. */
export function stateBreach(hosts: Hosts, state: State): string | null {
  return doubleHolding(hosts, state) ?? doubleWrite(hosts, state);
}

/** S3: without a partition, a rollback or a host that stood still, no two hosts hold one subnet. */
function doubleHolding(hosts: Hosts, state: State): string | null {
  if (isExcused(state)) return null;
  const views = viewsOf(hosts, state);
  for (const [one, { held }] of views.entries()) {
    const other = views.findIndex((view, at) => at > one && held >= 0 && view.held === held);
    if (other >= 0) {
      return `S3: ${hosts.label(one)} and ${hosts.label(other)} both hold ${hosts.subnets[held]}`;
    }
  }
  return null;
}

/** S0: what was written under one number is the same everywhere, but where a disk was turned back. */
function doubleWrite(hosts: Hosts, state: State): string | null {
  if ((state.used[DEVIATIONS.indexOf("rollback")] ?? 0) > 0) return null;
  const views = viewsOf(hosts, state);
  for (const host of hosts.ids.keys()) {
    const known = views.flatMap(({ records }) => records[host] ?? []);
    for (const { record, payload } of known) {
      const twin = known.find((other) =>
        other.payload !== payload && other.record.generation === record.generation &&
        other.record.sequence === record.sequence
      );
      if (twin !== undefined) {
        return `S0: two different claims of ${hosts.label(host)} go under the number ` +
          `${record.generation}.${record.sequence}`;
      }
    }
  }
  return null;
}

/** The rule that a step broke; notes in `after` what hosts gave up. */
export function transitionBreach(hosts: Hosts, before: State, after: State): string | null {
  for (const host of hosts.ids.keys()) {
    if (before.locals[host] === after.locals[host]) continue;
    const was = hosts.local(before.locals[host] ?? -1).view;
    const is = hosts.local(after.locals[host] ?? -1).view;
    noteGiven(hosts, after, host, is.own);
    const isDisplaced = was.held >= 0 && is.isUp && is.held !== was.held &&
      is.stage !== "released" && before.used.join() === after.used.join();
    if (!isDisplaced || was.own === null) continue;
    const breach = displacement(hosts, after, host, was.own, is.records);
    if (breach !== null) return breach;
  }
  return null;
}

function noteGiven(hosts: Hosts, state: State, host: number, own: ClaimRecord | null): void {
  if (own === null || own.strength === 0 || own.state === "held" || own.state === "tentative") {
    return;
  }
  const at = host * hosts.subnets.length + hosts.subnets.indexOf(own.subnet);
  state.given[at] = Math.max(state.given[at] ?? 0, own.epoch);
}

/** A holder gives up: to whom, and may that be? */
function displacement(
  hosts: Hosts,
  state: State,
  host: number,
  own: ClaimRecord,
  records: readonly ({ readonly record: ClaimRecord } | null)[],
): string | null {
  const name = hosts.label(host);
  if (!isExcused(state)) {
    return `S5: ${name} held ${own.subnet}, nothing but delays happened, and it gives it up`;
  }
  const rivals = records.flatMap((known) => known === null ? [] : [known.record])
    .filter((record) => record.subnet === own.subnet && record.hostId !== own.hostId);
  const winners = rivals.filter((rival) =>
    rival.state === "held" && hosts.tree.compareClaims(rival, own) > 0
  );
  if (winners.length === 0) {
    return `S9: ${name} gives up ${own.subnet} though nobody holds it with a higher rank`;
  }
  for (const winner of winners) {
    const breach = unjustWinner(hosts, state, host, own, winner);
    if (breach !== null) return breach;
    const at = hosts.ids.indexOf(winner.hostId) * hosts.subnets.length +
      hosts.subnets.indexOf(winner.subnet);
    if (winner.epoch <= (state.given[at] ?? 0)) {
      return `S10: ${name} gives up ${own.subnet} to a claim of ` +
        `${hosts.label(hosts.ids.indexOf(winner.hostId))} (epoch ${winner.epoch}) that had given ` +
        `it up at epoch ${state.given[at]}`;
    }
  }
  return null;
}

/** S5: at equal epochs the one that a majority stood behind stays, and then the older one. */
function unjustWinner(
  hosts: Hosts,
  state: State,
  host: number,
  own: ClaimRecord,
  winner: ClaimRecord,
): string | null {
  const rival = hosts.ids.indexOf(winner.hostId);
  const [name, rivalName] = [hosts.label(host), hosts.label(rival)];
  const isBacked = (of: number) => (state.backed >> of & 1) === 1;
  if (winner.epoch !== own.epoch) return null;
  if (winner.strength === own.strength && winner.stamp > own.stamp) {
    return `S5: ${name} (stamp ${own.stamp}) gives up ${own.subnet} to ${rivalName}, which claimed ` +
      `it later (stamp ${winner.stamp})`;
  }
  if (own.strength > winner.strength || !isBacked(host) || isBacked(rival)) return null;
  return `S5: ${name} claimed ${own.subnet} where the majority was and gives it up to ${rivalName}, ` +
    "which was cut off";
}

/** What must hold when nothing more will happen: everything healed, delivered and told. */
export function settledBreach(hosts: Hosts, state: State): string | null {
  const views = viewsOf(hosts, state);
  const up = [...views.entries()].filter(([, view]) => view.isUp);
  const [first] = up;
  if (first === undefined) return null;
  for (const [host, { owners, knowledge }] of up) {
    if (owners !== first[1].owners) {
      return `S1: at rest ${hosts.label(first[0])} takes ${first[1].owners} for the owners, ` +
        `${hosts.label(host)} ${owners}`;
    }
    if (knowledge !== first[1].knowledge) {
      return `L2: at rest ${hosts.label(first[0])} and ${hosts.label(host)} know different claims`;
    }
  }
  return unheld(hosts, state);
}

/** S9: one holder for each subnet; who has none says why, and no subnet is free meanwhile. */
function unheld(hosts: Hosts, state: State): string | null {
  const views = viewsOf(hosts, state);
  const taken = new Set<string>();
  for (const [host, view] of views.entries()) {
    if (view.held < 0) continue;
    const subnet = hosts.subnets[view.held] ?? "";
    if (taken.has(subnet)) {
      return `S9: at rest ${subnet} is held by two, one of them ${hosts.label(host)}`;
    }
    taken.add(subnet);
    const at = host * hosts.subnets.length + view.held;
    const isAlone = views.filter(({ isUp }) => isUp).length < 2; // nobody is left who could know
    if (!isAlone && view.own !== null && view.own.epoch <= (state.given[at] ?? 0)) {
      return `S10: at rest ${hosts.label(host)} holds ${subnet} by a claim of epoch ` +
        `${view.own.epoch}, though it had given it up at epoch ${state.given[at]}`;
    }
  }
  const [any] = views.filter(({ isUp }) => isUp);
  for (const known of any?.records ?? []) {
    if (known !== null && known.record.state === "held") taken.add(known.record.subnet);
  }
  for (const [host, view] of views.entries()) {
    if (!view.isUp || view.held >= 0 || view.stage === "released") continue;
    if (view.stage !== "waiting" || view.reason === null) {
      return `L7: at rest ${hosts.label(host)} is ${view.stage} and does not say why`;
    }
    // Who has heard nobody waits for ever: the lonely rule.
    if (
      view.complete && taken.size < hosts.subnets.length &&
      hosts.settings.pins?.[host] === undefined
    ) {
      return `L1: at rest ${hosts.label(host)} has no subnet, though one is free: ${view.reason}`;
    }
  }
  return null;
}
