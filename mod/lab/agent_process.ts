/**
 * A process started in a lab host's namespace, and everything it has written so far.
 *
 * The output is kept in memory, so that a failing test or demo can show what the agent said.
 */
import type { Namespace } from "./namespace.ts";

export class AgentProcess {
  /** When it was started, on the clock of performance.now(), milliseconds. */
  readonly startedAtMs: number;
  readonly status: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<unknown>;
  #stdout = "";
  #stderr = "";
  #ended: Deno.CommandStatus | null = null;

  constructor(namespace: Namespace, command: readonly string[], env: Record<string, string>) {
    this.startedAtMs = performance.now();
    this.#child = namespace.spawn(command, {
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env,
    });
    this.#drained = Promise.all([
      drain(this.#child.stdout, (text) => this.#stdout += text),
      drain(this.#child.stderr, (text) => this.#stderr += text),
    ]);
    this.status = this.#child.status.then((status) => this.#ended = status);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** How it ended, or null while it runs. */
  get ended(): Deno.CommandStatus | null {
    return this.#ended;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Sends a signal unless the process has ended. */
  signal(signal: Deno.Signal): void {
    if (this.#ended !== null) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It ended between the check and the call.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Waits for the end and for the last line of output. */
  async wait(): Promise<Deno.CommandStatus> {
    const status = await this.status;
    await this.#drained;
    return status;
  }
}

async function drain(
  stream: ReadableStream<Uint8Array>,
  append: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) append(text);
}
