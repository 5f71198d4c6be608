/** How the lab starts the program again. */
import assert from "node:assert/strict";
import { EXECUTABLE_VARIABLE, ownCommand } from "../../../mod/lab/executable.ts";

function withVariable(value: string | null, body: () => void): void {
  const before = Deno.env.get(EXECUTABLE_VARIABLE);
  if (value === null) Deno.env.delete(EXECUTABLE_VARIABLE);
  else Deno.env.set(EXECUTABLE_VARIABLE, value);
  try {
    body();
  } finally {
    if (before === undefined) Deno.env.delete(EXECUTABLE_VARIABLE);
    else Deno.env.set(EXECUTABLE_VARIABLE, before);
  }
}

Deno.test("the built file starts itself again by the path its launcher was started by", () => {
  withVariable("/opt/gossamer", () => assert.deepEqual(ownCommand(), ["/opt/gossamer"]));
});

Deno.test("run from the sources, the program starts its main module again", () => {
  for (const value of [null, ""]) {
    withVariable(value, () => {
      const command = ownCommand();
      assert.equal(command[0], Deno.execPath());
      assert.equal(command[1], "run");
      assert.equal(command.at(-1), Deno.mainModule);
    });
  }
});
