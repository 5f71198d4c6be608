/** A process for commands to run in: what they write is kept, what they ask for is given. */
import { OutputClosed, type Outside } from "../../mod/cli/outside.ts";

export interface FakeOutsideOptions {
  readonly variables?: Readonly<Record<string, string>>;
  readonly hostName?: string;
  readonly terminal?: boolean;
  /** Milliseconds since 1970. */
  readonly nowMs?: number;
  readonly rows?: number;
  readonly width?: number;
  /** How often a watching command is woken before it is interrupted. */
  readonly ticks?: number;
  /** Called before each of them but the first. */
  readonly onTick?: (tick: number) => void | Promise<void>;
  /** What standard input has. */
  readonly input?: string;
  /** Whether the reader of standard output has gone. */
  readonly outputClosed?: boolean;
}

export class FakeOutside implements Outside {
  stdout = "";
  stderr = "";
  readonly outputIsTerminal: boolean;
  readonly talkIsTerminal: boolean;
  readonly #options: FakeOutsideOptions;

  constructor(options: FakeOutsideOptions = {}) {
    this.#options = options;
    this.outputIsTerminal = options.terminal ?? false;
    this.talkIsTerminal = options.terminal ?? false;
  }

  readonly variable = (name: string) => this.#options.variables?.[name];
  readonly variableNames = () => Object.keys(this.#options.variables ?? {});
  readonly hostName = () => this.#options.hostName ?? "h1";
  readonly print = (text: string) => {
    if (this.#options.outputClosed === true) throw new OutputClosed();
    this.stdout += text;
  };
  readonly input = () => Promise.resolve(this.#options.input ?? "");
  readonly say = (line: string) => void (this.stderr += `${line}\n`);
  readonly now = () => this.#options.nowMs ?? Date.parse("2026-01-02T05:10:00Z");
  readonly rows = () => this.#options.rows;
  readonly width = () => this.#options.width;
  /** Aborted by a test that plays the operator. */
  readonly interruptions = new AbortController();
  readonly interruption = () => ({ signal: this.interruptions.signal, forget() {} });
  readonly ticks = (): AsyncIterable<void> => this.#ticks();

  async *#ticks(): AsyncGenerator<void> {
    for (let tick = 0; tick < (this.#options.ticks ?? 1); tick++) {
      if (tick > 0) await this.#options.onTick?.(tick);
      yield;
    }
  }
}
