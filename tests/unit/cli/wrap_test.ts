/** Breaking sentences for a terminal. */
import { equal } from "node:assert/strict";
import { colorPaint } from "../../../mod/cli/paint.ts";
import { wrap } from "../../../mod/cli/wrap.ts";

const SENTENCE = "no seed answers: start one of the hosts, or give another one";

Deno.test("a line is broken at the last blank that leaves it short enough", () => {
  equal(wrap(SENTENCE, 41), "no seed answers: start one of the hosts,\nor give another one");
  equal(wrap(SENTENCE, 40), "no seed answers: start one of the hosts,\nor give another one");
  equal(wrap(SENTENCE, 39), "no seed answers: start one of the\nhosts, or give another one");
});

Deno.test("a line that fits keeps its blanks, and so does every line of several", () => {
  equal(wrap("a   b", 80), "a   b");
  equal(wrap(`a   b\n${SENTENCE}`, 40).split("\n").length, 3);
});

Deno.test("a word that is too long stays whole", () => {
  const path = `/${"d".repeat(50)}`;
  equal(wrap(`in ${path} it is`, 40), `in\n${path}\nit is`);
});

Deno.test("colour takes no room", () => {
  const painted = colorPaint("bad", SENTENCE);
  equal(wrap(painted, SENTENCE.length), painted);
});

Deno.test("without a width, or with hardly any, nothing is broken", () => {
  equal(wrap(SENTENCE, Infinity), SENTENCE);
  equal(wrap(SENTENCE, 20), SENTENCE);
});
