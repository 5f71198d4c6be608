/** When a host is told that it does not forward. */
import { strictEqual } from "node:assert/strict";
import { forwardingProblem } from "../../../mod/host/forwarding.ts";

Deno.test("only a host that says it does not forward is told of", () => {
  strictEqual(forwardingProblem(() => "1"), null);
  strictEqual(forwardingProblem(() => "0")?.code, "ip-forward-off");
  strictEqual(
    forwardingProblem(() => {
      throw new Error("hidden");
    }),
    null,
  );
});
