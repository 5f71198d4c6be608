/** What one setting of the agent is, wherever its value comes from: flag, environment variable or file. */
import { quoteStart } from "../../base/quote.ts";
import type { Flag } from "../command.ts";

/** Characters of a value that an error repeats: enough to recognize it. */
export const QUOTED_CHARACTERS_MAX = 60;

/** A value that a setting does not take. The message is a sentence about it; the remedy says what to give. */
export class BadValue extends Error {
  override readonly name = "BadValue";
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string) {
    super(message);
    this.remedy = remedy;
  }
}

export interface Setting<T> {
  /** The flag without dashes, the key in the file, and by rule the environment variable. */
  readonly name: string;
  readonly kind: Flag["kind"];
  /** What the value is written as in the file. */
  readonly fileType: "string" | "integer" | "integer or word" | "boolean" | "strings";
  /** For lists: what separates values within one flag or variable; null when a value may contain anything. */
  readonly separator: string | null;
  readonly placeholder: string;
  readonly group: SettingGroup;
  readonly text: string;
  /** Value when nobody gives one. */
  readonly initial: T;
  /** The default in words, null when there is none worth words. */
  readonly defaultText: string | null;
  /** Checks and converts one value, or each value of a list. Throws {@linkcode BadValue}. */
  readonly check: (text: string) => unknown;
  /** All values given in one place, at least one, already split. Throws {@linkcode BadValue}. */
  readonly read: (texts: readonly string[]) => T;
}

export type SettingGroup = "Cluster" | "Overlay" | "Underlay" | "Files" | "Monitoring" | "Logging";

interface Words {
  readonly name: string;
  readonly group: SettingGroup;
  readonly text: string;
  readonly placeholder?: string;
  readonly defaultText?: string;
}

/** A setting of one value. */
export function valueSetting<T, Initial extends T | null>(
  words: Words,
  initial: Initial,
  check: (text: string) => T,
  fileType: "string" | "integer" | "integer or word" = "string",
): Setting<T | Initial> {
  return {
    ...described(words, initial === null ? null : String(initial)),
    kind: "value",
    fileType,
    separator: null,
    placeholder: words.placeholder ?? "VALUE",
    initial,
    check,
    read: (texts) => check(texts.at(-1) ?? ""),
  };
}

/** A setting that is on or off. */
export function switchSetting(words: Words): Setting<boolean> {
  const check = (text: string) => {
    if (text === "true") return true;
    if (text === "false") return false;
    throw new BadValue(
      `${quoteStart(text, QUOTED_CHARACTERS_MAX)} is neither true nor false`,
      "give true or false",
    );
  };
  return {
    ...described(words, null),
    kind: "switch",
    fileType: "boolean",
    separator: null,
    placeholder: "",
    initial: false,
    check,
    read: (texts) => check(texts.at(-1) ?? ""),
  };
}

/** A setting of any number of values. */
export function listSetting(
  words: Words,
  check: (text: string) => string,
  separator: string | null,
): Setting<readonly string[]> {
  return {
    ...described(words, null),
    kind: "list",
    fileType: "strings",
    separator,
    placeholder: words.placeholder ?? "VALUE",
    initial: [],
    check,
    read: (texts) => [...new Set(texts.map(check))],
  };
}

function described(words: Words, defaultText: string | null) {
  return {
    name: words.name,
    group: words.group,
    text: words.text,
    defaultText: words.defaultText ?? defaultText,
  };
}

/** The environment variable of a flag: `GOSSAMER_` + upper case, `-` to `_`. */
export function variableOf(flagName: string): string {
  return `GOSSAMER_${flagName.toUpperCase().replaceAll("-", "_")}`;
}

/** The setting as the command line shows it. */
export function flagOf(setting: Setting<unknown>): Flag {
  return {
    name: setting.name,
    kind: setting.kind,
    placeholder: setting.placeholder,
    text: setting.text,
    variable: variableOf(setting.name),
    group: setting.group,
    ...(setting.defaultText === null ? {} : { defaultText: setting.defaultText }),
  };
}
