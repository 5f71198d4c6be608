/**
 * The status page: one document that is whole without scripts and asks for nothing elsewhere. Its script fetches the same
 * document again and puts in what changed, so that there is one place that makes HTML, and it escapes.
 */
import { endpointText } from "../address/endpoint.ts";
import { bytesText } from "../base/bytes_text.ts";
import { sha256 } from "../base/hash.ts";
import { Html, html } from "./html.ts";
import script from "./live.js" with { type: "text" };
import { membersTable } from "./members_table.ts";
import { age, clockTime } from "./moment.ts";
import { ownerMarks } from "./owner_marks.ts";
import type { PageData, PageEvent, PageProblem } from "./page_data.ts";
import { subnetMap } from "./subnet_map.ts";
import style from "./style.css" with { type: "text" };

export type { PageData } from "./page_data.ts";

/** Events shown; `gossamer monitor --recent` has more of them. */
const EVENTS_MAX = 50;

/** A thread between two nodes; without an icon browsers ask for /favicon.ico. */
const ICON = "data:image/svg+xml," + encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M3 12C6 4 10 4 13 12" ' +
    'fill="none" stroke="#3b82c4" stroke-width="2"/><circle cx="3" cy="12" r="2.5" ' +
    'fill="#3b82c4"/><circle cx="13" cy="12" r="2.5" fill="#3b82c4"/></svg>',
);

/** What the page may do: its own style and script, questions to where it came from, and nothing else. */
export function contentSecurityPolicy(): string {
  policy ??= [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return policy;
}

let policy: string | undefined;

function hashOf(text: string): string {
  return `sha256-${sha256(text).toBase64()}`;
}

export function renderPage(data: PageData): string {
  const { status, subnets, now } = data;
  const { host, ready } = status;
  const marks = ownerMarks(subnets.subnets);
  const time = clockTime(now);
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${ready ? "" : "Not ready: "}${host.name} – gossamer</title>
        <link rel="icon" href="${ICON}">
        <style>${Html.trusted(style)}</style>
      </head>
      <body>
        <a class="skip" href="#members-title">Skip to the members</a>
        <header>
          <h1>${host.name} <small>gossamer ${status.version}</small></h1>
          <p
            id="connection">As of ${time}<noscript>; load the page again for what is new</noscript></p>
        </header>
        <main>
          <section aria-labelledby="summary-title" class="wide">
            <h2 id="summary-title" class="unseen">Summary</h2>
            <div id="summary" role="status">${summary(data)}</div>
            <div id="facts" data-live>${facts(data)}</div>
          </section>
          <section aria-labelledby="problems-title" class="wide">
            <h2 id="problems-title">Problems</h2>
            <div id="problems" data-live>${problems(status.problems)}</div>
          </section>
          <section aria-labelledby="members-title">
            <h2 id="members-title">Members</h2>
            <div id="members" data-live>${membersTable(data, marks)}</div>
          </section>
          <section aria-labelledby="events-title">
            <h2 id="events-title">Events</h2>
            <div id="events" data-live>${events(data.events)}</div>
          </section>
          <section aria-labelledby="map-title" class="map">
            <h2 id="map-title">Subnets</h2>
            <div id="map" data-live>${subnetMap(subnets, marks)}</div>
          </section>
        </main>
        <footer>
          <p>As this host sees it. For machines: <a href="status">status</a>, <a href="metrics">metrics</a>, <a href="healthz">healthz</a>, <a href="readyz">readyz</a>.</p>
        </footer>
        <script>${Html.trusted(script)}</script>
      </body>
    </html>
  `.toString();
}

/** One sentence that says whether somebody has to look. A screen reader is told when it changes. */
function summary({ status }: PageData): Html {
  const { ready, cluster, problems } = status;
  const counts = (["alive", "suspect", "dead", "left"] as const)
    .filter((state) => state === "alive" || cluster[state] > 0)
    .map((state) => `${cluster[state]} ${state}`);
  const found = problems.length === 0
    ? "no problems"
    : `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`;
  return html`<p><strong class="status ${ready ? "alive" : "dead"}">${
    ready ? "Ready" : "Not ready"
  }</strong> Hosts: ${counts.join(", ")}; ${found}.</p>`;
}

function facts({ status, now }: PageData): Html {
  const { host, claim, overlay, cluster } = status;
  const subnets = [claim.subnet, claim.ipv6Subnet].filter((text) => typeof text === "string");
  const held = claim.since === null ? null : html`<span>for ${age(claim.since, now)}</span>`;
  const peers = `${overlay.peersProgrammed} of ${overlay.peersWanted} peers programmed`;
  return html`
    <dl>
      ${fact("Subnet", html`${subnets.join(", ")} ${claim.stage} ${held}`, claim.reason)}
      ${fact("Overlay", `${syncText(overlay)}, ${peers}`, overlay.lastError)}
      ${fact(
        "Device",
        `${overlay.device} (${cluster.backend}), MTU ${overlay.mtu}, ${overlay.repairs} repairs`,
      )}
      ${fact("Address", endpointText(host.address, host.gossipPort))}
      ${fact("Gossip", `${encryptionText(status)}, health ${host.healthScore} of 7 (0 is best)`)}
      ${traffic(overlay.traffic)}
      ${status.firewall === null ? null : fact(
        "Firewall",
        `${syncText(status.firewall)}, ${status.firewall.strangers} packets of strangers dropped`,
      )}
    </dl>
  `;
}

function fact(name: string, value: Html | string, trouble: string | null = null): Html {
  const more = trouble === null ? null : html`<small class="line trouble">${trouble}</small>`;
  return html`
    <div>
      <dt>${name}</dt>
      <dd>${value}${more}</dd>
    </div>
  `;
}

/** Who sends and hears nobody has a way that is shut. */
function traffic(counted: PageData["status"]["overlay"]["traffic"]): Html | null {
  if (counted === undefined || counted === null) return null;
  const { sentBytes, receivedBytes, sentPackets, receivedPackets } = counted;
  const isDeaf = sentPackets > 0 && receivedPackets === 0;
  const text = `${bytesText(sentBytes)} sent, ${bytesText(receivedBytes)} received`;
  return fact("Traffic", text, isDeaf ? "sends, receives nothing" : null);
}

function syncText({ inSync }: { readonly inSync: boolean }): string {
  return inSync ? "in sync" : "not in sync";
}

function encryptionText({ encryption }: PageData["status"]): string {
  if (encryption === null) return "not encrypted";
  return encryption.plainToo ? "encrypted, plain taken as well" : "encrypted";
}

function problems(problems: readonly PageProblem[]): Html {
  if (problems.length === 0) return html`<p class="none">None.</p>`;
  const items = problems.map(({ code, severity, text, remedy }) =>
    html`
      <li class="${severity}">
        <p><b>${severity}</b> <code>${code}</code></p>
        <p>${text}</p>
        <p class="remedy">${remedy}</p>
      </li>
    `
  );
  return html`<ul class="problems">${items}</ul>`;
}

function events(all: readonly PageEvent[]): Html {
  if (all.length === 0) return html`<p class="none">None yet.</p>`;
  const items = all.slice(-EVENTS_MAX).reverse().map(({ time, event, severity, text }) =>
    html`
      <li class="${severity}">${clockTime(time)} <code>${event}</code> <span>${text}</span></li>
    `
  );
  return html`
    <div class="scroll events" role="region" aria-label="List of events" tabindex="0">
      <ol reversed>${items}</ol>
    </div>
  `;
}
