/** What signals mean to the agent: SIGINT and SIGTERM end it, SIGHUP has it read its configuration again. */

type Meaning = readonly [signal: "SIGINT" | "SIGTERM" | "SIGHUP", act: () => void];

export class AgentSignals {
  readonly #meanings: readonly Meaning[];

  constructor(acts: { stop: (signal: string) => void; reload: () => void }) {
    this.#meanings = [
      ["SIGINT", () => acts.stop("SIGINT")],
      ["SIGTERM", () => acts.stop("SIGTERM")],
      ["SIGHUP", () => acts.reload()],
    ];
  }

  listen(): void {
    for (const [signal, act] of this.#meanings) Deno.addSignalListener(signal, act);
  }

  close(): void {
    for (const [signal, act] of this.#meanings) Deno.removeSignalListener(signal, act);
  }
}
