/** Opens `--http` beside the agent, again and again until it can be opened: its address may come later than the agent. */
import { reasonOf } from "../base/errors.ts";
import type { Problem } from "../base/problem.ts";
import { type HttpPlace, isLocal, placeText } from "../host/http_place.ts";
import type { HttpRequest } from "../host/http_request.ts";
import { type HttpAnswer, HttpServer } from "../host/http_server.ts";
import type { Companion, Inside } from "./companions.ts";
import { HttpSite } from "./http_site.ts";

const RETRY_MS = 5_000;

export function openHttp(place: HttpPlace, inside: Inside): Promise<Companion> {
  const companion = new HttpCompanion(place, inside);
  return companion.open().then(() => companion);
}

class HttpCompanion implements Companion {
  readonly #place: HttpPlace;
  readonly #inside: Inside;
  readonly #site: HttpSite;
  #server: HttpServer | null = null;
  #failure: string | null = null;
  #fault: string | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(place: HttpPlace, inside: Inside) {
    this.#place = place;
    this.#inside = inside;
    this.#site = new HttpSite(place, inside);
  }

  async open(): Promise<void> {
    const { log } = this.#inside;
    const at = placeText(this.#place);
    try {
      if (this.#place.kind === "unix") await removeLeftover(this.#place.path);
      if (this.#isClosed) return;
      this.#server = new HttpServer(this.#place, (request) => this.#answer(request));
    } catch (error) {
      this.#retry = setTimeout(() => void this.open(), RETRY_MS);
      const reason = reasonOf(error);
      if (reason !== this.#failure) log.error("HTTP cannot be listened for", { at, reason });
      this.#failure = reason;
      return;
    }
    this.#failure = null;
    log.info("HTTP is listened for", { at });
    if (!isLocal(this.#place)) {
      log.warning("anybody who reaches this address may read status, metrics and the page", {
        at,
        remedy: "listen on 127.0.0.1 or a unix socket, or let a firewall say who may ask",
      });
    }
  }

  /** The client is told that there is a fault, the log which; once, since the next ones ask the same. */
  #answer(request: HttpRequest): HttpAnswer {
    try {
      return this.#site.answer(request);
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== this.#fault) {
        this.#inside.log.error("HTTP could not be answered", { path: request.path, reason });
      }
      this.#fault = reason;
      throw error;
    }
  }

  problems(): Problem[] {
    if (this.#failure === null) return [];
    return [{
      code: "http-not-open",
      severity: "warning",
      text: `--http ${placeText(this.#place)} cannot be listened on: ${this.#failure}`,
      remedy: "Free it or give another address with --http; it is tried again all the time",
    }];
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    await this.#server?.close();
  }
}

/** A socket that nobody answers on is left over from an agent that was killed; other files are not ours. */
async function removeLeftover(path: string): Promise<void> {
  try {
    if (!(await Deno.lstat(path)).isSocket) return;
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) await Deno.remove(path);
  }
}
