/** Each rule of the lint plugin catches what it is for and leaves its neighbours alone. */
import assert from "node:assert/strict";
import { plugin } from "../../scripts/lint/plugin.ts";

interface Case {
  rule: string;
  file: string;
  bad: string[];
  good: string[];
}

const CASES: Case[] = [
  {
    rule: "pure-globals",
    file: "mod/swim/probe.ts",
    bad: [
      "const now = Date.now();",
      "const now = new Date();",
      "const n = Math.random();",
      'const n = Math["random"]();',
      "const t = performance.now();",
      "setTimeout(run, 5);",
      "setInterval(run, 5);",
      "queueMicrotask(run);",
      "console.log(1);",
      "const x = Deno.env;",
      "const answer = fetch(url);",
      "crypto.getRandomValues(bytes);",
      "globalThis.setTimeout(run, 5);",
      "const clock = { Date };",
      "let later: Promise<void>;",
    ],
    good: [
      "const now = message.Date;",
      "const message = { Date: 1, fetch: 2 };",
      "const n = Math.floor(random.uint32());",
      "class Log { console = 1; fetch() { return this.console; } }",
      "interface Port { fetch(): number; performance: number }",
    ],
  },
  {
    rule: "pure-sync",
    file: "mod/claim/picker.ts",
    bad: [
      "async function pick() {}",
      "const pick = async () => {};",
      "class Picker { async pick() {} }",
      "await pick();",
      "for await (const x of xs) use(x);",
      'const x = import("./x.ts");',
    ],
    good: ["function* pick() { yield 1; }", "for (const x of xs) use(x);"],
  },
  {
    rule: "pure-imports",
    file: "mod/overlay/diff.ts",
    bad: [
      'import { readFileSync } from "node:fs";',
      'import { createHash } from "node:crypto";',
      'export { createHash } from "node:crypto";',
      'export * from "node:os";',
    ],
    good: ['import { sha256 } from "../base/hash.ts";', 'export * from "./plan.ts";'],
  },
  {
    rule: "dlopen-place",
    file: "mod/host/kernel.ts",
    bad: ['Deno.dlopen("libc.so.6", {});'],
    good: ["libc.dlopen();", "Deno.open(path);"],
  },
  {
    rule: "package-place",
    file: "mod/overlay/plan.ts",
    bad: [
      'import { Encoder } from "cbor-x/index-no-eval";',
      'import { buildCommand } from "@stricli/core";',
      'import fc from "fast-check";',
      'import leftPad from "left-pad";',
      'import * as v from "npm:valibot@1.5.0";',
      'export * from "smol-toml";',
    ],
    good: ['import { diff } from "./diff.ts";', 'import type { Claim } from "../claim/record.ts";'],
  },
  {
    rule: "package-place",
    file: "tests/property/order_test.ts",
    bad: ['import leftPad from "left-pad";'],
    good: ['import fc from "fast-check";', 'import assert from "node:assert/strict";'],
  },
  {
    rule: "exported-function",
    file: "mod/address/pool.ts",
    bad: ["export const size = () => 1;", "export const size = function () { return 1; };"],
    good: [
      "export function size() { return 1; }",
      "const size = () => 1;",
      "export const SIZE = 1;",
      "export const sizes = [1].map((x) => x);",
    ],
  },
  {
    rule: "hash-private",
    file: "mod/agent/loop.ts",
    bad: [
      "class A { private x = 1; }",
      "class A { private run() {} }",
      "class A { constructor(private readonly x: number) {} }",
    ],
    good: [
      "class A { #x = 1; }",
      "class A { private constructor() {} }",
      "class A { protected x = 1; }",
    ],
  },
  {
    rule: "no-default-export",
    file: "mod/cli/up.ts",
    bad: [
      "export default 1;",
      "export default function up() {}",
      "const a = 1; export { a as default };",
    ],
    good: ["export const a = 1;", "const a = 1; export { a };"],
  },
  {
    rule: "no-non-null",
    file: "mod/wire/packet.ts",
    bad: ["const first = parts[0]!;"],
    good: ["const first = !parts[0];", "const same = a !== b;"],
  },
  {
    rule: "no-non-null",
    file: "tests/unit/wire/packet_test.ts",
    bad: [],
    good: ["const first = parts[0]!;"],
  },
  {
    rule: "function-length",
    file: "mod/sim/network.ts",
    bad: [
      functionOfLines(71),
      `const f = ${functionOfLines(71)};`,
      `const f = () => [${"\n".repeat(70)}];`,
    ],
    good: [functionOfLines(70)],
  },
  {
    rule: "function-length",
    file: "tests/e2e/restart_test.ts",
    bad: [],
    good: [functionOfLines(71)],
  },
];

function functionOfLines(lines: number): string {
  return `function long() {${"\n".repeat(lines - 1)}}`;
}

/** The rules that speak up about `source`, without the plugin's prefix. */
function reportedRules(file: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, file, source).map(({ id }) => id.replace("gossamer/", ""));
}

/** Fit for the name of a test. */
function short(source: string): string {
  return source.replace(/\n+/g, " ... ");
}

for (const { rule, file, bad, good } of CASES) {
  for (const source of bad) {
    Deno.test(`${rule} refuses in ${file}: ${short(source)}`, () => {
      assert.ok(reportedRules(file, source).includes(rule));
    });
  }
  for (const source of good) {
    Deno.test(`${rule} accepts in ${file}: ${short(source)}`, () => {
      assert.ok(!reportedRules(file, source).includes(rule));
    });
  }
}

Deno.test("every rule of the lint plugin has a case", () => {
  const covered = new Set(CASES.map(({ rule }) => rule));
  assert.deepEqual(Object.keys(plugin.rules).filter((rule) => !covered.has(rule)), []);
});

Deno.test("pure rules leave modules with I/O alone", () => {
  assert.deepEqual(
    reportedRules("mod/host/clock.ts", "await run(); setTimeout(run, Date.now());"),
    [],
  );
});
