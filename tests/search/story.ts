/** A path of the search as a story that people can follow: who does what, and what each host then believes. */
import type { ClaimRecord } from "../../mod/claim/record.ts";
import type { Action } from "./actions.ts";
import type { Hosts } from "./hosts.ts";
import { nameOf } from "./identity.ts";
import { startsOf, STATUSES, statusOf, UNKNOWN } from "./member_code.ts";
import type { Found, Search } from "./search.ts";
import type { State } from "./state.ts";
import type { View } from "./view.ts";

/** Numbered lines, and the rule that is broken at the end. */
export function story(search: Search, { breach, path }: Found): string {
  const { hosts } = search;
  const lines: string[] = [];
  let state = search.initial();
  let before = beliefs(hosts, state);
  for (const action of path) {
    const successor = search.successors(state)
      .find(({ action: { kind, argument } }) =>
        kind === action.kind && argument === action.argument
      );
    if (successor === undefined) break;
    const what = actionText(hosts, state, action);
    state = successor.state;
    const after = beliefs(hosts, state);
    const changes = after.filter((text, host) => text !== before[host]);
    before = after;
    if (action.kind === "pass" && changes.length === 0 && lines.at(-1)?.endsWith(` ${what}`)) {
      continue;
    }
    lines.push(`${String(lines.length + 1).padStart(3)}. ${[what, ...changes].join("\n       ")}`);
  }
  return [...lines, `     => ${breach}`].join("\n");
}

function beliefs(hosts: Hosts, state: State): string[] {
  return state.locals.map((id, host) => `${nameOf(host)}: ${viewText(hosts.local(id).view)}`);
}

function viewText({ isUp, stage, subnet, own, fence, reason }: View): string {
  if (!isUp) return "down";
  const about = subnet === null ? stage : `${stage} ${subnet}`;
  const record = own === null
    ? "nothing announced"
    : `announced ${own.state} ${own.subnet} ${own.generation}.${own.sequence}, epoch ${own.epoch}, ` +
      `strength ${own.strength}, stamp ${own.stamp}`;
  const fences = [...fence].map(([of, epoch]) => `${of} at ${epoch}`).join(", ");
  const why = stage === "waiting" && reason !== null ? ` (${reason.slice(0, 40)}...)` : "";
  return `${about}${why}; ${record}${fences === "" ? "" : `; fence ${fences}`}`;
}

function actionText(hosts: Hosts, state: State, { kind, argument }: Action): string {
  const item = (list: readonly number[]) => itemText(hosts, list[argument] ?? -1);
  switch (kind) {
    case "deliver":
      return item(state.queue);
    case "deliver-late":
      return `late: ${item(state.late)}`;
    case "lose":
      return `lost: ${item(state.queue)}`;
    case "double":
      return `and once more, later: ${item(state.queue)}`;
    case "delay":
      return `delayed: ${item(state.queue)}`;
    case "refuse":
      return `the disk is full: ${item(state.queue)} - it does not`;
    case "pass":
      return `${argument / 1000} s pass`;
    case "dial":
      return "those that could know each other and do not call";
    case "final-sync":
      return "all tell each other what they know";
    case "heal":
      return "the partition ends";
    case "partition":
      return `the network splits: ${sideText(hosts, argument)}`;
    case "restart":
      return `${nameOf(argument)} is started again`;
    case "crash":
      return `${nameOf(argument)} crashes, and the others notice`;
    case "crash-restart":
      return `${nameOf(argument)} crashes and is started again at once`;
    case "crash-written":
      return `${nameOf(argument)} crashes, its write just done, and is started again`;
    case "image":
      return `a snapshot is made of the disk of ${nameOf(argument)}`;
    case "rollback":
      return `${nameOf(argument)} is set back to that snapshot`;
    case "release":
      return `${nameOf(argument)} is told to leave and release its subnet`;
    case "pause":
      return `${nameOf(argument)} stands still`;
    case "resume":
    case "resume-last":
      return `${nameOf(state.paused - 1)} goes on`;
    case "forget": {
      const count = hosts.ids.length;
      return `an operator has ${nameOf(argument % count)} forgotten at ` +
        nameOf(Math.floor(argument / count));
    }
  }
}

function sideText(hosts: Hosts, side: number): string {
  const names = (isIn: boolean) =>
    [...hosts.ids.keys()].filter((host) => (side >> host & 1) === Number(isIn)).map(nameOf)
      .join(" and ");
  return `${names(true)} here, ${names(false)} there`;
}

function itemText(hosts: Hosts, id: number): string {
  const { kind, from, to, payload, about } = hosts.item(id);
  const [sender, receiver] = [nameOf(from), nameOf(to)];
  switch (kind) {
    case "start":
      return `${receiver} starts`;
    case "letter":
    case "gossip":
      return `${receiver} gets ${kind === "gossip" ? "by gossip" : "a letter"} from ${sender}: ` +
        messageText(hosts, payload);
    case "member":
      return `${receiver} hears that ${nameOf(about)} is ${STATUSES[statusOf(payload)]}`;
    case "disk":
      return `the write ${about} of ${receiver} is safe: ${memoryText(hosts, payload)}`;
    case "ask":
      return `${receiver} is asked for a sync by ${sender}`;
    case "answer":
      return `${receiver} syncs with ${sender}`;
    case "leave":
      return `${receiver} leaves`;
    case "wake":
      return `${receiver} is woken`;
  }
}

function memoryText(hosts: Hosts, payload: number): string {
  const record = hosts.memory(payload)?.record ?? null;
  return record === null ? "no claim yet" : recordText(hosts, record);
}

function recordText(
  hosts: Hosts,
  { hostId, state, subnet, generation, sequence, epoch, strength }: ClaimRecord,
): string {
  return `${nameOf(hosts.ids.indexOf(hostId))} ${state} ${subnet} ${generation}.${sequence} ` +
    `(epoch ${epoch}, strength ${strength})`;
}

function messageText(hosts: Hosts, payload: number): string {
  const message = hosts.tree.decodeClaimMessage(hosts.blob(payload).bytes);
  const records = hosts.told(payload).map((record) => recordText(hosts, record));
  if (message.kind === "request") return `may it have it? ${records[0]}`;
  if (message.kind === "push") return records.join(" and ");
  if (message.kind !== "answer") return `news of a ${message.kind}`;
  return `${message.verdict.kind}, for ${message.generation}.${message.sequence}` +
    (records.length === 0 ? "" : `; ${records.join(" and ")}`);
}

/** How a host sees the members, for messages of the checks. */
export function membersText(members: readonly number[]): string {
  return members.map((code, host) =>
    `${nameOf(host)} ${
      code === UNKNOWN ? "unknown" : `${STATUSES[statusOf(code)]} ${startsOf(code)}`
    }`
  ).join(", ");
}
