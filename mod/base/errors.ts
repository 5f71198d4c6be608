/** Errors that cross module borders. A message says what was found and where; `remedy` says what to do next. */

/** The exit codes of the command line, as the contract lists them. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  notReady: 4,
  privilege: 5,
} as const;
export type ExitCode = typeof ExitCode[keyof typeof ExitCode];

/** An error meant for a person: one clear line, what to do next, and the exit code it ends a command with. */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly exitCode: ExitCode;
  readonly remedy: string | undefined;

  constructor(
    message: string,
    options: { exitCode?: ExitCode; remedy?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? ExitCode.failed;
    this.remedy = options.remedy;
  }
}

/** A configuration value that cannot be used; `path` names the flag, variable or key it came from. */
export class ConfigError extends UserError {
  readonly path: string;

  constructor(path: string, message: string, remedy?: string) {
    super(`${path}: ${message}`, {
      exitCode: ExitCode.usage,
      ...(remedy === undefined ? {} : { remedy }),
    });
    this.path = path;
  }
}

/** Bytes from outside that break the wire format. Thrown by decoders only, caught at the edge of a core. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** What went wrong, in the error's own words; anything may be thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the operating system said, without what the runtime adds: error number, name of the call, and a path that is named already. */
export function systemReasonOf(error: unknown): string {
  return reasonOf(error).replace(/ \(os error \d+\).*$/s, "");
}
