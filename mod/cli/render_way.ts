/** What `gossamer ping` found, as lines. Pure. */
import type { WayDocument } from "./ask_host.ts";
import { printable } from "./columns.ts";
import type { Paint } from "./paint.ts";
import { renderFindings } from "./render_findings.ts";

export function renderWay({ name, address, subnet, findings, broken }: WayDocument, paint: Paint) {
  const head = `${printable(name)} at ${address}, ${subnet ?? "without a subnet"}\n`;
  const lines = renderFindings(findings, paint);
  const end = broken === null
    ? `${paint("good", "every layer answers")}\n`
    : `${paint("bad", `${broken} fails`)}: begin there\n`;
  return head + lines + end;
}
