/**
 * Where values come from: flag before environment before file before default. Every error names the place it found the
 * value in.
 */
import { ConfigError } from "../../base/errors.ts";
import type { Given } from "../command.ts";
import { editDistance } from "../../base/nearest.ts";
import type { Outside } from "../outside.ts";
import { BadValue, type Setting, variableOf } from "./setting.ts";
import { SETTING_LIST } from "./settings.ts";

/** A variable that differs from a known one by this many letters is a slip. */
const VARIABLE_EDITS_MAX = 2;

/** Of the launcher: set at each start, and not worth the search for what they might be a slip of. */
const LAUNCHER_VARIABLES = ["GOSSAMER_EXECUTABLE", "GOSSAMER_RUNTIME_DIR"];

/** What a place says about one setting. */
export interface Found {
  /** `--vni`, `GOSSAMER_VNI` or `/etc/gossamer/gossamer.toml: vni`. */
  readonly origin: string;
  readonly texts: readonly string[];
}

/** One place that may hold values, by the setting's name. */
export type Source = (setting: Setting<unknown>) => Found | undefined;

/** A value and the place it was found in. */
export interface Sourced<T> {
  readonly value: T;
  /** Null for a default. */
  readonly origin: string | null;
}

/** Places in the order of their precedence. */
export class Sources {
  readonly #sources: readonly Source[];

  constructor(sources: readonly Source[]) {
    this.#sources = sources;
  }

  /** The value from the first place that has one, checked; else the default. Throws ConfigError. */
  read<T>(setting: Setting<T>): Sourced<T> {
    for (const source of this.#sources) {
      const found = source(setting);
      if (found === undefined) continue;
      return { value: readChecked(setting, found), origin: found.origin };
    }
    return { value: setting.initial, origin: null };
  }

  /** The value alone. */
  value<T>(setting: Setting<T>): T {
    return this.read(setting).value;
  }

  /** What to call the setting in an error about it: where it was found, or its flag. */
  origin(setting: Setting<unknown>): string {
    return this.read(setting).origin ?? `--${setting.name}`;
  }
}

function readChecked<T>(setting: Setting<T>, { origin, texts }: Found): T {
  for (const text of texts) {
    try {
      setting.check(text);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      throw new ConfigError(origin, error.message, error.remedy);
    }
  }
  return setting.read(texts);
}

/** Values of one place, where lists may be written with separators. */
export function splitValues(setting: Setting<unknown>, texts: readonly string[]): string[] {
  const { separator } = setting;
  if (separator === null) return [...texts];
  return texts.flatMap((text) => text.split(separator).map((part) => part.trim()));
}

/** The flags of the command line. */
export function flagSource(given: Given): Source {
  return (setting) => {
    const texts = given.flags.get(setting.name);
    if (texts === undefined) return undefined;
    return { origin: `--${setting.name}`, texts: splitValues(setting, texts) };
  };
}

/** The environment. A variable that is set but empty counts as not set, as service files write it. */
export function variableSource(outside: Outside): Source {
  return (setting) => {
    const origin = variableOf(setting.name);
    const text = outside.variable(origin);
    if (text === undefined || text === "") return undefined;
    return { origin, texts: splitValues(setting, [text]) };
  };
}

/** Warns of variables that look like a mistyped one. */
export function checkVariableNames(outside: Outside): void {
  const known = SETTING_LIST.map(({ name }) => variableOf(name));
  for (const name of outside.variableNames()) {
    if (!name.startsWith("GOSSAMER_") || known.includes(name)) continue;
    if (LAUNCHER_VARIABLES.includes(name)) continue;
    if (outside.variable(name) === "") continue;
    // Wrappers may use the prefix for variables of their own, so only a near miss is worth a word.
    const meant = known.find((variable) => editDistance(name, variable) <= VARIABLE_EDITS_MAX);
    if (meant === undefined) continue;
    outside.say(`gossamer: warning: ${name} is not a known variable; did you mean ${meant}?`);
  }
}
