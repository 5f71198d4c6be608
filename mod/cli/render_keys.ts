/** `gossamer keys` for people: who has which key, and hosts of which it is not known. Pure. */
import type { KeyDocument, KeyHostDocument, KeysDocument } from "../agent/api.ts";
import { columns } from "./columns.ts";
import type { Paint } from "./paint.ts";

const HEADER = ["FINGERPRINT", "HOSTS", "PRIMARY"];
const UNANSWERED_HEADER = ["NO ANSWER", "ADDRESS", "WHY"];

/** One line a key; below it, those who did not answer. */
export function renderKeys(document: KeysDocument, paint: Paint): string {
  const rows = document.keys.map((key) => [
    key.fingerprint,
    `${key.hosts} of ${document.hosts}`,
    `${key.primaryHosts} of ${document.hosts}`,
    { text: remark(key), meaning: key.here ? "faint" as const : "warning" as const },
  ]);
  const keys = columns([HEADER, ...rows], paint);
  if (document.unanswered.length === 0) return keys;
  return `${keys}\n${columns([UNANSWERED_HEADER, ...document.unanswered.map(hostRow)], paint)}`;
}

/** Hosts that have not done something, one a line, each with its reason. */
export function renderKeyHosts(hosts: readonly KeyHostDocument[], paint: Paint): string {
  return columns(hosts.map((host) => ["", ...hostRow(host)]), paint).trimEnd();
}

function hostRow({ name, address, reason }: KeyHostDocument): string[] {
  return [name, address, reason];
}

function remark({ here, primaryHere }: KeyDocument): string {
  if (!here) return "(not on this host)";
  return primaryHere ? "(primary of this host)" : "";
}
