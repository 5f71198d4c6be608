/** The value of a flag that is no setting of the agent, checked as settings are. */
import { ConfigError } from "../base/errors.ts";
import { type Given, givenValue } from "./command.ts";
import { BadValue } from "./config/setting.ts";

/** Undefined when the flag was not given. Throws ConfigError. */
export function flagValue<T>(
  given: Given,
  name: string,
  check: (text: string) => T,
): T | undefined {
  const text = givenValue(given, name);
  if (text === undefined) return undefined;
  try {
    return check(text);
  } catch (error) {
    if (error instanceof BadValue) {
      throw new ConfigError(`--${name}`, error.message, error.remedy);
    }
    throw error;
  }
}
