/** What is thrown when a rule of a protocol did not hold in a simulated run. */

/** The message names rule, time and hosts. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
  /** Its short name, by which a shrunk run is known to fail in the same way. */
  readonly rule: string;

  constructor(rule: string, nowMs: number, what: string) {
    super(`${rule} at ${nowMs.toFixed(1)} ms: ${what}`);
    this.rule = rule;
  }
}
