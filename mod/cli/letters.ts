/** Flags of one letter as getopts takes them, for a command that takes the place of a shell script (POSIX, getopts). */
import type { Flag } from "./command.ts";

/**
 * Takes words such as `-ik` and `-dFILE` apart into `-i -k` and `-d FILE`. The first letter that wants a value takes what is left
 * of its word, or else the next word, whatever that looks like.
 */
export function splitLetters(flags: readonly Flag[], args: readonly string[]): readonly string[] {
  const known = new Map(
    flags.filter(({ letter }) => letter !== undefined).map((flag) => [flag.letter, flag]),
  );
  if (known.size === 0) return args;
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? "";
    if (!/^-[^-]/.test(word) || !known.has(word.slice(1, 2))) {
      words.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word.slice(at, at + 1);
      words.push(`-${letter}`);
      if (known.get(letter)?.kind !== "value") continue;
      const rest = word.slice(at + 1);
      const value = rest === "" ? args[++index] : rest;
      if (value !== undefined) words.push(value);
      break;
    }
  }
  return words;
}
