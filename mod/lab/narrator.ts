/** How the demo talks: headings, outcomes and the output of real commands, in colour on a terminal only. */

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, cyan: 36 } as const;
type Colour = keyof typeof COLOURS;

export class Narrator {
  readonly #write: (text: string) => unknown;
  readonly #coloured: boolean;
  #step = 0;

  constructor(write: (text: string) => unknown, coloured: boolean) {
    this.#write = write;
    this.#coloured = coloured;
  }

  /** A sentence of its own. */
  say(text = ""): void {
    this.#write(`${text}\n`);
  }

  /** Begins the next step. */
  step(title: string): void {
    this.#step++;
    this.#write(`\n${this.#paint("bold", `${this.#step}. ${title}`)}\n`);
  }

  /** What was done or is about to happen. */
  tell(text: string): void {
    this.#write(`   ${text}\n`);
  }

  /** Something that had to hold and did. */
  confirm(text: string): void {
    this.#write(`   ${this.#paint("green", "ok")} ${text}\n`);
  }

  /** Something that had to hold and did not. */
  refute(text: string): void {
    this.#write(`   ${this.#paint("red", "FAILED")} ${text}\n`);
  }

  /** A command as typed on a host, and what it printed. */
  quote(host: string, command: string, output: string): void {
    this.show(`${this.#paint("cyan", `${host}$`)} ${command}`, output);
  }

  /** A block of text under a line that says what it is. */
  show(title: string, text: string): void {
    this.#write(`   ${title}\n`);
    for (const line of text.trimEnd().split("\n")) {
      if (line !== "") this.#write(`   ${this.#paint("dim", `  ${line}`)}\n`);
    }
  }

  #paint(colour: Colour, text: string): string {
    return this.#coloured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
  }
}

/** `80 µs`, `8.1 ms`, `83 ms`, `1.4 s`: as precise as a reader cares. */
export function duration(ms: number): string {
  if (ms < 0.995) return `${Math.round(ms * 1000)} µs`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
