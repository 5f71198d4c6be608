/**
 * A dead agent is not a dead host. An agent that is killed costs no packet, however long it stays away. A host whose
 * kernel is silent as well is withdrawn, and whoever talks to it is told so at once; it returns by itself, with its agent or
 * without.
 */
import { scenario } from "../e2e/scenario.ts";
import { DEAD_AGENT_MS_MAX, deadAgent } from "./dead_agents.ts";

scenario(
  import.meta,
  "a dead agent is not a dead host",
  { hosts: 4, timeLimitMs: DEAD_AGENT_MS_MAX },
  (stage) => deadAgent(stage),
);
