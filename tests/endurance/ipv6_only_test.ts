/** A cluster of IPv6 alone is repaired as one of IPv4 is. */
import { heals } from "../e2e/repairs.ts";
import { scenario } from "../e2e/scenario.ts";

scenario(
  import.meta,
  "what is broken by hand is healed within a second, with IPv6 alone",
  { hosts: 4, family: 6 },
  (stage) => heals(stage, "--network=fd00:10:244::/56"),
);
