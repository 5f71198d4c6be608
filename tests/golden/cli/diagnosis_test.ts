/** What `gossamer doctor`, `ping` and `status` say of ways that are open, and of those that are shut. */
import assert from "node:assert/strict";
import { renderFindings } from "../../../mod/cli/render_findings.ts";
import { renderMembers } from "../../../mod/cli/render_members.ts";
import { renderStatus } from "../../../mod/cli/render_status.ts";
import { renderWay } from "../../../mod/cli/render_way.ts";
import { colorPaint, plainPaint } from "../../../mod/cli/paint.ts";
import { CHECKS } from "../../../mod/doctor/checks/all.ts";
import { examine } from "../../../mod/doctor/doctor.ts";
import { brokenLayer, wayFindings } from "../../../mod/doctor/way.ts";
import { READY } from "../../support/documents.ts";
import { AGENT, fakeHost } from "../../support/fake_doctor_host.ts";
import { matchGolden } from "../../support/golden.ts";

const NOW_MS = Date.parse("2026-01-02T05:10:00Z");

function golden(name: string): URL {
  return new URL(`./${name}.txt`, import.meta.url);
}

Deno.test("the doctor says one line a check, on a host without faults", async () => {
  const findings = await examine(fakeHost({ agent: AGENT }), CHECKS);
  matchGolden(golden("doctor_well"), renderFindings(findings, plainPaint));
});

Deno.test("the doctor says what it found and what to do, in colour", async () => {
  const host = fakeHost({
    programs: () => ["flanneld"],
    otherOwner: () => Promise.resolve("02:00:00:00:00:99"),
    freeBytes: () => 3_000_000,
    echo: (_, bytes) =>
      Promise.resolve(bytes <= 1400 ? { kind: "answered", ms: 1 } : { kind: "lost" }),
  });
  matchGolden(golden("doctor_color"), renderFindings(await examine(host, CHECKS), colorPaint));
});

Deno.test("ping says each layer, and where to begin", () => {
  const lost = { kind: "lost" } as const;
  const gossip = { id: "3d", name: "h2", datagramMs: 0.42, streamMs: 1.9, streamReason: null };
  const underlay = { kind: "answered", ms: 0.31 } as const;
  const facts = {
    name: "h2",
    address: "192.168.100.2",
    status: "alive",
    subnet: "10.244.2.0/24",
    gossipPort: 7947,
    vxlanPort: 8472,
    device: "flannel.1",
    mtu: 1450,
    underlayBytes: 1500,
    missing: "",
    carried: { sent: 2, received: 0 },
  };
  const text = [underlay, lost].map((overlay) => {
    const overlayFull = overlay.kind === "answered" ? overlay : null;
    const probes = { gossip, underlay, underlayFull: underlay, overlay, overlayFull };
    const findings = wayFindings(facts, probes);
    return renderWay({
      schema: 1,
      id: "3d",
      name: "h2",
      address: facts.address,
      subnet: facts.subnet,
      ...probes,
      overlayBytes: 1450,
      underlayBytes: 1500,
      findings,
      broken: brokenLayer(findings)?.name ?? null,
    }, plainPaint);
  });
  matchGolden(golden("ping"), text.join("\n"));
});

Deno.test("the status shows the way through the overlay to each peer, who is silent first", () => {
  const peers = READY.members.filter(({ self }) => !self);
  const members = READY.members.map((member) => {
    if (member.self || member.status !== "alive") return member;
    const isSilent = member === peers.findLast(({ status }) => status === "alive");
    const overlay = isSilent
      ? { state: "silent" as const, rttMs: 0.5, answeredAt: "2026-01-02T05:00:00.000Z" }
      : { state: "answers" as const, rttMs: 0.612, answeredAt: "2026-01-02T05:09:58.000Z" };
    return { ...member, overlay };
  });
  const traffic = { sentBytes: 8400, receivedBytes: 0, sentPackets: 100, receivedPackets: 0 };
  const status = { ...READY, members, overlay: { ...READY.overlay, traffic } };
  matchGolden(golden("status_overlay"), renderStatus(status, NOW_MS, plainPaint, { width: 80 }));
});

Deno.test("on a small screen the problems stay in sight, and peers take what is left", () => {
  const [h1] = READY.members;
  assert(h1 !== undefined);
  const peers = Array.from({ length: 40 }, (_, at) => ({
    ...h1,
    id: String(at),
    name: `h${at + 2}`,
    self: false,
    overlay: {
      state: at === 30 ? "silent" as const : "answers" as const,
      rttMs: 1,
      answeredAt: null,
    },
  }));
  const status = { ...READY, members: [h1, ...peers] };
  for (const rows of [24, 40, 60]) {
    const lines = renderStatus(status, NOW_MS, plainPaint, { width: 80, rows }).split("\n");
    assert(lines.length <= rows + 1, `${lines.length} lines in ${rows}`);
    assert(lines.length >= rows - 1, `${lines.length} lines in ${rows}`);
    assert.match(lines.find((line) => line.includes("Peers:")) ?? "", /h32 .*overlay silent$/);
    assert(lines.every((line) => line.length <= 80));
    assert(lines.some((line) => /^ +remedy: Remove it or choose/.test(line)));
  }
  const tiny = renderStatus(status, NOW_MS, plainPaint, { width: 80, rows: 10 });
  assert.match(tiny, /and 37 more: gossamer members lists them/);
});

Deno.test("members marks who does not answer through the overlay", () => {
  const [h1] = READY.members;
  assert(h1 !== undefined);
  const overlay = { state: "silent", rttMs: null, answeredAt: null } as const;
  const peer = { ...h1, self: false, overlay };
  assert.match(renderMembers([peer], NOW_MS, plainPaint), /\(overlay silent\)\n$/);
  assert.match(
    renderMembers([{ ...peer, udp: "blocked" }], NOW_MS, plainPaint),
    /\(UDP blocked\)\n$/,
  );
});

Deno.test("where packets are counted for each peer, their bytes and who is deaf are shown", () => {
  const [h1] = READY.members;
  assert(h1 !== undefined);
  const heard = { sentBytes: 8400, receivedBytes: 1_200_000, sentPackets: 9, receivedPackets: 9 };
  const deaf = { ...heard, receivedBytes: 0, receivedPackets: 0 };
  const peers = [heard, deaf].map((traffic, at) => ({
    ...h1,
    id: String(at),
    name: `h${at + 2}`,
    self: false,
    traffic,
  }));
  const text = renderStatus({ ...READY, members: [h1, ...peers] }, NOW_MS, plainPaint);
  assert.match(text, /h2 .* 8\.4 kB sent +1\.2 MB received$/m);
  assert.match(text, /h3 .* sends, receives nothing$/m);
});
