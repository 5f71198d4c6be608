/**
 * Takes out of a text what is nobody else's business: gossip keys in any form that people write them, and what operators put
 * into commands and addresses. Rather a harmless word too many than a secret too few. Pure.
 */

const LEFT_OUT = "(left out)";

/** 32 bytes in base64, plain or for URLs, with its end or without; and such a key in hexadecimal, with 0x or colons. */
const KEYS = new RegExp(
  [
    "(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{43}=?|(?:0x)?[0-9a-fA-F]{64})(?![A-Za-z0-9+/=_-])",
    "(?<![0-9a-fA-F:])(?:[0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2}(?![0-9a-fA-F:])",
    // As a part of a path or an address, where a slash tells nothing of where it begins or ends.
    "(?<=/)[A-Za-z0-9+/_-]{43}=",
    "(?<=/)(?:[A-Za-z0-9+_-]{43}|(?:0x)?[0-9a-fA-F]{64})(?![A-Za-z0-9+_-])",
    "(?<![A-Za-z0-9+_-])(?:[A-Za-z0-9+_-]{43}|(?:0x)?[0-9a-fA-F]{64})=?(?=/)",
  ].join("|"),
  "g",
);
/** `//name:password@host`. */
const CREDENTIALS = /(\/\/)[^/\s:@"']+:[^/\s@"']+@/g;
/** `token=x`, `Password: x`, `Authorization: Bearer x`, `--api-key x`. */
const NAMED =
  /((?:token|password|passwd|secret|api[-_]?key|authorization)["']?\s*(?:[=:]|\s)\s*)(?:(?:bearer|basic)\s+)?["']?[^\s"',;]+/gi;

export function redacted(text: string): string {
  return text
    .replaceAll(KEYS, "(left out: looks like a key)")
    .replaceAll(CREDENTIALS, `$1${LEFT_OUT}@`)
    .replaceAll(NAMED, `$1${LEFT_OUT}`);
}
