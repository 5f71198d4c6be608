/**
 * Logging: one line an event, for people as text, for machines as JSON lines. Pure: the line goes to a writer that is
 * handed in, the time comes from a clock that is handed in.
 */

export type LogLevel = "debug" | "info" | "warning" | "error";
export type LogFormat = "text" | "json";
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

const LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes one line without its line break. */
  readonly write: (line: string) => void;
  /** The present time as RFC 3339 text. */
  readonly now: () => string;
}

/** Writes events at or above a level. Messages are constant sentences; what varies goes into the fields. */
export class Log {
  #options: LogOptions;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** From the next line on. */
  change(to: Pick<LogOptions, "level" | "format">): void {
    this.#options = { ...this.#options, ...to };
  }

  debug(message: string, fields: LogFields = {}): void {
    this.write("debug", message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.write("info", message, fields);
  }

  warning(message: string, fields: LogFields = {}): void {
    this.write("warning", message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.write("error", message, fields);
  }

  /** Whether events of that level are written: for those that cost something to put into words. */
  writes(level: LogLevel): boolean {
    return LEVELS.indexOf(level) >= LEVELS.indexOf(this.#options.level);
  }

  write(level: LogLevel, message: string, fields: LogFields): void {
    if (!this.writes(level)) return;
    const time = this.#options.now();
    this.#options.write(
      this.#options.format === "json"
        ? JSON.stringify({ time, level, message, ...fields })
        : textLine(time, level, message, fields),
    );
  }
}

/** `12:34:56.789 warning message key=value key="two words"`: the date is left to journald and people's memory. */
function textLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const clock = time.slice(11, 23); // hh:mm:ss.mmm of an RFC 3339 time in UTC
  let line = `${clock} ${level.padEnd(7)} ${singleLine(message)}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    line += ` ${key}=${textValue(value)}`;
  }
  return line;
}

function textValue(value: string | number | boolean | null): string {
  const text = String(value);
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}

/** Names come from other hosts: a line break or escape sequence in one must not forge a log line. */
function singleLine(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are exactly what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
}
