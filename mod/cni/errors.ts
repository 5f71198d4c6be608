/** Errors of the plugin as the CNI specification has them: a number for the runtime, a line for people. */

/** Numbers below 100 are the specification's (section 5, "Error"), the others ours. */
export const CniCode = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  undecodable: 6,
  invalidConfig: 7,
  tryAgainLater: 11,
  /** To STATUS: no ADD can be served. */
  notAvailable: 50,
  /** To STATUS: no ADD can be served, and containers that run may not be reached. */
  limitedConnectivity: 51,
  failed: 100,
  addressesUsedUp: 101,
  /** To CHECK: something that ADD made is gone or was changed. */
  notAsAdded: 102,
  /** The bridge, or the address it needs, belongs to somebody else. */
  notOurs: 103,
  missingPrivilege: 104,
} as const;
export type CniCode = typeof CniCode[keyof typeof CniCode];

/** What ends a call of the plugin. The message says what was found where, the details what to do. */
export class CniError extends Error {
  override readonly name = "CniError";
  readonly code: CniCode;
  readonly details: string;

  constructor(code: CniCode, message: string, details = "", cause: unknown = undefined) {
    super(message, { cause });
    this.code = code;
    this.details = details;
  }
}
