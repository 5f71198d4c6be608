/** Colour for terminals: a few meanings instead of colours, so that NO_COLOR and pipes get plain text from one place. */
import type { Outside } from "./outside.ts";

/** Puts a meaning on a text; the plain form gives it back unchanged. */
export type Paint = (meaning: Meaning, text: string) => string;

export type Meaning = "good" | "warning" | "bad" | "faint" | "strong";

/** SGR parameters of ECMA-48: on and off. */
const CODES: Readonly<Record<Meaning, readonly [on: number, off: number]>> = {
  good: [32, 39],
  warning: [33, 39],
  bad: [31, 39],
  faint: [2, 22],
  strong: [1, 22],
};

export function plainPaint(_meaning: Meaning, text: string): string {
  return text;
}

export function colorPaint(meaning: Meaning, text: string): string {
  const [on, off] = CODES[meaning];
  return `\x1b[${on}m${text}\x1b[${off}m`;
}

/** Colour on a terminal unless NO_COLOR is set (no-color.org) or the terminal is dumb. */
export function paintFor(outside: Outside): Paint {
  const plain = !outside.outputIsTerminal || (outside.variable("NO_COLOR") ?? "") !== "" ||
    outside.variable("TERM") === "dumb";
  return plain ? plainPaint : colorPaint;
}
