/**
 * What somebody else takes out of the kernel is put back: within a second, with all peers, whatever it was.
 *
 * The agents idle otherwise, so a second is two orders of magnitude more than the repair itself takes; the
 * times measured are printed.
 */
import { heals } from "./repairs.ts";
import { scenario } from "./scenario.ts";

scenario(
  import.meta,
  "what is broken by hand is healed within a second",
  { hosts: 4 },
  (stage) => heals(stage),
);
