/** Text from outside as it is shown in messages: in quotes, and nothing in it that a terminal would act upon. */

/**
 * What JSON leaves as it is although terminals obey it: delete and the C1 controls (ECMA-48), line and paragraph separators,
 * and the marks that turn the direction of writing (Unicode Standard Annex 9).
 */
const OBEYED = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A JSON string of printable characters. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(OBEYED, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The same of the first characters of a text that may be long; whole characters, counted in UTF-16 units. */
export function quoteStart(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return quote(text);
  const start = text.slice(0, lengthMax).replace(/[\ud800-\udbff]$/, "");
  return quote(`${start}…`);
}

/** As one word of a shell's command. Linux takes nearly every character in the name of a device, `;` and `$` among them. */
export function shellWord(text: string): string {
  return /^[\w.,:/@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
