/** The agent's entry point. */
import { type ExitCode, UserError } from "../base/errors.ts";
import type { AgentConfig } from "./config.ts";

/** Runs the agent until it is told to stop. */
export function runAgent(_config: AgentConfig): Promise<ExitCode> {
  return Promise.reject(new UserError("the agent is not part of this build yet"));
}
