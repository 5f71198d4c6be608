/** What the agent shows to whoever asks over its control socket: documents made of what its parts know at that moment. */
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import { VERSION } from "../base/version.ts";
import type { HostEvent, HostSnapshot } from "../claim/host_core.ts";
import { deviceTraffic } from "../host/device_traffic.ts";
import { keyFileProblem } from "../host/key_file.ts";
import type { Store } from "../host/store.ts";
import { storeProblems } from "./another_identity.ts";
import type { StatusDocument, SubnetsDocument, WhyDocument } from "./api.ts";
import { ClaimHistory } from "./claim_history.ts";
import type { AgentConfig } from "./config.ts";
import { eventBody } from "./event_bodies.ts";
import { EventFeed } from "./event_feed.ts";
import { logEvent } from "./event_log.ts";
import type { Identity } from "./identity.ts";
import { metricsText } from "./metrics.ts";
import type { OverlayHealth } from "./overlay_health.ts";
import type { OverlayStatus } from "./overlay_keeper.ts";
import {
  lonelyProblem,
  plainGossipProblem,
  strangerProblems,
  udpProblem,
  Warnings,
} from "./problems.ts";
import { hostName, statusDocument, type StatusSources, subnetsDocument } from "./status.ts";
import { whyDocument } from "./why.ts";

/** Beyond this the wall clock was set, and not merely read a moment later. */
const CLOCK_STEP_MS = 1_000;

export interface ViewSources {
  /** What the agent runs with at this moment. */
  readonly config: () => AgentConfig;
  readonly log: Log;
  readonly store: Store;
  readonly identity: Identity;
  /** How many identities this process gave up before. */
  readonly identitiesLost: number;
  readonly snapshot: () => HostSnapshot;
  readonly overlay: () => OverlayStatus;
  readonly overlayHealth: () => ReadonlyMap<string, OverlayHealth>;
  /** Of the underlay, the pool, and what runs beside the agent. */
  readonly otherProblems: () => readonly Problem[];
}

export class AgentView {
  readonly history: ClaimHistory;
  readonly events: EventFeed;
  readonly #parts: ViewSources;
  readonly #warnings = new Warnings();
  /** Kept while the clocks agree, so that the same moment reads the same each time somebody asks. */
  #wallOffsetMs = Date.now() - performance.now();

  constructor(parts: ViewSources) {
    this.#parts = parts;
    this.events = new EventFeed(parts.config().name, () => new Date().toISOString());
    this.history = new ClaimHistory({
      path: `${parts.config().stateDir}/history.json`,
      selfId: parts.identity.hostId,
      hasHook: () => parts.config().onRenumber !== null,
      nameOf: (id) => hostName(parts.snapshot(), id),
      wallMs: () => Date.now(),
    });
  }

  /** Takes an event into the log and what is remembered; whether it is a warning that is not among the recent ones. */
  note(event: HostEvent): boolean {
    const { log, identity, snapshot } = this.#parts;
    const nameOf = (id: string) => hostName(snapshot(), id);
    logEvent(log, event, identity.hostId, nameOf);
    this.history.note(event);
    const body = eventBody(event, identity.hostId, nameOf);
    if (body !== null) this.events.add(body);
    return this.warn(event);
  }

  /** The same of an event that the log is told of elsewhere. */
  warn(event: HostEvent): boolean {
    return this.#warnings.note(event, performance.now());
  }

  /** What another host sent made a core throw. Said once for each text: who sends such a thing sends it again. */
  fault(input: string, error: unknown): void {
    const reason = reasonOf(error);
    const event = {
      kind: "warning",
      code: "internal-fault",
      text: `What another host sent could not be taken in and was dropped: ${reason}`,
      remedy: "This is a mistake of gossamer: report it with this line; restarting the agent " +
        "leaves the overlay up",
    } as const;
    if (!this.warn(event)) return;
    const stack = error instanceof Error ? error.stack : undefined;
    const { code, remedy, text } = event;
    this.#parts.log.error(text, { code, remedy, input, stack });
  }

  status(): StatusDocument {
    return statusDocument(this.#sources());
  }

  subnets(): SubnetsDocument {
    return subnetsDocument(this.#sources());
  }

  /** Throws UserError when it is not clear what is meant. */
  why(what: string): WhyDocument {
    return whyDocument(this.#sources(), what);
  }

  metrics(): string {
    return metricsText(this.#sources());
  }

  /** All that {@linkcode status} shows. */
  problems(): Problem[] {
    const snapshot = this.#parts.snapshot();
    return [
      ...snapshot.claim.problems,
      ...this.#parts.overlay().problems,
      ...this.#problems(snapshot),
    ];
  }

  /** What stands in the way of packets on this host, looked up when somebody asks. */
  #problems(snapshot: HostSnapshot): Problem[] {
    const { identity, store } = this.#parts;
    const { keyFile } = this.#parts.config();
    return [
      lonelyProblem(snapshot),
      udpProblem(snapshot),
      plainGossipProblem(snapshot),
      ...strangerProblems(snapshot, performance.now()),
      keyFile === null ? null : keyFileProblem(keyFile),
      ...this.#parts.otherProblems(),
      ...storeProblems(store, identity.machine),
      ...this.history.problems(),
      ...this.#warnings.recent(performance.now()),
    ].filter((problem) => problem !== null);
  }

  #sources(): StatusSources {
    const nowMs = performance.now();
    const wallOffsetMs = Date.now() - nowMs;
    if (Math.abs(wallOffsetMs - this.#wallOffsetMs) > CLOCK_STEP_MS) {
      this.#wallOffsetMs = wallOffsetMs;
    }
    const snapshot = this.#parts.snapshot();
    const overlay = this.#parts.overlay();
    return {
      version: VERSION,
      config: this.#parts.config(),
      snapshot,
      overlay,
      health: this.#parts.overlayHealth(),
      traffic: deviceTraffic(overlay.device),
      problems: this.#problems(snapshot),
      history: this.history.list(),
      identitiesLost: this.#parts.identitiesLost + Number(this.#parts.identity.hasNewIdentity),
      eventCounts: this.events.counts(),
      nowMs,
      wallTime: (coreMs) => new Date(Math.round(this.#wallOffsetMs + coreMs)).toISOString(),
    };
  }
}
