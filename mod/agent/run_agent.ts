/** Runs an agent until it is told to stop, and another one in its place where it lost its identity. */
import type { ExitCode } from "../base/errors.ts";
import { setStarting } from "../host/timer.ts";
import { Agent } from "./agent.ts";
import { openParts } from "./agent_parts.ts";
import type { AgentConfig } from "./config.ts";
import type { Reread } from "./reloader.ts";

/**
 * So long an identity that was just drawn is kept, whoever else claims to have it: nobody copied it, and whoever forges such
 * claims shall not have this host change its subnet all the time.
 */
const NEW_IDENTITY_KEPT_MS = 3_600_000;

/** Runs until told to stop. Throws UserError when this host cannot take part. */
export async function runAgent(config: AgentConfig, reread: Reread): Promise<ExitCode> {
  setStarting(true);
  let running = config;
  let identitiesLost = 0;
  let keptUntilMs = -Infinity;
  while (true) {
    const parts = await openParts(running, { keptUntilMs, lost: identitiesLost });
    const agent = new Agent(running, reread, parts);
    const end = await agent.run();
    if (end !== "another-identity") return end;
    running = agent.config;
    keptUntilMs = performance.now() + NEW_IDENTITY_KEPT_MS;
    identitiesLost++;
  }
}
