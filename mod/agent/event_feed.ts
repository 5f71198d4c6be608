/** The agent's events: the last ones are kept, and whoever wants hears each as it happens. */
import { type EventBody, type EventDocument, type EventName, STATUS_SCHEMA } from "./api.ts";

/** Kept for the page, the report and late readers: 500 events of 400 bytes are 200 kB. */
const RECENT_MAX = 500;

export interface EventListener {
  /** Called within the agent's own work: it must not wait, and not throw. */
  event(event: EventDocument): void;
  /** The agent ends: nothing more will come. */
  ended(): void;
}

export class EventFeed {
  readonly #host: string;
  readonly #now: () => string;
  readonly #listeners = new Set<EventListener>();
  readonly #counts = new Map<EventName, number>();
  #recent: EventDocument[] = [];
  #sequence = 0;
  #isClosed = false;

  /** `now` tells the time as RFC 3339 text. */
  constructor(host: string, now: () => string) {
    this.#host = host;
    this.#now = now;
  }

  add(body: EventBody): void {
    if (this.#isClosed) return;
    const sequence = ++this.#sequence;
    const event: EventDocument = {
      schema: STATUS_SCHEMA,
      sequence,
      time: this.#now(),
      host: this.#host,
      ...body,
    };
    this.#counts.set(body.event, (this.#counts.get(body.event) ?? 0) + 1);
    this.#recent.push(event);
    // Cut in halves, so that an event costs no copy of all.
    if (this.#recent.length >= 2 * RECENT_MAX) this.#recent = this.#recent.slice(-RECENT_MAX);
    for (const listener of [...this.#listeners]) {
      try {
        listener.event(event);
      } catch {
        this.#listeners.delete(listener); // no listener ends the agent
      }
    }
  }

  /** The last events, the oldest first. */
  recent(): readonly EventDocument[] {
    return this.#recent.slice(-RECENT_MAX);
  }

  /** Events since the agent started, by name; names that did not happen are absent. */
  counts(): ReadonlyMap<EventName, number> {
    return this.#counts;
  }

  /** Hears what comes from now on, until the function returned is called. */
  listen(listener: EventListener): () => void {
    if (this.#isClosed) listener.ended();
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many hear it now. */
  get listeners(): number {
    return this.#listeners.size;
  }

  close(): void {
    this.#isClosed = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener.ended();
  }
}
