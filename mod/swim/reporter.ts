/** Turns changes of members into events, and says once what the operator should look into. */
import { MEMBERS_MAX } from "../base/limits.ts";
import type { MemberRecord } from "../wire/member_record.ts";
import { protocolText } from "../wire/protocol_range.ts";
import type { SwimEvent } from "./event.ts";
import { isUpdate, type Member, type MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";

/** Warnings are said once each; so many are remembered for that, and none is given after them. */
const GIVEN_MAX = 1_000;

export class Reporter {
  readonly #table: MemberTable;
  readonly #report: (event: SwimEvent) => void;
  /** The member that bears a name, as last seen. */
  readonly #bearers = new Map<string, MemberId>();
  /** Warnings already given, by code and member. */
  readonly #given = new Set<string>();

  constructor(table: MemberTable, report: (event: SwimEvent) => void) {
    this.#table = table;
    this.#report = report;
  }

  /** This host itself: nothing to report, but its name is taken. */
  own(member: Member): void {
    this.#bearers.set(member.name, member.id);
  }

  /** A member was put into the table; `previous` is null on first sight. */
  changed(member: Member, previous: Member | null): void {
    if (previous === null || previous.name !== member.name) this.#checkName(member);
    const kind = eventKind(member, previous);
    if (kind !== null) this.#report({ kind, member });
    if (previous !== null && isUpdate(member, previous)) {
      this.#report({ kind: "member-updated", member, previous });
    }
  }

  /** Evidence was refused because its incarnation is absurd. */
  incarnationJump(id: MemberId, incarnation: number): void {
    const name = this.#table.get(id)?.name ?? id;
    this.#warn({
      code: "incarnation-jump",
      about: id,
      text: `News of ${name} with the absurd incarnation ${incarnation} is ignored`,
      remedy: "Look for a faulty or hostile host in the cluster; a gossip key keeps strangers out",
    });
  }

  /** A host speaks none of the protocol versions that we speak: it is no member for us. */
  protocolMismatch(record: MemberRecord, own: Member): void {
    const { id, name, endpoint, version } = record;
    this.#warn({
      code: "protocol-mismatch",
      about: id,
      text: `${name} (${endpoint}) runs gossamer ${version}, which speaks protocol ` +
        `${protocolText(record)}; this host runs ${own.version} and speaks ${protocolText(own)}: ` +
        "they cannot be members of one cluster",
      remedy: "Run versions on both that share a protocol version: upgrade the older one",
    });
  }

  #checkName(member: Member): void {
    // Whoever comes and goes, or renames itself, leaves names behind; without them a conflict is only told later.
    if (this.#bearers.size >= 2 * MEMBERS_MAX) this.#bearers.clear();
    const bearer = this.#table.get(this.#bearers.get(member.name) ?? member.id);
    this.#bearers.set(member.name, member.id);
    if (bearer === undefined || bearer.id === member.id) return;
    if (bearer.name !== member.name || bearer.endpoint === member.endpoint) return;
    if (bearer.status === "dead" || bearer.status === "left") return;
    this.#warn({
      code: "name-conflict",
      about: member.name,
      text: `Two hosts are named ${member.name}: ${bearer.endpoint} and ${member.endpoint}`,
      remedy: "Give one of them another name with --name; the overlay works meanwhile",
    });
  }

  #warn(warning: { code: string; about: string; text: string; remedy: string }): void {
    const { code, about, text, remedy } = warning;
    const key = `${code} ${about}`;
    if (this.#given.has(key) || this.#given.size >= GIVEN_MAX) return;
    this.#given.add(key);
    this.#report({ kind: "warning", code, text, remedy });
  }
}

/** The event of a change of status; null when there is nothing to tell. */
function eventKind(member: Member, previous: Member | null) {
  // A dead member that we only hear of was never here as far as we know.
  if (previous === null) return member.status === "alive" ? "member-joined" : null;
  if (previous.status === member.status) return null;
  switch (member.status) {
    case "alive":
      return previous.status === "left" ? "member-joined" : "member-recovered";
    case "suspect":
      return "member-suspected";
    case "dead":
      return "member-failed";
    case "left":
      return "member-left";
  }
}
