/**
 * What `--http` answers: the page, the status, metrics and health. It only tells; nothing that is asked here changes
 * anything, and nothing secret is among what is told.
 */
import { type HttpPlace, isLoopback } from "../host/http_place.ts";
import type { HttpRequest } from "../host/http_request.ts";
import { type HttpAnswer, textAnswer } from "../host/http_server.ts";
import { contentSecurityPolicy, renderPage } from "../web/page.ts";
import type { Inside } from "./companions.ts";
import { METRICS_TYPE } from "./metrics.ts";
import { whyNotReady } from "./readiness.ts";

/** So long an answer serves everybody who asks, so that however many ask cost the agent four answers a second. */
const KEPT_MS = 250;

/** For everything but the page, which says more closely what it may do. */
const NOTHING_ALLOWED = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** For browsers: nothing is guessed, kept, framed or read by other sites. */
const HEADERS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": NOTHING_ALLOWED,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

export type SiteParts = Pick<Inside, "snapshot" | "overlay" | "target">;

export class HttpSite {
  readonly #place: HttpPlace;
  readonly #inside: SiteParts;
  readonly #nowMs: () => number;
  readonly #routes: ReadonlyMap<string, () => HttpAnswer> = new Map([
    ["/", () => this.#page()],
    ["/healthz", () => textAnswer(200, "ok")],
    ["/readyz", () => this.#ready()],
    ["/metrics", () => ({
      status: 200,
      headers: { "Content-Type": METRICS_TYPE },
      body: this.#inside.target.metrics(),
    })],
    ["/status", () => ({
      status: 200,
      headers: { "Content-Type": "application/json" },
      body: `${JSON.stringify(this.#inside.target.status())}\n`,
    })],
  ]);
  readonly #kept = new Map<string, { readonly answer: HttpAnswer; readonly atMs: number }>();

  constructor(
    place: HttpPlace,
    inside: SiteParts,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#place = place;
    this.#inside = inside;
    this.#nowMs = nowMs;
  }

  answer(request: HttpRequest): HttpAnswer {
    const answer = this.#answer(request);
    return { ...answer, headers: { ...HEADERS, ...answer.headers } };
  }

  #answer({ method, path, host }: HttpRequest): HttpAnswer {
    if (!this.#isOurs(host)) {
      return textAnswer(421, "this is not the host that the request is for; ask by its address");
    }
    const make = this.#routes.get(path);
    if (make === undefined) {
      const known = [...this.#routes.keys()].join(" ");
      return textAnswer(404, `there is nothing at this path; there is ${known}`);
    }
    if (method !== "GET" && method !== "HEAD") {
      return textAnswer(405, "this can only be read", { Allow: "GET, HEAD" });
    }
    const nowMs = this.#nowMs();
    const kept = this.#kept.get(path);
    if (kept !== undefined && nowMs - kept.atMs < KEPT_MS) return kept.answer;
    const answer = make();
    this.#kept.set(path, { answer, atMs: nowMs });
    return answer;
  }

  /**
   * A page of the Internet can have its own name resolve to 127.0.0.1, and so have a browser on this host ask us and
   * read the answer. The browser still says which name it believes to ask.
   */
  #isOurs(host: string): boolean {
    if (this.#place.kind === "unix" || !isLoopback(this.#place.address)) return true;
    return host === "" || host === "localhost" || isLoopback(host.replace(/^\[(.*)\]$/, "$1"));
  }

  #ready(): HttpAnswer {
    const reason = whyNotReady(this.#inside.snapshot(), this.#inside.overlay());
    return reason === null ? textAnswer(200, "ready") : textAnswer(503, `not ready: ${reason}`);
  }

  #page(): HttpAnswer {
    const { target } = this.#inside;
    const body = renderPage({
      now: new Date().toISOString(),
      status: target.status(),
      subnets: target.subnets(),
      events: target.events.recent(),
    });
    return {
      status: 200,
      headers: {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": contentSecurityPolicy(),
      },
      body,
    };
  }
}
