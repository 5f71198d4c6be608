/** HTML from templates in which everything is text unless it was made by one. Pure. */

/** Text that is HTML already. */
export class Html {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /** Takes text of this program, such as its style sheet, as it is; never anything from outside. */
  static trusted(text: string): Html {
    return new Html(text);
  }

  toString(): string {
    return this.#text;
  }
}

export type HtmlValue = Html | string | number | null | readonly HtmlValue[];

/** `null` and empty lists are nothing; strings and numbers are escaped for text and quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const [first = "", ...rest] = withoutIndents(parts);
  let text = first;
  values.forEach((value, index) => text += fragment(value) + (rest[index] ?? ""));
  return Html.trusted(text);
}

/** The same templates come again and again. */
const compact = new WeakMap<TemplateStringsArray, readonly string[]>();

/** A template is indented for who reads it here; a page of a thousand rows would consist of that. */
function withoutIndents(parts: TemplateStringsArray): readonly string[] {
  let found = compact.get(parts);
  if (found === undefined) {
    found = parts.map((part) => part.replace(/\s*\n\s*/g, "\n"));
    compact.set(parts, found);
  }
  return found;
}

function fragment(value: HtmlValue): string {
  if (value === null) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "object") return value.map(fragment).join("");
  return escaped(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** Control characters but tab and line feed, and those that turn the direction of the text after them. */
const UNPRINTABLE =
  // deno-lint-ignore no-control-regex -- they are exactly what is replaced
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Names come from other hosts and may have anything in them. */
function escaped(text: string): string {
  return text.replace(UNPRINTABLE, "\ufffd")
    .replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? "");
}
