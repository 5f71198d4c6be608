/**
 * The thread that moves the UDP backend's packets, and the messages between it and the agent. The module is both: the agent
 * imports it for its address, the thread runs it. While packets move, the thread sees no message, so each comes with a
 * write to an eventfd that ends the wait for packets.
 */
import { reasonOf } from "../../base/errors.ts";
import type { TableSpec } from "../../dataplane/forwarding_table.ts";
import { Pump, type PumpStart } from "./pump.ts";

/** Names the thread, so that the module knows where it is. */
export const THREAD_NAME = "gossamer-tunnel";
export const THREAD_URL = import.meta.url;

export type ToThread =
  | { readonly kind: "start"; readonly start: PumpStart }
  | { readonly kind: "table"; readonly table: TableSpec }
  | { readonly kind: "close" };

/** `failed` comes instead of `running`; `ended` after it. */
export type FromThread =
  | { readonly kind: "running" }
  /** Packets go one by one from now on. */
  | { readonly kind: "slowed" }
  | { readonly kind: "failed" | "ended"; readonly reason: string }
  | { readonly kind: "closed" };

/** What a thread of the web's kind has. */
interface ThreadScope {
  readonly name: string;
  onmessage: ((event: MessageEvent<ToThread>) => void) | null;
  postMessage(message: FromThread): void;
}

function isThreadScope(scope: unknown): scope is ThreadScope {
  return typeof scope === "object" && scope !== null && "name" in scope &&
    scope.name === THREAD_NAME && "postMessage" in scope;
}

function serve(scope: ThreadScope): void {
  const messages: ToThread[] = [];
  let arrived: () => void = () => {};
  scope.onmessage = ({ data }) => {
    messages.push(data);
    arrived();
  };
  const next = async (): Promise<ToThread> => {
    for (;;) {
      const message = messages.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => arrived = resolve);
    }
  };
  void move(scope, next);
}

async function move(scope: ThreadScope, next: () => Promise<ToThread>): Promise<void> {
  let pump: Pump | null = null;
  try {
    for (;;) {
      // One for each time that the pump pauses: the eventfd counts.
      const message = await next();
      if (message.kind === "start") {
        pump = new Pump(message.start, () => scope.postMessage({ kind: "slowed" }));
        scope.postMessage({ kind: "running" });
      } else if (message.kind === "table") pump?.use(message.table);
      else {
        pump?.close();
        return scope.postMessage({ kind: "closed" });
      }
      if (pump?.run() === "gone") throw new Error("the device was taken away");
    }
  } catch (error) {
    pump?.close();
    scope.postMessage({ kind: pump === null ? "failed" : "ended", reason: reasonOf(error) });
  }
}

const scope: unknown = globalThis;
if (isThreadScope(scope)) serve(scope);
