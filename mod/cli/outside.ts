/** The process that a command runs in, as far as commands may touch it; tests hand in one of their own. */

import { ExitCode, systemReasonOf, UserError } from "../base/errors.ts";

export interface Outside {
  readonly variable: (name: string) => string | undefined;
  /** Names of all environment variables. */
  readonly variableNames: () => readonly string[];
  readonly hostName: () => string;
  /** Writes data to standard output, exactly as given. */
  readonly print: (text: string) => void;
  /** Standard input to its end. Throws UserError when it is longer than a small file. */
  readonly input: () => Promise<string>;
  /** Writes one line of talk (errors, progress) to standard error; the line break is added. */
  readonly say: (line: string) => void;
  /** Whether standard output is a terminal. */
  readonly outputIsTerminal: boolean;
  /** Whether standard error is a terminal. */
  readonly talkIsTerminal: boolean;
  /** Now, milliseconds since 1970. */
  readonly now: () => number;
  /** Rows of the terminal, if standard output is one. */
  readonly rows: () => number | undefined;
  /** Columns of the terminal, if standard output is one. */
  readonly width: () => number | undefined;
  /** Aborted by the first SIGINT or SIGTERM; `forget` lets go of them. */
  readonly interruption: () => { readonly signal: AbortSignal; readonly forget: () => void };
  /** At once, and then at every interval until SIGINT or SIGTERM ends it. */
  readonly ticks: (intervalMs: number) => AsyncIterable<void>;
}

/** The reader of our output went away (`| head`): there is nobody left to tell, so the process ends quietly. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** Characters of standard input that are read: a key file of a thousand keys has 45,000. */
const INPUT_CHARACTERS_MAX = 64 * 1024;

const encoder = new TextEncoder();

/** The real process. */
export function processOutside(): Outside {
  return {
    variable: (name) => Deno.env.get(name),
    variableNames: () => Object.keys(Deno.env.toObject()),
    hostName: () => Deno.hostname(),
    print: (text) => write(Deno.stdout, text),
    input,
    say,
    get outputIsTerminal() {
      return Deno.stdout.isTerminal();
    },
    get talkIsTerminal() {
      return Deno.stderr.isTerminal();
    },
    now: () => Date.now(),
    rows: () => Deno.stdout.isTerminal() ? Deno.consoleSize().rows : undefined,
    width: () => Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined,
    interruption,
    ticks,
  };
}

async function input(): Promise<string> {
  if (Deno.stdin.isTerminal()) say("reading standard input; Ctrl-D on a line of its own ends it");
  let text = "";
  for await (const part of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.length <= INPUT_CHARACTERS_MAX) continue;
    throw new UserError(`standard input is longer than ${INPUT_CHARACTERS_MAX} characters`, {
      exitCode: ExitCode.usage,
      remedy: "is it the right file?",
    });
  }
  return text;
}

function interruption(): { signal: AbortSignal; forget: () => void } {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", interrupt);
  return {
    signal: controller.signal,
    forget() {
      Deno.removeSignalListener("SIGINT", interrupt);
      Deno.removeSignalListener("SIGTERM", interrupt);
    },
  };
}

async function* ticks(intervalMs: number): AsyncGenerator<void> {
  const { signal, forget } = interruption();
  try {
    while (!signal.aborted) {
      yield;
      const pause = Promise.withResolvers<void>();
      const timer = setTimeout(pause.resolve, intervalMs);
      signal.addEventListener("abort", () => pause.resolve(), { once: true });
      await pause.promise;
      clearTimeout(timer);
    }
  } finally {
    forget();
  }
}

function say(line: string): void {
  try {
    write(Deno.stderr, line + "\n");
  } catch (error) {
    // Nobody listens, or the disk of the log is full; the exit code still says how it went.
    if (!(error instanceof OutputClosed || error instanceof UserError)) throw error;
  }
}

function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new OutputClosed();
    throw new UserError(`the output cannot be written: ${systemReasonOf(error)}`, { cause: error });
  }
}
