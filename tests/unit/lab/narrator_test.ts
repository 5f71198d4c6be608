/** How the demo talks. */
import assert from "node:assert/strict";
import { duration, Narrator } from "../../../mod/lab/narrator.ts";

function narrate(coloured: boolean, tell: (narrator: Narrator) => void): string {
  let text = "";
  tell(new Narrator((part) => text += part, coloured));
  return text;
}

function story(narrator: Narrator): void {
  narrator.say("Once upon a time");
  narrator.step("Join");
  narrator.confirm("h1 owns a subnet");
  narrator.refute("h2 owns a subnet");
  narrator.step("Look");
  narrator.quote("h1", "gossamer members", "NAME\nh1\n");
}

Deno.test("the demo's steps are numbered and what commands print is set off", () => {
  assert.equal(
    narrate(false, story),
    `Once upon a time

1. Join
   ok h1 owns a subnet
   FAILED h2 owns a subnet

2. Look
   h1$ gossamer members
     NAME
     h1
`,
  );
});

Deno.test("colours change nothing but the colour", () => {
  const coloured = narrate(true, story);
  assert(coloured.includes("\x1b[32mok\x1b[0m"));
  // deno-lint-ignore no-control-regex
  assert.equal(coloured.replace(/\x1b\[\d+m/g, ""), narrate(false, story));
});

Deno.test("durations are as precise as a reader cares", () => {
  assert.equal(duration(0.0421), "42 µs");
  assert.equal(duration(0.9949), "995 µs");
  assert.equal(duration(0.996), "1.0 ms");
  assert.equal(duration(9.94), "9.9 ms");
  assert.equal(duration(83.4), "83 ms");
  assert.equal(duration(999.4), "999 ms");
  assert.equal(duration(1449), "1.4 s");
});
