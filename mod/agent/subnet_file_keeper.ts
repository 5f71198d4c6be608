/** Keeps subnet.env as wanted: written when containers may start, removed when nobody may start any, each failure said once. */
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import { removeSubnetFile, writeSubnetFile } from "../host/subnet_file.ts";

export class SubnetFileKeeper {
  readonly #path: string;
  readonly #log: Log;
  /** Whether we wrote it and have not removed it since: another program's file is not ours to remove. */
  #isOurs = false;
  #problem: Problem | null = null;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  get isOurs(): boolean {
    return this.#isOurs;
  }

  get problem(): Problem | null {
    return this.#problem;
  }

  /** Whether the file now says so. */
  write(text: string): boolean {
    try {
      writeSubnetFile(this.#path, text);
    } catch (error) {
      const remedy = "make its folder writable, or name another file with --subnet-file";
      this.#failed("written", remedy, error);
      return false;
    }
    this.#problem = null;
    this.#isOurs = true;
    return true;
  }

  remove(): void {
    if (!this.#isOurs) return;
    this.#isOurs = false;
    try {
      removeSubnetFile(this.#path);
      this.#problem = null;
    } catch (error) {
      const remedy = "remove it by hand: its subnet is no longer this host's";
      this.#failed("removed", remedy, error);
    }
  }

  /** Said once, not at each retry. */
  #failed(what: "written" | "removed", remedy: string, error: unknown): void {
    const reason = reasonOf(error);
    const text = `${this.#path} cannot be ${what}: ${reason}`;
    if (this.#problem?.text !== text) {
      this.#log.error("the subnet file is not as wanted", { reason: text, remedy });
    }
    this.#problem = { code: "subnet-file", severity: "error", text, remedy };
  }
}
