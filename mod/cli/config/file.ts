/** Settings from a TOML file: flat keys named like the flags. The only user of the TOML parser, loaded on demand. */
import { ConfigError, systemReasonOf } from "../../base/errors.ts";
import { quoteStart } from "../../base/quote.ts";
import { nearest } from "../../base/nearest.ts";
import { QUOTED_CHARACTERS_MAX, type Setting } from "./setting.ts";
import { keyLines } from "./key_lines.ts";
import { CONFIG_FILE_DEFAULT, SETTING_LIST, SETTINGS } from "./settings.ts";
import { type Found, type Source, splitValues } from "./sources.ts";

/** Bytes of a configuration file: each key once is 2 kB; more than a megabyte is some other file. */
const FILE_BYTES_MAX = 1024 * 1024;

/**
 * The file as a source, or undefined when none was named and the usual place is empty. Throws ConfigError.
 *
 * @param isReload By an agent that runs: a pipe was emptied at the start, and would hold up or mislead it.
 */
export function fileSource(
  named: { path: string; origin: string } | null,
  isReload = false,
): Promise<Source> | undefined {
  const path = named?.path ?? CONFIG_FILE_DEFAULT;
  const text = readText(path, named?.origin ?? null, isReload);
  return text === undefined ? undefined : sourceOfToml(path, text);
}

function readText(path: string, origin: string | null, isReload: boolean): string | undefined {
  try {
    const { size, isDirectory, isFile } = Deno.statSync(path);
    if (isDirectory) throw new ConfigError(path, "is a directory", "name the file in it");
    if (isReload && !isFile && path !== "/dev/null") {
      throw new ConfigError(
        path,
        "is no regular file and cannot be read a second time",
        "restart the agent, or give it a regular file",
      );
    }
    if (size > FILE_BYTES_MAX) {
      throw new ConfigError(
        path,
        `is ${size} bytes long, too long for a configuration file`,
        `name another one; ${FILE_BYTES_MAX} bytes are allowed`,
      );
    }
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const isAbsent = error instanceof Deno.errors.NotFound;
    if (isAbsent && origin === null) return undefined;
    const reason = isAbsent ? "there is no such file" : systemReasonOf(error);
    const remedy = isAbsent ? undefined : "name a file that this user may read";
    throw new ConfigError(origin ?? path, `cannot read ${path}: ${reason}`, remedy);
  }
}

/** Checks every key of the text and makes it a source. */
export async function sourceOfToml(path: string, text: string): Promise<Source> {
  const { parse, TomlError } = await import("smol-toml");
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "");
    throw new ConfigError(`${path}:${error.line}:${error.column}`, `not valid TOML: ${what}`);
  }
  const lines = keyLines(text);
  const found = new Map<string, Found>();
  for (const [key, value] of Object.entries(table)) {
    const line = lines.get(key);
    const origin = `${path}${line === undefined ? "" : `:${line}`}: ${shownKey(key)}`;
    const setting = knownSetting(key, value, origin);
    found.set(key, { origin, texts: textsOf(setting, value, origin) });
  }
  return (setting) => found.get(setting.name);
}

function knownSetting(key: string, value: unknown, origin: string): Setting<unknown> {
  const setting = SETTING_LIST.find(({ name }) => name === key);
  if (setting === SETTINGS.config) {
    throw new ConfigError(origin, "a file cannot name another one", "remove it");
  }
  if (setting !== undefined) return setting;
  if (isTable(value)) {
    throw new ConfigError(
      origin,
      "is a section, and the file has none",
      "write its keys at the top, without the line in brackets",
    );
  }
  const names = SETTING_LIST.map(({ name }) => name);
  const meant = nearest(key, names);
  throw new ConfigError(
    origin,
    "is not a known key",
    meant === undefined ? "gossamer up --help lists the settings" : `did you mean ${meant}?`,
  );
}

function isTable(value: unknown): boolean {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
}

/** The value in the form that flags have, once its TOML type is right. */
function textsOf(setting: Setting<unknown>, value: unknown, origin: string): readonly string[] {
  switch (setting.fileType) {
    case "string":
      if (typeof value === "string") return [value];
      break;
    case "integer":
      if (typeof value === "number" || typeof value === "bigint") return [String(value)];
      break;
    case "integer or word":
      if (typeof value === "string") return [value];
      if (typeof value === "number" || typeof value === "bigint") return [String(value)];
      break;
    case "boolean":
      if (typeof value === "boolean") return [String(value)];
      break;
    case "strings":
      if (typeof value === "string") return splitValues(setting, [value]);
      if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
      break;
  }
  const wanted = {
    string: "a string in quotes",
    integer: "a number without quotes",
    "integer or word": "a number without quotes, or a word in quotes",
    boolean: "true or false without quotes",
    strings: 'strings, as in ["one", "two"]',
  }[setting.fileType];
  throw new ConfigError(origin, `${shown(value)} is of the wrong type`, `give ${wanted}`);
}

function shown(value: unknown): string {
  if (typeof value === "string") return quoteStart(value, QUOTED_CHARACTERS_MAX);
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a time";
  return typeof value === "object" ? "a table" : String(value);
}

/** A key as it stands in the file, as far as it can be shown. */
function shownKey(key: string): string {
  return /^[\w-]{1,60}$/.test(key) ? key : quoteStart(key, QUOTED_CHARACTERS_MAX);
}
