/** What `--http` answers, to whom, and that it only tells. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { EventFeed } from "../../../mod/agent/event_feed.ts";
import { HttpSite, type SiteParts } from "../../../mod/agent/http_site.ts";
import { metricsText } from "../../../mod/agent/metrics.ts";
import type { OverlayStatus } from "../../../mod/agent/overlay_keeper.ts";
import type { HttpPlace } from "../../../mod/host/http_place.ts";
import { stagedSources } from "../../support/claim_sources.ts";
import { READY, SUBNETS } from "../../support/documents.ts";
import { parseMetrics } from "../../support/prometheus.ts";

const LOOPBACK: HttpPlace = { kind: "tcp", address: "127.0.0.1", port: 9000 };

function siteOf(place: HttpPlace, overlay: Partial<OverlayStatus> = {}) {
  const sources = stagedSources();
  const asked: string[] = [];
  const target = new Proxy({}, {
    get(_, name) {
      asked.push(String(name));
      if (name === "events") return new EventFeed("h1", () => "2026-01-02T03:04:05.000Z");
      if (name === "status") return () => READY;
      if (name === "subnets") return () => SUBNETS;
      if (name === "metrics") return () => metricsText(sources);
      throw new Error(`nobody may ask for ${String(name)} here`);
    },
  });
  const parts = {
    target,
    snapshot: () => sources.snapshot,
    overlay: () => ({ ...sources.overlay, ...overlay }),
  } as unknown as SiteParts;
  let nowMs = 0;
  const site = new HttpSite(place, parts, () => nowMs);
  const ask = (path: string, host = "localhost", method = "GET") =>
    site.answer({ method, path, host, headers: new Map() });
  return { ask, asked, pass: (ms: number) => void (nowMs += ms) };
}

Deno.test("page, status, metrics and health are answered with their types", () => {
  const { ask } = siteOf(LOOPBACK);
  const types = ["/", "/status", "/metrics", "/healthz", "/readyz"].map((path) => {
    const { status, headers } = ask(path);
    return `${path} ${status} ${headers["Content-Type"]}`;
  });
  deepEqual(types, [
    "/ 200 text/html; charset=utf-8",
    "/status 200 application/json",
    "/metrics 200 text/plain; version=0.0.4; charset=utf-8",
    "/healthz 200 text/plain; charset=utf-8",
    "/readyz 200 text/plain; charset=utf-8",
  ]);
  deepEqual(JSON.parse(ask("/status").body), READY);
  ok(parseMetrics(ask("/metrics").body).size > 20);
});

Deno.test("readyz says why the host is not ready", () => {
  const behind = siteOf(LOOPBACK, { inSync: false, peersWanted: 3, peersProgrammed: 1 });
  const answer = behind.ask("/readyz");
  equal(answer.status, 503);
  equal(answer.body, "not ready: the kernel is not as wanted, 1 of 3 peers programmed\n");
  equal(behind.ask("/healthz").status, 200);
  const { status, body } = siteOf(LOOPBACK, { subnetFileWritten: false }).ask("/readyz");
  equal(`${status} ${body}`, "503 not ready: the subnet file is not written\n");
});

Deno.test("it can only be read, and nothing but what it tells is asked of the agent", () => {
  const { ask, asked } = siteOf(LOOPBACK);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"]) {
    const { status, headers } = ask("/", "localhost", method);
    equal(`${status} ${headers["Allow"]}`, "405 GET, HEAD");
  }
  for (const path of ["/leave", "/join", "/keys", "/forget", "/pool", "/plan", "/events", "/.."]) {
    equal(ask(path).status, 404, path);
    equal(ask(path, "localhost", "POST").status, 404, path);
  }
  deepEqual(asked, []);
  ask("/", "localhost", "HEAD");
  deepEqual([...new Set(asked)].sort(), ["events", "status", "subnets"]);
});

Deno.test("on the loopback only requests to the loopback's own names are answered", () => {
  const { ask } = siteOf(LOOPBACK);
  for (const host of ["", "localhost", "127.0.0.1", "127.1.2.3", "[::1]"]) {
    equal(ask("/status", host).status, 200, host);
  }
  for (
    const host of ["evil.example", "127.0.0.1.evil.example", "127.0.0.evil", "localhost.evil", "h1"]
      .concat("192.168.1.1", "[::2]", "0.0.0.0")
  ) {
    const { status, body } = ask("/status", host);
    equal(status, 421, host);
    ok(!body.includes("10.244"), host);
  }
  const elsewhere = siteOf({ kind: "tcp", address: "192.168.1.1", port: 80 });
  equal(elsewhere.ask("/status", "node1.example").status, 200);
  equal(siteOf({ kind: "unix", path: "/run/a" }).ask("/status", "any").status, 200);
});

Deno.test("browsers are told to keep, guess and share nothing", () => {
  const { ask } = siteOf(LOOPBACK);
  for (const path of ["/", "/status", "/nothing"]) {
    const { headers } = ask(path);
    equal(headers["Cache-Control"], "no-store");
    equal(headers["X-Content-Type-Options"], "nosniff");
    equal(headers["X-Frame-Options"], "DENY");
    match(headers["Content-Security-Policy"] ?? "", /^default-src 'none';/);
    ok(!Object.keys(headers).some((name) => /^access-control/i.test(name)));
  }
});

Deno.test("however many ask, an answer is made four times a second", () => {
  const { ask, asked, pass } = siteOf(LOOPBACK);
  for (let count = 0; count < 1_000; count++) ask("/status");
  equal(asked.length, 1);
  pass(250);
  ask("/status");
  equal(asked.length, 2);
});
