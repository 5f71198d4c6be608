/** The table of members: who is there, what it has, whether packets get there. Those in trouble first. */
import { type Html, html } from "./html.ts";
import { age } from "./moment.ts";
import type { OwnerMark } from "./owner_marks.ts";
import type { PageData, PageMember } from "./page_data.ts";

/** Rows; a browser on a phone draws these at once, and `gossamer members` has all. */
const ROWS_MAX = 500;

const ORDER: readonly PageMember["status"][] = ["dead", "suspect", "alive", "left"];

const KERNEL_WORDS: Readonly<Record<NonNullable<PageMember["kernel"]>, string>> = {
  answers: "agent down, overlay up",
  checking: "overlay is being asked",
  silent: "agent and overlay down",
};

export function membersTable(data: PageData, marks: ReadonlyMap<string, OwnerMark>): Html {
  const members = data.status.members.toSorted((one, other) => orderOf(one) - orderOf(other));
  const hidden = members.length - ROWS_MAX;
  return html`
    <div class="scroll" role="region" aria-label="Table of members" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col">Status</th>
            <th scope="col">Subnet</th>
            <th scope="col">Overlay</th>
            <th scope="col" class="number">Gossip</th>
          </tr>
        </thead>
        <tbody>
    ${members.slice(0, ROWS_MAX).map((member) => row(member, data, marks.get(member.id)))}</tbody>
      </table>
    </div>
    ${hidden > 0
      ? html`<p>And ${hidden} more: <code>gossamer members</code> lists them.</p>`
      : null}
  `;
}

/** Those that packets do not reach come with those in trouble, though gossip is well. */
function orderOf(member: PageMember): number {
  return troubleOf(member) === null ? ORDER.indexOf(member.status) : -1;
}

function row(member: PageMember, data: PageData, mark: OwnerMark | undefined): Html {
  const { name, address, status, statusSince, version } = member;
  const since = html`<small>for ${age(statusSince, data.now)}</small>`;
  const subnets = [member.subnet, member.ipv6Subnet].filter((text) => typeof text === "string");
  const owner = mark === undefined
    ? null
    : html`<span class="sample ${mark.color}" aria-hidden="true">${mark.letter}</span>`;
  const self = member.self ? html`<small>(this host)</small>` : null;
  const other = version === data.status.version ? null : `, ${version}`;
  const trip = member.self ? NOTHING : roundTrip(member.rttMs);
  return html`
    <tr class="${status}">
      <th scope="row">
        ${owner} <span class="name">${name}</span> ${self}
        <small class="line">${address}${other}</small>
      </th>
      <td><span class="status ${status}">${status}</span>${since}</td>
      <td>${subnets.length === 0 ? NOTHING : subnets.map(line)}</td>
      <td>${overlay(member)}</td>
      <td class="number">${trip}</td>
    </tr>
  `;
}

const NOTHING = html`<span class="none">–</span>`;

function line(text: string): Html {
  return html`<span class="line">${text}</span>`;
}

/** How the kernel of this host sends packets there, and what comes of it. */
function overlay(member: PageMember): HtmlOrText {
  if (member.self) return NOTHING;
  const { path } = member;
  const way = path === null ? "none" : path === "direct" ? "bare" : path;
  const trouble = troubleOf(member);
  if (trouble !== null) return html`${way}<small class="line trouble">${trouble}</small>`;
  const rttMs = member.overlay?.rttMs ?? null;
  return rttMs === null ? way : html`${way}<small class="line">${roundTrip(rttMs)}</small>`;
}

function troubleOf({ kernel, overlay, udp }: PageMember): string | null {
  if (kernel !== null) return KERNEL_WORDS[kernel];
  if (overlay?.state === "silent") return "silent";
  if (overlay?.ipv6?.state === "silent") return "silent by IPv6";
  return udp === "blocked" ? "UDP blocked" : null;
}

type HtmlOrText = Html | string;

function roundTrip(ms: number | null): HtmlOrText {
  if (ms === null) return NOTHING;
  if (ms < 0.1) return `${ms.toFixed(2)} ms`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
