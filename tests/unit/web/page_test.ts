/** The status page: whole without scripts, and harmless whatever hosts call themselves. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { contentSecurityPolicy, type PageData, renderPage } from "../../../mod/web/page.ts";
import { html } from "../../../mod/web/html.ts";
import { cellsOf } from "../../../mod/web/map_cells.ts";
import { ownerMarks } from "../../../mod/web/owner_marks.ts";
import { spanText } from "../../../mod/web/moment.ts";
import { NOW_MS, READY, SUBNETS, WAITING, WIDE } from "../../support/documents.ts";

const DATA: PageData = {
  now: new Date(NOW_MS).toISOString(),
  status: READY,
  subnets: SUBNETS,
  events: [{
    sequence: 1,
    time: "2026-01-02T05:02:30.250Z",
    event: "member-failed",
    severity: "error",
    text: "h3 failed; its subnet stays its own",
  }],
};

const HOSTILE = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "</title></style></script><svg onload=alert(1)>",
  "`${alert(1)}`",
  "&lt;b&gt;",
  "javascript:alert(1)",
  "\u202egnp.exe\u0000\u001b[31m",
  "]]><!--",
];

Deno.test("the page says what the documents say", () => {
  const page = renderPage(DATA);
  for (const { name, address, subnet } of READY.members) {
    for (const text of [name, address, ...(subnet === null ? [] : [subnet])]) {
      ok(page.includes(text), text);
    }
  }
  for (const { code, text, remedy } of READY.problems) {
    for (const part of [code, text, remedy]) ok(page.includes(part.replaceAll("'", "&#39;")), part);
  }
  match(page, /Hosts: 2 alive, 1 suspect, 1 dead, 1 left; 2 problems/);
  match(page, /member-failed<\/code> <span>h3 failed/);
  match(page, /<title>h1 – gossamer<\/title>/);
});

Deno.test("addresses of IPv6 are set apart from their port", () => {
  const host = { ...READY.host, address: "fd00::1" };
  match(renderPage({ ...DATA, status: { ...READY, host } }), /\[fd00::1\]:7947/);
});

Deno.test("a host that waits says why", () => {
  const page = renderPage({ ...DATA, status: WAITING });
  match(page, /<title>Not ready: h1/);
  match(page, /no seed answers; start one of them/);
  match(page, /EPERM/);
});

Deno.test("nothing that comes from the network is markup, wherever it stands", () => {
  const calm = tagsOf(renderPage(made("x")));
  for (const text of HOSTILE) {
    const page = renderPage(made(text));
    deepEqual(tagsOf(page), calm, text);
    // deno-lint-ignore no-control-regex -- they are what must not be there
    ok(!/[\u0000\u001b\u202e]/.test(page));
  }
});

/** The same documents with that text wherever another host, an operator or the kernel has a say. */
function made(text: string): PageData {
  const [member] = READY.members;
  const [problem] = READY.problems;
  const [subnet] = SUBNETS.subnets;
  const [event] = DATA.events;
  if (!member || !problem || !subnet || !event) throw new Error("the fixtures have them");
  const theirs = { ...member, self: false, name: text, address: text, version: text };
  return {
    now: DATA.now,
    status: {
      ...READY,
      version: text,
      host: { ...READY.host, name: text, address: text },
      claim: { ...READY.claim, stage: "waiting", reason: text },
      overlay: { ...READY.overlay, device: text, lastError: text },
      members: [{ ...theirs, path: text }],
      problems: [{ ...problem, code: text, text, remedy: text }],
    },
    subnets: { ...SUBNETS, subnets: [{ ...subnet, owner: text, ownerStatus: text }] },
    events: [{ ...event, event: text, text }],
  };
}

/** Elements with their attributes' names, in order. */
function tagsOf(page: string): string[] {
  const body = page.replace(/<(style|script)>[^]*?<\/\1>/g, "<$1>");
  return [...body.matchAll(/<(\/?[!a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*\/?>/g)]
    .map(([, name, attributes = ""]) =>
      `${name} ${[...attributes.matchAll(/([a-zA-Z-]+)=/g)].map(([, key]) => key).join(" ")}`
    );
}

Deno.test("the policy allows the page's own style and script by their hashes, and nothing else", async () => {
  const page = renderPage(DATA);
  const policy = contentSecurityPolicy();
  for (const kind of ["style", "script"]) {
    const [, text = ""] = new RegExp(`<${kind}>([^]*?)</${kind}>`).exec(page) ?? [];
    ok(text.length > 100);
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    ok(policy.includes(`${kind}-src 'sha256-${new Uint8Array(bytes).toBase64()}'`), kind);
  }
  match(policy, /^default-src 'none';/);
  ok(!/unsafe|\*|https?:/.test(policy));
  equal(page.match(/<script/g)?.length, 1);
  ok(!/\son[a-z]+=|\sstyle=/.test(page));
  for (const [, target = ""] of page.matchAll(/(?:src|href)="([^"]*)"/g)) {
    match(target, /^(#|data:image\/svg|status$|metrics$|healthz$|readyz$)/);
  }
});

Deno.test("templates escape all but what templates made", () => {
  equal(
    String(html`<b>${"<i>"}${html`<u>${1}</u>`}${["&", null, html`x`]}</b>`),
    "<b>&lt;i><u>1</u>&amp;x</b>".replace("i>", "i&gt;"),
  );
  equal(String(html`<a title="${`"'\`<>`}">`), '<a title="&quot;&#39;&#96;&lt;&gt;">');
});

Deno.test("a /16 of /24s has a cell for each subnet, larger pools have runs, smaller ones are smaller", () => {
  const whole = cellsOf("10.244.0.0/16", 24, SUBNETS.subnets);
  equal(whole.cells.length, 256);
  equal(whole.cells[201]?.subnets[0]?.subnet, "10.244.201.0/24");
  equal(whole.cells[201]?.address, "10.244.201.0");
  const runs = cellsOf("10.0.0.0/12", 24, WIDE.subnets);
  deepEqual([runs.cells.length, runs.subnetsEach, runs.cells[1]?.address], [256, 16, "10.0.16.0"]);
  equal(runs.cells.flatMap(({ subnets }) => subnets).length, WIDE.subnets.length);
  equal(cellsOf("10.244.0.0/22", 24, []).cells.length, 4);
  const six = cellsOf("fd00::/48", 64, []);
  deepEqual([six.cells.length, six.cells[255]?.address], [256, "fd00:0:0:ff00::"]);
});

Deno.test("every owner has its letter and colour, and this host its own", () => {
  const marks = ownerMarks(WIDE.subnets);
  equal(new Set([...marks.values()].map(({ letter }) => letter)).size, WIDE.subnets.length);
  equal(marks.get("0")?.letter, "@");
  equal(ownerMarks([{ ...WIDE.subnets[1]!, state: "released" }]).size, 0);
});

Deno.test("a thousand members are cut, those in trouble first", () => {
  const [, peer] = READY.members;
  if (peer === undefined) throw new Error("the fixture has members");
  const members = Array.from({ length: 1_000 }, (_, index) => ({
    ...peer,
    name: `n${index}`,
    status: index === 999 ? "dead" as const : "alive" as const,
  }));
  const page = renderPage({ ...DATA, status: { ...READY, members } });
  match(page, /And 500 more/);
  ok(page.indexOf(">n999<") > 0 && page.indexOf(">n999<") < page.indexOf(">n0<"));
});

Deno.test("who answers gossip but not through the overlay stands first, and a host that hears nothing is told", () => {
  const members = READY.members.map((member) =>
    member.name === "h2"
      ? { ...member, overlay: { state: "silent", rttMs: null, answeredAt: null } as const }
      : { ...member, overlay: { state: "answers", rttMs: 0.25, answeredAt: null } as const }
  );
  const traffic = { sentBytes: 4_200_000, receivedBytes: 0, sentPackets: 3, receivedPackets: 0 };
  const page = renderPage({
    ...DATA,
    status: { ...READY, members, overlay: { ...READY.overlay, traffic } },
  });
  ok(page.indexOf(">h2<") < page.indexOf(">storage-node-3.example<"));
  match(page, /vxlan<small class="line trouble">silent</);
  match(page, /0\.3 ms/);
  match(page, /4\.2 MB sent, 0 B received<small class="line trouble">sends, receives nothing/);
});

Deno.test("spans are said in one unit", () => {
  deepEqual([-5, 59_999, 60_000, 3_599_999, 172_799_999, 172_800_000, NaN].map(spanText), [
    "0 s",
    "59 s",
    "1 min",
    "59 min",
    "47 h",
    "2 d",
    "?",
  ]);
});
