/**
 * A headless Chromium, driven over the DevTools protocol (https://chromedevtools.github.io/devtools-protocol). Over pipes,
 * so that it may run in another network namespace than the test.
 */
import { ok } from "node:assert/strict";
import { programPath } from "./programs.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
/** A busy machine takes seconds to start it; nothing else takes one. */
const ANSWER_MS_MAX = 30_000;

/** The browser's program; undefined when none is installed. */
export function findChromium(): string | undefined {
  return NAMES.map(programPath).find((path) => path !== undefined);
}

/** Starts a command wherever the browser shall live. */
export type Spawn = (command: readonly string[], options: Deno.CommandOptions) => Deno.ChildProcess;

type Json = Record<string, unknown>;

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: Json;
  readonly error?: { readonly message: string };
}

export class Chromium {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #waiting = new Map<number, PromiseWithResolvers<Json>>();
  readonly #pages = new Map<string, (message: Message) => void>();
  #lastId = 0;

  /** `profile` is an empty folder. */
  constructor(program: string, profile: string, spawn: Spawn) {
    const flags = [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--hide-scrollbars",
      `--user-data-dir=${profile}`,
      "--remote-debugging-pipe",
    ];
    // The protocol goes over the descriptors 3 and 4.
    const script = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null';
    this.#child = spawn(["/bin/sh", "-c", script, "chromium", program, ...flags], {
      stdin: "piped",
      stdout: "piped",
      env: { HOME: profile },
    });
    this.#writer = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  async newPage(): Promise<Page> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    ok(typeof sessionId === "string");
    const page = new Page(this, sessionId);
    this.#pages.set(sessionId, (message) => page.take(message.method ?? "", message.params ?? {}));
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await page.send(`${domain}.enable`);
    return page;
  }

  async send(method: string, params: Json, sessionId?: string): Promise<Json> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Json>();
    this.#waiting.set(id, answer);
    const message = JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) });
    await this.#writer.write(new TextEncoder().encode(`${message}\0`));
    const late = setTimeout(
      () => answer.reject(new Error(`no answer to ${method} within ${ANSWER_MS_MAX} ms`)),
      ANSWER_MS_MAX,
    );
    try {
      return await answer.promise;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(id);
    }
  }

  async close(): Promise<void> {
    await this.send("Browser.close", {}).catch(() => {});
    await this.#child.status;
    await this.#reading;
    await this.#writer.close().catch(() => {});
  }

  async #read(): Promise<void> {
    let text = "";
    for await (const piece of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const messages = (text + piece).split("\0");
      text = messages.pop() ?? "";
      for (const message of messages) this.#take(JSON.parse(message));
    }
    for (const { reject } of this.#waiting.values()) reject(new Error("the browser ended"));
  }

  #take(message: Message): void {
    if (message.id === undefined) return this.#pages.get(message.sessionId ?? "")?.(message);
    const waiting = this.#waiting.get(message.id);
    if (message.error === undefined) waiting?.resolve(message.result ?? {});
    else waiting?.reject(new Error(message.error.message));
  }
}

export class Page {
  /** What the page wrote on its console, threw, or was refused. */
  readonly complaints: string[] = [];
  /** Every address it asked for. */
  readonly requested: string[] = [];
  readonly #browser: Chromium;
  readonly #session: string;
  #loaded = Promise.withResolvers<void>();

  constructor(browser: Chromium, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  send(method: string, params: Json = {}): Promise<Json> {
    return this.#browser.send(method, params, this.#session);
  }

  take(method: string, params: Json): void {
    if (method === "Page.loadEventFired") this.#loaded.resolve();
    if (method === "Network.requestWillBeSent") {
      const { url } = params["request"] as { url: string };
      this.requested.push(url);
    } else if (method === "Runtime.exceptionThrown") {
      this.complaints.push(JSON.stringify(params["exceptionDetails"]));
    } else if (method === "Runtime.consoleAPICalled") {
      this.complaints.push(JSON.stringify(params["args"]));
    } else if (method === "Log.entryAdded") {
      const { level, text, url } = params["entry"] as Record<string, string>;
      this.complaints.push(`${level}: ${text} ${url}`);
    }
  }

  async open(url: string): Promise<void> {
    this.#loaded = Promise.withResolvers();
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
    await this.#loaded.promise;
  }

  /** The value of an expression, promises awaited; throws what it throws. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** Sees the page in a window of that size, as a phone does if it is narrow. */
  async resize(width: number, height: number): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: width < 500,
    });
  }

  async prefer(colorScheme: "light" | "dark"): Promise<void> {
    const features = [{ name: "prefers-color-scheme", value: colorScheme }];
    await this.send("Emulation.setEmulatedMedia", { features });
  }

  async allowScripts(allowed: boolean): Promise<void> {
    await this.send("Emulation.setScriptExecutionDisabled", { value: !allowed });
  }

  /** A page behind another one is not seen, and may rest. */
  async toFront(): Promise<void> {
    await this.send("Page.bringToFront", {});
  }

  async screenshot(path: string): Promise<void> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    await Deno.writeFile(path, Uint8Array.fromBase64(String(data)));
  }
}
