/** Starts the thread that moves the UDP backend's packets, and speaks with it. */
import { closeDescriptor } from "../../../ffi/socket.ts";
import { openEventFd, signalEventFd } from "../../../ffi/event_fd.ts";
import { UserError } from "../../base/errors.ts";
import type { TableSpec } from "../../dataplane/forwarding_table.ts";
import type { PumpStart } from "./pump.ts";
import { type FromThread, THREAD_NAME, THREAD_URL, type ToThread } from "./thread.ts";

/** Settles when packets are moved; rejects with the reason why they cannot be. */
export async function openEngine(start: Omit<PumpStart, "wake">): Promise<Engine> {
  const engine = new Engine();
  await engine.start(start);
  return engine;
}

export class Engine {
  /** First: where none can be had, no thread is left behind. */
  readonly #wake = openEventFd();
  readonly #thread = new Worker(THREAD_URL, { type: "module", name: THREAD_NAME });
  readonly #running = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<string>();
  readonly #apart = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #isOver = false;

  constructor() {
    this.#thread.onmessage = ({ data }: MessageEvent<FromThread>) => this.#heard(data);
    this.#thread.onerror = (event) => {
      event.preventDefault();
      this.#heard({ kind: "ended", reason: event.message });
    };
    // Whoever gave up before it ran hears of it by start().
    this.#running.promise.catch(() => {});
  }

  /** See TunnelEngine. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** See TunnelEngine. */
  get sendsApart(): Promise<void> {
    return this.#apart.promise;
  }

  async start(start: Omit<PumpStart, "wake">): Promise<void> {
    this.#tell({ kind: "start", start: { ...start, wake: this.#wake } });
    await this.#running.promise;
  }

  update(table: TableSpec): void {
    this.#tell({ kind: "table", table });
  }

  async close(): Promise<void> {
    this.#tell({ kind: "close" });
    await this.#closed.promise;
  }

  #tell(message: ToThread): void {
    if (this.#isOver) return;
    this.#thread.postMessage(message);
    if (message.kind !== "start") signalEventFd(this.#wake);
  }

  #heard(message: FromThread): void {
    if (message.kind === "running") return this.#running.resolve();
    if (message.kind === "slowed") return this.#apart.resolve();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#thread.terminate();
    closeDescriptor(this.#wake);
    this.#closed.resolve();
    if (message.kind === "closed") return;
    this.#running.reject(new UserError(message.reason));
    this.#ended.resolve(message.reason);
  }
}
