/** The unit that `gossamer install` writes. */
import assert from "node:assert/strict";
import { serviceUnit, UNIT_MARK } from "../../../mod/cli/install/service_unit.ts";

Deno.test("the unit file to copy is the one that install writes", () => {
  const file = Deno.readTextFileSync(new URL("../../../scripts/gossamer.service", import.meta.url));
  assert.equal(file, serviceUnit("/usr/local/bin/gossamer"));
  assert(file.startsWith(UNIT_MARK));
});
