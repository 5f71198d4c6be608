/** As with IPv4, in a cluster of IPv6 alone: kernels are asked by ICMPv6. */
import { scenario } from "../e2e/scenario.ts";
import { DEAD_AGENT_MS_MAX, deadAgent } from "./dead_agents.ts";

scenario(
  import.meta,
  "a dead agent is not a dead host, with IPv6 alone",
  { hosts: 4, family: 6, timeLimitMs: DEAD_AGENT_MS_MAX },
  (stage) => deadAgent(stage, "--network=fd00:10:244::/56"),
);
