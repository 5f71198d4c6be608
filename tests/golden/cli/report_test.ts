/** What `gossamer report` prints, and what it keeps to itself. */
import { doesNotMatch, equal, match } from "node:assert/strict";
import { planDocument } from "../../../mod/agent/host_plan.ts";
import type { PlanDocument } from "../../../mod/agent/overlay_documents.ts";
import type { HostReport } from "../../../mod/cli/host_report.ts";
import {
  renderReport,
  renderReportWithoutAgent,
  type Report,
} from "../../../mod/cli/render_report.ts";
import { desiredSettings } from "../../../mod/overlay/host_settings.ts";
import { FAILED, READY, SUBNETS } from "../../support/documents.ts";
import { FACTS, FIREWALL, ModelFirewall } from "../../support/firewall.ts";
import { matchGolden } from "../../support/golden.ts";
import { ModelKernel } from "../../support/model_kernel.ts";
import { claim, claims, CONFIG, desire, DEVICE, OWN, programmed } from "../../support/overlay.ts";

const KEY = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
const NO_PLAN: PlanDocument = {
  schema: 1,
  want: "unchanged",
  wanted: "",
  changes: "",
  obstacles: [],
};

const HOST: HostReport = {
  findings: [
    { name: "privileges", verdict: "ok", finding: "CAP_NET_ADMIN is in effect", remedy: null },
    { name: "conntrack", verdict: "FAIL", finding: "The table is full", remedy: "Enlarge it" },
  ],
  config: 'network = "10.244.0.0/16"  # default\n',
  kernel: "# ip link\neth0 up mtu 1500 02:00:00:00:00:01\n",
};

function reportOf(changes: Partial<Report> = {}): string {
  return renderReport({
    version: "0.1.0",
    kernelRelease: "6.1.0",
    at: "2026-01-02T05:10:00.000Z",
    status: READY,
    subnets: SUBNETS,
    plan: NO_PLAN,
    events: [FAILED],
    host: HOST,
    ...changes,
  });
}

/** Peers 2 and 3, of which the second one's route is gone; forwarding is off, and the guard's table is not there. */
function drifted(): PlanDocument {
  const state = programmed(desire(claims(1, 2, 3)));
  const routes = state.routes.filter(({ destination }) => destination !== "10.244.3.0/24");
  const owners = claims(1, 2, 3);
  return planDocument({
    overlays: [{
      config: CONFIG,
      wish: { want: "up", own: OWN, owners, records: owners, settled: true, silent: new Set() },
    }],
    firewall: { config: FIREWALL, wish: { want: "up", facts: [FACTS.ip], settled: true } },
    settings: desiredSettings([{ family: 4, device: DEVICE, underlay: "eth0" }], false),
  }, {
    kernel: new ModelKernel(DEVICE, { ...state, routes }),
    openFirewall: () => new ModelFirewall(),
    settings: { read: ({ kind }) => kind === "sysctl" ? "0" : "off" },
  });
}

Deno.test("a report has the plan from nothing, what differs, and all that the agent knows", () => {
  matchGolden(new URL("./report.txt", import.meta.url), reportOf({ plan: drifted() }));
});

Deno.test("where nothing is decided or nothing differs, it says so", () => {
  match(reportOf(), /from nothing\n\nNot decided.*\n\n## What differs now\n\nNothing\.\n/);
  const paused: PlanDocument = { ...NO_PLAN, want: "paused", obstacles: ["It is raining"] };
  match(
    reportOf({ plan: paused }),
    /no underlay to stand on\.[^]*\nNothing\.\n\nIt is raining\.\n/,
  );
});

Deno.test("what looks like a key is left out, wherever it comes from", () => {
  const problem = { code: "x", severity: "error", text: `bad line ${KEY}`, remedy: "y" } as const;
  const hex = "ab".repeat(32);
  const report = reportOf({
    status: { ...READY, problems: [problem] },
    plan: { ...NO_PLAN, obstacles: [hex] },
    host: { ...HOST, config: `key = "${KEY}"\n`, kernel: `alias ${hex}\n` },
  });
  doesNotMatch(report, new RegExp(`${KEY.slice(0, 20)}|${hex}`));
  equal(report.split("(left out: looks like a key)").length, 6);
  match(report, new RegExp(`"id": "${READY.host.id}"`));
});

Deno.test("where no agent answers, a report has what can be found without", () => {
  const head = { version: "0.1.0", kernelRelease: "6.1.0", at: "2026-01-02T05:10:00.000Z" };
  const report = renderReportWithoutAgent({ ...head, host: HOST });
  match(report, /no agent answers, Linux 6\.1\.0/);
  match(report, /^FAIL conntrack: The table is full - Enlarge it$/m);
  match(report, /^network = "10\.244\.0\.0\/16"/m);
  match(report, /^eth0 up mtu 1500/m);
});

Deno.test("a host that takes its overlay down plans that, and what is not decided plans nothing", () => {
  const kernel = new ModelKernel(DEVICE, programmed(desire([OWN, claim(2)])));
  const look = { kernel, openFirewall: null, settings: { read: () => null } };
  const planOf = (want: "down" | "unchanged") =>
    planDocument({
      overlays: [{ config: CONFIG, wish: { want } }],
      firewall: null,
      settings: desiredSettings([{ family: 4, device: DEVICE, underlay: "eth0" }], true),
    }, look);
  match(planOf("down").changes, /^ip route delete [^]*\nip link delete flannel\.1\n$/);
  equal(planOf("down").wanted, "");
  equal(planOf("unchanged").changes, "");
});
